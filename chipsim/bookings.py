"""Bookings: counts before they are worked out, as what happened and the table it goes through.

Most events of most cores are 0 in most steps. Sums over samples come from sums of what happened, and times charge what happened
directly; the counts of every sample, event, step and core are only worked out where somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from chipsim.counters import EVENTS, Counters


class Fan(NamedTuple):
    """The entries of a table [X, Y] that are not 0, row by row: entries of row x are start[x] .. start[x + 1]."""

    start: np.ndarray  # [X + 1] int64
    target: np.ndarray  # [n] int64
    factor: np.ndarray  # [n] int64

    def spread(self, values: np.ndarray, first: int, steps: int, out: np.ndarray, price: float = 1) -> None:
        """Add values [M or 1, T or 1, X] times the table times a price to `steps` steps of out [M, T, Y] from step `first` on."""
        from chipsim.kernels.fans import spread

        spread(values, self, first, steps, price, out)


def fan_of(table: np.ndarray) -> Fan:
    """Return the entries of a table [X, Y], integers."""
    source, target = np.nonzero(table)
    return Fan(np.searchsorted(source, np.arange(len(table) + 1)), target, np.ascontiguousarray(table[source, target]))


class Booking(NamedTuple):
    """One product: values [M or 1, T or 1, X] int64 times a table [X, K], in `steps` steps from `first` on. A 1 stands for all."""

    row: int  # of EVENTS
    values: np.ndarray
    fan: Fan
    first: int
    steps: int


class Booked:
    """Counts of M samples over T steps and K columns (`cores`: their ids, the host last), as a list of products."""

    def __init__(self, samples: int, steps: int, cores: np.ndarray):
        self.samples, self.steps, self.cores = samples, steps, cores
        self.bookings: list[Booking] = []

    @classmethod
    def of(cls, counters: Counters) -> Booked:
        """Return counts [M, E, T, K], or those of a single sample, [E, T, K].

        Raises:
            ValueError: they are summed over samples.
        """
        if counters.counts.ndim == 3 and counters.samples != 1:
            raise ValueError(f"time needs the counts of each sample apart, got {counters.samples} samples summed")
        counts = counters.counts if counters.counts.ndim == 4 else counters.counts[None]
        found, same = cls(len(counts), counts.shape[2], counters.cores), fan_of(np.eye(counts.shape[3], dtype=np.int64))
        rows = np.flatnonzero(counters.total().counts.any(axis=(1, 2)))
        found.bookings = [Booking(row, counts[:, row], same, 0, found.steps) for row in rows.tolist()]
        return found

    @cached_property
    def sums(self) -> Counters:
        """Counts [E, T, K], summed over samples."""
        out, added = np.zeros((len(EVENTS), 1, self.steps, len(self.cores)), dtype=np.int64), {}
        for row, values, fan, first, steps in self.bookings:
            if id(values) not in added:
                added[id(values)] = values.sum(axis=0, keepdims=True) if len(values) > 1 else values * self.samples
            fan.spread(added[id(values)], first, steps, out[row])
        return Counters(out[:, 0], self.cores, self.samples)

    def counters(self) -> Counters:
        """Return the counts of every sample, [M, E, T, K]."""
        out = np.zeros((self.samples, len(EVENTS), self.steps, len(self.cores)), dtype=np.int64)
        for row, values, fan, first, steps in self.bookings:
            fan.spread(values, first, steps, out[:, row])
        return Counters(out, self.cores, self.samples)

    def of_sample(self, m: int) -> Counters:
        """Return the counts of one sample, [1, E, T, K]."""
        one = Booked(1, self.steps, self.cores)
        one.bookings = [b._replace(values=b.values[m : m + 1] if len(b.values) > 1 else b.values) for b in self.bookings]
        return one.counters()

    def of_event(self, row: int) -> np.ndarray:
        """Return the counts of one event of every sample, [M, T, K]."""
        out = np.zeros((self.samples, self.steps, len(self.cores)), dtype=np.int64)
        for b in self.bookings:
            if b.row == row:
                b.fan.spread(b.values, b.first, b.steps, out)
        return out

    def charged(self, prices: Mapping[int, np.ndarray]) -> np.ndarray | None:
        """Return [M, T, K, R] sums of counts times prices, {row of EVENTS: [R]}; None if nothing of that was booked."""
        mine = [b for b in self.bookings if b.row in prices]
        if not mine:
            return None
        if len(prices[mine[0].row]) > 1:  # many prices at once: a product of matrices
            rows = sorted({b.row for b in mine})
            return np.stack([self.of_event(row) for row in rows], axis=-1).astype(float) @ np.stack([prices[row] for row in rows])
        out = np.zeros((self.samples, self.steps, len(self.cores)))
        for row, values, fan, first, steps in mine:
            fan.spread(values, first, steps, out, prices[row][0])
        return out[..., None]
