"""Packets on a mesh of tiles: every packet is an object, walks X first and then Y, and is counted where it passes.

All hops of a packet are booked at the core that sent it, in the step in which it left; its arrival at the core that receives it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

HOST = -1

# kind: (phase, stage, event of a packet sent, prefix of its hop events)
KINDS = {
    "spike": ("forward", "forward", "packets", "hops"),
    "mark": ("backward", "forward", "mark_packets", "hops"),
    "score": ("backward", "replay", "score_packets", "error_hops"),
    "broadcast": ("backward", "replay", "broadcasts", "error_hops"),
    "error": ("backward", "replay", "error_packets", "error_hops"),
    "copy": ("update", "replay", "copy_packets", "hops"),
    # online rules: the same in forward steps
    "score now": ("backward", "forward", "score_packets", "error_hops"),
    "broadcast now": ("backward", "forward", "broadcasts", "error_hops"),
    "error now": ("backward", "forward", "error_packets", "error_hops"),
}


@dataclass(frozen=True)
class Packet:
    """One unicast message.

    index: projection of a spike, mark or error; population of a score or broadcast.
    neuron: presynaptic neuron of the projection (the axon), or class.
    value: partial error, class score or q; nothing in a spike or mark.
    active: the flag a spike or mark carries when learning is on.
    """

    kind: str
    source: int
    target: int
    departs: int
    arrives: int
    index: int
    neuron: int
    value: float = 0
    active: bool = False


class Mesh:
    """Tiles n at x = n // tiles_y, y = n % tiles_y; core ids tile * cores_per_tile + k; the host stands at `host_tile`."""

    def __init__(self, spec: dict, counters: Counter):
        self.tiles_y, self.per_tile, self.host_tile = spec["tiles_y"], spec["cores_per_tile"], spec["host_tile"]
        self.tiles = spec["tiles_x"] * spec["tiles_y"]
        self.counters = counters
        self.flying: list[Packet] = []

    def tile(self, core: int) -> int:
        tile = self.host_tile if core == HOST else core // self.per_tile
        if not 0 <= tile < self.tiles:
            raise ValueError(f"core {core} lies outside the mesh of {self.tiles} tiles")
        return tile

    def hops(self, source: int, target: int) -> list[str]:
        """Return the way of a packet, one letter per hop; a packet inside a tile makes one local hop."""
        a, b = self.tile(source), self.tile(target)
        if a == b:
            return ["local"]
        way, (x, y), (to_x, to_y) = [], divmod(a, self.tiles_y), divmod(b, self.tiles_y)
        while x != to_x:
            x += 1 if to_x > x else -1
            way.append("x")
        while y != to_y:
            y += 1 if to_y > y else -1
            way.append("y")
        return way

    def send(self, packet: Packet) -> None:
        phase, stage, event, prefix = KINDS[packet.kind]
        self.counters[phase, stage, event, packet.departs, packet.source] += 1
        for hop in self.hops(packet.source, packet.target):
            self.counters[phase, stage, f"{prefix}_{hop}", packet.departs, packet.source] += 1
        self.flying.append(packet)

    def arrivals(self, step: int) -> list[Packet]:
        """Take the packets that are due off the mesh, in the order in which they were sent."""
        due = [p for p in self.flying if p.arrives == step]
        self.flying = [p for p in self.flying if p.arrives != step]
        for packet in due:
            phase, stage, *_ = KINDS[packet.kind]
            self.counters[phase, stage, "packets_in", step, packet.target] += 1
        return due
