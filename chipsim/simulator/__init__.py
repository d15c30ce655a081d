"""Simulate a network forward, on a chip or on none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.counters import Counters
from chipsim.errors import ConfigError, Problem
from chipsim.events import Events, as_events, require_binary
from chipsim.hardware import Chip, as_chip
from chipsim.network import Network, as_network

RECORDS = ("spikes", "v", "active")
SAMPLES_PER_BLOCK = 64


@dataclass(frozen=True)
class Simulation:
    """What a forward simulation gave. Arrays are [T, B, N] by population.

    spikes: bool, input included. v: float64 in units of the threshold, or in fixed point the stored int64 in units of `v_scale`;
    the readout's is the paper's `out` in float and lacks the factor 1 - a_r in fixed point. active: bool, hidden populations.
    scores: [B, C] float64, units of the threshold. counters: per phase, event, step and core, summed over samples (without a chip:
    one column per population, the input last).
    """

    spikes: dict[str, np.ndarray]
    v: dict[str, np.ndarray]
    active: dict[str, np.ndarray]
    scores: np.ndarray
    counters: Counters
    v_scale: float
    image: ChipImage

    @property
    def predictions(self) -> np.ndarray:
        """[B] int64: class with the largest score."""
        return np.argmax(self.scores, axis=1)


def simulate(
    model: Network | str | Path,
    x: np.ndarray | Events,
    chip: Chip | str | Path | None = None,
    numerics: str = "float64",
    weights: dict[str, np.ndarray] | None = None,
    record: Sequence[str] = ("spikes", "v"),
) -> Simulation:
    """Run `model` forward on every sample of `x`.

    x: [T, B, N_in], or Events. chip: a Chip, a name, or None (one core per population, nothing limited).
    numerics: fixed, float64 or float32. weights: {postsynaptic population: [N_pre, N_post]}; none: the model's own.
    record: any of spikes, v, active.

    Raises:
        DataError: wrong shapes, values that are not finite, graded values in fixed point.
        CapacityError: the network does not fit the chip.
        ConfigError: unknown numerics or record.
    """
    from chipsim.simulator.account import account
    from chipsim.simulator.engine import Block, Engine

    record = (record,) if isinstance(record, str) else record
    unknown = [name for name in record if name not in RECORDS]
    if unknown:
        raise ConfigError(Problem("simulate(...)", "record", ", ".join(unknown), f"known: {', '.join(RECORDS)}"))
    network = as_network(model) if weights is None else as_network(model).with_weights(weights)
    events = as_events(x, network.populations[0].size)
    network = network.over(events.shape[0])
    image = compile_network(
        network,
        None if chip is None else as_chip(chip),
        learn="active" in record,
        numerics="float32" if numerics == "float" else numerics,
    )
    if image.formats.fixed:
        require_binary(events, "fixed point sends 0/1 spikes")
    engine, block, parts = Engine(image, "v" in record), Block(), []
    log = events.spikes(image.circuit.decay.dtype)
    recorder = Recorder(image, events.samples, record)
    for b in range(events.samples):
        engine.forward(image.weights, events.of_sample(log, b))
        recorder.keep(b, engine)
        block.keep(engine.work.activity)
        if len(block.parts) == SAMPLES_PER_BLOCK or b == events.samples - 1:
            parts.append(account(image, block.take(), learned=False))
    counters = sum(parts[1:], parts[0].total()) if parts else empty_counters(image)
    return Simulation(recorder.spikes, recorder.v, recorder.active, recorder.scores, counters, recorder.v_scale, image)


def empty_counters(image: ChipImage) -> Counters:
    """Return zero counts over no samples."""
    from chipsim.counters import empty

    return Counters(empty(image.steps, image.routes.cores).total().counts, image.routes.cores, 0)


class Recorder:
    """Copies what was asked for out of the engine, sample by sample, into [T, B, N] arrays."""

    def __init__(self, image: ChipImage, samples: int, record: Sequence[str]):
        self.image, self.v_scale = image, 1 / image.formats.theta
        sizes = {p.name: p.size for p in image.network.populations}
        names = list(sizes)

        def arrays(chosen: list[str], kind: type) -> dict[str, np.ndarray]:
            return {name: np.zeros((image.steps, samples, sizes[name]), dtype=kind) for name in chosen}

        number = np.int64 if image.formats.fixed else image.circuit.decay.dtype
        self.spikes = arrays(names[:-1], np.bool_) if "spikes" in record else {}
        self.v = arrays(names[1:], number) if "v" in record else {}
        self.active = arrays(names[1:-1], np.bool_) if "active" in record else {}
        self.scores = np.zeros((samples, sizes[names[-1]]))

    def keep(self, b: int, engine) -> None:
        """Record sample b."""
        circuit, work = self.image.circuit, engine.work
        names = [p.name for p in self.image.network.populations]
        self.scores[b] = engine.scores()
        for into, log in ((self.spikes, work.spikes), (self.active, work.active)):
            for name, found in into.items():
                mark(found[:, b], log, circuit, names.index(name))
        for name, v in self.v.items():
            p = names.index(name)
            v[:, b] = work.membranes.trace[:, circuit.lo[p] : circuit.hi[p]]
            if p == len(names) - 1 and not self.image.formats.fixed:
                v[:, b] *= 1 - circuit.decay[p]


def mark(raster: np.ndarray, log, circuit, p: int) -> None:
    """Set the events of population p in a [T, N] raster."""
    populations = len(circuit.lo)
    for t in range(len(raster)):
        at = t * populations + p
        raster[t, log.unit[log.start[at] : log.start[at + 1]] - circuit.lo[p]] = True
