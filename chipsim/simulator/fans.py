"""Ways: the fan-out tables of an image, with which accounting multiplies what happened."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from chipsim.bookings import Fan, fan_of, one_each, rows_of
from chipsim.compiler import ChipImage

Made = TypeVar("Made")
FULL = 8  # one entry in so many is not 0
HERE, LEAVES, ARRIVES = 0, 1, 2  # a count at its own step; what leaves in the last step is not sent; what was sent, a step later


def span(at: int, steps: int) -> tuple[int, int]:
    """Return in which step the first of so many steps counts, and how many of them do."""
    return int(at == ARRIVES), steps - int(at != HERE)


def full(table: np.ndarray) -> bool:
    """Return whether a table is so full of small numbers that its rows are added faster as they are than entry by entry."""
    return table.dtype == np.uint8 and np.count_nonzero(table) * FULL > table.size


def product(values: np.ndarray, fan: Fan, at: int, width: int) -> np.ndarray:
    """Return [M, T, X] counts times a table, [M, T, width]; at: when they count."""
    found = np.zeros((*values.shape[:2], width), dtype=np.int64)
    fan.spread(values, *span(at, values.shape[1]), found)
    return found


class Ways:
    """The tables of an image that accounting multiplies with, from groups or slices to columns of cores; made when first asked for."""

    def __init__(self, image: ChipImage):
        self.image, self.routes = image, image.routes
        self.made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what `make` makes, made once under this name."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def cores(self, table: np.ndarray) -> Fan:
        """Return a table [X, S] as one that ends on the cores that hold the slices."""
        found = self.routes.onto_cores(table)
        return rows_of(found) if self.image.scattered and full(found) else fan_of(found)

    def home(self, factor: np.ndarray) -> Fan:
        """Return the table that counts each group [G] so many times on the core that holds it."""
        return one_each(self.column_of, factor.astype(np.int64))

    @cached_property
    def column_of(self) -> np.ndarray:
        """[G] int64 the column of the core that holds a group; one array for all tables, so that it stays in the cache."""
        return self.routes.column.argmax(axis=1)[self.routes.slice_of]

    @cached_property
    def host(self) -> Fan:
        """One to the column of the host."""
        return fan_of(np.eye(len(self.routes.cores), dtype=np.int64)[-1:])

    @cached_property
    def slices(self) -> Fan:
        """Slices to their cores."""
        return fan_of(self.routes.column)

    @cached_property
    def fewer(self) -> Fan:
        """Slices to their cores, to be taken away there."""
        return fan_of(-self.routes.column)

    @cached_property
    def homes(self) -> Fan:
        """Groups to the cores that hold them."""
        return self.home(np.ones(len(self.routes.slice_of), dtype=np.int64))

    @cached_property
    def hosted(self) -> Fan:
        """Groups of inputs to the column that holds them."""
        return self.home(self.routes.slice_of == 0)

    @cached_property
    def computed(self) -> Fan:
        """Groups other than inputs to the cores that hold them."""
        return self.home(self.routes.slice_of > 0)

    @cached_property
    def packets(self) -> Fan:
        """Packets of a spike, where it leaves."""
        return self.home(self.routes.packets)

    @cached_property
    def hops(self) -> list[Fan]:
        """Hops of all packets of a spike along each axis, where it leaves."""
        return [self.home(way) for way in self.routes.spike_hops]

    @cached_property
    def axons(self) -> Fan:
        """Axons of a spike, where they end."""
        return self.cores(self.routes.axons)

    @cached_property
    def words(self) -> Fan:
        """Words read at a spike."""
        return self.cores(self.routes.words)

    @cached_property
    def synapses(self) -> Fan:
        """Synaptic operations of a spike."""
        return self.cores(self.routes.synapses)

    @cached_property
    def slice_axons(self) -> Fan:
        """Axons of a spike, by the slice on which they end."""
        return fan_of(self.routes.axons)

    @cached_property
    def slice_words(self) -> Fan:
        """Words read at a spike, by slice."""
        return fan_of(self.routes.words)

    @cached_property
    def answers(self) -> Fan:
        """Partial errors that come back to a group, one from each axon."""
        return self.home(self.routes.axons.sum(axis=1))

    @cached_property
    def way_back(self) -> list[Fan]:
        """Hops along each axis of the partial errors of a group, where they leave."""
        return self.back(self.routes.axons)

    def back(self, axons: np.ndarray) -> list[Fan]:
        """Return the hops along each axis of one partial error from each of so many axons [G, S] back home."""
        return [self.cores(h[:, self.routes.slice_of].T * axons) for h in self.routes.hops]

    @cached_property
    def plastic_words(self) -> np.ndarray:
        """[S] int64 words of all rows on a slice that learning may write, with the state of their synapses."""
        circuit, found = self.image.circuit, np.zeros(len(self.image.slices), dtype=np.int64)
        for k, post in enumerate(circuit.post):
            low, high = circuit.first_slice[post], circuit.first_slice[post + 1]
            rows = int(circuit.hi[circuit.pre[k]] - circuit.lo[circuit.pre[k]]) * (high - low)
            found[low:high] += circuit.row_words[circuit.rows[k] :][:rows].reshape(-1, high - low).sum(axis=0)
        return found

    @cached_property
    def plastic_synapses(self) -> np.ndarray:
        """[S] int64 synapses on a slice that learning may write."""
        plan = self.image.plan
        held = (sum(plan.lists(k, s.lo, s.hi).count for k in plan.into(s.population)) for s in self.image.slices)
        return np.fromiter(held, dtype=np.int64)
