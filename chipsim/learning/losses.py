"""Softmax cross entropy on the class scores, and the error it injects into the readout (docs/semantics.md section 4).

q_c = softmax(m)_c - 1[c = y]. With m_c = sum_t out_c[t] the error G_c = (1 - a_r) q_c enters at every step, with m_c = max_t out_c[t]
only at the first maximum t*_c. Source: spec of Perez-Nieves & Goodman 2021, readout modes `sum` and `max`.
"""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import by_number, inner, kernel
from chipsim.kernels.fixed import DECAY_BITS, rescale

TABLE_BITS = 16  # width of an exponential table entry
TABLE_STEPS = 16  # table entries per unit of the exponent
PROBABILITY_BITS = 14  # fraction bits of a probability
TABLE = np.rint(((1 << TABLE_BITS) - 1) * np.exp(-np.arange(256) / TABLE_STEPS)).astype(np.int64)


@inner
def largest(scores):
    """Return the largest score."""
    best = scores[0]
    for c in range(1, len(scores)):
        best = max(best, scores[c])
    return best


@inner
def present(regulariser):
    """Return whether any term of the regulariser is not 0."""
    for p in range(regulariser.shape[0]):
        for n in range(regulariser.shape[1]):
            if regulariser[p, n] != 0:
                return True
    return False


def _softmax_fixed(gain, scores, label, fraction, error):
    """Write q of every class; `gain` = 4096 - decay word, `fraction`: fraction bits of V. `error` may be `scores` itself."""
    best = largest(scores)
    total = np.int64(0)
    for c in range(len(scores)):
        index = ((best - scores[c]) * gain) >> np.int64(fraction + DECAY_BITS - 4)
        error[c] = TABLE[index] if index < len(TABLE) else 0
        total += error[c]
    for c in range(len(scores)):
        p = ((np.int64(error[c]) << np.int64(PROBABILITY_BITS + 1)) + total) // (2 * total)
        error[c] = p - (np.int64(1) << np.int64(PROBABILITY_BITS)) if c == label else p


def _softmax_float(gain, scores, label, fraction, error):
    parts_of_error(gain, scores, label, error, 1.0)


@kernel
def parts_of_error(gain, scores, label, error, part):
    """Write part q of every class; floats only."""
    best = largest(scores)
    total = error[0] * 0
    for c in range(len(scores)):
        error[c] = np.exp((scores[c] - best) * gain)
        total += error[c]
    for c in range(len(scores)):
        q = error[c] / total - (1 if c == label else 0)
        error[c] = q * part


def _enter_fixed(q, part, delta_fraction):
    """Return a part (in 1/4096) of an error q in the delta format."""
    return rescale(rescale(q * part, DECAY_BITS), PROBABILITY_BITS - delta_fraction)


def _enter_float(q, part, delta_fraction):
    return q * part


def _inject_fixed(gain, scores, label, fraction, delta_fraction, inject):
    """Write the injected error of every class, (1 - a_r) q_c; `inject` may be `scores` itself."""
    softmax_error(gain, scores, label, fraction, inject)
    for c in range(len(scores)):
        inject[c] = enter(np.int64(inject[c]), gain, delta_fraction)


def _inject_float(gain, scores, label, fraction, delta_fraction, inject):
    parts_of_error(gain, scores, label, inject, gain)


softmax_error = by_number(_softmax_fixed, _softmax_float)
inject_error = by_number(_inject_fixed, _inject_float)
enter = by_number(_enter_fixed, _enter_float)


@kernel
def start_backward(circuit, work, label, mode, gain, fraction, delta_fraction, regulariser):
    """Clear the backward state, then form the loss error and the regulariser terms of one sample.

    mode: 0 sum, 1 max. regulariser: [P, 4] number: upper term, lower slope, f_upper, f_lower (zeros: none); the upper term is already
    in the delta format of the population, the lower term is round(slope * (f_lower - n)) in float64 before conversion.
    """
    e = work.errors
    single = mode == 1 and len(e.losses) == 0  # the error enters once, at the maximum
    for values in (e.delta, e.second, e.eps, e.gain, e.reg):
        values[:] = 0
    if len(e.losses) == 0:
        for c in range(len(e.inject)):
            e.inject[c] = work.membranes.score[c, mode]
        inject_error(gain, e.inject, label, fraction, delta_fraction, e.inject)
    for c in range(len(e.due)):
        e.due[c] = work.membranes.best[c] if single else -1
    regularise(circuit, work, regulariser)


@kernel
def regularise(circuit, work, regulariser):
    """Write the regulariser gradient of every hidden neuron, constant over time (spec of the paper's code, section 3)."""
    counts = work.errors.live
    if not present(regulariser):
        return
    counts[:] = 0
    for e in range(work.spikes.start[-1]):
        counts[work.spikes.unit[e]] += 1
    for p in range(1, len(circuit.lo) - 1):
        lo, hi = circuit.lo[p], circuit.hi[p]
        spikes = 0
        for n in range(lo, hi):
            spikes += counts[n]
        mean = spikes / (hi - lo)
        for n in range(lo, hi):
            if mean > regulariser[p, 2]:
                work.errors.reg[n] += add_term(work.errors.reg[n], regulariser[p, 0])
            if counts[n] < regulariser[p, 3]:
                work.errors.reg[n] -= add_term(work.errors.reg[n], regulariser[p, 1] * (regulariser[p, 3] - counts[n]))


def _term_fixed(like, term):
    """Round a regulariser term, given in units of the delta format, to an integer."""
    return np.int64(np.rint(term))


def _term_float(like, term):
    return term


add_term = by_number(_term_fixed, _term_float)
