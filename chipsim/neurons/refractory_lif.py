"""refractory-lif: a loihi-lif whose voltage stands still for some steps after a spike.

    v is updated only if end < t + 1;  a spike sets v = 0 and end = t + 1 + period: `period` steps in which v stays 0

The current goes on. Source: lava-nc 0.10.0, lif/models.py, PyLifRefractoryModelFloat (Lava has no fixed-point model of it): the same
schedule with the arithmetic of loihi-lif.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import wide
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import BIAS, THETA, current, into_loihi_v, leak, settle_loihi
from chipsim.neurons.loihi import VARIABLES, LoihiParameters, family, loihi_constants
from chipsim.neurons.contract import THIRD, Form, V, Variable

PERIOD = 4


class Parameters(LoihiParameters):
    """Those of the Loihi family; period: steps of silence after a spike (8 bits)."""

    period: Annotated[int, Field(strict=True, ge=0, le=255)]


MODEL = family(variables=(*VARIABLES, Variable("pause", 8, signed=False, overflow="none", rounding="", extra=True)))


def constants(own: Any, form: Form) -> tuple[float, ...]:
    """Return the decay words of v and u, the threshold, the bias, the period."""
    return loihi_constants(own, form, float(own.period))


@kernel
def update(rules, cells, at, a):
    """One step of one compartment."""
    u = current(rules, cells, at, a)
    theta = rules.constants[at.p, THETA]
    v = wide(cells.state[V, at.n])
    if cells.state[THIRD, at.n] < at.t + 1:
        v = into_loihi_v(leak(rules, cells, at, V, DECAY_V) + u + rules.constants[at.p, BIAS], rules.arithmetic)
    if v > theta:
        cells.state[THIRD, at.n] = at.t + 1 + rules.constants[at.p, PERIOD]
    settle_loihi(rules, cells, at, v, 1 if v > theta else 0)
    return v - theta
