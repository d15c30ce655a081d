"""A population: a set of neurons of one model. What may be said of it beside its size is up to the model's own file."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, field_validator, model_validator

from chipsim.neurons import INPUT, MODELS, model
from chipsim.neurons.contract import Model
from chipsim.overrides import suggest
from chipsim.schema import Description, Several

Count = Annotated[int, Field(strict=True, ge=1, le=10**9)]
DEFAULT = "delta-lif"


class Population(Description):
    """A set of neurons of one model.

    name, neuron (the model), and size, or shape = [X, Y, C] for a population that convolutions read or write. All other keys are the
    parameters of the model (`Parameters` in its file in chipsim/neurons).
    """

    model_config = ConfigDict(extra="allow")
    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    neuron: str = DEFAULT
    size: Count
    shape: tuple[Count, Count, Count] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _parts(cls, table: Any, handler: ModelWrapValidatorHandler) -> Any:
        if not isinstance(table, dict):
            return handler(table)
        kind = table.get("neuron", DEFAULT)
        base = {key: value for key, value in table.items() if key in cls.model_fields}
        own = {key: value for key, value in table.items() if key not in cls.model_fields}
        shape = base.get("shape")
        if isinstance(shape, (list, tuple)) and "size" not in base and all(type(n) is int for n in shape):
            base["size"] = math.prod(shape)
        found: list[ValidationError] = []
        if isinstance(kind, str) and kind in MODELS:
            try:
                own = model(kind).Parameters.model_validate(own).model_dump()
            except ValidationError as error:
                found.append(error)
        try:
            made = handler({**base, **({} if found else own)})
        except ValidationError as error:
            found.append(error)
        if found:
            kinds = model(kind).Parameters.model_fields if isinstance(kind, str) and kind in MODELS else ()
            raise Several(found, sorted({*cls.model_fields, *kinds}))
        return made

    @field_validator("neuron")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in MODELS:
            raise ValueError(f"it must be one of {', '.join(MODELS)}; {suggest(value, MODELS)}".removesuffix("; "))
        return value

    @model_validator(mode="after")
    def _sense(self) -> Population:
        if self.shape and math.prod(self.shape) != self.size:
            raise ValueError(f"shape {list(self.shape)} has {math.prod(self.shape)} neurons, size says {self.size}")
        return self

    @property
    def model(self) -> Model:
        """What the compiler must know of the neuron model."""
        return model(self.neuron).MODEL

    @property
    def own(self) -> Any:
        """The model's parameters."""
        return model(self.neuron).Parameters.model_validate(self.__pydantic_extra__ or {})

    @property
    def is_input(self) -> bool:
        """Whether the host sends its spikes."""
        return self.neuron == INPUT

    def kept(self, dt_ms: float) -> float:
        """Return the factor its membrane keeps per step, exp(-dt / tau) or 1 - dv / 4096; 1 without a leak, 0 for an input."""
        if self.is_input:
            return 0.0
        tau, dv = getattr(self, "tau_ms", None), getattr(self, "dv", None)
        if tau:
            return math.exp(-dt_ms / tau)
        return 1.0 if dv is None else 1 - dv / 4096

    def kept_current(self, dt_ms: float) -> float:
        """Return the factor its current keeps per step, exp(-dt / tau_syn) or (4095 - du) / 4096; 0 for models without one."""
        tau, du = getattr(self, "tau_syn_ms", None), getattr(self, "du", None)
        if tau:
            return math.exp(-dt_ms / tau)
        return 0.0 if du is None else (4095 - du) / 4096
