"""Simulate a network forward, on a chip or on none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.counters import Counters
from chipsim.errors import ConfigError, Problem, raise_all
from chipsim.events import Events, as_events, require_binary, require_whole
from chipsim.hardware import Chip, as_chip
from chipsim.learning.lava import LavaRule
from chipsim.network import Network, as_network
from chipsim.simulator.plasticity import RECORDS as LEARNED
from chipsim.simulator.plasticity import Plasticity, plasticity_of
from chipsim.threads import problems as thread_problems
from chipsim.threads import resolve, workers

RECORDS = ("spikes", "v", "u", "payloads", "active")
BLOCK_BYTES = 1 << 25  # of the activity kept before it is accounted for


@dataclass(frozen=True)
class Simulation:
    """What a forward simulation gave. Arrays are [T, B, N] by population.

    spikes: bool, input included. payloads: what was sent (1 for a plain spike), int64 or float. v: float64 in units of the threshold,
    or in fixed point the stored int64 in units of `v_scale[population]` thresholds; the readout's is the paper's `out` in float and
    lacks the factor 1 - a_r in fixed point. u: the second state variable as stored (current of the Loihi family, adaptation).
    active: bool, hidden populations. scores: [B, C] float64, units of the threshold; C = 0 without a readout.
    counters: per phase, event, step and core, summed over samples (without a chip: one column per population, the input last).
    weights, tags, delays: of the projections that learned (`plastic`), after the last step: [B, N_pre, N_post] by projection, mantissas
    (float numerics: float64). Learned delays delay nothing. traces: {variable: {projection: array}} of what was recorded of them, after
    the learning of each step: x1, x2 [T, B, N_pre]; y1, y2, y3 [T, B, N_post]; w, t, d [T, B, N_pre, N_post].
    """

    spikes: dict[str, np.ndarray]
    payloads: dict[str, np.ndarray]
    v: dict[str, np.ndarray]
    u: dict[str, np.ndarray]
    active: dict[str, np.ndarray]
    scores: np.ndarray
    counters: Counters
    v_scale: dict[str, float]
    image: ChipImage
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    tags: dict[str, np.ndarray] = field(default_factory=dict)
    delays: dict[str, np.ndarray] = field(default_factory=dict)
    traces: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    @property
    def predictions(self) -> np.ndarray:
        """[B] int64: class with the largest score.

        Raises:
            ConfigError: the network has no readout.
        """
        if not self.scores.shape[1]:
            last = self.image.network.population[-1]
            raise ConfigError(Problem("simulation", "predictions", last.neuron, "the last population must be a leaky-readout"))
        return np.argmax(self.scores, axis=1)


def simulate(
    model: Network | str | Path,
    x: np.ndarray | Events,
    chip: Chip | str | Path | None = None,
    numerics: str = "float64",
    weights: dict[str, np.ndarray] | None = None,
    record: Sequence[str] = ("spikes", "v"),
    threads: int | None = None,
    plastic: Mapping[str, LavaRule] | None = None,
    third: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> Simulation:
    """Run `model` forward on every sample of `x`.

    x: [T, B, N_in], or Events. chip: a Chip, a name, or None (one core per population, nothing limited).
    numerics: fixed, float64 or float32. weights: {name: [N_pre, N_post]}; none: the model's own.
    record: any of spikes, payloads, v, u, active (the last needs a network that its learning rule can train).
    threads: samples run in so many threads, None: as chipsim.threads says; the result has the same bits with any number. Random words
    (stochastic rounding of decays) are addressed by the number of the sample in `x` and the seed of the network.
    plastic: {projection: LavaRule}: these learn on the way (docs/lava-learning.md); every sample starts from the given weights, with
    empty traces and tags; record may then hold x1, x2, y1, y2, y3, w, t, d too. third: {projection: {"y1": [T, B, N_post], ...}}: the
    third factors of rules that want them.

    Raises:
        DataError: wrong shapes, values that are not finite, graded values in fixed point that are not whole or have nowhere to go.
        CapacityError: the network does not fit the chip, or the chip cannot learn by these rules.
        ConfigError: unknown numerics or record, no thread, or a projection that cannot learn by its rule.
    """
    record = (record,) if isinstance(record, str) else record
    check_arguments(record, threads, numerics, (*RECORDS, *LEARNED) if plastic else RECORDS)
    network = as_network(model) if weights is None else as_network(model).with_weights(weights)
    events = as_events(x, network.populations[0].size)
    network = network.over(events.shape[0])
    image = compile_network(
        network,
        None if chip is None else as_chip(chip),
        learn="active" in record,
        numerics="float32" if numerics == "float" else numerics,
    )
    require_payloads(events, network, image.formats.fixed)
    r = Recorder(image, events.samples, record, plasticity_of(image, plastic, third, events.samples))
    chunks = np.array_split(np.arange(events.samples), max(1, min(resolve(threads), events.samples)))
    with workers(len(chunks)) as each:
        parts = each(lambda chunk: run_samples(image, events, chunk, r), chunks)
    counters = sum(parts[1:], parts[0])
    learned = () if r.learned is None else (r.learned.weights, r.learned.tags, r.learned.delays, r.learned.traces)
    return Simulation(r.spikes, r.payloads, r.v, r.u, r.active, r.scores, counters, r.v_scale, image, *learned)


def check_arguments(record: object, threads: object, numerics: object, known: tuple[str, ...]) -> None:
    """Refuse an unknown record, threads that are no whole number from 1, and numerics that are no word."""
    listed = isinstance(record, (list, tuple, set, frozenset))
    unknown = [str(name) for name in record if name not in known] if listed else [str(record)]
    found = [Problem("simulate(...)", "record", ", ".join(unknown), f"known: {', '.join(known)}")] if unknown else []
    if not isinstance(numerics, str):
        found.append(Problem("simulate(...)", "numerics", numerics, "it must be one of fixed, float, float32, float64"))
    raise_all(found + thread_problems(threads, "simulate(...)"))


def run_samples(image: ChipImage, events: Events, chunk: np.ndarray, recorder: Recorder) -> Counters:
    """Run some samples on an engine of their own; return their counts."""
    from chipsim.counters import empty
    from chipsim.simulator.account import book
    from chipsim.simulator.engine import Block

    engine, block, learning, total = recorder.engine(), Block(), Block(), empty(image.steps, image.routes.cores).counts[0]
    log = events.spikes(image.circuit.rules.constants.dtype)
    room = max(1, BLOCK_BYTES // sum(array.nbytes for array in engine.work.activity))
    for b in chunk.tolist():
        engine.forward(image.weights, events.of_sample(log, b), (image.network.seed, b, 0))
        recorder.keep(b, engine)
        block.keep(engine.work.activity, engine.events())
        if recorder.learned is not None:
            learning.keep(engine.learning.counts)
        if block.samples >= room or b == chunk[-1]:
            plastic = None if recorder.due is None else (learning.take(), recorder.due)
            book(image, block.take(), learned=False, plastic=plastic).add_to(total)
    return Counters(total, image.routes.cores, len(chunk))


def require_payloads(events: Events, network: Network, fixed: bool) -> None:
    """Refuse graded input events that some projection of the input would take for plain spikes, and in fixed point fractions."""
    leaving = [p for p, (pre, _) in zip(network.projection, network.ends, strict=True) if pre == 0]
    if all(p.message_bits > 0 or not (fixed or p.mantissa) for p in leaving):
        if fixed:
            require_whole(events)
    else:
        require_binary(events, "graded events need message_bits in every projection of the input (mantissas), or float numerics")


class Recorder:
    """Copies what was asked for out of the engine, sample by sample, into [T, B, N] arrays."""

    def __init__(self, image: ChipImage, samples: int, record: Sequence[str], rules: Plasticity | None = None):
        self.image, self.rules, self.learned = image, rules, None
        self.due = None if rules is None else rules.due(image)
        self.kept = tuple(name for name in LEARNED if name in record)
        if rules is not None:
            from chipsim.simulator.plastic_engine import Learned

            self.learned = Learned(image, rules, samples, self.kept)
        populations = image.network.populations
        self.names = [p.name for p in populations]
        self.v_scale = {name: 1 / theta if theta else 1.0 for name, theta in zip(self.names, image.formats.theta, strict=True)}

        def arrays(chosen: list[str], kind: type) -> dict[str, np.ndarray]:
            return {p.name: np.zeros((image.steps, samples, p.size), dtype=kind) for p in populations if p.name in chosen}

        number = np.int64 if image.formats.fixed else image.circuit.rules.constants.dtype
        spiking = [p.name for p in populations if p.model.spikes]
        second = [p.name for p in populations if len(p.model.variables) > 1]
        self.spikes = arrays(spiking if "spikes" in record else [], np.bool_)
        self.payloads = arrays(spiking if "payloads" in record else [], number)
        self.v = arrays(self.names[1:] if "v" in record else [], number)
        self.u = arrays(second if "u" in record else [], number)
        self.active = arrays([p.name for p in image.network.hidden] if "active" in record else [], np.bool_)
        self.scores = np.zeros((samples, image.circuit.classes))

    def engine(self):
        """Return a new engine that keeps what is recorded."""
        states = bool(self.v or self.u)
        if self.rules is None:
            from chipsim.simulator.engine import Engine

            return Engine(self.image, states, self.image.scattered)
        from chipsim.simulator.plastic_engine import PlasticEngine

        return PlasticEngine(self.image, states, self.rules, self.kept)

    def keep(self, b: int, engine) -> None:
        """Record sample b."""
        circuit, work = self.image.circuit, engine.work
        if self.learned is not None:
            self.learned.keep(b, engine)
        self.scores[b] = engine.scores()
        for into, log, value in (
            (self.spikes, work.spikes, None), (self.payloads, work.spikes, work.spikes.value), (self.active, work.active, None),
        ):  # fmt: skip
            for name, found in into.items():
                mark(found[:, b], log, circuit, self.names.index(name), value)
        for row, into in enumerate((self.v, self.u)):
            for name, found in into.items():
                p = self.names.index(name)
                found[:, b] = work.membranes.trace[:, row, circuit.lo[p] : circuit.hi[p]]
        if not self.image.formats.fixed:
            for name, v in self.v.items():
                v[:, b] *= self.v_scale[name]
            if circuit.classes and self.v:
                self.v[self.names[-1]][:, b] *= 1 - circuit.decay[-1]


def mark(raster: np.ndarray, log, circuit, p: int, value: np.ndarray | None = None) -> None:
    """Set the events of population p in a [T, N] raster, to True or to their value."""
    populations = len(circuit.lo)
    for t in range(len(raster)):
        at = t * populations + p
        span = slice(log.start[at], log.start[at + 1])
        raster[t, log.unit[span] - circuit.lo[p]] = True if value is None else value[span]
