"""Network time, level 2: the packets of a step through the mesh one by one, with finite buffers and receivers that serialise.

Nothing is fitted: hop times, the time a packet keeps a link busy and the size of a buffer come from the chip description.
docs/validation.md says how it works and compares it with a cycle-level simulation of a mesh.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from chipsim.counters import HOST, Departures
from chipsim.hardware import Chip, Mesh

if TYPE_CHECKING:
    from chipsim.kernels.mesh import Packets


def picoseconds(ns: np.ndarray | float) -> np.ndarray:
    """Return ns as whole ps, the unit in which the order of events is exact."""
    return np.rint(np.asarray(ns, dtype=np.float64) * 1000).astype(np.int64)


def ns_of(chip: Chip, *events: str) -> list[float]:
    """Return the times of some forward events; 0 where there is none (`Time.unpriced` names those)."""
    prices = [chip.time.get(f"forward.{event}") for event in events]
    return [0.0 if price is None else price.value for price in prices]


def programs(chip: Chip, departures: Departures, updates_ns: np.ndarray) -> Packets:
    """Return what every core does in a step: it updates its neurons one after the other and sends what they fire at once.

    updates_ns: [C] time that each core of the mesh spends on updates, spread evenly over its neurons. The host sends all its packets at
    the start: its own time is not modelled.
    """
    from chipsim.kernels.mesh import Packets

    cores = chip.mesh.cores
    spike, out = picoseconds(ns_of(chip, "spikes", "packets")).tolist()
    arrival, synop, word = ns_of(chip, "packets_in", "synops", "words_read")
    order = np.argsort(np.where(departures.core == HOST, cores, departures.core), kind="stable")  # the host last
    home = departures.core[order] % (cores + 1)  # -1, the host, becomes the last
    number, on_chip = np.diff(departures.start)[order], home < cores
    owner = np.repeat(np.arange(len(home)), number)
    core = home[owner]
    at = np.arange(len(core)) + np.repeat(departures.start[:-1][order] - np.cumsum(number) + number, number)

    total = np.append(picoseconds(updates_ns), 0)
    updated = total[home] * (departures.place[order] + 1) // departures.neurons[order]
    fired = (updated + spike * nth(home)) * on_chip  # the moment after each spike, were there nothing to send
    ready = fired[owner] + out * nth(core) * on_chip[owner]
    ends = np.arange(cores + 2)
    first, spikes = np.searchsorted(core, ends), np.diff(np.searchsorted(home, ends))
    begins, busy = first[:-1], first[:-1] < first[1:]
    delay = np.diff(ready, prepend=0)
    delay[begins[busy]] = ready[begins[busy]]
    tail = total + (spike * spikes + out * np.diff(first)) * (ends[:-1] < cores)
    tail[busy] -= ready[first[1:][busy] - 1]
    work = picoseconds(arrival + departures.synops[at] * synop + departures.words[at] * word)
    return Packets(first.astype(np.int64), delay, departures.target[at], work, tail)


def nth(cores: np.ndarray) -> np.ndarray:
    """Return 1, 2, ... within each run of equal entries of a sorted array."""
    return np.arange(len(cores)) - np.searchsorted(cores, cores) + 1


@lru_cache(maxsize=16)
def neighbourhood(mesh: Mesh) -> np.ndarray:
    """Return which buffers packets leave at each tile, [tiles, 5 + cores per tile] int64 ascending, -1 where there is none.

    Behind the links from lower x, lower y, higher y and higher x, then those of its cores, then the host's. Made once per mesh; nobody
    writes to it.
    """
    found, cores = np.full((mesh.tiles, 5 + mesh.cores_per_tile), -1, dtype=np.int64), np.arange(mesh.cores_per_tile)
    for tile in range(mesh.tiles):
        x, y = divmod(tile, mesh.tiles_y)
        into = (
            (x > 0, 4 * (tile - mesh.tiles_y) + 1), (y > 0, 4 * (tile - 1) + 3),
            (y < mesh.tiles_y - 1, 4 * (tile + 1) + 2), (x < mesh.tiles_x - 1, 4 * (tile + mesh.tiles_y)),
        )  # fmt: skip
        found[tile, :4] = [link if inside else -1 for inside, link in into]
        found[tile, 4:-1] = 4 * mesh.tiles + tile * mesh.cores_per_tile + cores
    found[mesh.host_tile, -1] = 4 * mesh.tiles + mesh.cores
    return found


class Queue:
    """A mesh with empty buffers, ready for the packets of one step after another; not for several threads at once.

    hop_ns: along x and y. occupancy_ns: how long a packet keeps a link, or the way into a core, busy. buffer: packets that each buffer
    holds, at least 1.
    """

    def __init__(self, mesh: Mesh, hop_ns: tuple[float, float], occupancy_ns: float, buffer: int):
        from chipsim.kernels.mesh import Buffers, Shape

        tiles, cores = mesh.tiles, mesh.cores
        sizes = mesh.tiles_x, mesh.tiles_y, mesh.cores_per_tile, mesh.host_tile
        self.shape = Shape(*sizes, *picoseconds([occupancy_ns, *hop_ns]).tolist(), buffer)
        buffers, ports = 4 * tiles + 2 * cores + 1, 4 * tiles + cores
        events = ports * (1 + buffer) + 2 * cores + 1
        none, flags = np.zeros(0, dtype=np.int64), (ports, tiles, cores, cores + 1)
        busy, dirty, receiving, stalled = (np.zeros(size, dtype=np.bool_) for size in flags)
        head, used, there, want = np.zeros((4, buffers), dtype=np.int64)
        x, y = np.divmod(np.arange(tiles), mesh.tiles_y)
        outside = np.stack([x == 0, x == mesh.tiles_x - 1, y == 0, y == mesh.tiles_y - 1], axis=1)
        busy[: 4 * tiles] = outside.ravel()  # ports that lead out of the mesh stay shut
        want -= 1
        self.state = Buffers(
            ring=np.zeros((buffers, buffer), dtype=np.int64), head=head, used=used, there=there, want=want, near=neighbourhood(mesh),
            entered=none, busy=busy, dirty=dirty, receiving=receiving, stalled=stalled, sent=np.zeros(cores + 1, dtype=np.int64),
            heap=np.zeros(events, dtype=np.int64), size=np.zeros(2, dtype=np.int64),
        )  # fmt: skip

    @classmethod
    def of(cls, chip: Chip) -> Queue:
        """Return the mesh of a chip."""
        hops = tuple(ns_of(chip, "hops_x", "hops_y"))
        return cls(chip.mesh, hops, chip.link["occupancy"].value, int(chip.link["buffer"].value))

    def run(self, packets: Packets) -> int:
        """Return the ps that a step takes from its first update to its last processed packet; the mesh is empty again after that.

        packets: in the order in which the cores send them (simulator.packets).
        """
        from chipsim.kernels.mesh import flow

        self.state.sent[:] = packets.first[:-1]
        self.state.size[:] = 0
        return int(flow(self.shape, packets, self.state._replace(entered=np.zeros(len(packets.target), dtype=np.int64))))


def step_times(chip: Chip, steps: Iterable[tuple[Departures, np.ndarray]]) -> list[float]:
    """Return the ns of forward steps, without their barriers; each of `steps`: arguments of `programs`.

    A step without a spike takes as long as the slowest core's updates.
    """
    queue = Queue.of(chip)
    spent = [
        queue.run(programs(chip, departures, updates_ns)) if len(departures.core) else int(picoseconds(updates_ns).max())
        for departures, updates_ns in steps
    ]
    return [ps / 1000 for ps in spent]
