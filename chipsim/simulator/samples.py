"""Several samples in one call: forward, and forward with replay, each followed by a copy of what happened.

A call of a kernel unpacks every array of the image, which takes as long as a small sample; here it is paid once for many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import entry, inner
from chipsim.learning.losses import start_backward
from chipsim.simulator.replay import replay_one
from chipsim.simulator.step import forward_one
from chipsim.state import Circuit, SpikeLog, Wires


class Hardware(NamedTuple):
    """The image, weights apart."""

    steps: int
    circuit: Circuit
    wires: Wires


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
def keep(m, mode, flat, work, outcome):
    """Copy what sample m of the call gave; flat: the memory of `work.activity`."""
    for c in range(outcome.scores.shape[1]):
        outcome.scores[m, c] = work.membranes.score[c, mode]
    for n in range(len(flat)):
        outcome.activity[m, n] = flat[n]
    for r in range(work.spikes.start[-1]):
        outcome.spiked[work.spikes.unit[r]] = True


@inner
def run_one(m, chosen, hardware, weights, work):
    """Run sample m of the call forward."""
    b, steps, address = chosen.which[m], hardware.steps, work.membranes.cells.address
    address[0], address[1], address[2] = chosen.seed, b, chosen.run
    inputs = SpikeLog(chosen.log.unit, chosen.log.value, chosen.log.start[b * steps : (b + 1) * steps + 1])
    forward_one(steps, hardware.circuit, hardware.wires, weights, inputs, work)


@entry
def forward(chosen, mode, hardware, weights, work, flat, outcome):
    """Run samples forward."""
    for m in range(len(chosen.which)):
        run_one(m, chosen, hardware, weights, work)
        keep(m, mode, flat, work, outcome)


@entry
def learn(chosen, objective, hardware, weights, gradient, work, flat, outcome):
    """Run samples forward and replay each; `gradient` [W] grows by their gradients, in the scale of delta."""
    (steps, circuit, wires), (mode, gain, fraction, delta_fraction, regulariser) = hardware, objective
    for m in range(len(chosen.which)):
        run_one(m, chosen, hardware, weights, work)
        start_backward(circuit, work, chosen.labels[m], mode, gain, fraction, delta_fraction, regulariser)
        replay_one(steps, circuit, wires, weights, gradient, work)
        keep(m, mode, flat, work, outcome)
