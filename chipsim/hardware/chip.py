"""A chip as data: mesh, limits, widths and prices, each number with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from chipsim.counters import HOST
from chipsim.hardware.components import named, worked_out
from chipsim.hardware.quantity import Price, Quantity
from chipsim.hardware.tables import Arithmetic
from chipsim.hardware.work import COMMON, Rows


@dataclass(frozen=True)
class Mesh:
    """Tiles in a grid with X-then-Y routing, each with the same number of cores. Core id = tile * cores_per_tile + k."""

    tiles_x: int
    tiles_y: int
    cores_per_tile: int
    host_tile: int = 0  # where packets of the host enter

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return self.tiles_x * self.tiles_y

    @property
    def cores(self) -> int:
        """Number of cores."""
        return self.tiles * self.cores_per_tile

    def tile(self, core: int) -> int:
        """Return the tile of a core; the host sits at `host_tile`."""
        return self.host_tile if core == HOST else core // self.cores_per_tile

    def position(self, core: int) -> tuple[int, int]:
        """Return (x, y) of a core's tile."""
        return divmod(self.tile(core), self.tiles_y)

    def hops(self, source: int, target: int) -> tuple[int, int, int]:
        """Return (hops_x, hops_y, hops_local) of a packet; local is 1 inside one tile, else 0."""
        (xs, ys), (xt, yt) = self.position(source), self.position(target)
        return abs(xs - xt), abs(ys - yt), int((xs, ys) == (xt, yt))

    def links(self, source: int, target: int) -> list[tuple[str, int, int]]:
        """Return the links a packet takes, X first, then Y: [("x" or "y", from tile, to tile), ...]; none inside a tile."""
        (x, y), (xt, yt) = self.position(source), self.position(target)
        xs = [*range(x, xt, 1 if xt > x else -1), xt]
        ys = [*range(y, yt, 1 if yt > y else -1), yt]
        along_x = [("x", a * self.tiles_y + y, b * self.tiles_y + y) for a, b in pairwise(xs)]
        return along_x + [("y", xt * self.tiles_y + a, xt * self.tiles_y + b) for a, b in pairwise(ys)]


@dataclass(frozen=True)
class Engine:
    """The learning engine: what it visits, reads and writes, and its time.

    visit: plastic words fetched in an update: all, those of active presynaptic or postsynaptic neurons, or those of rows that changed
    (active). read: always, or only once the gate is known. write: always, or only changed words. overlap: with the spiking of the
    same step, or none. lanes: synapses at a time. epoch: fixed ns of one learning epoch of a core, None if the chip has none.
    """

    visit: str
    read: str
    write: str
    overlap: str
    source: str
    lanes: Quantity | None = None
    epoch: Quantity | None = None


@dataclass(frozen=True)
class Chip:
    """A validated chip description; made by `load_chip`, never changed.

    limits, widths: by name, in counts and bits. energy, time: by "phase.event", in pJ and ns; an event that is not there has no
    published or assumed price, which never means zero. power: by name, in mW (clock: mW per MHz of one chip). clock: frequency in MHz.
    barrier_points: ((tiles, ns), ...) ascending. style: with "component", prices the file leaves open were worked out of memory
    ("kind.read" and "kind.write", pJ per bit) and operation (pJ); see `for_rule`. cycles: name of an exact cycle formula.
    area: mm2 of a core and of the chip, um2 per bit by memory. link: occupancy in ns, buffer in packets, for the event
    queue; congested_x and congested_y in ns, for the hottest link.
    table: the merged TOML tables all this was built from, enough to build it again.
    """

    name: str
    title: str
    description: str
    point: str
    mesh: Mesh
    layout: Mapping[str, Quantity]
    limits: Mapping[str, Quantity]
    widths: Mapping[str, Quantity]
    capabilities: tuple[str, ...]
    active_update: str
    core_time: str
    network_time: str
    axons: str
    style: str
    cycles: str | None
    arithmetic: Arithmetic
    engine: Engine
    energy: Mapping[str, Price]
    time: Mapping[str, Price]
    power: Mapping[str, Quantity]
    clock: Mapping[str, Quantity]
    memory: Mapping[str, Quantity]
    operation: Mapping[str, Quantity]
    area: Mapping[str, Quantity]
    link: Mapping[str, Quantity]
    barrier_points: tuple[tuple[int, Quantity], ...]
    unknown: tuple[str, ...]
    assumptions: tuple[str, ...]
    table: Mapping[str, object] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "layout",
            "limits",
            "widths",
            "energy",
            "time",
            "power",
            "clock",
            "memory",
            "operation",
            "area",
            "link",
            "table",
        ):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple:
        values = (getattr(self, f.name) for f in fields(self))
        return Chip, tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    def limit(self, name: str) -> int:
        """Return a limit per core (or the chip's `cores`) as a plain integer."""
        return int(self.limits[name].value)

    def width(self, name: str) -> int:
        """Return a width in bits as a plain integer."""
        return int(self.widths[name].value)

    def barrier(self, tiles: int) -> float | None:
        """Return the time in ns of one barrier over `tiles` tiles, linear between the known points; None if none is known."""
        if not self.barrier_points:
            return None
        known = [n for n, _ in self.barrier_points]
        return float(np.interp(tiles, known, [q.value for _, q in self.barrier_points]))

    def missing(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of `capabilities` that this chip lacks."""
        return tuple(c for c in capabilities if c not in self.capabilities)

    def for_rule(self, rows: Rows) -> Chip:
        """Return the chip with prices of the events whose work depends on the network and its rule; itself if its style is lumped.

        rows: the work of those events (`chipsim.hardware.work`), which may take the place of what is common; an event that the file
        names keeps the price it has there.
        """
        if self.style != "component":
            return self
        taken = named(self.table)
        kept = {event: price for event, price in self.energy.items() if event in taken}
        return replace(self, energy={**kept, **worked_out({**COMMON, **rows}, self.widths, self.memory, self.operation, taken)})

    def with_extension(self, extension: str | Mapping[str, object] = "ssgd-extension") -> Chip:
        """Return this chip plus an assumed extension (name, path or tables), a what-if; itself if it has all the capabilities."""
        from chipsim.hardware.load import extend_chip

        return extend_chip(self, extension)
