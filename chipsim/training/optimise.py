"""Optimisers of the float reference. On the chip there is only SGD with power-of-two rates, inside the write kernel."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.writes import sweep_rows
from chipsim.simulator.engine import Engine


class Sgd:
    """W -= rate * g. The update touches dirty rows only."""

    dense = False

    def __init__(self, image: ChipImage, rate: float):
        self.rate = rate

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> None:
        """Move the weights; gradient: [W] mean over the batch."""
        weights -= weights.dtype.type(self.rate) * gradient


class Adam:
    """Adam (Kingma & Ba 2015): betas 0.9 and 0.999, eps 1e-8, bias correction; two words of state per synapse."""

    dense = True
    beta_1, beta_2, eps = 0.9, 0.999, 1e-8

    def __init__(self, image: ChipImage, rate: float):
        self.rate, self.count = rate, 0
        self.mean = np.zeros(len(image.weights), dtype=image.weights.dtype)
        self.square = np.zeros_like(self.mean)

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> None:
        """Move the weights; gradient: [W] mean over the batch."""
        number = weights.dtype.type
        self.count += 1
        self.mean += number(1 - self.beta_1) * (gradient - self.mean)
        self.square += number(1 - self.beta_2) * (gradient * gradient - self.square)
        root = np.sqrt(self.square / number(1 - self.beta_2**self.count)) + number(self.eps)
        weights -= number(self.rate / (1 - self.beta_1**self.count)) * self.mean / root


OPTIMISERS = {"sgd": Sgd, "adam": Adam}


def count_update(image: ChipImage, engine: Engine, gradient: np.ndarray, changed: np.ndarray, dense: bool) -> None:
    """Write what a float update of the batch costs into the activity of `engine` (the last sample of the batch).

    changed: [W] bool. A dense optimiser fetches and evaluates every synapse, a plain one the dirty rows.
    """
    a, circuit = engine.work.activity, image.circuit
    sweep_rows(circuit, gradient, engine.work)
    fan_in = np.array([0 if s.population == 0 else image.network.populations[s.population - 1].size for s in image.slices])
    synapses = fan_in * image.routes.size
    if dense:
        a.visits[:] = fan_in * circuit.row_words
        a.evaluations[:] = synapses
        a.optimised[:] = synapses
    for s in range(1, len(image.slices)):
        part = image.slices[s]
        k = part.population - 1
        shape = (image.network.populations[k].size, image.network.populations[k + 1].size)
        at = int(circuit.offset[k])
        a.writes[s] = changed[at : at + shape[0] * shape[1]].reshape(shape)[:, part.lo : part.hi].sum()
