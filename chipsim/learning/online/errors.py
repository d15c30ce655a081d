"""The errors that signals start from: of every class, or of the local readout of every hidden population (docs/online.md section 3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import DECAY_BITS, decay, rescale, saturate, wide
from chipsim.learning.losses import enter, inject_error, softmax_error
from chipsim.learning.online.feedback import FEEDBACK_FRACTION
from chipsim.learning.online.state import SIGNAL_ADDS, TRACE_DECAYS


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


@kernel
def closed_errors(steps, scores, best, label, scale, kappa, inject):
    """Fill `inject` [T, C] with what the error of a class does from step t on: the derivative of the loss with respect to its input.

    scores: [C] of the sample; best: [C] steps of their maxima, or -1 where the score is a sum; kappa: [T] `closed_form`.
    """
    softmax_error(scale.gain, scores, label, scale.fraction, inject[0])
    for t in range(1, steps):
        for c in range(len(scores)):
            left = steps - 1 - t if best[c] < 0 else best[c] - t
            inject[t, c] = enter(wide(inject[0, c]), wide(kappa[left]), scale.delta_fraction) if left >= 0 else 0
    inject[0, :] = 0


def closed_form(steps: int, alpha: float, summed: bool, fixed: bool) -> np.ndarray:
    """Return kappa [T]: what an error weighs that the readout takes in n steps before its last one.

    A score that is a sum takes it in every step from then on, 1 - alpha^(n + 1); a maximum once, (1 - alpha) alpha^n. In fixed point
    in 1/4096. Source: closed form of the readout, Perez-Nieves & Goodman 2021 (spec section 6).
    """
    n = np.arange(steps)
    kappa = 1 - alpha ** (n + 1.0) if summed else (1 - alpha) * alpha**n
    return np.rint(kappa * 2**DECAY_BITS).astype(np.int64) if fixed else kappa


@kernel
def local_errors(steps, label, scale, net, spikes, walk, scores):
    """Fill `walk.local` [T, P, C]: every hidden population has a leaky readout of its own with fixed random weights.

    r_c[t] = a_r r_c[t-1] + sum over the spikes (n, t-1) of g_nc, V format of the readout; its error is formed as that of a class.
    """
    circuit, feedback = net.circuit, net.setup.feedback
    walk.local[:, :, :] = 0
    for p in net.setup.order:
        if p < 0:
            break
        scores[:] = 0
        judge = circuit.first_slice[p]
        for t in range(1, steps):
            at = (t - 1) * len(circuit.lo) + p
            for c in range(len(scores)):
                total = wide(scores[c]) * 0
                for r in range(spikes.start[at], spikes.start[at + 1]):
                    total += rescale(wide(feedback[spikes.unit[r], c]), FEEDBACK_FRACTION - scale.fraction)
                walk.counts[TRACE_DECAYS, t, judge] += scores[c] != 0
                scores[c] = saturate(decay(wide(scores[c]), wide(circuit.decay[-1])) + total, circuit.rules.modes.v_bits)
            for r in range(spikes.start[at], spikes.start[at + 1]):
                walk.counts[SIGNAL_ADDS, t, circuit.slice_of[spikes.unit[r]]] += len(scores)
            walk.local[t, p, :] = scores * scale.sharpness
            inject_error(scale.gain, walk.local[t, p], label, scale.fraction, scale.delta_fraction, walk.local[t, p])
