"""Ledger: books what happened per slice or group of neurons into columns of cores."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.counters import EVENTS, ROW


class Ledger:
    """Books counts per slice, or per group of neurons at its home, into columns of cores."""

    def __init__(self, image: ChipImage, samples: int, steps: int):
        self.image, self.routes = image, image.routes
        self.counts = np.zeros((samples, len(EVENTS), steps, len(image.routes.cores)), dtype=np.int64)

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
        self.counts[:, ROW[phase, stage, event]] += per_slice @ self.routes.column

    def book_home(self, phase: str, stage: str, event: str, per_group: np.ndarray) -> None:
        """Add [M, T, G] counts to the cores that hold the groups."""
        self.book(phase, stage, event, per_group @ self.routes.home)

    def hops(self, phase: str, stage: str, prefix: str, per_slice: np.ndarray) -> None:
        """Add [3, M, T, S] hop counts."""
        for axis, name in enumerate(("x", "y", "local")):
            self.book(phase, stage, f"{prefix}_{name}", per_slice[axis])

    def departures(self, phase: str, stage: str, packets: str, leaving: np.ndarray) -> None:
        """Add the packets and hops of [M, T, G] spikes or marks that leave."""
        self.book_home(phase, stage, packets, leaving * self.routes.packets)
        self.hops(phase, stage, "hops", np.stack([(leaving * way) @ self.routes.home for way in self.routes.spike_hops]))

    def barriers(self, phase: str, stage: str, steps: slice) -> None:
        """Add one barrier per step to the host column."""
        self.counts[:, ROW[phase, stage, "barriers"], steps, -1] += 1


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
