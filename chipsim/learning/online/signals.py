"""Learning signals: the error of every class at every step, and from it the signal of every hidden neuron (docs/online.md section 3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import by_number, entry, inner
from chipsim.kernels.fixed import GAIN_BITS, rescale, saturate, wide
from chipsim.kernels.random import random_word
from chipsim.learning.online.state import SIGNAL_ADDS, Setup
from chipsim.state import Circuit

SOURCES = {"sym": 0, "fa": 1, "dfa": 2, "sdfa": 3, "label": 4, "none": 5}
LAYERWISE, SIGN, LABEL, NONE = 1, 3, 4, 5
ALIGN = {"same": 0, "next": 1}
FEEDBACK, FEEDBACK_FRACTION = 9, 7  # stream of the fixed random weights; their fraction bits


class How(NamedTuple):
    """How signals are made. source, ahead: codes of `SOURCES` and `ALIGN`; everywhere: for all neurons, not only active ones."""

    steps: int
    source: int
    ahead: int
    everywhere: bool
    fd_readout: int  # fraction bits of the errors of the classes
    fd: int  # and of the signals of hidden populations


class Net(NamedTuple):
    """What signals travel through."""

    how: How
    circuit: Circuit
    setup: Setup
    weights: np.ndarray  # [W] number


def _sign_fixed(x, one):
    """Return one, 0 or -one."""
    return one if x > 0 else (-one if x < 0 else x * 0)


def _sign_float(x, one):
    return x * 0 + np.sign(x)


sign_of = by_number(_sign_fixed, _sign_float)


@entry
def signals(label, net, work, walk):
    """Start the counts and fill `walk.signal` for hidden neurons; the errors of the classes stand in `walk.inject`."""
    walk.counts[:, :, :] = 0
    circuit, setup, steps = net.circuit, net.setup, net.how.steps
    first = circuit.lo[-1]
    for t in range(1, steps):
        for c in range(circuit.classes):
            walk.signal[t, first + c] = loud(wide(walk.inject[t, c]), setup.threshold[-1])
    for p in setup.order:
        if p < 0:
            break
        for t in range(1, steps):
            if net.how.everywhere:
                for n in range(circuit.lo[p], circuit.hi[p]):
                    walk.signal[t, n] = signal(t, p, n, label, net, work, walk)
            else:
                at = t * len(circuit.lo) + p
                for r in range(work.active.start[at], work.active.start[at + 1]):
                    n = work.active.unit[r]
                    walk.signal[t, n] = signal(t, p, n, label, net, work, walk)


@inner
def signal(t, p, n, label, net, work, walk):
    """Return L of neuron n of population p at step t."""
    nothing, how, threshold = wide(walk.signal[0, 0]) * 0, net.how, net.setup.threshold[p]
    if how.source == NONE or (t + how.ahead >= how.steps and how.source != LABEL):
        return nothing
    if how.source <= LAYERWISE:
        return loud(pulled(t + how.ahead, p, n, net, work, walk), threshold)
    return loud(nothing + broadcast(t + how.ahead, n, label, net, walk), threshold)


@inner
def loud(x, threshold):
    """Return a signal whose size exceeds the threshold, else 0."""
    return x if abs(x) > threshold else x * 0


@inner
def pulled(t, p, n, net, work, walk):
    """Return the symmetric signal of neuron n: its weights to everything that is active above at step t."""
    total, circuit = wide(walk.signal[0, n]) * 0, net.circuit
    for k in range(len(circuit.pre)):
        if circuit.pre[k] == p and net.setup.toward[k]:
            q = circuit.post[k]
            row = circuit.offset[k] + (n - circuit.lo[p]) * (circuit.hi[q] - circuit.lo[q]) - circuit.lo[q]
            total += rescale(pull_row(t, q, row, net, work, walk), circuit.back[k])
    return saturate(total, circuit.delta_bits[p])


@inner
def pull_row(t, q, row, net, work, walk):
    """Return the sum over a weight row of w ds at step t, exactly."""
    total, circuit = wide(walk.signal[0, 0]) * 0, net.circuit
    weights = net.weights if net.how.source < LAYERWISE else net.setup.layerwise
    if q == len(circuit.lo) - 1 and circuit.classes > 0:
        for c in range(circuit.classes):
            total += wide(weights[row + circuit.lo[q] + c]) * wide(walk.inject[t, c])
            walk.counts[SIGNAL_ADDS, t, circuit.slice_of[circuit.lo[q] + c]] += 1
        return total
    at = t * len(circuit.lo) + q
    for r in range(work.active.start[at], work.active.start[at + 1]):
        j = work.active.unit[r]
        total += wide(weights[row + j]) * rescale(wide(walk.signal[t, j]) * wide(work.active.gain[r]), GAIN_BITS)
        walk.counts[SIGNAL_ADDS, t, circuit.slice_of[j]] += 1
    return total


@inner
def broadcast(t, n, label, net, walk):
    """Return the signal of neuron n through fixed random weights straight from the classes, or from the label alone."""
    how, circuit, setup = net.how, net.circuit, net.setup
    if how.source == LABEL:
        return rescale(-wide(setup.feedback[n, label]), FEEDBACK_FRACTION - how.fd)
    total = wide(walk.inject[t, 0]) * 0
    for c in range(circuit.classes):
        error = wide(walk.inject[t, c])
        if how.source == SIGN:
            error = sign_of(error, np.int64(1) << np.int64(how.fd_readout))
        total += wide(setup.feedback[n, c]) * error
    walk.counts[SIGNAL_ADDS, t, circuit.slice_of[n]] += circuit.classes
    return saturate(rescale(total, FEEDBACK_FRACTION + how.fd_readout - how.fd), circuit.delta_bits[-1])


def feedback_weights(neurons: int, classes: int, floating: bool, first: int = 0) -> np.ndarray:
    """Return b [N, C]: integers -127 .. 127, uniform, the same on every chip; in float divided by 128. first: number of the first word."""
    words = [random_word(0, FEEDBACK, first + n, 0, 0, 0) % 255 - 127 for n in range(neurons * classes)]
    found = np.array(words, dtype=np.int64).reshape(neurons, classes)
    return found / 2.0**FEEDBACK_FRACTION if floating else found


def label_weights(neurons: int, classes: int, floating: bool) -> np.ndarray:
    """Return the code of the label [N, C]: b less its mean over the classes (rounded down), so that no neuron is driven by every class."""
    found = feedback_weights(neurons, classes, False)
    found -= found.sum(axis=1, keepdims=True) // classes
    return found / 2.0**FEEDBACK_FRACTION if floating else found
