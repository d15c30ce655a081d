"""Samples of a run as events: the model's own data set, or what the user gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chipsim import catalog
from chipsim.datasets import DATASETS, DataSet, checked, load_dataset
from chipsim.datasets.encoders import ENCODERS
from chipsim.errors import ConfigError, DataError, Problem, raise_all
from chipsim.events import MOST_CELLS, Events, as_events
from chipsim.network import Network
from chipsim.training.learner import check_labels


@dataclass(frozen=True)
class Examples:
    """Training and test samples as events, with labels [B] int64."""

    train: Events
    train_labels: np.ndarray
    test: Events
    test_labels: np.ndarray
    given: bool  # by the user, not the model's own


def load_examples(network: Network, data: Any, samples: int | None) -> Examples:
    """Return the samples of `data`: None (the model's own), a DataSet, or (train_x, train_y, test_x, test_y).

    x: [B, N] intensities in [0, 1], encoded as the model says, or spikes as [T, B, N] or Events.
    """
    if data is None:
        if network.data is None:
            limit = "the model names no data set: give data, or a [data] table in the model"
            raise ConfigError(Problem(f'network "{network.name}"', "data", "(nothing)", limit))
        found = load_dataset(network.data.name, catalog.data_root())
        parts = (found.train_x, found.train_y, found.test_x, found.test_y)
        sizes = DATASETS[network.data.name]
        raise_all(size_problems(network, sizes.units, sizes.classes))
    else:
        parts = tuple(data)[:4] if isinstance(data, (tuple, list)) else ()
        if len(parts) < 4:
            given = f"{len(parts)} parts" if parts else type(data).__name__
            raise DataError(Problem("data", "form", given, "(train_x, train_y, test_x, test_y) or a DataSet is required"))
    train, train_labels = as_samples(network, parts[0], parts[1], "train")
    test, test_labels = as_samples(network, parts[2], parts[3], "test")
    if samples is not None and samples > train.samples:
        raise ConfigError(Problem("run", "samples", samples, f"there are {train.samples} training samples"))
    if samples is not None:
        kept = np.arange(samples)
        train, train_labels = train.take(kept), train_labels[kept]
    if len(np.unique(train_labels)) < 2:
        limit = "at least two classes are needed to train a classifier"
        raise DataError(Problem("data", "train_y", f"one class only ({train_labels[0]}) in {train.samples} samples", limit))
    return Examples(train, train_labels, test, test_labels, data is not None)


def size_problems(network: Network, units: int, classes: int) -> list[Problem]:
    """Return where network and data set do not fit together."""
    name, data = f'network "{network.name}"', network.data.name
    first, last = network.populations[0], network.populations[-1]
    found = []
    if first.size != units:
        found.append(Problem(name, f"population.{first.name}.size", first.size, f'data set "{data}" has {units} units'))
    if last.size != classes:
        found.append(Problem(name, f"population.{last.name}.size", last.size, f'data set "{data}" has {classes} classes'))
    return found


def is_table(x: Any) -> bool:
    """Return whether x is an array [B, N]; what is no array at all is left to the check of spikes."""
    try:
        return np.asarray(x).ndim == 2
    except ValueError:
        return False


def as_samples(network: Network, x: Any, y: Any, part: str) -> tuple[Events, np.ndarray]:
    """Return one part of the data as events and labels."""
    units, classes = network.populations[0].size, network.populations[-1].size
    if not isinstance(x, Events) and is_table(x):
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y)
        checked(DataSet(x, y, x, y, classes), f"data ({part})", one_class=True)
        coding = network.data.encoding if network.data else None
        if coding is None:
            raise ConfigError(Problem(f'network "{network.name}"', "data.encoding", "(nothing)", "intensities need an encoding"))
        if x.shape[1] != units:
            raise DataError(Problem(f"data ({part})", "shape[1]", x.shape[1], f"the input population has {units} units"))
        if len(x) * network.steps > MOST_CELLS:
            raise DataError(
                Problem(f"data ({part})", "samples x steps", len(x) * network.steps, f"at most {MOST_CELLS} are possible")
            )
        x = ENCODERS[coding.kind](x, network.steps, coding.tau_ms / network.dt_ms, coding.threshold)
    events = as_events(x, units, network.steps)
    if not events.samples:
        raise DataError(Problem(f"data ({part})", "x", "0 samples", "at least one sample is required"))
    return events, check_labels(y, events.samples, classes)
