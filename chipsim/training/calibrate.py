"""Learning rates for integers: one power of two per projection, from data.

rate = 2^round(log2(c std(W) / rms(g)))         g: per-sample gradients of the first samples at the initial weights
"""

from __future__ import annotations

import math

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.errors import Problem, RunError, raise_all
from chipsim.events import Events
from chipsim.learning import rule_of
from chipsim.network import Schedule
from chipsim.training.learner import Learner
from chipsim.training.update import largest_shift, write_shift

SAMPLES = 200


def calibrate_shifts(image: ChipImage, events: Events, labels: np.ndarray, schedule: Schedule, seed: int) -> tuple[int, ...]:
    """Return s per projection, learning rate 2^-s, so that a typical update is `ratio` times the spread of the weights.

    Raises:
        RunError: no gradient reaches a projection (no active neurons); names it and says what to change.
    """
    learner, log = Learner(image), events.spikes(image.circuit.rules.constants.dtype)
    gradient = np.zeros(len(image.weights), dtype=image.circuit.rules.constants.dtype)
    power, count = np.zeros(len(image.weights)), min(SAMPLES, events.samples)
    for b in range(count):
        gradient[:] = 0
        learner.engine.forward(image.weights, events.of_sample(log, b), (seed, b, 0))
        learner.backward(image.weights, gradient, labels[b])
        power += gradient.astype(np.float64) ** 2
    learner.engine.work.errors.dirty[:] = False
    form, shifts, problems, rule = image.formats, [], [], rule_of(image.network.learning)
    for k, name in enumerate(image.network.names):
        part = slice(image.circuit.offset[k], image.circuit.offset[k] + image.plan.synapses[k].stored)
        squared = power[part]
        rms = math.sqrt(squared.sum() / (count * squared.size)) * form.gradient_scale(k)
        spread = float(np.std(image.weights[part])) * form.unit[k]
        least = -write_shift(image, schedule, k, 0)  # at this shift S = 0
        last = form.ends[k][1] == len(image.network.populations) - 1
        if not (rule.trains_readout if last else rule.trains_hidden):
            shifts.append(max(0, least))
            continue
        if rms == 0 or spread == 0:
            limit = "a gradient is needed to choose a learning rate"
            hint = "no active neuron in reach: raise learning.half_width or the gain of the projections, or give schedule.fixed.shifts"
            problems.append(Problem(f"projection to {name}", "rms gradient", rms, limit, hint))
            continue
        ratio = schedule.calibrate * (1.0 if last else rule.rate)
        wanted = -round(math.log2(ratio * spread / typical(schedule, rms)))
        shifts.append(min(max(wanted, least), least + largest_shift(image, schedule)))
    raise_all(problems, RunError)
    return tuple(shifts)


def typical(schedule: Schedule, rms: float) -> float:
    """Return how far one gradient of this rms moves a weight in all, at rate 1: its sign by 1, a velocity by rms / (1 - momentum)."""
    return {"sign": 1.0, "momentum": rms / (1 - schedule.momentum)}.get(schedule.optimiser, rms)
