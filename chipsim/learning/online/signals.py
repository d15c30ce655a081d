"""Learning signals: from the errors of the classes to the signal of every hidden neuron (docs/online.md section 3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import by_number, entry, inner
from chipsim.kernels.fixed import GAIN_BITS, decay, rescale, saturate, to_error, wide
from chipsim.learning.online.feedback import FEEDBACK_FRACTION
from chipsim.learning.online.state import SIGNAL_ADDS, TRACE_DECAYS, Setup
from chipsim.state import Circuit, Wires

SOURCES = {"sym": 0, "fa": 1, "adaptive": 1, "sym-trace": 2, "dfa": 3, "sdfa": 4, "label": 5, "local": 6, "none": 7}
LAYERWISE, PAST, SIGN, LABEL, LOCAL, NONE = 1, 2, 4, 5, 6, 7
ALIGN = {"same": 0, "next": 1}


class How(NamedTuple):
    """How signals are made. ahead: code of `ALIGN`; everywhere: for all neurons, not only active ones."""

    steps: int
    ahead: int
    everywhere: bool
    fd_readout: int  # fraction bits of the errors of the classes
    fd: int  # and of the signals of hidden populations


class Net(NamedTuple):
    """What signals travel through."""

    how: How
    circuit: Circuit
    wires: Wires
    setup: Setup
    weights: np.ndarray  # [W] number


def source_codes(source: str, away: list[int]) -> list[int]:
    """Return the code of the source of every population; away: projections to the readout.

    A deferred error is exact where only the readout lies above: there it is carried down by the weights, elsewhere sent directly.
    """
    if source == "deferred":
        return [SOURCES["sym" if distance <= 1 else "dfa"] for distance in away]
    return [SOURCES[source]] * len(away)


def _sign_fixed(x, one):
    """Return one, 0 or -one."""
    return one if x > 0 else (-one if x < 0 else x * 0)


def _sign_float(x, one):
    return x * 0 + np.sign(x)


sign_of = by_number(_sign_fixed, _sign_float)


@entry
def signals(label, net, work, walk):
    """Fill `walk.signal`; the errors of the classes stand in `walk.inject`, those of local readouts in `walk.local`."""
    class_signals(net, walk)
    for p in net.setup.order:
        if p < 0:
            break
        for t in range(1, net.how.steps):
            set_places(t + net.how.ahead, p, True, net, work, walk)
            population_signals(t, p, label, net, work, walk)
            set_places(t + net.how.ahead, p, False, net, work, walk)
        if len(walk.past) > 0:
            remember_all(p, net, work, walk)


@inner
def class_signals(net, walk):
    """Fill in the signals of the classes, and the sums of their past errors where they are used."""
    circuit, threshold = net.circuit, net.setup.threshold[-1]
    last = len(circuit.lo) - 1
    for t in range(1, net.how.steps):
        for c in range(circuit.classes):
            walk.signal[t, circuit.lo[last] + c] = loud(wide(walk.inject[t, c]), threshold)
            if len(walk.past) > 0:
                remember(t, last, circuit.lo[last] + c, wide(walk.inject[t, c]), circuit, net.setup, walk)


@inner
def population_signals(t, p, label, net, work, walk):
    """Fill in the signals of population p at step t: of its active neurons, or of all."""
    circuit = net.circuit
    if net.how.everywhere:
        for n in range(circuit.lo[p], circuit.hi[p]):
            walk.signal[t, n] = signal(t, p, n, label, net, work, walk)
        return
    at = t * len(circuit.lo) + p
    for r in range(work.active.start[at], work.active.start[at + 1]):
        n = work.active.unit[r]
        walk.signal[t, n] = signal(t, p, n, label, net, work, walk)


@inner
def signal(t, p, n, label, net, work, walk):
    """Return L of neuron n of population p at step t."""
    nothing, how, source = wide(walk.signal[0, 0]) * 0, net.how, net.setup.source[p]
    if source == NONE or (t + how.ahead >= how.steps and source != LABEL):
        return nothing
    if source <= PAST:
        return loud(pulled(t + how.ahead, p, n, net, work, walk), net.setup.threshold[p])
    return loud(nothing + broadcast(t + how.ahead, p, n, label, net, walk), net.setup.threshold[p])


@inner
def loud(x, threshold):
    """Return a signal whose size exceeds the threshold, else 0."""
    return x if abs(x) > threshold else x * 0


@inner
def remember(t, q, n, ds, circuit, setup, walk):
    """Bring the sum of past errors of neuron n of population q from step t - 1 to t (source sym-trace)."""
    before = wide(walk.past[t - 1, n])
    if before != 0:
        walk.counts[TRACE_DECAYS, t, circuit.slice_of[n]] += 1
    walk.past[t, n] = saturate(decay(before, wide(setup.membrane[q])) + ds, circuit.delta_bits[q])


@inner
def remember_all(p, net, work, walk):
    """Sum up the past errors of population p; only active neurons have one."""
    circuit = net.circuit
    for t in range(1, net.how.steps):
        at = t * len(circuit.lo) + p
        for n in range(circuit.lo[p], circuit.hi[p]):
            walk.past[t, n] = 0
        for r in range(work.active.start[at], work.active.start[at + 1]):
            n = work.active.unit[r]
            walk.past[t, n] = rescale(wide(walk.signal[t, n]) * wide(work.active.gain[r]), GAIN_BITS)
        for n in range(circuit.lo[p], circuit.hi[p]):
            remember(t, p, n, wide(walk.past[t, n]), circuit, net.setup, walk)


@inner
def pulled(t, p, n, net, work, walk):
    """Return the symmetric signal of neuron n: its weights to everything that has an error above at step t."""
    total, circuit = wide(walk.signal[0, n]) * 0, net.circuit
    for k in range(len(circuit.pre)):
        if circuit.pre[k] == p and net.setup.toward[k]:
            q = circuit.post[k]
            row = circuit.offset[k] + (n - circuit.lo[p]) * (circuit.hi[q] - circuit.lo[q]) - circuit.lo[q]
            if net.wires.listed[k]:
                found = pull_list(t, p, k, n, net, work, walk)
            elif net.setup.source[p] == PAST:
                found = pull_past(t, q, row, net, walk)
            else:
                found = pull_row(t, p, q, row, net, work, walk)
            total += to_error(found, circuit.back[k], circuit.unit[k])
    return saturate(total, circuit.delta_bits[p])


@inner
def pull_row(t, p, q, row, net, work, walk):
    """Return the sum over a weight row of w ds at step t, exactly."""
    total, circuit = wide(walk.signal[0, 0]) * 0, net.circuit
    weights = net.setup.layerwise if net.setup.source[p] == LAYERWISE else net.weights
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
def set_places(t, p, there, net, work, walk):
    """Note where the active neurons of step t stand in their log, or forget it: what lists of synapses are looked up in."""
    if net.setup.source[p] > LAYERWISE or t >= net.how.steps:
        return
    populations = len(net.circuit.lo)
    for r in range(work.active.start[t * populations], work.active.start[(t + 1) * populations]):
        walk.place[work.active.unit[r]] = r + 1 if there else 0


@inner
def pull_list(t, p, k, n, net, work, walk):
    """As `pull_row` and `pull_past`, for a projection k whose synapses are listed."""
    total, circuit, wires, source = wide(walk.signal[0, 0]) * 0, net.circuit, net.wires, net.setup.source[p]
    weights = net.setup.layerwise if source == LAYERWISE else net.weights
    q, row = circuit.post[k], wires.first_row[k] + n - circuit.lo[circuit.pre[k]]
    readout = q == len(circuit.lo) - 1
    for x in range(wires.list_start[row], wires.list_start[row + 1]):
        j, w = circuit.lo[q] + wires.list_post[x], wide(weights[wires.list_weight[x]])
        there = True
        if source == PAST:
            there = walk.past[t, j] != 0
            total += w * wide(walk.past[t, j])
        elif readout:
            total += w * wide(walk.inject[t, wires.list_post[x]])
        elif walk.place[j] > 0:
            total += w * rescale(wide(walk.signal[t, j]) * wide(work.active.gain[walk.place[j] - 1]), GAIN_BITS)
        else:
            there = False
        if there:
            walk.counts[SIGNAL_ADDS, t, circuit.slice_of[j]] += 1
    return total


@inner
def pull_past(t, q, row, net, walk):
    """Return the sum over a weight row of w times the sum of past errors at step t, exactly."""
    total, circuit = wide(walk.signal[0, 0]) * 0, net.circuit
    for j in range(circuit.lo[q], circuit.hi[q]):
        if walk.past[t, j] != 0:
            total += wide(net.weights[row + j]) * wide(walk.past[t, j])
            walk.counts[SIGNAL_ADDS, t, circuit.slice_of[j]] += 1
    return total


@inner
def broadcast(t, p, n, label, net, walk):
    """Return the signal of neuron n through fixed random weights: from the classes, from its local readout, or from the label alone."""
    how, circuit, setup, source = net.how, net.circuit, net.setup, net.setup.source[p]
    if source == LABEL:
        return rescale(-wide(setup.feedback[n, label]), FEEDBACK_FRACTION - how.fd)
    total = wide(walk.inject[t, 0]) * 0
    for c in range(circuit.classes):
        error = wide(walk.local[t, p, c]) if source == LOCAL else wide(walk.inject[t, c])
        if source == SIGN:
            error = sign_of(error, np.int64(1) << np.int64(how.fd_readout))
        total += wide(setup.feedback[n, c]) * error
    walk.counts[SIGNAL_ADDS, t, circuit.slice_of[n]] += circuit.classes
    return saturate(rescale(total, FEEDBACK_FRACTION + how.fd_readout - how.fd), circuit.delta_bits[-1])
