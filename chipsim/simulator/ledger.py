"""Ledger: books what happened per slice or group of neurons into columns of cores."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from chipsim.bookings import Booked, Booking, Fan, Values
from chipsim.compiler import ChipImage
from chipsim.counters import ROW
from chipsim.simulator.fans import HERE, LEAVES, Ways, product, span

AXES = ("x", "y", "local")  # of hops
ONE = np.ones((1, 1, 1), dtype=np.int64)


class Ledger(Booked):
    """Books counts of M samples. ways: tables of the image, which last longer than one block of samples."""

    def __init__(self, image: ChipImage, samples: int, ways: Ways | None = None):
        super().__init__(samples, image.steps, image.routes.cores)
        self.image, self.routes, self.ways = image, image.routes, Ways(image) if ways is None else ways

    def book(self, phase: str, stage: str, event: str, values: Values, fan: Fan | None = None, at: int = HERE) -> None:
        """Add [M, T, X] counts through a table to cores, by default those of slices; at: when they count (simulator.fans)."""
        fan = self.ways.slices if fan is None else fan
        if not fan.empty:
            first, steps = span(at, values.shape[1])  # those of one step fall in step 0
            self.bookings.append(Booking(ROW[phase, stage, event], values, fan, first, steps))

    def book_axes(self, phase: str, stage: str, prefix: str, values: Values, fans: Iterable[Fan], at: int = HERE) -> None:
        """Add hop counts along each axis, one table for each."""
        for axis, fan in zip(AXES, fans, strict=True):
            self.book(phase, stage, f"{prefix}_{axis}", values, fan, at)

    def book_at(self, phase: str, stage: str, event: str, steps: slice, values: np.ndarray, fan: Fan | None = None) -> None:
        """Add the same counts [X], or those of each sample [M, 1, X], to each of some steps."""
        first, last, _ = steps.indices(self.steps)
        each, fan = values.reshape(-1, 1, values.shape[-1]), self.ways.slices if fan is None else fan
        if each.any() and last > first:
            self.bookings.append(Booking(ROW[phase, stage, event], each, fan, first, last - first))

    def axes_at(self, phase: str, stage: str, prefix: str, steps: slice, per_slice: Iterable[np.ndarray]) -> None:
        """Add hop counts along each axis to some steps."""
        for axis, hops in zip(AXES, per_slice, strict=True):
            self.book_at(phase, stage, f"{prefix}_{axis}", steps, hops)

    def departures(self, phase: str, stage: str, packets: str, leaving: Values) -> None:
        """Add the packets and hops of [M, T, G] spikes or marks that leave."""
        self.book(phase, stage, packets, leaving, self.ways.packets, LEAVES)
        self.book_axes(phase, stage, "hops", leaving, self.ways.hops, LEAVES)

    def per_slice(self, values: np.ndarray, fan: Fan, at: int = HERE) -> np.ndarray:
        """Return the product [M, T, S] of [M, T, G] counts with a table that ends on slices."""
        return product(values, fan, at, len(self.image.slices))

    def barriers(self, phase: str, stage: str, steps: slice) -> None:
        """Add one barrier per step to the host column."""
        self.book_at(phase, stage, "barriers", steps, ONE, self.ways.host)
