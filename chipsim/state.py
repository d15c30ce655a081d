"""Arrays the kernels work on, grouped by the memory they stand for. Every field says shape, type and unit.

Letters: P populations, K projections, S slices, N neurons of all populations (global ids: population after population), C classes,
T steps, W weights of all projections. `number` is int64 in fixed point, float64 or float32 in float numerics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Arithmetic(NamedTuple):
    """How the chip computes (docs/neurons.md section 2)."""

    rounding: int  # of decays (kernels.fixed.ROUNDINGS)
    overflow_v: int  # kernels.fixed.OVERFLOWS
    overflow_u: int
    v_bits: int
    u_bits: int
    entries: int  # of the table of lazy decay


class Rules(NamedTuple):
    """What the kernel of a neuron model reads beside the state of its compartment."""

    constants: np.ndarray  # [P, CONSTANTS] number: decay words of V and of the second variable first, then the model's own
    powers: np.ndarray  # [P, 2, entries + 1] number: decay word over n steps, for lazy decay; 0 in the last, for more steps
    modes: Arithmetic


class Wires(NamedTuple):
    """Synapses as delivery walks them, weights apart (docs/neurons.md section 4)."""

    populations: int
    pre: np.ndarray  # [K] int64 population
    post: np.ndarray  # [K] int64 population
    first_pre: np.ndarray  # [K] int64 global id of presynaptic neuron 0
    first: np.ndarray  # [K] int64 global id of postsynaptic neuron 0
    width: np.ndarray  # [K] int64 postsynaptic neurons
    offset: np.ndarray  # [K] int64 first weight; dense: weight (i, j) sits at offset + i * width + j
    exponent: np.ndarray  # [K] int64: the sum of a projection is scaled by 2^exponent
    graded: np.ndarray  # [K] bool: weights are multiplied with the payload
    product_wrap: np.ndarray  # [K] int64 width at which a product wraps; 0: never
    sum_wrap: np.ndarray  # [K] int64 width at which the sum wraps before the shift
    end_wrap: np.ndarray  # [K] int64 width at which what is delivered wraps
    listed: np.ndarray  # [K] bool: synapses are listed, not dense
    first_row: np.ndarray  # [K] int64 row of presynaptic neuron 0 in `list_start`
    list_start: np.ndarray  # [R] int64 synapses of row r are list_start[r] .. list_start[r + 1], in `packed` or in the lists
    list_post: np.ndarray  # [L] int32 target, counted from the first neuron of its population
    list_weight: np.ndarray  # [L] int32 position of the weight (shared by the synapses of a convolution)
    list_delay: np.ndarray  # [L] int32 steps beyond the one every spike takes
    depth: np.ndarray  # [K] int64 largest delay + 1; 0: no delay lines
    ring: np.ndarray  # [K] int64 first entry in the delay lines; neuron j, slot d at ring + j * depth + d
    direct: np.ndarray  # [K] bool: its sums are all that arrives at the target, as they are
    packed: np.ndarray  # [Q] uint32 synapses with their weights, of projections whose weights never change (compiler.packing)
    packed_bits: np.ndarray  # [K] int64 low bits of such a word that hold the weight; 0: the projection is not packed
    packed_sum: np.ndarray  # [K] int64 low bits of an accumulator that hold the sum; how many were added stands above
    packed_first: np.ndarray  # [K] int64 first accumulator; delay d, neuron j at packed_first + d * width + j


class Copies(NamedTuple):
    """Transposed weights as the presynaptic homes keep them (learning.transport = push); empty arrays under gather."""

    rows: np.ndarray  # [K] int64 first entry in `words`; row of postsynaptic neuron j on slice s at rows + j * slices(pre) + s
    words: np.ndarray  # [rows] int64 memory words of each of these rows; 0: there is none
    first: np.ndarray  # [K] int64 row of postsynaptic neuron 0 in `start`
    start: np.ndarray  # [R + 1] int64 synapses of row r are start[r] .. start[r + 1] (listed projections)
    pre: np.ndarray  # [L] int64 presynaptic neuron, counted from the first of its population, ascending
    weight: np.ndarray  # [L] int64 position of the weight


class Circuit(NamedTuple):
    """What the compiler writes to the chip before step 1, weights apart."""

    lo: np.ndarray  # [P] int64 first global id
    hi: np.ndarray  # [P] int64 one past the last global id
    kind: np.ndarray  # [P] int64 code of the neuron model
    rules: Rules
    lazy: np.ndarray  # [P] bool: updated only when something arrives or after a spike
    biased: np.ndarray  # [P] bool: acts without input, so it is updated in step 0 too
    resets: np.ndarray  # [P] bool: a spike sets V to zero; a population that learns then logs its own spikes
    decay: np.ndarray  # [P] number: word in 1/4096, or the factor itself
    theta: np.ndarray  # [P] number: threshold in units of V
    band: np.ndarray  # [P] number: half width of the active band in units of V; 0: the population does not learn by events
    delta_bits: np.ndarray  # [P] int64
    pre: np.ndarray  # [K] int64 population
    post: np.ndarray  # [K] int64 population
    offset: np.ndarray  # [K] int64 first weight; weight (i, j) of a dense projection sits at offset + i * N_post + j
    back: np.ndarray  # [K] int64 shift of a gathered error into the delta format of the presynaptic population
    unit: np.ndarray  # [K] number: float numerics only, what a stored weight is multiplied with to be in thresholds
    rows: np.ndarray  # [K] int64 first entry in the table of dirty rows; row (i, s) at rows + i * slices(post) + s
    row_words: np.ndarray  # [rows] int64 memory words of each of these rows
    slice_lo: np.ndarray  # [S] int64 global ids
    slice_hi: np.ndarray  # [S] int64
    slice_of: np.ndarray  # [N] int64
    group_of: np.ndarray  # [N] int64 neurons of one slice with the same axons (Routes)
    groups: int
    sole: np.ndarray  # [P] int64: the group of all neurons of a population; -1: they are of several
    first_slice: np.ndarray  # [P + 1] int64 slices of population p are first_slice[p] .. first_slice[p + 1]
    lut: np.ndarray  # [32] number: surrogate table, fixed point only
    edge: (
        np.ndarray
    )  # [P] number: |V - theta| where the surrogate ends: the band of fixed point, half_width in thresholds in float
    shape: int  # code of the surrogate (learning.surrogate.CODES)
    learns: bool  # the active test is made and logs are kept
    scan: int  # when the active test is made (SCANS)
    predicate: int  # what an active update is (PREDICATES)
    acc_bits: int  # width of the gradient accumulator
    classes: int  # neurons of the readout (the last population); 0: there is none
    ring: np.ndarray  # [S] int64 largest delay of the projections onto the population of a slice
    form_a: bool  # weights learn in form A: ds meets traces
    push: bool  # errors are pushed as ds
    keep: (
        np.ndarray
    )  # [K] number: what a trace or a pushed error keeps per step, the decay word of V of the postsynaptic population
    copies: Copies
    inplace: bool  # weights are written in the replay steps, not once after the replay
    step_loss: bool  # a rule that is replayed takes the error of the loss of every step from its log
    rule_counts: int  # kinds of counts that an online rule makes; 0: it is replayed


PREDICATES = {"fired": 0, "received_input": 1, "state_changed": 2}
SCANS = {"clocked": 0, "touched": 1, "analytic": 2}
VARIABLES = 3  # state variables of a compartment at most: V, a second one, a third one
CONSTANTS = 6  # constants of a neuron model at most
SLACK = 24  # entries beyond the last of a log: ids are written by whole vectors (kernels.compact)


class Cells(NamedTuple):
    """State of the compartments as the neuron models see it."""

    state: np.ndarray  # [VARIABLES, N] number: V (readout: without the factor 1 - a_r), then what the model declares
    payload: np.ndarray  # [N] number: what the last update sent; 0: no spike
    potential: np.ndarray  # [N] number: V before a reset to zero, minus the threshold
    address: np.ndarray  # [3] int64 seed, sample, pass of the random words of this sample


class Membranes(NamedTuple):
    """State of the compartments of all cores during one sample."""

    cells: Cells
    due: np.ndarray  # [N] bool: something arrives, or it spiked in the step before
    active: np.ndarray  # [N] bool: active in this step
    last: np.ndarray  # [N] int64: step of the last update (lazy decay)
    until: np.ndarray  # [N] int64: last step of passive activity (scan analytic)
    score: np.ndarray  # [C, 2] number: sum over steps, maximum over steps
    best: np.ndarray  # [C] int64: first step of the maximum
    trace: np.ndarray  # [T, 2, N] number: V and second variable if they are recorded, else [0, 2, N]


class Lines(NamedTuple):
    """Accumulators and delay lines."""

    filled: np.ndarray  # [P] int64: `total` and `touched` of a population are clear (0), of a step before (1), of this step (2)
    total: np.ndarray  # [N] number: what arrives in this step
    touched: np.ndarray  # [N] bool: something arrives in this step
    sums: np.ndarray  # [targets x depth] number: sums of one projection
    hits: np.ndarray  # [targets x depth] bool: which of them a synapse was added to
    ring: np.ndarray  # [entries] number: delay lines
    ring_hits: np.ndarray  # [entries] bool
    packed: np.ndarray  # [entries] int32: accumulators of packed projections, with how many synapses were added


class SpikeLog(NamedTuple):
    """Spikes in the order (t, global id); those of population p at step t are start[t * P + p] .. start[t * P + p + 1]."""

    unit: np.ndarray  # [capacity] int64 global id
    value: np.ndarray  # [capacity] number: the payload
    start: np.ndarray  # [T * P + 1] int64


class ActiveLog(NamedTuple):
    """Active events in the order (t, global id), with the surrogate derivative found when they were logged."""

    unit: np.ndarray  # [capacity] int64 global id
    gain: np.ndarray  # [capacity] number: g(V); fixed point: table entry with 8 fraction bits
    code: np.ndarray  # [capacity] int64: table index stored in the log word (fixed point)
    ds: np.ndarray  # [capacity] number: what replay writes in its place under form A; else [0]
    start: np.ndarray  # [T * P + 1] int64


class Errors(NamedTuple):
    """State of the backward pass during one sample."""

    delta: np.ndarray  # [N] number: derivative with respect to what arrives; delta[t - 1] of the paper while step t is replayed
    second: np.ndarray  # [N] number: second backward variable of the model (neurons.contract.Model.adjoint)
    past: np.ndarray  # [R, N] number: deltas of the steps t + 1 .. t + R, that of step t at t mod R; R: largest delay
    eps: np.ndarray  # [N] number: error received for the active events of this step
    error: np.ndarray  # [N] number: error of an active event of this step
    gain: np.ndarray  # [N] number: its surrogate derivative; 0: no active event (readout: not 0 if an error is due)
    fired: np.ndarray  # [N] bool: spiked in this step, of populations that reset to zero
    reg: np.ndarray  # [N] number: regulariser term, constant over t
    inject: np.ndarray  # [C] number: error that enters a class
    losses: np.ndarray  # [T, C] number: error of the loss of every step; [0, C] with a loss of the class scores
    due: np.ndarray  # [C] int64: the step at which it enters, -1: at every step (readout mode sum)
    live: (
        np.ndarray
    )  # [N + SLACK] int64: ids with delta != 0, slice by slice from slice_lo; later synapses of a row that is written
    picked: np.ndarray  # [2, N + SLACK] number: accumulators and weights of synapses of a row that are written together
    count: np.ndarray  # [S] int64: how many of them per slice
    dirty: np.ndarray  # [rows] bool: the accumulators of this row on this slice were touched


class Forms(NamedTuple):
    """What replay in form A or with pushed errors keeps (learning.forms); X: presynaptic neurons of all projections, one by one."""

    ds: np.ndarray  # [N] number: error times surrogate derivative of the events of this step
    source: np.ndarray  # [N] int64: ids with ds != 0, slice by slice from slice_lo
    count: np.ndarray  # [S] int64: how many of them per slice
    first: np.ndarray  # [K] int64: presynaptic neuron 0 of a projection in the arrays below
    pushed: np.ndarray  # [X] number: Lam, the error pushed to a neuron through a projection
    sums: np.ndarray  # [X] number: what arrives there in this step, exact
    trace: np.ndarray  # [X] number: x, unsigned


class Activity(NamedTuple):
    """What happened per step and group or slice: all that counting needs, since routing is static (docs/architecture.md)."""

    spikes: np.ndarray  # [T, G] int64 spikes per group of neurons; [0, G]: accounting takes them from the spike log
    active: np.ndarray  # [T, G] int64 active events; these and all that follow from learning: no steps where nothing learns
    marks: np.ndarray  # [T, G] int64 active and silent
    resets: np.ndarray  # [T, G] int64 spikes that the home core logs though they are not active (Circuit.resets)
    checks: np.ndarray  # [T, S] int64 active tests made
    lookups: np.ndarray  # [T, S] int64 lookups of how long V stays in the band
    busy: np.ndarray  # [T, S] int64 updates that count as active
    decays: np.ndarray  # [T, S] int64 backward variables decayed in replay step t
    live: np.ndarray  # [T, S] int64 non-zero deltas met by the rows of replay step t
    injected: np.ndarray  # [T, S] int64 readout errors injected
    row_adds: np.ndarray  # [T, S] int64 deltas added to accumulators
    gather_adds: np.ndarray  # [T, S] int64 products of a weight and a delta
    visits: (
        np.ndarray
    )  # [U, S] int64 words of the rows written; U: T steps if written in place, else 1, after the replay (step 0)
    evaluations: np.ndarray  # [U, S] int64 synapses with a non-zero accumulator (in place: delta)
    draws: np.ndarray  # [U, S] int64 random words
    writes: np.ndarray  # [U, S] int64 weight words that changed
    optimised: np.ndarray  # [U, S] int64 weights moved by an optimiser with state of its own
    followed: np.ndarray  # [U, S] int64 feedback weights that took a change of their weight (signal `adaptive`)
    updated: np.ndarray  # [1] int64: 1 if weights were written after this sample
    pushed: np.ndarray  # [T, S, S] int64: ds sent from slice to slice in replay step t; [0, 0, 0] under gather
    copied: np.ndarray  # [S, S] int64: changed weights sent to transposed copies; [0, 0] under gather
    forms: np.ndarray  # [FORM_COUNTS, T, S] int64: what pushing and form A did (PUSH_WORDS ...); [0, T, S] without them
    rule: np.ndarray  # [COUNTS, T, S] int64: what an online rule did (learning.online.state); [0, T, S] under replay


PUSH_WORDS, PUSH_DECAYS, WALK_DECAYS, WALK_UPDATES, WALK_ROWS, WALK_WORDS, WALK_ADDS, FORM_COUNTS = range(8)


class Workspace(NamedTuple):
    """Everything one sample needs; made once, used for sample after sample."""

    membranes: Membranes
    lines: Lines
    spikes: SpikeLog
    active: ActiveLog
    errors: Errors
    forms: Forms
    activity: Activity
