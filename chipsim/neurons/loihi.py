"""What the models of the Loihi family share: parameters with their ranges on Loihi, and their constants."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from chipsim.neurons.contract import Form, Model, Tau, Variable
from chipsim.schema import Description

SCALE = 64  # thresholds are stored without their 6 lowest bits
Threshold = Annotated[int, Field(strict=True, ge=0, le=131071)]  # 17 bits


class LoihiParameters(Description):
    """Parameters of a current-based LIF neuron on Loihi, as lava-nc takes them.

    du, dv: fraction of current and voltage lost per step in 1/4096 (the current loses one part more: du = 0 still decays, du = 4095
    keeps nothing, du = -1 everything). In their place tau_syn_ms and tau_ms may be given. vth: threshold without its 6 lowest bits;
    by default the one threshold unit of the network (2^(v_fraction - 6)). bias: bias_mant * 2^bias_exp is added to v in every step.
    """

    tau_ms: Tau | None = None
    tau_syn_ms: Tau | None = None
    du: Annotated[int, Field(strict=True, ge=-1, le=4095)] | None = None
    dv: Annotated[int, Field(strict=True, ge=0, le=4096)] | None = None
    vth: Threshold | None = None
    bias_mant: Annotated[int, Field(strict=True, ge=-4096, le=4095)] = 0
    bias_exp: Annotated[int, Field(strict=True, ge=0, le=7)] = 0

    @model_validator(mode="after")
    def _one_of(self) -> Any:
        for tau, word in (("tau_ms", "dv"), ("tau_syn_ms", "du")):
            if getattr(self, tau) is not None and getattr(self, word) is not None:
                raise ValueError(f"{tau} and {word} say the same thing: give one of them")
        if self.tau_ms is None and self.dv is None:
            raise ValueError("the decay of the voltage is required: dv (in 1/4096) or tau_ms")
        return self


VARIABLES = (Variable("v", "membrane"), Variable("u", "current"))


def family(**more: Any) -> Model:
    """Return the Model of a member of the family."""
    return Model("loihi", more.pop("variables", VARIABLES), **more)


def words(own: Any, form: Form) -> tuple[float, float]:
    """Return the decay words of v and u, or the factors in float. Without du and tau_syn_ms the current keeps nothing."""
    unit = 1.0 if form.fixed else 1 / 4096
    v = form.word(own.tau_ms) if own.dv is None else (4096 - own.dv) * unit
    if own.tau_syn_ms is not None:
        return v, form.word(own.tau_syn_ms)
    return v, (4095 - (4095 if own.du is None else own.du)) * unit


def threshold(vth: int | None, form: Form) -> float:
    """Return a threshold in units of v."""
    return float(SCALE * vth if vth is not None else 1 << form.v_fraction)


def bias(own: Any) -> float:
    """Return the bias as it is added to v, in the 32 bits that Lava computes in."""
    return float(np.int64(own.bias_mant) << np.int64(own.bias_exp))


def loihi_constants(own: Any, form: Form, *more: float) -> tuple[float, ...]:
    """Return decay words of v and u, threshold, bias, and what a model adds."""
    return (*words(own, form), threshold(getattr(own, "vth", None), form), bias(own), *more)
