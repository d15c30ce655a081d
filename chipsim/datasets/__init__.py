"""Data sets: one file each and one line here. Importing this package loads no data and no scikit-learn."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chipsim.errors import ConfigError, DataError, Problem, raise_all


class DataSet(NamedTuple):
    """What a reader gives: intensities in [0, 1] and labels, already split.

    train_x, test_x: [B, N] float64; train_y, test_y: [B] int64; classes: number of classes.
    """

    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: int


class Entry(NamedTuple):
    """What is known of a data set before it is read."""

    module: str  # has read(root: Path | None) -> DataSet
    title: str
    bundled: bool
    units: int
    classes: int

    def available(self, root: Path | None) -> tuple[bool, str]:
        """Return whether it can be read, and why not."""
        if self.bundled:
            return True, "bundled with scikit-learn"
        return root is not None, f"in {root}" if root else "no data folder: give --data-dir or set CHIPSIM_DATA"


DATASETS = {
    "digits": Entry(
        "chipsim.datasets.digits", "scikit-learn's handwritten digits, 1797 images of 8x8, values 0..16", True, 64, 10
    ),
}


def load_dataset(name: str, root: Path | None = None) -> DataSet:
    """Read a data set by name; `root`: the folder of `--data-dir` or CHIPSIM_DATA.

    Raises:
        ConfigError: no such data set.
        DataError: it is empty, has one class only, or is malformed.
    """
    if name not in DATASETS:
        raise ConfigError(Problem("data set", "data.name", name, f"known: {', '.join(DATASETS)}"))
    return checked(import_module(DATASETS[name].module).read(root), f'data set "{name}"')


def checked(data: DataSet, name: str, one_class: bool = False) -> DataSet:
    """Refuse a data set that cannot be trained on; all problems at once. `one_class`: a single class will do."""
    problems: list[Problem] = []
    for part, x, y in (("train", data.train_x, data.train_y), ("test", data.test_x, data.test_y)):
        x, y = np.asarray(x), np.asarray(y)
        if x.ndim != 2 or len(x) != len(y):
            problems.append(
                Problem(name, f"{part}_x", f"shape {list(x.shape)}", f"[B, N] with one label each ({len(y)}) is required")
            )
        elif not len(x):
            problems.append(Problem(name, f"{part}_x", "0 samples", "at least one sample is required"))
        elif not np.isfinite(x).all() or x.min() < 0 or x.max() > 1:
            problems.append(Problem(name, f"{part}_x", "outside [0, 1] or not finite", "intensities from 0 to 1 are required"))
        if y.size and (y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= data.classes):
            problems.append(Problem(name, f"{part}_y", "labels", f"integers from 0 to {data.classes - 1} are required"))
    if not problems and not one_class and len(np.unique(data.train_y)) < 2:
        limit = "at least two classes are needed to train a classifier"
        problems.append(Problem(name, "train_y", f"one class only ({data.train_y[0]})", limit))
    raise_all(problems, DataError)
    return data
