"""ternary-lif: a loihi-lif with two thresholds that sends +1 above the upper and -1 below the lower one (lava-nc's TernaryLIF).

    s[t] = [v > 64 vth_hi] - [v < 64 vth_lo];  v = 0 after either spike

Source: lava-nc 0.10.0, lif/models.py, PyTernLifModelFixed. The potential of the active test is that of the upper threshold.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chipsim.kernels._jit import kernel
from chipsim.kernels.lane_math import pick
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import BIAS, THETA, current, flag, into_loihi_v, leak
from chipsim.neurons.contract import THIRD, Form, V
from chipsim.neurons.loihi import SCALE, LoihiParameters, Threshold, bias, family, threshold, words

LOWER = 4


class Parameters(LoihiParameters):
    """Those of the Loihi family, with vth_hi and vth_lo in place of vth."""

    vth: None = None
    vth_hi: Threshold
    vth_lo: Annotated[int, Field(strict=True, ge=-131072, le=0)]


MODEL = family()


def constants(own: Any, form: Form) -> tuple[float, ...]:
    """Return the decay words of v and u, the upper threshold, the bias, the lower threshold."""
    return (*words(own, form), threshold(own.vth_hi, form), bias(own), float(SCALE * own.vth_lo))


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    u = current(s, a, k, now, modes)
    v = into_loihi_v(leak(s[V], k[V], now, modes, DECAY_V) + u + k[BIAS], modes)
    potential, payload = v - k[THETA], flag(v, v > k[THETA]) - flag(v, v < k[LOWER])
    return (pick(payload != 0, flag(v, False), v), u, s[THIRD]), payload, potential
