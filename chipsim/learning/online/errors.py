"""The error that enters every class at every step, from a loss per step (docs/online.md section 3)."""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import wide
from chipsim.learning.losses import inject_error


@kernel
def step_errors(steps, first, trace, label, sharpness, gain, fraction, delta_fraction, scores, inject):
    """Fill `inject` [T, C] from the potentials of the readout, `trace` [T, 2, N]; first: global id of class 0; scores: [C] scratch."""
    inject[0, :] = 0
    for t in range(1, steps):
        for c in range(len(scores)):
            scores[c] = wide(trace[t, 0, first + c]) * sharpness
        inject_error(gain, scores, label, fraction, delta_fraction, inject[t])
