"""Optimisers of the float reference. On the chip there is only SGD with power-of-two rates, inside the write kernel."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.writes import clear_update_counts
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
    """Write what a float update costs into the activity of `engine` (the last sample of the batch), and clear its dirty rows.

    changed: [W] bool. A dense optimiser fetches and evaluates every synapse, a plain one the dirty rows and their non-zero gradients.
    """
    a, circuit = engine.work.activity, image.circuit
    clear_update_counts(a)
    grids, moved = image.tensors(gradient), image.tensors(changed)
    for k, (name, grid) in enumerate(grids.items()):
        parts = [n for n, s in enumerate(image.slices) if s.population == k + 1]
        at = int(circuit.rows[k])
        dirty = engine.work.errors.dirty[at : at + len(grid) * len(parts)].reshape(len(grid), len(parts))
        for n, s in enumerate(parts):
            columns = slice(image.slices[s].lo, image.slices[s].hi)
            a.visits[s] = circuit.row_words[s] * (len(grid) if dense else np.count_nonzero(dirty[:, n]))
            a.evaluations[s] = grid[:, columns].size if dense else np.count_nonzero(grid[dirty[:, n], columns])
            a.optimised[s] = grid[:, columns].size if dense else 0
            a.writes[s] = np.count_nonzero(moved[name][:, columns])
    engine.work.errors.dirty[:] = False
