"""refractory-lif: a loihi-lif whose voltage stands still for some steps after a spike.

    v is updated only if end < t + 1;  a spike sets v = 0 and end = t + 1 + period: `period` steps in which v stays 0

The current goes on. Source: lava-nc 0.10.0, lif/models.py, PyLifRefractoryModelFloat (Lava has no fixed-point model of it): the same
schedule with the arithmetic of loihi-lif.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chipsim.kernels._jit import kernel
from chipsim.kernels.lane_math import pick
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import BIAS, THETA, current, flag, into_loihi_v, leak
from chipsim.neurons.contract import THIRD, Form, V, Variable
from chipsim.neurons.loihi import VARIABLES, LoihiParameters, family, loihi_constants

PERIOD = 4


class Parameters(LoihiParameters):
    """Those of the Loihi family; period: steps of silence after a spike (8 bits)."""

    period: Annotated[int, Field(strict=True, ge=0, le=255)]


MODEL = family(variables=(*VARIABLES, Variable("pause", 8, signed=False, overflow="none", rounding="", extra=True)))


def constants(own: Any, form: Form) -> tuple[float, ...]:
    """Return the decay words of v and u, the threshold, the bias, the period."""
    return loihi_constants(own, form, float(own.period))


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    u, v, end = current(s, a, k, now, modes), s[V], s[THIRD]
    v = pick(end < now.t + 1, into_loihi_v(leak(v, k[V], now, modes, DECAY_V) + u + k[BIAS], modes), v)
    potential, payload = v - k[THETA], flag(v, v > k[THETA])
    fired = payload != 0
    return (pick(fired, flag(v, False), v), u, pick(fired, now.t + 1 + k[PERIOD], end)), payload, potential
