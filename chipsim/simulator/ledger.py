"""Ledger: books what happened per slice or group of neurons into columns of cores."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.counters import EVENTS, ROW, Counters
from chipsim.simulator.fans import HERE, LEAVES, Fan, Ways, spread

AXES = ("x", "y", "local")  # of hops


class Room:
    """Memory of the counts of one block, used again for the next: fresh memory costs more than counting."""

    def __init__(self, image: ChipImage, samples: int):
        self.by_event = np.zeros((len(EVENTS), samples, image.steps, len(image.routes.cores)), dtype=np.int64)
        self.dirty: set[int] = set()  # rows that may hold counts of the block before
        self.ways = Ways(image)


class Ledger:
    """Books counts per slice, or per group of neurons at its home, into columns of cores. Rows that are never booked are never touched.

    room: where to count; what was counted there before is lost.
    """

    def __init__(self, image: ChipImage, samples: int, room: Room | None = None):
        self.image, self.routes, self.steps = image, image.routes, image.steps
        self.room = Room(image, samples) if room is None else room
        self.by_event = self.room.by_event[:, :samples]
        self.booked: set[int] = set()
        self.ways = self.room.ways

    def row(self, phase: str, stage: str, event: str) -> np.ndarray:
        """Return the counts [M, T, K] of an event."""
        n = ROW[phase, stage, event]
        if n not in self.booked:
            self.booked.add(n)
            if n in self.room.dirty:
                self.by_event[n] = 0
        return self.by_event[n]

    def counters(self) -> Counters:
        """Return everything booked: counts [M, E, T, K], and their sums over samples."""
        for n in self.room.dirty - self.booked:
            self.room.by_event[n] = 0
        self.room.dirty = set(self.booked)
        sums = np.zeros((len(EVENTS), *self.by_event.shape[2:]), dtype=np.int64)
        for n in self.booked:
            sums[n] = self.by_event[n].sum(axis=0)
        return Counters(self.by_event.transpose(1, 0, 2, 3), self.routes.cores, self.by_event.shape[1], sums)

    def book(self, phase: str, stage: str, event: str, values: np.ndarray, fan: Fan | None = None, at: int = HERE) -> None:
        """Add [M, T, X] counts through a table to cores, by default those of slices; at: when they count (simulator.fans)."""
        fan = self.ways.slices if fan is None else fan
        if len(fan.source):
            spread(values, fan, at, self.row(phase, stage, event))

    def book_axes(self, phase: str, stage: str, prefix: str, values: np.ndarray, fans: Iterable[Fan], at: int = HERE) -> None:
        """Add hop counts along each axis, one table for each."""
        for axis, fan in zip(AXES, fans, strict=True):
            self.book(phase, stage, f"{prefix}_{axis}", values, fan, at)

    def book_at(self, phase: str, stage: str, event: str, steps: slice, per_slice: np.ndarray) -> None:
        """Add [S], or of each sample [M, 1, S], counts to some steps."""
        self.row(phase, stage, event)[:, steps] += per_slice @ self.routes.column

    def axes_at(self, phase: str, stage: str, prefix: str, steps: slice, per_slice: Iterable[np.ndarray]) -> None:
        """Add hop counts along each axis to some steps."""
        for axis, hops in zip(AXES, per_slice, strict=True):
            if hops.any():
                self.book_at(phase, stage, f"{prefix}_{axis}", steps, hops)

    def departures(self, phase: str, stage: str, packets: str, leaving: np.ndarray) -> None:
        """Add the packets and hops of [M, T, G] spikes or marks that leave."""
        self.book(phase, stage, packets, leaving, self.ways.packets, LEAVES)
        self.book_axes(phase, stage, "hops", leaving, self.ways.hops, LEAVES)

    def per_slice(self, values: np.ndarray, fan: Fan, at: int = HERE) -> np.ndarray:
        """Return the product [M, T, S] of [M, T, G] counts with a table that ends on slices."""
        found = np.zeros((*values.shape[:2], len(self.image.slices)), dtype=np.int64)
        spread(values, fan, at, found)
        return found

    def barriers(self, phase: str, stage: str, steps: slice) -> None:
        """Add one barrier per step to the host column."""
        self.row(phase, stage, "barriers")[:, steps, -1] += 1
