"""Train a network on a chip, evaluate a finished run."""

from chipsim.training.evaluate import evaluate
from chipsim.training.run import Run
from chipsim.training.trainer import train

__all__ = ["Run", "evaluate", "train"]
