"""Arrays the kernels work on, grouped by the memory they stand for. Every field says shape, type and unit.

Letters: P populations, K projections, S slices, N neurons of all populations (global ids: population after population), C classes,
T steps, W weights of all projections. `number` is int64 in fixed point, float64 or float32 in float numerics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Circuit(NamedTuple):
    """What the compiler writes to the chip before step 1, weights apart."""

    lo: np.ndarray  # [P] int64 first global id
    hi: np.ndarray  # [P] int64 one past the last global id
    kind: np.ndarray  # [P] int64 code of the neuron model (neurons.KINDS)
    fires: np.ndarray  # [P] bool: the model spikes
    decay: np.ndarray  # [P] number: word in 1/4096, or the factor itself
    theta: np.ndarray  # [P] number: threshold in units of V
    band: np.ndarray  # [P] number: half width of the active band in units of V; 0: the population does not learn by events
    v_bits: np.ndarray  # [P] int64
    delta_bits: np.ndarray  # [P] int64
    pre: np.ndarray  # [K] int64 population
    post: np.ndarray  # [K] int64 population
    offset: np.ndarray  # [K] int64 first weight; weight (i, j) of projection k sits at offset + i * N_post + j
    up: np.ndarray  # [K] int64 shift of a weight into V
    back: np.ndarray  # [K] int64 shift of a gathered error into the delta format of the presynaptic population
    rows: np.ndarray  # [K] int64 first entry in the table of dirty rows; row (i, s) at rows + i * slices(post) + s
    slice_lo: np.ndarray  # [S] int64 global ids
    slice_hi: np.ndarray  # [S] int64
    slice_of: np.ndarray  # [N] int64
    first_slice: np.ndarray  # [P + 1] int64 slices of population p are first_slice[p] .. first_slice[p + 1]
    row_words: np.ndarray  # [S] int64 memory words of one synapse row on the slice
    lut: np.ndarray  # [32] number: surrogate table, fixed point only
    box: bool  # surrogate is the box
    learns: bool  # the active test is made and logs are kept
    predicate: int  # what an active update is (PREDICATES)
    acc_bits: int  # width of the gradient accumulator


PREDICATES = {"fired": 0, "received_input": 1, "state_changed": 2}


class Membranes(NamedTuple):
    """State of the compartments of all cores during one sample."""

    v: np.ndarray  # [N] number: membrane potential (readout: without the factor 1 - a_r)
    total: np.ndarray  # [N] number: dendritic accumulator of this step
    spiked: np.ndarray  # [N] bool: spiked in the step before
    active: np.ndarray  # [N] bool: active in this step
    touched: np.ndarray  # [N] bool: the update of this step counts as active
    arrivals: np.ndarray  # [P] int64: presynaptic spikes delivered to the population in this step
    score: np.ndarray  # [C, 2] number: sum over steps, maximum over steps
    best: np.ndarray  # [C] int64: first step of the maximum
    trace: np.ndarray  # [T, N] number if v is recorded, else [0, N]


class SpikeLog(NamedTuple):
    """Spikes in the order (t, global id); those of population p at step t are start[t * P + p] .. start[t * P + p + 1]."""

    unit: np.ndarray  # [capacity] int64 global id
    value: np.ndarray  # [capacity] number: 1, or the graded value of an input event (float numerics only)
    start: np.ndarray  # [T * P + 1] int64


class ActiveLog(NamedTuple):
    """Active events in the order (t, global id), with the surrogate derivative found when they were logged."""

    unit: np.ndarray  # [capacity] int64 global id
    gain: np.ndarray  # [capacity] number: g(V); fixed point: table entry with 8 fraction bits
    code: np.ndarray  # [capacity] int64: table index stored in the log word (fixed point)
    start: np.ndarray  # [T * P + 1] int64


class Errors(NamedTuple):
    """State of the backward pass during one sample."""

    delta: np.ndarray  # [N] number: delta[t - 1] of the paper while step t is replayed
    eps: np.ndarray  # [N] number: error received for the active events of this step
    reg: np.ndarray  # [N] number: regulariser term, constant over t
    inject: np.ndarray  # [C] number: error that enters a class
    due: np.ndarray  # [C] int64: the step at which it enters, -1: at every step (readout mode sum)
    live: np.ndarray  # [N] int64: ids with delta != 0, slice by slice from slice_lo
    count: np.ndarray  # [S] int64: how many of them per slice
    dirty: np.ndarray  # [rows] bool: the accumulators of this row on this slice were touched


class Activity(NamedTuple):
    """What happened per step and slice: all that counting needs, since routing is static (docs/architecture.md)."""

    spikes: np.ndarray  # [T, S] int64
    active: np.ndarray  # [T, S] int64 active events
    marks: np.ndarray  # [T, S] int64 active and silent
    busy: np.ndarray  # [T, S] int64 updates that count as active
    decays: np.ndarray  # [T, S] int64 deltas decayed in replay step t
    live: np.ndarray  # [T, S] int64 non-zero deltas met by the rows of replay step t
    injected: np.ndarray  # [T, S] int64 readout errors injected
    visits: np.ndarray  # [S] int64 words of dirty rows
    evaluations: np.ndarray  # [S] int64 synapses with a non-zero accumulator
    draws: np.ndarray  # [S] int64 random words
    writes: np.ndarray  # [S] int64 weight words that changed
    optimised: np.ndarray  # [S] int64 weights moved by an optimiser with state of its own
    updated: np.ndarray  # [1] int64: 1 if weights were written after this sample


class Workspace(NamedTuple):
    """Everything one sample needs; made once, used for sample after sample."""

    membranes: Membranes
    spikes: SpikeLog
    active: ActiveLog
    errors: Errors
    activity: Activity


def workspace(circuit: Circuit, steps: int, record_v: bool = False) -> Workspace:
    """Allocate the arrays of one sample of `steps` steps; `record_v` keeps the membrane potential of every step."""
    number = circuit.decay.dtype
    populations, slices, neurons = len(circuit.lo), len(circuit.slice_lo), int(circuit.hi[-1])
    classes = int(circuit.hi[-1] - circuit.lo[-1])
    capacity, index = steps * neurons, steps * populations + 1

    def zeros(*shape: int, kind=number) -> np.ndarray:
        return np.zeros(shape, dtype=kind)

    def ints(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype=np.int64)

    return Workspace(
        Membranes(zeros(neurons), zeros(neurons), *(zeros(neurons, kind=np.bool_) for _ in range(3)), ints(populations),
                  zeros(classes, 2), ints(classes), zeros(steps if record_v else 0, neurons)),
        SpikeLog(ints(capacity), zeros(capacity), ints(index)),
        ActiveLog(ints(capacity), zeros(capacity), ints(capacity), ints(index)),
        Errors(zeros(neurons), zeros(neurons), zeros(neurons), zeros(classes), ints(classes), ints(neurons), ints(slices),
               zeros(dirty_rows(circuit), kind=np.bool_)),
        Activity(*(ints(steps, slices) for _ in range(7)), *(ints(slices) for _ in range(5)), ints(1)),
    )  # fmt: skip


def dirty_rows(circuit: Circuit) -> int:
    """Return the size of the table of dirty rows: presynaptic neurons x postsynaptic slices, over all projections."""
    sizes = circuit.hi - circuit.lo
    slices = np.diff(circuit.first_slice)
    return int(sum(sizes[a] * slices[b] for a, b in zip(circuit.pre, circuit.post, strict=True)))
