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

LANES = 16  # rows of tables are as long as a multiple of this: vectors of numbers then fit


class Happened(NamedTuple):
    """Events one by one, each of which counts once: values [M, T, X] of which most are 0 (the spikes of neurons that are all different)."""

    which: np.ndarray  # [n] int32 x, in the order of samples and steps
    start: np.ndarray  # [M T + 1] int64: those of step t of sample m are start[m T + t] .. start[m T + t + 1]
    shape: tuple[int, int, int]  # (M, T, X)

    def __len__(self) -> int:
        return self.shape[0]

    def of_sample(self, m: int) -> Happened:
        """Return the events of one sample."""
        _, steps, width = self.shape
        start = self.start[m * steps : (m + 1) * steps + 1]
        return Happened(self.which[start[0] : start[-1]], start - start[0], (1, steps, width))


def joined(events: list[Happened]) -> Happened:
    """Return the events of several samples, one sample after the other."""
    ends = np.cumsum([0, *(len(one.which) for one in events)])
    starts = [one.start[:-1] + end for one, end in zip(events, ends.tolist(), strict=False)]
    _, steps, width = events[0].shape
    return Happened(
        np.concatenate([one.which for one in events]), np.append(np.concatenate(starts), ends[-1]), (len(events), steps, width)
    )


Values = np.ndarray | Happened


class Fan(NamedTuple):
    """The entries of a table [X, Y] that are not 0, row by row: entries of row x are start[x] .. start[x + 1]; or whole rows."""

    start: np.ndarray  # [X + 1] int64
    target: np.ndarray  # [n] int64
    factor: np.ndarray  # [n] int64
    rows: np.ndarray = np.zeros((0, 0), dtype=np.uint8)  # [X, Y and some zeros]: the table itself, and the lists above are empty

    @property
    def empty(self) -> bool:
        """Whether all entries are 0."""
        return len(self.target) == 0 and not self.rows.size

    def spread(self, values: Values, first: int, steps: int, out: np.ndarray, price: float = 1) -> None:
        """Add values [M or 1, T or 1, X] times the table times a price to `steps` steps of out [M, T, Y] from step `first` on.

        Of events that happened in several samples, an out of one sample takes the sum.
        """
        from chipsim.kernels.fans import spread, spread_events

        if not isinstance(values, Happened):
            spread(values, self, first, steps, price, out)
        elif out.dtype == np.int64 and price == 1:
            step = np.zeros(self.rows.shape[1], dtype=np.int32)
            spread_events((values.which, values.start), len(values), self, first, steps, out, step)
        else:
            counts = np.zeros(out.shape, dtype=np.int64)
            self.spread(values, first, steps, counts)
            out += counts * price


def fan_of(table: np.ndarray) -> Fan:
    """Return the entries of a table [X, Y], integers."""
    source, target = np.nonzero(table)
    start = np.searchsorted(source, np.arange(len(table) + 1))
    if len(source) and np.diff(start).max() == 1:
        return one_each((table != 0).argmax(axis=1), table.sum(axis=1, dtype=np.int64))
    return Fan(start, target, np.ascontiguousarray(table[source, target]).astype(np.int64))


def one_each(target: np.ndarray, factor: np.ndarray) -> Fan:
    """Return a table whose rows hold one entry each, [X] int64 its place and the factor."""
    if not factor.any():
        target, factor = target[:0], factor[:0]
    return Fan(np.arange(len(target) + 1), target, factor)


def rows_of(table: np.ndarray) -> Fan:
    """Return a table [X, Y] of uint8 as it is: to be added row by row, where many entries are not 0."""
    none = np.zeros(0, dtype=np.int64)
    rows = np.zeros((len(table), -(-table.shape[1] // LANES) * LANES), dtype=np.uint8)
    rows[:, : table.shape[1]] = table
    return Fan(none, none, none, rows)


class Booking(NamedTuple):
    """One product: values [M or 1, T or 1, X] times a table [X, K], in `steps` steps from `first` on. A 1 stands for all."""

    row: int  # of EVENTS
    values: Values
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
        out = np.zeros((len(EVENTS), self.steps, len(self.cores)), dtype=np.int64)
        self.add_to(out)
        return Counters(out, self.cores, self.samples)

    def add_to(self, counts: np.ndarray) -> None:
        """Add the counts of all samples to those of others, [E, T, K]."""
        added: dict[int, Values] = {}
        for row, values, fan, first, steps in self.bookings:
            if id(values) not in added:
                added[id(values)] = self.summed(values)
            fan.spread(added[id(values)], first, steps, counts[row][None])

    def summed(self, values: Values) -> Values:
        """Return values summed over samples, [1, T or 1, X]; of events `spread` takes the sum."""
        if isinstance(values, Happened):
            return values
        return values.sum(axis=0, keepdims=True) if len(values) > 1 else values * self.samples

    def counters(self) -> Counters:
        """Return the counts of every sample, [M, E, T, K]."""
        out = np.zeros((self.samples, len(EVENTS), self.steps, len(self.cores)), dtype=np.int64)
        for row, values, fan, first, steps in self.bookings:
            fan.spread(values, first, steps, out[:, row])
        return Counters(out, self.cores, self.samples)

    def of_sample(self, m: int) -> Counters:
        """Return the counts of one sample, [1, E, T, K]."""
        one = Booked(1, self.steps, self.cores)
        one.bookings = [b._replace(values=of_sample(b.values, m)) for b in self.bookings]
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


def of_sample(values: Values, m: int) -> Values:
    """Return the values of one sample, [1, T or 1, X]."""
    if isinstance(values, Happened):
        return values.of_sample(m)
    return values[m : m + 1] if len(values) > 1 else values
