"""Learning rates for integers: one power of two per projection, from data; and whether the network is alive at all.

rate = 2^round(log2(c std(W) / rms(g)))         g: per-sample gradients of the first samples at the initial weights
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.errors import Problem, RunError, raise_all
from chipsim.events import Events
from chipsim.hardware import Chip
from chipsim.learning import rule_of
from chipsim.network import Network, Schedule
from chipsim.training.health import Layer, dead_problems
from chipsim.training.job import count_problems, prepare
from chipsim.training.learner import Learner
from chipsim.training.membrane import resolve_gains
from chipsim.training.update import largest_shift, write_shift

SAMPLES = 200
NO_GRADIENT = "no active neuron in reach: raise learning.half_width or the gain of the projections, or give schedule.fixed.shifts"


class Row(NamedTuple):
    """A projection: rms of its gradient and standard deviation of its weights (thresholds), and s of its learning rate 2^-s.

    shift: None where the rule trains nothing there, or no gradient arrives.
    """

    name: str
    rms: float
    std: float
    shift: int | None


@dataclass(frozen=True)
class Calibration:
    """What the first samples say at the initial weights. `print` shows it as a table."""

    projections: tuple[Row, ...]
    layers: tuple[Layer, ...]
    samples: int
    image: ChipImage

    def __str__(self) -> str:
        """Return the table of projections, then that of hidden layers."""
        lines = [f"{'projection':20} {'rms gradient':>12} {'std weights':>12} {'rate':>8}   ({self.samples} samples)"]
        for row in self.projections:
            rate = "none" if row.shift is None else f"2^{-row.shift}"
            lines.append(f"{row.name:20} {row.rms:12.3g} {row.std:12.3g} {rate:>8}")
        lines.append(f"{'layer':20} {'spikes':>12} {'active':>12} {'silent':>8}   (events per sample; neurons that never spike)")
        lines += [f"{x.name:20} {x.spikes:12.4g} {x.active:12.4g} {x.silent:8.0%}" for x in self.layers]
        return "\n".join(lines)


def calibrate(
    model: Network | str | Path,
    chip: Chip | str | Path,
    data: Any = None,
    rule: Any = None,
    numerics: str = "fixed",
    seed: int = 1,
    samples: int = SAMPLES,
    what_if: bool = False,
) -> Calibration:
    """Return gradients, weights and learning rates per projection and the activity of hidden layers, at the initial weights.

    model, chip, data, rule, numerics, seed, what_if: as in `cs.train`, which calibrates with this. samples: at most so many, the first.
    A dead network is described, not refused: `spikes` or `active` of a layer are 0 then.

    Raises:
        ConfigError, DataError: something given is wrong. CapacityError: the network does not fit.
        RunError: a projection with init = "membrane" that no spike reaches.
    """
    raise_all(count_problems(samples=samples))
    job = prepare(model, chip, data, rule, numerics, seed, None, None, 1, what_if)
    examples = job.examples
    network = resolve_gains(job.network, examples.train, seed)
    image = compile_network(network, job.chip, numerics=job.numerics, seed=seed)
    return measure(image, examples.train, examples.train_labels, job.schedule, seed, samples)


def measure(
    image: ChipImage, events: Events, labels: np.ndarray, schedule: Schedule, seed: int, samples: int = SAMPLES
) -> Calibration:
    """Run and replay the first samples at the initial weights."""
    learner, number = Learner(image), image.circuit.rules.constants.dtype
    log, count, work = events.spikes(number), min(samples, events.samples), learner.engine.work
    gradient, power = np.zeros(len(image.weights), dtype=number), np.zeros(len(image.weights))
    spikes, active = np.zeros((2, int(image.circuit.hi[-1])), dtype=np.int64)
    for b in range(count):
        gradient[:] = 0
        learner.engine.forward(image.weights, events.of_sample(log, b), (seed, b, 0))
        for found, kept in ((spikes, work.spikes), (active, work.active)):
            np.add.at(found, kept.unit[: kept.start[-1]], 1)
        learner.backward(image.weights, gradient, labels[b])
        power += gradient.astype(np.float64) ** 2
    rows = tuple(row_of(image, schedule, k, power / count) for k in range(len(image.network.names)))
    return Calibration(rows, layers_of(image, spikes, active, count), count, image)


def layers_of(image: ChipImage, spikes: np.ndarray, active: np.ndarray, count: int) -> tuple[Layer, ...]:
    """Return what the hidden populations did; spikes, active: [N] events in `count` samples."""
    found = []
    for p, hidden in enumerate(image.network.populations[1:-1], start=1):
        part = slice(image.circuit.lo[p], image.circuit.hi[p])
        silent = float((spikes[part] == 0).mean())
        found.append(Layer(hidden.name, float(spikes[part].sum() / count), float(active[part].sum() / count), silent))
    return tuple(found)


def row_of(image: ChipImage, schedule: Schedule, k: int, power: np.ndarray) -> Row:
    """Return the row of projection k; power: [W] mean squares of the gradients."""
    form, rule, synapses = image.formats, rule_of(image.network.learning), image.plan.synapses[k]
    part = slice(image.circuit.offset[k], image.circuit.offset[k] + synapses.stored)
    rms = math.sqrt(float(np.mean(power[part]))) * form.gradient_scale(k)
    std = float(np.std(image.weights[part])) * form.unit[k]
    last = form.ends[k][1] == len(image.network.populations) - 1
    if rule.unit == "lsb" and not last:  # at rate 1, one is one step of the stored weight: S is the fraction of the increments
        return Row(
            image.network.names[k], rms, std, form.gradient_fraction[k] - form.write_shift(k, 0) - round(math.log2(rule.rate))
        )
    if not (rule.trains_readout if last else rule.trains_hidden) or not (0 < rms < math.inf and std > 0):
        return Row(image.network.names[k], rms, std, None)
    ratio = schedule.calibrate * (1.0 if last else rule.rate)
    wanted = -round(math.log2(ratio * std / typical(schedule, rms)))
    if form.fixed:
        least = -write_shift(image, schedule, k, 0)  # at this shift S = 0
        wanted = min(max(wanted, least), least + largest_shift(image, schedule))
    return Row(image.network.names[k], rms, std, wanted)


def typical(schedule: Schedule, rms: float) -> float:
    """Return how far one gradient of this rms moves a weight in all, at rate 1: its sign by 1, a velocity by rms / (1 - momentum)."""
    return {"sign": 1.0, "momentum": rms / (1 - schedule.momentum)}.get(schedule.optimiser, rms)


def require_life(found: Calibration, shifts: bool) -> None:
    """Refuse a network that cannot be trained; shifts: a learning rate is wanted for every projection too.

    Raises:
        RunError: a hidden layer without spikes or active events, or a projection without a gradient; says what to change.
    """
    problems, image = dead_problems(found.image, found.layers, found.samples), found.image
    rule, last = rule_of(image.network.learning), len(image.network.populations) - 1
    for row, (_, post) in zip(found.projections, image.formats.ends, strict=True):
        trained = rule.trains_readout if post == last else rule.trains_hidden
        if shifts and trained and row.shift is None:
            key, value = ("standard deviation of the weights", row.std) if row.std == 0 else ("rms gradient", row.rms)
            limit = "it must be above 0 and finite to choose a learning rate"
            problems.append(Problem(f"projection to {row.name}", key, value, limit, NO_GRADIENT))
    raise_all(problems, RunError)


def shifts_of(found: Calibration, schedule: Schedule) -> tuple[int, ...]:
    """Return s per projection: those of the calibration; where the rule trains nothing, what can be written."""
    least = (-write_shift(found.image, schedule, k, 0) for k in range(len(found.projections)))
    least = (min(max(0, s), s + largest_shift(found.image, schedule)) for s in least)
    return tuple(low if row.shift is None else row.shift for row, low in zip(found.projections, least, strict=True))
