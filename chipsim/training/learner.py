"""Learner: the backward half of a sample on an Engine, and what it makes of the result."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.errors import DataError, Problem
from chipsim.learning import is_online, rule_of, step_loss
from chipsim.simulator.engine import Engine
from chipsim.training.online import Online
from chipsim.training.replay import Replay
from chipsim.training.together import Together


class Learner:
    """Adds gradients of single samples to an accumulator array, by replay or in forward time as the rule says."""

    def __init__(self, image: ChipImage, record: bool = False):
        learning = image.network.learning
        online = is_online(learning.rule)
        self.image = image
        self.engine = Engine(image, record or online or step_loss(learning))  # the loss of a step is formed from its potentials
        self.way = Online(image, self.engine, rule_of(learning)) if online else Replay(image, self.engine)

    def backward(self, weights: np.ndarray, gradient: np.ndarray, label: int) -> None:
        """Learn from the sample that the engine has just run; `gradient` [W] grows by its gradient, in the scale of the accumulators."""
        self.way.backward(weights, gradient, label)

    def write_inplace(self, weights: np.ndarray, label: int, how: tuple, address: np.ndarray) -> None:
        """Replay the sample that the engine has just run and write its weights on the way; arguments as in `learning.writes`."""
        self.way.write_inplace(weights, label, how, address)

    def together(self) -> Together:
        """Return what runs and replays several samples in one call.

        Raises:
            ConfigError: the rule needs a look at each of them.
        """
        return Together(self.image, self.engine, self.way)

    def follow(self, weights: np.ndarray) -> None:
        """Let a rule know that the weights were written after `backward`."""
        if isinstance(self.way, Online):
            self.way.follow(weights)

    def loss(self, label: int) -> float:
        """Return the loss of the last sample in float64, for reports only."""
        return self.way.loss(label)


def check_labels(y: object, samples: int, classes: int) -> np.ndarray:
    """Return labels as [B] int64.

    Raises:
        DataError: wrong shape, not integers, or outside 0 .. classes - 1.
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or len(labels) != samples:
        raise DataError(Problem("labels y", "shape", list(labels.shape), f"one label per sample is required: [{samples}]"))
    if labels.size and (labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes):
        worst = next((v for v in labels.tolist() if not isinstance(v, int) or not 0 <= v < classes), labels.dtype)
        raise DataError(Problem("labels y", "value", worst, f"integers from 0 to {classes - 1} are required"))
    return labels.astype(np.int64)


def check_finite(gradient: np.ndarray, image: ChipImage) -> None:
    """Refuse to go on with a gradient that is not finite (it would silence neurons for good)."""
    from chipsim.errors import RunError

    if not np.isfinite(gradient).all():
        bad = [name for name, g in image.tensors(gradient).items() if not np.isfinite(g).all()]
        raise RunError(
            Problem("gradient", ", ".join(bad), "NaN or infinite", "gradients must be finite; lower the learning rate")
        )
