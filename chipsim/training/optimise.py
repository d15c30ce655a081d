"""Optimisers of the float reference. Those of the chip are in the write kernel (learning.writes)."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.writes import clear_update_counts
from chipsim.network import Schedule
from chipsim.simulator.engine import Engine


def stored_units(image: ChipImage) -> np.ndarray:
    """Return how many stored units one threshold is, for every weight: [W], in the number type of the weights."""
    parts = [np.full(s.stored, 1 / unit) for s, unit in zip(image.plan.synapses, image.formats.unit, strict=True)]
    return np.concatenate(parts).astype(image.weights.dtype)


class Sgd:
    """W -= rate * g. The update touches dirty rows only."""

    dense = False

    def __init__(self, image: ChipImage, schedule: Schedule):
        self.rate, self.scale = schedule.rate, stored_units(image)

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> None:
        """Move the weights; gradient: [W] mean over the batch."""
        weights -= weights.dtype.type(self.rate) * gradient * self.scale


class Sign(Sgd):
    """W -= rate * sign(g)."""

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> None:
        """Move the weights; gradient: [W] mean over the batch."""
        super().step(weights, np.sign(gradient))


class Momentum(Sgd):
    """v = momentum v + g; W -= rate * v (Polyak 1964); one word of state per synapse."""

    dense = True

    def __init__(self, image: ChipImage, schedule: Schedule):
        super().__init__(image, schedule)
        self.momentum, self.velocity = schedule.momentum, np.zeros(len(image.weights), dtype=image.weights.dtype)

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> None:
        """Move the weights; gradient: [W] mean over the batch."""
        self.velocity *= weights.dtype.type(self.momentum)
        self.velocity += gradient
        super().step(weights, self.velocity)


class Adam:
    """Adam (Kingma & Ba 2015): betas 0.9 and 0.999, eps 1e-8, bias correction; two words of state per synapse."""

    dense = True
    beta_1, beta_2, eps = 0.9, 0.999, 1e-8

    def __init__(self, image: ChipImage, schedule: Schedule):
        self.rate, self.count, self.scale = schedule.rate, 0, stored_units(image)
        self.mean = np.zeros(len(image.weights), dtype=image.weights.dtype)
        self.square = np.zeros_like(self.mean)

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> None:
        """Move the weights; gradient: [W] mean over the batch."""
        number = weights.dtype.type
        self.count += 1
        self.mean += number(1 - self.beta_1) * (gradient - self.mean)
        self.square += number(1 - self.beta_2) * (gradient * gradient - self.square)
        root = np.sqrt(self.square / number(1 - self.beta_2**self.count)) + number(self.eps)
        weights -= number(self.rate / (1 - self.beta_1**self.count)) * self.mean / root * self.scale


STEPS = {"sgd": Sgd, "sign": Sign, "momentum": Momentum, "adam": Adam}  # of the names in learning.policies.OPTIMISERS


def count_update(image: ChipImage, engine: Engine, gradient: np.ndarray, changed: np.ndarray, dense: bool) -> None:
    """Write what a float update costs into the activity of `engine` (the last sample of the batch), and clear its dirty rows.

    changed: [W] bool. A dense optimiser fetches and evaluates every synapse, a plain one the dirty rows and their non-zero gradients.
    """
    a, circuit, slices = engine.work.activity, image.circuit, len(image.slices)
    clear_update_counts(a)
    rows, row_slice, homes, hidden = row_of_weight(image)
    dirty = engine.work.errors.dirty
    fetched = np.ones_like(dirty) if dense else dirty
    met = np.ones(len(gradient), dtype=np.bool_) if dense else (gradient != 0) & dirty[rows]
    a.visits[0] = np.bincount(row_slice[fetched], circuit.row_words[fetched], slices)
    a.evaluations[0] = np.bincount(row_slice[rows[met]], minlength=slices)
    a.optimised[0] = a.evaluations[0] if dense else 0
    a.writes[0] = np.bincount(row_slice[rows[changed]], minlength=slices)
    if circuit.push:
        np.add.at(a.copied, (row_slice[rows[changed]], homes[changed]), hidden[changed])
    dirty[:] = False


def row_of_weight(image: ChipImage) -> tuple[np.ndarray, ...]:
    """Return the row (of the table of dirty rows) of every weight [W], the slice of every row, and of every weight the home of i.

    That is its slice, and whether the neuron is a hidden one. Dense and sparse projections.
    """
    circuit, rows, slices, homes, hidden = image.circuit, [], [], [], []
    for k, synapses in enumerate(image.plan.synapses):
        low, high = circuit.first_slice[circuit.post[k]], circuit.first_slice[circuit.post[k] + 1]
        pre, post = (synapses.pre, synapses.post) if synapses.listed else np.divmod(np.arange(synapses.stored), synapses.sizes[1])
        part = circuit.slice_of[circuit.lo[circuit.post[k]] + post] - low
        rows.append(circuit.rows[k] + pre * (high - low) + part)
        slices.append(np.tile(np.arange(low, high), synapses.sizes[0]))
        homes.append(circuit.slice_of[circuit.lo[circuit.pre[k]] + pre])
        hidden.append(np.full(len(pre), circuit.pre[k] > 0))
    return np.concatenate(rows), np.concatenate(slices), np.concatenate(homes), np.concatenate(hidden)
