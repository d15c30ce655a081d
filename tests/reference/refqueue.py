"""Packets of one step through a mesh with finite buffers, event after event: docs/validation.md, section "Queueing network".

Times are whole picoseconds. A network is a dict:
  tiles_x, tiles_y, cores_per_tile, host_tile, buffer (packets), occupancy, hop_x, hop_y;
  programs: {core: [(delay, target core, work), ...]}: a packet is ready `delay` after the one before it left the core, and keeps the
    receiving core busy for `work`; core -1 is the host;
  tails: {core: time the core goes on computing after its last packet}.
"""

from __future__ import annotations

import heapq
from collections import deque

FREE, ARRIVE, DONE, SEND = range(4)  # the order of events of one moment
HOST = -1


class Buffer:
    """First in, first out; a slot is taken when a packet sets out for it."""

    def __init__(self, tile: int):
        self.tile = tile  # where its packets are (of an incoming buffer of a core: nowhere to go from)
        self.packets: deque = deque()  # (entered or None while under way, target, work)
        self.upstream: int | None = None  # tile that waits for a free slot
        self.core: int | None = None  # core that waits for a free slot


def simulate(net: dict) -> int:
    """Return when the last packet is processed and the last core done, in ps."""
    return Mesh(net).run()


class Mesh:
    """One step of the mesh."""

    def __init__(self, net: dict):
        self.net, self.heap, self.busy, self.end = net, [], set(), 0
        tiles, cores = net["tiles_x"] * net["tiles_y"], net["tiles_x"] * net["tiles_y"] * net["cores_per_tile"]
        self.cores, self.links = cores, 4 * tiles
        self.buffers: dict[int, Buffer] = {}
        for tile in range(tiles):
            for way, other in self.neighbours(tile).items():
                self.buffers[4 * tile + way] = Buffer(other)
                self.buffers[4 * tile + way].upstream = tile
        for core in [*range(cores), HOST]:
            number = self.links + (core if core != HOST else cores)
            self.buffers[number] = Buffer(net["host_tile"] if core == HOST else core // net["cores_per_tile"])
            self.buffers[number].core = core
        for core in range(cores):
            self.buffers[self.incoming(core)] = Buffer(-1)
        self.receiving: set[int] = set()
        self.left = {core: deque(program) for core, program in net["programs"].items()}
        self.stalled: set[int] = set()

    def neighbours(self, tile: int) -> dict[int, int]:
        """Return {way: tile}: 0 to lower x, 1 to higher x, 2 to lower y, 3 to higher y."""
        x, y = divmod(tile, self.net["tiles_y"])
        found = {0: (x - 1, y), 1: (x + 1, y), 2: (x, y - 1), 3: (x, y + 1)}
        inside = {w: (a, b) for w, (a, b) in found.items() if 0 <= a < self.net["tiles_x"] and 0 <= b < self.net["tiles_y"]}
        return {w: a * self.net["tiles_y"] + b for w, (a, b) in inside.items()}

    def incoming(self, core: int) -> int:
        """Return the number of the buffer in which packets wait for a core."""
        return self.links + self.cores + 1 + core

    def port(self, tile: int, target: int) -> int:
        """Return the port a packet takes at a tile: a link (X first, then Y), or the way into its core."""
        x, y = divmod(tile, self.net["tiles_y"])
        to_x, to_y = divmod(target // self.net["cores_per_tile"], self.net["tiles_y"])
        if to_x != x:
            return 4 * tile + (1 if to_x > x else 0)
        if to_y != y:
            return 4 * tile + (3 if to_y > y else 2)
        return self.links + target

    def beyond(self, port: int) -> int:
        """Return the buffer that a port fills."""
        return port if port < self.links else self.incoming(port - self.links)

    def run(self) -> int:
        """Handle all events in the order of time, kind and number."""
        for core, program in self.left.items():
            if program:
                self.post(program[0][0], SEND, core)
            else:
                self.end = max(self.end, self.net["tails"][core])
        while self.heap:
            now, kind, number = heapq.heappop(self.heap)
            self.end = max(self.end, now)
            tiles = {FREE: self.free, ARRIVE: self.arrive, DONE: self.done, SEND: self.send}[kind](now, number)
            self.settle(now, tiles)
        assert not self.stalled and not any(b.packets for b in self.buffers.values())
        return self.end

    def post(self, time: int, kind: int, core_or_number: int) -> None:
        """Plan an event; the host comes after all cores."""
        number = self.cores if core_or_number == HOST else core_or_number
        heapq.heappush(self.heap, (time, kind, number))

    def free(self, now: int, port: int) -> set[int]:
        """Let a port take the next packet."""
        self.busy.discard(port)
        return {port // 4 if port < self.links else (port - self.links) // self.net["cores_per_tile"]}

    def arrive(self, now: int, number: int) -> set[int]:
        """Let the first packet under way to a buffer arrive."""
        buffer = self.buffers[number]
        at = next(n for n, packet in enumerate(buffer.packets) if packet[0] is None)
        buffer.packets[at] = (now, *buffer.packets[at][1:])
        core = number - self.incoming(0)
        return self.receive(now, core) if core >= 0 else {buffer.tile}

    def done(self, now: int, core: int) -> set[int]:
        """Let a core take the next packet."""
        self.receiving.discard(core)
        return self.receive(now, core)

    def receive(self, now: int, core: int) -> set[int]:
        """Let a core that is free take up a packet that waits."""
        waiting = self.buffers[self.incoming(core)].packets
        if core in self.receiving or not waiting or waiting[0][0] is None:
            return set()
        self.receiving.add(core)
        self.post(now + waiting.popleft()[2], DONE, core)
        return {core // self.net["cores_per_tile"]}

    def send(self, now: int, number: int) -> set[int]:
        """Let a core put its next packet into its buffer, or wait for a slot."""
        core = HOST if number == self.cores else number
        buffer = self.buffers[self.links + number]
        if len(buffer.packets) >= self.net["buffer"]:
            self.stalled.add(core)
            return set()
        self.stalled.discard(core)
        _, target, work = self.left[core].popleft()
        buffer.packets.append((now, target, work))
        if self.left[core]:
            self.post(now + self.left[core][0][0], SEND, core)
        else:
            self.end = max(self.end, now + self.net["tails"][core])
        return {buffer.tile}

    def settle(self, now: int, tiles: set[int]) -> None:
        """Let every packet set out that can, at the lowest tile first."""
        while tiles:
            tile = min(tiles)
            tiles.discard(tile)
            while True:
                started = [self.start(now, port, tiles) for port in self.ports(tile)]
                if not any(started):
                    break

    def ports(self, tile: int) -> list[int]:
        """Return the ports of a tile, ascending."""
        here = self.net["cores_per_tile"]
        return [4 * tile + w for w in range(4)] + [self.links + tile * here + k for k in range(here)]

    def start(self, now: int, port: int, tiles: set[int]) -> bool:
        """Let the packet that waits longest set out through a port, if the port is free and there is room beyond it."""
        tile = port // 4 if port < self.links else (port - self.links) // self.net["cores_per_tile"]
        beyond = self.buffers.get(self.beyond(port))
        if beyond is None or port in self.busy or len(beyond.packets) >= self.net["buffer"]:
            return False
        waiting = [
            (b.packets[0][0], n)
            for n, b in self.buffers.items()
            if b.tile == tile and b.packets and b.packets[0][0] is not None and self.port(tile, b.packets[0][1]) == port
        ]
        if not waiting:
            return False
        source = self.buffers[min(waiting)[1]]
        packet = source.packets.popleft()
        beyond.packets.append((None, *packet[1:]))
        self.busy.add(port)
        occupancy = self.net["occupancy"]
        hop = 0 if port >= self.links else self.net["hop_x"] if port % 4 < 2 else self.net["hop_y"]
        self.post(now + occupancy, FREE, port)
        self.post(now + max(hop, occupancy), ARRIVE, self.beyond(port))
        if source.upstream is not None:
            tiles.add(source.upstream)
        elif source.core in self.stalled:
            tiles |= self.send(now, self.cores if source.core == HOST else source.core)
        return True
