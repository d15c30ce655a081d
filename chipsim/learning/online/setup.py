"""What an online rule needs to know of a network, from the rule and the numbers of the compiled network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from chipsim.errors import Problem, raise_all
from chipsim.kernels.fixed import DECAY_BITS, ROUNDINGS
from chipsim.learning.online.feedback import feedback_weights, label_weights
from chipsim.learning.online.reads import Reads
from chipsim.learning.online.signals import PAST, SOURCES, source_codes
from chipsim.learning.online.state import Field, Setup, Walk
from chipsim.state import Circuit

STREAM = 16  # of the random words of field 0
CODES = {"truncate": ROUNDINGS["toward-zero"], "nearest": ROUNDINGS["nearest"], "stochastic": ROUNDINGS["stochastic"]}


class Membranes(NamedTuple):
    """What the rule must know of the neurons; factors kept per step, [P] each, 0 where a model lacks what is meant."""

    alphas: Sequence[float]  # of the potential
    currents: Sequence[float]  # of the current between weight and potential
    adaptations: Sequence[float]  # of what spikes add to the threshold
    jumps: Sequence[float]  # what a spike adds to it, in thresholds
    adapts: Sequence[bool]  # whether the threshold adapts


class Options(NamedTuple):
    """weights: how many are stored; top: the largest; threshold: signals up to this size are 0; epoch: steps between on_epoch events."""

    weights: int
    top: int
    threshold: float
    epoch: int


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


def kept(tau: object, q: int, own: Membranes) -> float:
    """Return the factor that a field of population q keeps per step."""
    if tau in ("post", "own"):
        return own.alphas[q]
    if tau == "readout":
        return own.alphas[-1]
    if tau == "adaptation":
        return own.adaptations[q]
    return 1.0 if tau is None else (math.exp(-1 / tau) if tau else 0.0)


def words(taus: list[object], of: Sequence[int], own: Membranes) -> np.ndarray:
    """Return [F, Q] float64 factors that fields with time constants `taus` keep per step in populations `of`."""
    table = [[kept(tau, q, own) for q in of] for tau in taus]
    return np.array(table, dtype=np.float64).reshape(len(taus), len(of))


def setup(rule, circuit: Circuit, own: Membranes, numbers: Numbers, more: Options) -> Setup:
    """Return the constants of an online rule.

    Raises:
        ConfigError: a constant of a neuron does not fit its field.
    """
    reads, pre, post = Reads(rule), circuit.pre.tolist(), circuit.post.tolist()
    populations, number, fixed = len(circuit.lo), circuit.rules.constants.dtype, numbers.fixed
    away, fan_in = distances(pre, post, populations), (circuit.hi - circuit.lo)[circuit.pre]
    adapts = np.array(own.adapts, dtype=np.bool_)[circuit.post]
    source = source_codes(rule.learn.source if rule.learn else "none", away)
    random = any(PAST < code < SOURCES["none"] for code in source[1:-1])
    make = label_weights if SOURCES["label"] in source else feedback_weights
    feedback = make(int(circuit.hi[-1]) if random else 0, circuit.classes, not fixed)
    threshold = [round(more.threshold * 2**fd) if fixed else more.threshold for fd in numbers.delta_fraction]
    return Setup(
        hidden=circuit.post < populations - 1,
        readout=circuit.post == populations - 1,
        first=np.cumsum(fan_in) - fan_in,
        adapts=adapts,
        **fields_of(rule, reads, post, own, numbers, number),
        kept=np.array([adapts if name in rule.adaptive else adapts | True for name in reads.synapse]).reshape(-1, len(post)),
        shift=shifts(rule, numbers, post),
        order=np.array([*sorted(range(1, populations - 1), key=lambda p: away[p]), -1], dtype=np.int64),
        toward=np.array([away[a] > away[b] for a, b in zip(pre, post, strict=True)], dtype=np.bool_),
        membrane=(np.rint(np.array(own.alphas) * 2**DECAY_BITS) if fixed else np.array(own.alphas)).astype(number),
        source=np.array(source, dtype=np.int64),
        read=np.array([[reads.kept(name, q == populations - 1) for q in post] for name in reads.pre]).reshape(-1, len(post)),
        feedback=feedback.astype(number),
        layerwise=layerwise_weights(rule, circuit, fixed, more),
        epoch=more.epoch,
        threshold=np.array(threshold, dtype=number),
        constants=np.array([c.stored if fixed else c.value for c in map(rule.fields.get, reads.constants)], dtype=number),
        neuron=neuron_constants(rule, reads.neuron, own, fixed)[:, circuit.post].astype(number),
        **given_of(rule, reads, circuit, fixed),
    )


def fields_of(rule, reads: Reads, post: list[int], own: Membranes, numbers: Numbers, number: type) -> dict[str, Field]:
    """Return the fields of all places. The first stages of traces share rounding and stream with the second; entries differ."""
    stream, stages = STREAM, [rule.fields[name].current for name in reads.pre]
    currents = own._replace(alphas=own.currents)  # "post" means the current there
    everyone, found = range(len(own.alphas)), {}
    for place, names, of in (("pre", reads.pre, post), ("post", reads.post, everyone), ("synapse", reads.synapse, post)):
        table = words([rule.fields[name].tau for name in names], of, own)
        found[place] = field_of(names, rule, table if numbers.fixed else table.astype(number), numbers.fixed, stream)
        stream += len(names)
    table = words(stages, post, currents)
    first = field_of(reads.pre, rule, table if numbers.fixed else table.astype(number), numbers.fixed, STREAM)
    return {**found, "current": first}


def given_of(rule, reads: Reads, circuit: Circuit, fixed: bool) -> dict[str, np.ndarray]:
    """Return the formats of potentials and random numbers; thresholds of trained populations are powers of two in fixed point."""
    potentials = [rule.fields[name] for name in reads.potentials]
    bits = [int(theta).bit_length() - 1 if fixed else 0 for theta in circuit.theta]
    return {
        "potential": np.array([[b - f.frac for b in bits] for f in potentials], dtype=np.int64).reshape(-1, len(bits)),
        "potential_bits": np.array([f.bits for f in potentials], dtype=np.int64),
        "random_bits": np.array([rule.fields[name].bits for name in reads.randoms], dtype=np.int64),
    }


def neuron_constants(rule, names: list[str], own: Membranes, fixed: bool) -> np.ndarray:
    """Return [J, P] constants of the neurons of every population, rounded to their format in fixed point; 0 where there are none.

    Raises:
        ConfigError: what does not fit.
    """
    found, problems = np.zeros((len(names), len(own.alphas))), []
    for n, name in enumerate(names):
        f = rule.fields[name]
        for p in np.flatnonzero(own.adapts):
            jump, rho = Fraction(own.jumps[p]), Fraction(own.adaptations[p]) if f.key == "jump/rho" else Fraction(1)
            value = jump / rho if rho else (math.inf if jump else Fraction(0))
            top = ((1 << f.bits) - 1) / 2**f.frac if fixed else math.inf
            if value > top or value == math.inf:
                limit = (
                    f"at most {top:g} fits {f.bits} bits, {f.frac} of them fraction; rho {float(rho):.3g}, jump {float(jump):.3g}"
                )
                hint = "a slower adaptation, a smaller jump or a wider field"
                problems.append(
                    Problem(f'rule "{rule.name}"', f"field {name} ({f.key} of population {p})", float(value), limit, hint)
                )
                continue
            found[n, p] = round(value * 2**f.frac) if fixed else float(value)
    raise_all(problems)
    return found


def layerwise_weights(rule, circuit: Circuit, fixed: bool, more: Options) -> np.ndarray:
    """Return random weights [W] in place of w for signals of source fa and adaptive, in the format of the weights; empty for others.

    In float they are those of direct feedback, below 1 in size, in thresholds. Those that adapt start with a quarter of it, so that
    what they learn outgrows what they were drawn as.
    """
    number = np.int32 if fixed else circuit.rules.constants.dtype  # as weights are stored
    source = rule.learn.source if rule.learn else "none"
    if source not in ("fa", "adaptive"):
        return np.zeros(0, dtype=number)
    found = feedback_weights(more.weights, 1, not fixed).reshape(-1)
    if source == "adaptive":
        found = np.clip(found >> 2, -more.top, more.top) if fixed else found / 4
    if not fixed:
        found = found / circuit.unit[np.searchsorted(circuit.offset, np.arange(more.weights), side="right") - 1]
    return found.astype(number)


def walk(rule, circuit: Circuit, steps: int, weights: int, counts: np.ndarray) -> Walk:
    """Allocate the state of an online rule for one sample; counts: [COUNTS, T, S] of the activity."""
    reads, number, source = Reads(rule), circuit.rules.constants.dtype, rule.learn.source if rule.learn else "none"
    neurons, entries = int(circuit.hi[-1]), int((circuit.hi - circuit.lo)[circuit.pre].sum())

    def zeros(*shape: int, kind=number) -> np.ndarray:
        return np.zeros(shape, dtype=kind)

    whole = np.int64
    return Walk(
        zeros(len(reads.pre), entries), zeros(len(reads.pre), entries), zeros(len(reads.post), neurons),
        zeros(len(reads.synapse), weights if reads.synapse else 0),
        zeros(entries, kind=whole), zeros(len(circuit.pre), kind=whole), zeros(steps, neurons), zeros(steps, circuit.classes),
        zeros(steps if source == "sym-trace" else 0, neurons), zeros(steps if source == "local" else 0, len(circuit.lo), circuit.classes),
        zeros(neurons, kind=whole), zeros(neurons, kind=whole), zeros(neurons), zeros(neurons), zeros(1), counts,
    )  # fmt: skip
