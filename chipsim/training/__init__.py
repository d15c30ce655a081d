"""Train a network on a chip, evaluate a finished run, price it for another chip."""

from chipsim.training.evaluate import evaluate
from chipsim.training.reprice import Repriced, reprice
from chipsim.training.run import Run
from chipsim.training.trainer import train

__all__ = ["Repriced", "Run", "evaluate", "reprice", "train"]
