"""What the rest of chipsim must know of a neuron model, and what a model is told when its constants are made."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

V, SECOND, THIRD = 0, 1, 2  # rows of the state of a compartment: V; current or adaptation; end of a pause
Tau = Annotated[float, Field(strict=True, gt=0, le=1e6, allow_inf_nan=False)]


class Variable(NamedTuple):
    """A state variable as the chip stores it.

    bits: "membrane" or "current" (that width of the chip), or a number. signed: two's complement. The overflow is the chip's
    ("chip") or fixed by the model; decays are rounded as the chip says ("chip") or there is none ("").
    """

    name: str
    bits: str | int
    signed: bool = True
    overflow: str = "chip"
    rounding: str = "chip"
    extra: bool = False  # beyond the compartment state that the chip declares: adds to the memory


class Model(NamedTuple):
    """A neuron model in the words of the compiler. family: "delta" or "loihi" (docs/neurons.md section 3), or "input"."""

    family: str
    variables: tuple[Variable, ...]
    spikes: bool = True
    readout: bool = False
    lazy: bool = False  # can be updated on demand, with a decay over many steps at once
    stepped: bool = False  # is updated in every step even on a chip with lazy decay
    adjoint: tuple[
        str, ...
    ] = ()  # backward variables of its `adjoint`, that of its input first; none: no gradient rule trains it
    resets: bool = False  # a spike sets V to zero: replay must know its own spikes
    thresholds: bool = True  # weights can be given in units of its threshold

    @property
    def decays_alone(self) -> bool:
        """Whether V, without input, does nothing but decay toward zero below a constant threshold."""
        return self.lazy and len(self.variables) == 1 and bool(self.variables[0].rounding)


class Form(NamedTuple):
    """What the constants of a population are made from."""

    fixed: bool
    theta: float  # threshold of the delta family in units of V
    dt_ms: float
    v_fraction: int

    def word(self, tau_ms: float) -> float:
        """Return the decay word of a time constant, round(4096 exp(-dt / tau)), or the factor itself in float."""
        import math

        factor = math.exp(-self.dt_ms / tau_ms)
        return float(round(4096 * factor)) if self.fixed else factor
