"""Network time, level 2: the packets of a step through the mesh one by one, with finite buffers and receivers that serialise.

Nothing is fitted: hop times, the time a packet keeps a link busy and the size of a buffer come from the chip description.
docs/validation.md compares it with a cycle-level simulation of a mesh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chipsim.hardware import Mesh

if TYPE_CHECKING:
    from chipsim.kernels.mesh import Packets


def picoseconds(ns: np.ndarray | float) -> np.ndarray:
    """Return ns as whole ps, the unit in which the order of events is exact."""
    return np.rint(np.asarray(ns, dtype=np.float64) * 1000).astype(np.int64)


def queue_time(mesh: Mesh, packets: Packets, hop_ns: tuple[float, float], occupancy_ns: float, buffer: int) -> int:
    """Return the ps that a step takes from its first update to its last processed packet.

    packets: in the order in which the cores send them (simulator.packets). hop_ns: along x and y. occupancy_ns: how long a packet keeps a
    link, or the way into a core, busy. buffer: packets that each buffer holds, at least 1.
    """
    from chipsim.kernels.mesh import Buffers, Shape, flow

    tiles, cores = mesh.tiles, mesh.cores
    shape = Shape(
        mesh.tiles_x, mesh.tiles_y, mesh.cores_per_tile, mesh.host_tile, *picoseconds([occupancy_ns, *hop_ns]).tolist(), buffer
    )
    buffers, ports = 4 * tiles + 2 * cores + 1, 4 * tiles + cores
    events = ports * (1 + buffer) + 2 * cores + 1

    def zeros(*sizes: int, kind: type = np.int64) -> np.ndarray:
        return np.zeros(sizes, dtype=kind)

    state = Buffers(
        ring=zeros(buffers, buffer), head=zeros(buffers), used=zeros(buffers), there=zeros(buffers),
        entered=zeros(len(packets.target)), busy=zeros(ports, kind=np.bool_), dirty=zeros(tiles, kind=np.bool_),
        receiving=zeros(cores, kind=np.bool_), stalled=zeros(cores + 1, kind=np.bool_), sent=packets.first[:-1].copy(),
        heap=zeros(events), size=zeros(2),
    )  # fmt: skip
    for tile in range(tiles):  # ports that lead out of the mesh stay shut
        x, y = divmod(tile, mesh.tiles_y)
        outside = x == 0, x == mesh.tiles_x - 1, y == 0, y == mesh.tiles_y - 1
        state.busy[4 * tile : 4 * tile + 4] = outside
    return int(flow(shape, packets, state))
