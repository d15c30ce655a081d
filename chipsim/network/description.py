"""The Network: populations, projections between them, and how they are trained. The description before compiling."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PrivateAttr, ValidationError, model_validator

from chipsim.errors import ConfigError, DataError, raise_all
from chipsim.network.arrays import delay_problems, weight_problems
from chipsim.network.check import structure_problems
from chipsim.network.draw import draw_delays, draw_mask, draw_weights
from chipsim.network.learning import Data, Learning, Schedule
from chipsim.network.placement import Placement, placement_problems
from chipsim.network.population import Count, Population
from chipsim.network.projection import Positive, Projection
from chipsim.schema import Description, problems_of


class Network(Description):
    """Populations, the input first; projections between them (by default dense from each population to the next); how they are trained.

    steps: time indices T of a sample; T - 1 transitions are executed. dt_ms: length of a step.
    Weights are explicit after `with_weights`, else drawn from the initialisation of each projection with the seed of the run;
    connectivity and delays are drawn with the network's own seed.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=100)] = "network"
    title: str = ""
    dt_ms: Positive = 1.0
    steps: Count
    population: tuple[Population, ...]
    projection: tuple[Projection, ...] = ()
    learning: Learning = Learning()
    data: Data | None = None
    schedule: dict[Literal["fixed", "float"], Schedule] = {}
    placement: Placement = Placement()
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 1
    _weights: dict[str, np.ndarray] | None = PrivateAttr(default=None)
    _delays: dict[str, np.ndarray] = PrivateAttr(default_factory=dict)
    _masks: dict[int, np.ndarray] = PrivateAttr(default_factory=dict)  # drawn connectivity, kept once drawn

    @model_validator(mode="before")
    @classmethod
    def _chain(cls, table: Any) -> Any:
        if isinstance(table, dict) and table.get("projection") is None and isinstance(table.get("population"), (list, tuple)):
            names = [getattr(p, "name", None) or (p.get("name", "") if isinstance(p, dict) else "") for p in table["population"]]
            table = {**table, "projection": [{"pre": a, "post": b} for a, b in zip(names, names[1:], strict=False)]}
        return table

    def __init__(self, **table: Any):
        """Build from keyword arguments.

        Raises:
            ConfigError: wrong, missing or unknown keys, all of them at once; or parts that do not fit together.
        """
        try:
            super().__init__(**table)
        except ValidationError as error:
            raise ConfigError(problems_of(error, Network, f'network "{table.get("name", "network")}"')) from None

    def model_post_init(self, context: Any) -> None:
        """Check what must hold between the parts."""
        super().model_post_init(context)
        raise_all(structure_problems(self) or placement_problems(self))

    @property
    def populations(self) -> tuple[Population, ...]:
        """Populations, the input first."""
        return self.population

    @property
    def projections(self) -> tuple[Projection, ...]:
        """Projections in the order of the description."""
        return self.projection

    @property
    def hidden(self) -> tuple[Population, ...]:
        """The populations between input and readout (all others, if there is no readout)."""
        return self.population[1 : -1 if self.has_readout else None]

    @property
    def has_readout(self) -> bool:
        """Whether the last population is a readout with class scores."""
        return self.population[-1].model.readout

    @property
    def readout(self) -> str:
        """Class score over time: `sum` or `max`."""
        return getattr(self.population[-1], "readout", None) or "max"

    @property
    def names(self) -> list[str]:
        """Name of each projection's weights."""
        into = [p.post for p in self.projection]
        return [p.name or (p.post if into.count(p.post) == 1 else f"{p.pre}->{p.post}") for p in self.projection]

    @property
    def ends(self) -> list[tuple[int, int]]:
        """Numbers of the pre- and postsynaptic population of each projection."""
        index = {p.name: n for n, p in enumerate(self.population)}
        return [(index[p.pre], index[p.post]) for p in self.projection]

    def alpha(self, index: int) -> float:
        """Return the factor the membrane of population `index` keeps per step, exp(-dt / tau)."""
        return self.population[index].kept(self.dt_ms)

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Weights by name (of the postsynaptic population), [N_pre, N_post] float64 in thresholds (or as mantissas)."""
        return self.initial_weights(self.seed)

    @property
    def explicit(self) -> bool:
        """Whether the weights were given, not drawn with a seed."""
        return self._weights is not None

    def initial_weights(self, seed: int) -> dict[str, np.ndarray]:
        """Return the explicit weights, or weights drawn with `seed`."""
        if self._weights is not None:
            return {name: w.copy() for name, w in self._weights.items()}
        found = {}
        for k, (name, projection, (a, b)) in enumerate(zip(self.names, self.projection, self.ends, strict=True)):
            pre, post = self.population[a], self.population[b]
            found[name] = draw_weights(projection, k, pre, post, self.alpha(b), seed)
            mask = self.mask(k)
            if mask is not None:
                found[name] *= mask
        return found

    def mask(self, k: int) -> np.ndarray | None:
        """Return which synapses of projection k exist, [N_pre, N_post] bool; None: all (or it is a convolution)."""
        projection, (a, b) = self.projection[k], self.ends[k]
        if projection.kind != "sparse":
            return None
        if projection.density is not None:
            if k not in self._masks:
                self._masks[k] = draw_mask(projection, k, self.population[a], self.population[b], self.seed)
            return self._masks[k]
        return None if self._weights is None else self._weights[self.names[k]] != 0

    def delays(self, k: int) -> np.ndarray | None:
        """Return the delay of every synapse of projection k, [N_pre, N_post] int64; None: there are none."""
        given = self._delays.get(self.names[k])
        if given is not None:
            return given.copy()
        projection, (a, b) = self.projection[k], self.ends[k]
        return draw_delays(projection, k, self.population[a], self.population[b], self.seed) if projection.delayed else None

    def with_weights(self, weights: dict[str, np.ndarray]) -> Network:
        """Return a copy with explicit weights, {name: [N_pre, N_post]}; those of a convolution are [K, kx, ky, C / groups].

        Raises:
            DataError: a projection is missing or unknown, a shape is wrong, a weight is not finite or not a mantissa.
        """
        raise_all(weight_problems(self, weights), DataError)
        new = self.model_copy()
        new._weights = {name: np.array(weights[name], dtype=np.float64) for name in self.names}
        return new

    def with_delays(self, delays: dict[str, np.ndarray]) -> Network:
        """Return a copy with explicit delays for some projections, {name: [N_pre, N_post]} integers from 0 to 62.

        Raises:
            DataError: a projection is unknown or a convolution, a shape is wrong, a delay is out of range.
        """
        raise_all(delay_problems(self, delays), DataError)
        new = self.model_copy()
        new._delays = {**self._delays, **{name: np.array(d, dtype=np.int64) for name, d in delays.items()}}
        return new

    def over(self, steps: int) -> Network:
        """Return this network for samples of `steps` steps."""
        return self if steps == self.steps else self.but(steps=steps)

    def but(self, **changes: Any) -> Network:
        """Return a copy with some fields replaced, validated again; explicit weights and delays are kept.

        Raises:
            ConfigError: a field is wrong. DataError: explicit weights do not fit the new populations.
        """
        new = Network.model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})
        if self._weights is not None:
            raise_all(weight_problems(new, self._weights), DataError)
        raise_all(delay_problems(new, self._delays), DataError)
        new._weights, new._delays = self._weights, self._delays
        return new
