"""Ledger: books what happened per slice or group of neurons into columns of cores."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.counters import EVENTS, ROW, Counters

AXES = ("x", "y", "local")  # of hops


class Parts:
    """Sums over what belongs together: the product with a one-hot table of which every column has a one, without multiplying."""

    def __init__(self, table: np.ndarray):
        owner = table.argmax(axis=1)
        self.order = np.argsort(owner, kind="stable")
        self.starts = np.searchsorted(owner[self.order], np.arange(table.shape[1]))
        self.alone, self.sorted = len(owner) == table.shape[1], bool((self.order[1:] > self.order[:-1]).all())

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return [..., columns] sums of [..., rows] values."""
        there = values if self.sorted else values[..., self.order]
        return there if self.alone else np.add.reduceat(there, self.starts, axis=-1)


class Room:
    """Memory of the counts of one block, used again for the next: fresh memory costs more than counting."""

    def __init__(self, image: ChipImage, samples: int):
        self.by_event = np.zeros((len(EVENTS), samples, image.steps, len(image.routes.cores)), dtype=np.int64)
        self.dirty: set[int] = set()  # rows that may hold counts of the block before


class Ledger:
    """Books counts per slice, or per group of neurons at its home, into columns of cores. Rows that are never booked are never touched.

    room: where to count; what was counted there before is lost.
    """

    def __init__(self, image: ChipImage, samples: int, room: Room | None = None):
        self.image, self.routes, self.steps = image, image.routes, image.steps
        self.room = Room(image, samples) if room is None else room
        self.by_event = self.room.by_event[:, :samples]
        self.booked: set[int] = set()
        self.columns, self.slices = Parts(image.routes.column), Parts(image.routes.home)

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

    @cached_property
    def plastic_words(self) -> np.ndarray:
        """[S] int64 words of all rows on a slice that learning may write, with the state of their synapses."""
        circuit, found = self.image.circuit, np.zeros(len(self.image.slices), dtype=np.int64)
        for k, post in enumerate(circuit.post):
            low, high = circuit.first_slice[post], circuit.first_slice[post + 1]
            rows = int(circuit.hi[circuit.pre[k]] - circuit.lo[circuit.pre[k]]) * (high - low)
            found[low:high] += circuit.row_words[circuit.rows[k] :][:rows].reshape(-1, high - low).sum(axis=0)
        return found

    def book(self, phase: str, stage: str, event: str, per_slice: np.ndarray) -> None:
        """Add [M, T, S] counts to the cores that hold the slices."""
        counts = self.row(phase, stage, event)
        counts += self.columns.sums(per_slice)

    def book_at(self, phase: str, stage: str, event: str, steps: slice, per_slice: np.ndarray) -> None:
        """Add [S] counts to some steps of every sample."""
        self.row(phase, stage, event)[:, steps] += self.columns.sums(per_slice)

    def book_home(self, phase: str, stage: str, event: str, per_group: np.ndarray) -> None:
        """Add [M, T, G] counts to the cores that hold the groups."""
        self.book(phase, stage, event, self.slices.sums(per_group))

    def hops(self, phase: str, stage: str, prefix: str, per_axis: Iterable[np.ndarray | None]) -> None:
        """Add [M, T, S] hop counts of each axis; None: there are none."""
        for axis, per_slice in zip(AXES, per_axis, strict=True):
            if per_slice is not None:
                self.book(phase, stage, f"{prefix}_{axis}", per_slice)

    def departures(self, phase: str, stage: str, packets: str, leaving: np.ndarray) -> None:
        """Add the packets and hops of [M, T, G] spikes or marks that leave."""
        self.book_home(phase, stage, packets, leaving * self.routes.packets)
        for axis, way in zip(AXES, self.routes.spike_hops, strict=True):
            if way.any():
                self.book_home(phase, stage, f"hops_{axis}", leaving * way)

    def barriers(self, phase: str, stage: str, steps: slice) -> None:
        """Add one barrier per step to the host column."""
        self.row(phase, stage, "barriers")[:, steps, -1] += 1


def later(counts: np.ndarray) -> np.ndarray:
    """Move [..., T, S] counts one step later: departures to arrivals. What leaves in the last step never arrives."""
    moved = np.zeros_like(counts)
    moved[..., 1:, :] = counts[..., :-1, :]
    return moved


def sent(counts: np.ndarray) -> np.ndarray:
    """Return departures: events of the last step send nothing."""
    leaving = counts.copy()
    leaving[:, -1] = 0
    return leaving
