"""Learning rules as the kernels read them, and the memory they work on: all learning projections of a network in flat arrays.

Letters: Q learning projections; X, Y: their presynaptic and postsynaptic neurons, projection after projection; Z: their synapses;
M terms, F factors of all rules; S slices, T steps, B samples. `number` is int64 in fixed point, else float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chipsim.learning.lava.grammar import TRACES
from chipsim.learning.lava.rule import MODES, LavaRule
from chipsim.learning.lava.streams import lava_streams

VARIABLES = (*TRACES, "w", "t", "d", "x0", "y0")  # codes of what a factor reads
BITS = {**dict.fromkeys(TRACES, 7), "w": 9, "t": 9, "d": 9, "x0": 1, "y0": 1}  # width at which a factor saturates
DEPENDENCIES = ("x0", "y0", "u")
STORED = ("dw", "dt", "dd")  # targets in the order of the kernels
TAG_RANGE, DELAY_RANGE = (-257, 255), (0, 255)
MANTISSA_BITS, PRODUCT_BITS = 4, 15
MOST_SHIFT = 63  # of 64 bits; a product has 32, so further ones change nothing


class Program(NamedTuple):
    """Rules of the learning projections."""

    pre: np.ndarray  # [Q] int64 population
    post: np.ndarray  # [Q] int64
    size: np.ndarray  # [Q, 2] int64 presynaptic and postsynaptic neurons
    unit: np.ndarray  # [Q, 2] int64 global id of their first ones
    side: np.ndarray  # [Q, 2] int64 their first entries in X and Y
    weight: np.ndarray  # [Q] int64 first weight; weight (j, i) sits at weight + j * size[1] + i
    synapse: np.ndarray  # [Q] int64 first entry in Z
    length: np.ndarray  # [Q] int64 steps of an epoch
    period: np.ndarray  # [Q] int64 u is 1 in every so manieth epoch; 0: there is no u
    given: np.ndarray  # [Q] bool: y1, y2, y3 are given in every step
    graded: np.ndarray  # [Q] int64 mode
    payloads: np.ndarray  # [Q] bool: spikes carry payloads
    when: np.ndarray  # [Q, 3] bool: some term depends on x0, y0, u
    range: np.ndarray  # [Q, 3, 2] int64 lowest and highest weight, tag, delay
    whole: np.ndarray  # [Q, 5] number: impulse of a trace (fixed point: its integer part)
    part: np.ndarray  # [Q, 5] int64: the rest in 1/256 (float: 0)
    keep: np.ndarray  # [Q, 5] float64: exp(-1 / tau); 0 for tau 0
    read: np.ndarray  # [Q, 2] int64: how many x and y traces the rule reads
    term: np.ndarray  # [3 Q + 1] int64: terms of projection q and target n are term[3 q + n] .. term[3 q + n + 1]
    dependency: np.ndarray  # [M] int64 code in DEPENDENCIES
    mantissa: np.ndarray  # [M] int64
    exponent: np.ndarray  # [M] int64
    shift: np.ndarray  # [M] int64 bits of the product beyond 15
    factor: np.ndarray  # [M + 1] int64: factors of term m are factor[m] .. factor[m + 1]
    variable: np.ndarray  # [F] int64 code in VARIABLES
    constant: np.ndarray  # [F] int64
    sign: np.ndarray  # [F] bool: the factor is the sign of variable + constant
    bits: np.ndarray  # [F] int64
    words: np.ndarray  # [Q, S] int64 memory words of a synapse row on a slice; 0: the projection is not there


class Draws(NamedTuple):
    """Random numbers (learning/lava/streams.py); two per step and one before the first."""

    x_decay: np.ndarray  # [Q, 2 T + 1] float64
    x_impulse: np.ndarray  # [Q, 2 T + 1] int64
    y_decay: np.ndarray  # [Q, 2 T + 1] float64
    y_impulse: np.ndarray  # [Q, 2 T + 1] int64
    write: np.ndarray  # [T + 1] float64: of the nth epoch of any projection


class Side(NamedTuple):
    """Traces of the neurons on one side of the learning projections; V traces, N neurons, L steps of the longest epoch."""

    values: np.ndarray  # [V, N] number
    times: np.ndarray  # [N] int64 step of the last spike within the epoch, from 1; 0: none
    live: np.ndarray  # [N] bool: not all zero, or a spike in this epoch
    past: np.ndarray  # [L + 1, V, N] number: values after 0, 1, ... steps of the epoch that ends, of live neurons


class Memory(NamedTuple):
    """What learning keeps of one sample, weights apart."""

    x: Side
    y: Side
    seen: np.ndarray  # [X] int64 index of the last spike
    tag: np.ndarray  # [Z] number
    delay: np.ndarray  # [Z] number
    lowest: np.ndarray  # [Z] int64 synapses whose tag is -257, from `synapse` of their projection
    lowest_count: np.ndarray  # [Q] int64 how many
    spiked: np.ndarray  # [Y] int64 scratch: neurons of a slice that spiked in this epoch
    third: np.ndarray  # [T, 3, Y] number: y1, y2, y3 of the projections to which they are given


class Counts(NamedTuple):
    """What learning did, per step and slice: [T, S] int64 each (docs/semantics.md section 7)."""

    visits: np.ndarray
    evaluations: np.ndarray
    terms: np.ndarray
    draws: np.ndarray
    writes: np.ndarray
    traces: np.ndarray


class History(NamedTuple):
    """What is recorded, after the learning of a step; [0, ...] if nothing is."""

    x: np.ndarray  # [T, 2, X] number
    y: np.ndarray  # [T, 3, Y] number
    synapse: np.ndarray  # [T, 3, Z] number: w, t, d


class Learning(NamedTuple):
    """All that the learning kernels read and write, weights apart."""

    program: Program
    draws: Draws
    memory: Memory
    counts: Counts
    history: History


class Place(NamedTuple):
    """A learning projection in its network."""

    pre: int  # population
    post: int
    sizes: tuple[int, int]
    units: tuple[int, int]  # global ids of the first neurons
    weight: int  # first weight
    range: tuple[int, int]  # of the weights
    payloads: bool
    words: np.ndarray  # [S] int64 memory words of a synapse row on each slice


def program_of(rules: Sequence[LavaRule], places: Sequence[Place], fixed: bool) -> Program:
    """Flatten rules into the arrays that the kernels read."""
    sizes = np.array([p.sizes for p in places], dtype=np.int64).reshape(-1, 2)
    impulses = np.array([[rule.impulse(trace) for trace in TRACES] for rule in rules])
    whole = np.floor(impulses) if fixed else impulses
    taus = np.array([[rule.tau(trace) for trace in TRACES] for rule in rules], dtype=np.float64)
    keep = np.where(
        taus == 0, 0, np.exp(-1 / np.where(taus == 0, 1, taus))
    )  # NumPy's exp, as in Lava: others differ in the last bit
    named = [{t.dependency for terms in rule.terms.values() for t in terms} for rule in rules]
    return Program(
        pre=ints(p.pre for p in places), post=ints(p.post for p in places),
        size=sizes, unit=np.array([p.units for p in places], dtype=np.int64), side=before(sizes),
        weight=ints(p.weight for p in places), synapse=before(sizes.prod(axis=1)),
        length=ints(rule.t_epoch for rule in rules),
        period=ints(0 if rule.decimate is None else 2**rule.decimate for rule in rules),
        given=np.array([rule.factors == 3 for rule in rules]),
        graded=ints(MODES[rule.graded_spikes] for rule in rules),
        payloads=np.array([p.payloads for p in places]),
        when=np.array([[d in found for d in DEPENDENCIES] for found in named]),
        range=np.array([(p.range, TAG_RANGE, DELAY_RANGE) for p in places], dtype=np.int64),
        whole=whole.astype(np.int64 if fixed else np.float64),
        part=np.rint((impulses - whole) * 256).astype(np.int64),
        keep=keep,
        read=np.array([[sum(v in rule.used for v in some) for some in (TRACES[:2], TRACES[2:])] for rule in rules], dtype=np.int64),
        **term_arrays(rules),
        words=np.array([p.words for p in places], dtype=np.int64),
    )  # fmt: skip


def term_arrays(rules: Sequence[LavaRule]) -> dict[str, np.ndarray]:
    """Return terms and factors of all rules, target after target."""
    groups = [rule.terms.get(target, ()) for rule in rules for target in STORED]
    terms = [term for group in groups for term in group]
    factors = [factor for term in terms for factor in term.factors]
    widths = [sum(BITS[f.variable] for f in term.factors) + MANTISSA_BITS for term in terms]
    return {
        "term": ints([0, *np.cumsum([len(group) for group in groups])]),
        "dependency": ints(DEPENDENCIES.index(term.dependency) for term in terms),
        "mantissa": ints(term.mantissa for term in terms),
        "exponent": ints(term.exponent for term in terms),
        "shift": ints(min(max(0, width - PRODUCT_BITS), MOST_SHIFT) for width in widths),
        "factor": ints([0, *np.cumsum([len(term.factors) for term in terms])]),
        "variable": ints(VARIABLES.index(f.variable) for f in factors),
        "constant": ints(f.constant for f in factors),
        "sign": np.array([f.sign for f in factors], dtype=np.bool_),
        "bits": ints(BITS[f.variable] for f in factors),
    }


def draws_of(rules: Sequence[LavaRule], steps: int) -> Draws:
    """Return the random numbers of all rules for so many steps."""
    streams = [lava_streams(rule.rng_seed, steps, steps) for rule in rules]
    return Draws(*(np.stack([getattr(s, name) for s in streams]) for name in Draws._fields[:4]), streams[0].write)


def memory_of(program: Program, steps: int) -> Memory:
    """Allocate what learning keeps of one sample."""
    number, (x, y), synapses = program.whole.dtype, program.size.sum(axis=0), int(program.size.prod(axis=1).sum())
    longest = int(program.length.max()) + 1

    def side(traces: int, neurons: int) -> Side:
        return Side(
            np.zeros((traces, neurons), dtype=number), np.zeros(neurons, dtype=np.int64), np.zeros(neurons, dtype=np.bool_),
            np.zeros((longest, traces, neurons), dtype=number),
        )  # fmt: skip

    return Memory(
        side(2, x), side(3, y), np.zeros(x, dtype=np.int64), np.zeros(synapses, dtype=number), np.zeros(synapses, dtype=number),
        np.zeros(synapses, dtype=np.int64), np.zeros(len(program.pre), dtype=np.int64), np.zeros(y, dtype=np.int64),
        np.zeros((steps, 3, y), dtype=number),
    )  # fmt: skip


def learning_of(
    rules: Sequence[LavaRule], places: Sequence[Place], steps: int, fixed: bool, record: tuple[bool, bool]
) -> Learning:
    """Return everything the kernels need for samples of so many steps; record: traces, synaptic variables."""
    program = program_of(rules, places, fixed)
    memory, slices = memory_of(program, steps), len(places[0].words)
    counts = Counts(*(np.zeros((steps, slices), dtype=np.int64) for _ in Counts._fields))
    shapes = ((record[0], 2, memory.x.times.size), (record[0], 3, memory.y.times.size), (record[1], 3, memory.tag.size))
    history = History(*(np.zeros((steps if kept else 0, rows, n), dtype=program.whole.dtype) for kept, rows, n in shapes))
    return Learning(program, draws_of(rules, steps), memory, counts, history)


def ints(values) -> np.ndarray:
    """Return an int64 array."""
    return np.array(list(values), dtype=np.int64)


def before(sizes: np.ndarray) -> np.ndarray:
    """Return the sum of all earlier sizes, along the first axis."""
    return np.cumsum(sizes, axis=0) - sizes
