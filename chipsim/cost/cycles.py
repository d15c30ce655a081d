"""Exact clock cycles and memory words of single-core chips whose controllers are published; `FORMULAS` is the registry by name.

A chip file names its formula with `cycles = "NAME"`, one of `CYCLES`.
Each formula is plain arithmetic on counts of one step: numbers in, numbers out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chipsim.bookings import Booked
from chipsim.counters import ROW

ODIN_NEURONS = 256
RECKON_TARGETS = 16  # weights in one word of ReckOn's weight memory


class Reckon(NamedTuple):
    """One step of ReckOn: clock cycles, and words of 128 bits in the memories of input and recurrent weights and of neurons."""

    cycles: int
    weight_words_read: int
    neuron_words_read: int
    neuron_words_written: int


def ceil_div(a: int, b: int) -> int:
    """Return a / b rounded up."""
    return -(-a // b)


def reckon(n_in: int, n_rec: int, n_out: int, inputs: int, recurrent: int, learns: bool, both: int = 0) -> Reckon:
    """Return cycles and words of one step of ReckOn while input, recurrent and output weights all learn.

    n_in, n_rec, n_out: neurons, n_in <= n_rec. inputs, recurrent: input events and recurrent spikes served in the step; both: how many
    indices have one of each, which are served once. learns: the step has a valid target.
    Source: released design (ChFrenkel/ReckOn, commit 5e5c0be); equal to 78 steps of its RTL simulation (chipsim validate).

    Raises:
        ValueError: n_in > n_rec, where an input index takes further cycles for its trace that this formula does not have.
    """
    if n_in > n_rec:
        raise ValueError(f"ReckOn: n_in = {n_in} is above n_rec = {n_rec}, for which no formula is known")
    blocks, most, served = ceil_div(n_rec, RECKON_TARGETS), max(n_in, n_rec), inputs + recurrent - both
    cycles = max(most, n_out) + served * n_rec + most + 1
    read = blocks * (inputs + recurrent)
    written = ceil_div(n_rec, 2) * (1 + served)
    neurons = written
    if learns:
        cycles += blocks * (32 + 2 * most)
        read += blocks * (n_in + n_rec)
        neurons += ceil_div(n_rec, 2) * (blocks + 1)
    return Reckon(cycles, read, neurons, written)


def odin(synops: int, events: int = 0, time_references: int = 0, bistability: int = 0) -> int:
    """Return clock cycles of ODIN: 2 per synaptic operation, learning included, and 1 per event that enters the scheduler.

    time_references, bistability: events that reach all 256 neurons. Source: ChFrenkel/ODIN, documentation, table of events.
    """
    return 2 * synops + events + 2 * ODIN_NEURONS * time_references + 128 * ODIN_NEURONS * bistability


def xylo(n_in: int, n_hid: int, n_out: int, fan_out: float, p_in: float, p_hid: float) -> float:
    """Return clock cycles of a step of Xylo-Audio 2, without aliases and second synapse.

    fan_out: mean number of recurrent targets of a hidden neuron. p_in, p_hid: events per neuron and step, in the mean.
    Source: the cycle model that the vendor released (Rockpool, XyloAudio 2), in closed form.
    """
    inputs = n_in * (3.5 * p_in * n_hid + 1)
    recurrent = n_hid * (7 * fan_out * p_hid + 3)
    outputs = n_hid * p_hid * (1 + 8 * n_out)
    neurons = n_hid * (19 + 3 * p_hid) + 12 * n_out
    return inputs + recurrent + outputs + neurons


FORMULAS: dict[str, Callable] = {"odin": odin, "reckon": reckon, "xylo": xylo}
CYCLES = ("odin", "reckon")  # that a chip file may name: Xylo's needs the number of recurrent targets, which is not counted
LEARNS = {"reckon": "reckon"}  # formula -> rule that is fixed in the circuit, of which it has the cycles


class Layout(NamedTuple):
    """Neurons of the network on the chip; rule: the one it learns by, empty if it does not learn."""

    inputs: int
    hidden: int
    outputs: int
    rule: str = ""


def why_no_cycles(name: str, layout: Layout, cores: int) -> str:
    """Return why a formula of `CYCLES` does not hold; empty if it does."""
    if cores > 1:
        return f"the formula is of one core and the network is on {cores}"
    if name == "reckon" and layout.inputs > layout.hidden:
        return f"the formula needs at least as many hidden neurons ({layout.hidden}) as inputs ({layout.inputs})"
    return ""


def forward_cycles(name: str, work: Booked, layout: Layout) -> np.ndarray | None:
    """Return [M, T] clock cycles of the forward steps by a formula of `CYCLES`; None where it does not hold (`why_no_cycles`).

    ReckOn: an index with an input event and a spike in the same step is served once, which counts do not tell; each is taken as served
    (an upper bound by n_rec cycles per such index).
    """
    if why_no_cycles(name, layout, len(work.cores) - 1):
        return None
    here = {event: work.of_event(ROW["forward", "forward", event]).sum(axis=-1) for event in COUNTED}  # [M, T]
    if name == "odin":
        return odin(here["synops"], here["inputs_injected"] + here["spikes"], here["barriers"])
    return steps_of_reckon(layout, here["inputs_injected"] + here["spikes"], here["barriers"])


COUNTED = ("synops", "inputs_injected", "spikes", "barriers")


def steps_of_reckon(layout: Layout, served: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the cycles of steps with so many events served; steps: 1 where the chip makes a step, else 0."""
    scan, event = (reckon(*layout[:3], events, 0, False).cycles for events in (0, 1))
    return steps * scan + served * (event - scan)


def learning_cycles(name: str, work: Booked, layout: Layout) -> np.ndarray | None:
    """Return [M, T] clock cycles that learning adds to forward steps, writing of weights included; None where no formula gives them.

    ReckOn: in every step with a target, which is one whose errors are told to the neurons.
    """
    if LEARNS.get(name) != layout.rule or why_no_cycles(name, layout, len(work.cores) - 1):
        return None
    target = work.of_event(ROW["backward", "forward", "broadcasts"]).sum(axis=-1) > 0
    plain, learns = (reckon(*layout[:3], 0, 0, on).cycles for on in (False, True))
    return target * (learns - plain)
