"""The error that enters every class at every step, from a loss per step (docs/online.md section 3)."""

from __future__ import annotations

from typing import NamedTuple

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import wide
from chipsim.learning.losses import inject_error


class Scale(NamedTuple):
    """gain: 1 - a_r, in 1/4096 in fixed point; fraction, delta_fraction: bits of V and of the errors of the readout."""

    sharpness: int
    gain: float
    fraction: int
    delta_fraction: int


@kernel
def step_errors(steps, trace, label, scale, scores, inject):
    """Fill `inject` [T, C] from the potentials of the readout, `trace` [T, 2, N]; scores: [C] scratch."""
    first = trace.shape[2] - len(scores)
    inject[0, :] = 0
    for t in range(1, steps):
        for c in range(len(scores)):
            scores[c] = wide(trace[t, 0, first + c]) * scale.sharpness
        inject_error(scale.gain, scores, label, scale.fraction, scale.delta_fraction, inject[t])
