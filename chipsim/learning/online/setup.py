"""What an online rule needs to know of a network, from the rule and the numbers of the compiled network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chipsim.kernels.fixed import DECAY_BITS, ROUNDINGS
from chipsim.learning.online.reads import Reads
from chipsim.learning.online.signals import feedback_weights, label_weights
from chipsim.learning.online.state import Field, Setup, Walk
from chipsim.state import Circuit

STREAM = 16  # of the random words of field 0
CODES = {"truncate": ROUNDINGS["toward-zero"], "nearest": ROUNDINGS["nearest"], "stochastic": ROUNDINGS["stochastic"]}


class Numbers(NamedTuple):
    """Formats of the compiled network, in the words of this package."""

    fixed: bool
    delta_fraction: Sequence[int]  # [P]
    weight_fraction: Sequence[int]  # [K]
    gradient_fraction: Sequence[int]  # [K]


def distances(pre: Sequence[int], post: Sequence[int], populations: int) -> list[int]:
    """Return how many projections lie between each population and the last one; the number of populations where there is no way."""
    found = [populations] * populations
    found[-1] = 0
    for _ in range(populations):
        for a, b in zip(pre, post, strict=True):
            found[a] = min(found[a], found[b] + 1)
    return found


def shifts(rule, numbers: Numbers, post: Sequence[int]) -> np.ndarray:
    """Return [H, K] int64: right shift of every increment into the accumulator."""
    rows = [
        rule.increment_fractions((numbers.delta_fraction[q], fw)) for q, fw in zip(post, numbers.weight_fraction, strict=True)
    ]
    found = [[row[h] - fa for row, fa in zip(rows, numbers.gradient_fraction, strict=True)] for h in range(len(rows[0]))]
    return np.array(found, dtype=np.int64) * int(numbers.fixed)


def field_of(names: list[str], rule, words: np.ndarray, fixed: bool, stream: int) -> Field:
    """Return the fields of one place; words: [F, Q] decay factors."""
    fields = [rule.fields[name] for name in names]
    number = np.int64 if fixed else words.dtype
    impulse = [getattr(f, "impulse", 0.0) * (2.0**f.frac if fixed else 1.0) for f in fields]
    return Field(
        np.rint(words * 2**DECAY_BITS).astype(number) if fixed else words,
        np.array(impulse).astype(number),
        np.array([(1 << f.bits) - 1 for f in fields], dtype=np.int64),
        np.array([CODES[f.rounding] for f in fields], dtype=np.int64),
        np.arange(stream, stream + len(fields), dtype=np.int64),
    )


def kept(tau: object, own: float, last: float) -> float:
    """Return the factor a field keeps per step; own, last: those of the postsynaptic population and of the readout."""
    if tau in ("post", "own"):
        return own
    if tau == "readout":
        return last
    return 1.0 if tau is None else (math.exp(-1 / tau) if tau else 0.0)


def setup(rule, circuit: Circuit, alphas: Sequence[float], numbers: Numbers, threshold: float = 0.0, epoch: int = 1) -> Setup:
    """Return the constants of an online rule; alphas: [P] factors the potentials keep per step."""
    reads, pre, post = Reads(rule), circuit.pre.tolist(), circuit.post.tolist()
    populations, sizes = len(circuit.lo), circuit.hi - circuit.lo
    away = distances(pre, post, populations)
    hidden = sorted((p for p in range(1, populations) if 0 < away[p] < populations), key=lambda p: away[p])
    fan_in = sizes[circuit.pre]

    def words(names: list[str], of: Sequence[int]) -> np.ndarray:
        table = [[kept(rule.fields[name].tau, alphas[q], alphas[-1]) for q in of] for name in names]
        return np.array(table, dtype=np.float64 if numbers.fixed else number).reshape(len(names), len(of))

    stream, number = STREAM + len(reads.pre), circuit.rules.constants.dtype
    source = rule.learn.source if rule.learn else "none"
    broadcast = label_weights if source == "label" else feedback_weights
    return Setup(
        hidden=np.array([0 < away[q] < populations for q in post], dtype=np.bool_),
        readout=np.array([away[q] == 0 for q in post], dtype=np.bool_),
        first=np.cumsum(fan_in) - fan_in,
        pre=field_of(reads.pre, rule, words(reads.pre, post), numbers.fixed, STREAM),
        post=field_of(reads.post, rule, words(reads.post, range(populations)), numbers.fixed, stream),
        synapse=field_of(reads.synapse, rule, words(reads.synapse, post), numbers.fixed, stream + len(reads.post)),
        shift=shifts(rule, numbers, post),
        order=np.array([*hidden, -1], dtype=np.int64),
        toward=np.array([away[a] > away[b] for a, b in zip(pre, post, strict=True)], dtype=np.bool_),
        feedback=broadcast(
            int(circuit.hi[-1]) if source in ("dfa", "sdfa", "label") else 0, circuit.classes, not numbers.fixed
        ).astype(number),
        layerwise=layerwise_weights(rule, circuit, numbers),
        epoch=epoch,
        threshold=np.array(
            [round(threshold * 2**fd) if numbers.fixed else threshold for fd in numbers.delta_fraction], dtype=number
        ),
        constants=np.array([c.stored if numbers.fixed else c.value for c in map(rule.fields.get, reads.constants)], dtype=number),
    )


def layerwise_weights(rule, circuit: Circuit, numbers: Numbers) -> np.ndarray:
    """Return fixed random weights [W] in place of w for signals of source fa, in the format of the weights; empty for other sources.

    In float they are those of direct feedback, below 1 in size.
    """
    number = np.int32 if numbers.fixed else circuit.rules.constants.dtype  # as weights are stored
    pre, post = circuit.pre.tolist(), circuit.post.tolist()
    if rule.learn is None or rule.learn.source != "fa":
        return np.zeros(0, dtype=number)
    sizes = (circuit.hi - circuit.lo).tolist()
    parts = []
    for k, (a, b) in enumerate(zip(pre, post, strict=True)):
        parts.append(feedback_weights(sizes[a], sizes[b], not numbers.fixed, int(circuit.offset[k])).reshape(-1))
    return np.concatenate(parts).astype(number)


def walk(rule, circuit: Circuit, steps: int, weights: int, counts: np.ndarray) -> Walk:
    """Allocate the state of an online rule for one sample; counts: [COUNTS, T, S] of the activity."""
    reads, number = Reads(rule), circuit.rules.constants.dtype
    neurons, entries = int(circuit.hi[-1]), int((circuit.hi - circuit.lo)[circuit.pre].sum())

    def zeros(*shape: int, kind=number) -> np.ndarray:
        return np.zeros(shape, dtype=kind)

    whole = np.int64
    return Walk(
        zeros(len(reads.pre), entries), zeros(len(reads.post), neurons), zeros(len(reads.synapse), weights if reads.synapse else 0),
        zeros(entries, kind=whole), zeros(len(circuit.pre), kind=whole), zeros(steps, neurons), zeros(steps, circuit.classes),
        zeros(neurons, kind=whole), zeros(neurons), zeros(neurons), zeros(1), counts,
    )  # fmt: skip
