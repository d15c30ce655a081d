"""Several samples in one call: forward, and forward with replay, each followed by a copy of what happened.

A call of a kernel unpacks every array of the image, which takes as long as a small sample; here it is paid once for many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import entry, inner
from chipsim.learning.losses import start_backward
from chipsim.learning.writes import write_rows_of
from chipsim.simulator.replay import replay_one
from chipsim.simulator.step import forward_one
from chipsim.state import Circuit, SpikeLog, Wires, Workspace


class Hardware(NamedTuple):
    """The image and the memory of a sample, weights apart."""

    steps: int
    circuit: Circuit
    wires: Wires
    work: Workspace
    flat: np.ndarray  # the memory of `work.activity`, one field after the other


class Chosen(NamedTuple):
    """Which samples are run, one after the other."""

    which: np.ndarray  # [M] int64: numbers of samples in the log
    labels: np.ndarray  # [M] int64; not read by a forward run
    log: SpikeLog  # spikes of all samples, start: [B * T + 1]
    seed: int  # of the random words
    run: int  # pass over the data


class Objective(NamedTuple):
    """The loss as `learning.losses.start_backward` takes it."""

    mode: int
    gain: float
    fraction: int
    delta_fraction: int
    regulariser: np.ndarray  # [P, 4] float64


class Outcome(NamedTuple):
    """What each sample gave."""

    scores: np.ndarray  # [M, C] number: sum or maximum over steps
    activity: np.ndarray  # [M, entries] int64: the fields of an Activity, one after the other
    spiked: np.ndarray  # [N] bool: neurons that spiked in any of them


@inner
def keep(m, mode, hardware, outcome):
    """Copy what sample m of the call gave."""
    work, flat = hardware.work, hardware.flat
    for c in range(outcome.scores.shape[1]):
        outcome.scores[m, c] = work.membranes.score[c, mode]
    for n in range(len(flat)):
        outcome.activity[m, n] = flat[n]
    for r in range(work.spikes.start[-1]):
        outcome.spiked[work.spikes.unit[r]] = True


class Limit(NamedTuple):
    """How many records the log of a core holds, and what fills it."""

    words: int  # -1: no limit
    sent: np.ndarray  # [G, K] int64: records on each core of a spike of a neuron of this group
    marked: np.ndarray  # [G, K] int64: of an active event without a spike
    own: np.ndarray  # [G, K] int64: of an active event, and of a spike that is logged at home
    need: np.ndarray  # [K] int64: memory for the records of a sample


@inner
def fits(limit, a):
    """Return whether the records of a sample fit the logs of all cores."""
    if limit.words < 0:
        return True
    limit.need[:] = 0
    last = len(a.spikes) - 1
    for g in range(a.spikes.shape[1]):
        own, sent, marked = a.active[last, g] + a.resets[last, g], 0, 0  # what leaves in the last step arrives nowhere
        for t in range(last):
            own += a.active[t, g] + a.resets[t, g]
            sent += a.spikes[t, g]
            marked += a.marks[t, g]
        for k in range(len(limit.need)):
            limit.need[k] += own * limit.own[g, k] + sent * limit.sent[g, k] + marked * limit.marked[g, k]
    for k in range(len(limit.need)):
        if limit.need[k] > limit.words:
            return False
    return True


@inner
def run_one(m, chosen, hardware, weights):
    """Run sample m of the call forward."""
    b, steps, work = chosen.which[m], hardware.steps, hardware.work
    address = work.membranes.cells.address
    address[0], address[1], address[2] = chosen.seed, b, chosen.run
    inputs = SpikeLog(chosen.log.unit, chosen.log.value, chosen.log.start[b * steps : (b + 1) * steps + 1])
    forward_one(steps, hardware.circuit, hardware.wires, weights, inputs, work)


@entry
def forward(chosen, mode, hardware, weights, outcome):
    """Run samples forward."""
    for m in range(len(chosen.which)):
        run_one(m, chosen, hardware, weights)
        keep(m, mode, hardware, outcome)


@entry
def learn(chosen, objective, hardware, weights, gradient, outcome):
    """Run samples forward and replay each; `gradient` [W] grows by their gradients, in the scale of delta."""
    (steps, circuit, wires, work, _), (mode, gain, fraction, delta_fraction, regulariser) = hardware, objective
    for m in range(len(chosen.which)):
        run_one(m, chosen, hardware, weights)
        start_backward(circuit, work, chosen.labels[m], mode, gain, fraction, delta_fraction, regulariser)
        replay_one(steps, circuit, wires, weights, gradient, work)
        keep(m, mode, hardware, outcome)


@entry
def write(chosen, objective, hardware, weights, gradient, how, limit, outcome):
    """As `learn`, and write the weights after each sample (`learning.writes`); `gradient`: the accumulators, 0 before and after.

    Returns how many samples were written: a log that overflows ends the call before its sample is, and that sample is in `outcome` too.
    """
    (steps, circuit, wires, work, _), (mode, gain, fraction, delta_fraction, regulariser) = hardware, objective
    for m in range(len(chosen.which)):
        run_one(m, chosen, hardware, weights)
        if not fits(limit, work.activity):
            keep(m, mode, hardware, outcome)
            return m
        start_backward(circuit, work, chosen.labels[m], mode, gain, fraction, delta_fraction, regulariser)
        replay_one(steps, circuit, wires, weights, gradient, work)
        write_rows_of(circuit, wires, weights, gradient, how, work.membranes.cells.address, work)
        keep(m, mode, hardware, outcome)
    return len(chosen.which)
