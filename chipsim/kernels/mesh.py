"""Packets of one step through a mesh with finite buffers, X first, then Y: an event queue in whole picoseconds.

A core puts its packets into its outgoing buffer, one after the other; it waits where there is no slot. At every tile a port (a link to a
neighbour, or the way into a core) serves one packet at a time: of the packets that stand first in a buffer of this tile and want it, the
one that has waited longest, if a slot is free beyond the port. The slot is taken when the packet sets out. A core takes up one packet
after the other. tests/reference/refqueue.py is the same in plain Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import entry, inner

FREE, ARRIVE, DONE, SEND = 0, 1, 2, 3  # the order of events of one moment
KINDS = 4


class Shape(NamedTuple):
    """The mesh and its times, all int."""

    tiles_x: int
    tiles_y: int
    per_tile: int  # cores
    host_tile: int
    occupancy: int  # ps a packet keeps a port busy
    hop_x: int  # ps from one tile to the next
    hop_y: int
    capacity: int  # packets a buffer holds

    @property
    def cores(self) -> int:
        """Number of cores."""
        return self.tiles_x * self.tiles_y * self.per_tile


class Packets(NamedTuple):
    """The packets of one step in the order in which each core sends them; the host is the last core. C cores, N packets."""

    first: np.ndarray  # [C + 2] int64: those of core c are first[c] .. first[c + 1]
    delay: np.ndarray  # [N] int64 ps from the departure of the packet before to the readiness of this one
    target: np.ndarray  # [N] int64 core
    work: np.ndarray  # [N] int64 ps that the receiving core takes for it
    tail: np.ndarray  # [C + 1] int64 ps that a core computes on after its last packet


class Buffers(NamedTuple):
    """State of the mesh. Buffers: 4 per tile behind its links, one per core and the host for what leaves, one per core for what comes."""

    ring: np.ndarray  # [buffers, capacity] int64 packet
    head: np.ndarray  # [buffers] int64 place of the first packet
    used: np.ndarray  # [buffers] int64 slots taken
    there: np.ndarray  # [buffers] int64 of these, packets that have arrived
    want: np.ndarray  # [buffers] int64 port that the first packet wants; -1: none has arrived
    near: np.ndarray  # [tiles, 5 + cores per tile] int64 buffers from which packets leave at a tile, ascending; -1: none
    entered: np.ndarray  # [N] int64 ps at which a packet came into its buffer
    busy: np.ndarray  # [ports] bool
    dirty: np.ndarray  # [tiles] bool: something may set out
    receiving: np.ndarray  # [C] bool
    stalled: np.ndarray  # [C + 1] bool
    sent: np.ndarray  # [C + 1] int64 next packet
    heap: np.ndarray  # int64 events: (time, kind, number) in one word
    size: np.ndarray  # [2] int64 events in the heap; end of the step so far


@inner
def push(b, span, time, kind, number):
    """Plan an event; `span`: numbers of events of one kind."""
    at = b.size[0]
    key = (time * np.int64(KINDS) + kind) * span + number
    b.size[0] = at + 1
    while at > 0:
        above = (at - 1) // 2
        if b.heap[above] <= key:
            break
        b.heap[at] = b.heap[above]
        at = above
    b.heap[at] = key


@inner
def pop(b):
    """Return the first event and take it out."""
    first, last = b.heap[0], b.heap[b.size[0] - 1]
    b.size[0] -= 1
    size, at = b.size[0], 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and b.heap[below + 1] < b.heap[below]:
            below += 1
        if b.heap[below] >= last:
            break
        b.heap[at] = b.heap[below]
        at = below
    b.heap[at] = last
    return first


@inner
def port_of(s, links, tile, target):
    """Return the port a packet takes at a tile."""
    x, y = tile // s.tiles_y, tile % s.tiles_y
    goal = target // s.per_tile
    to_x, to_y = goal // s.tiles_y, goal % s.tiles_y
    if to_x != x:
        return 4 * tile + (1 if to_x > x else 0)
    if to_y != y:
        return 4 * tile + (3 if to_y > y else 2)
    return links + target


@inner
def tile_of(s, links, port):
    """Return the tile of a port."""
    return port // 4 if port < links else (port - links) // s.per_tile


@inner
def longest(b, tile, port):
    """Return the buffer whose first packet wants the port and came first, the lowest of equals; -1: there is none."""
    found, since = -1, 0
    for k in b.near[tile]:
        if k >= 0 and b.want[k] == port:
            entered = b.entered[b.ring[k, b.head[k]]]
            if found < 0 or entered < since:
                found, since = k, entered
    return found


@inner
def look(s, p, b, links, k, tile):
    """Note which port the first packet of buffer k wants at a tile."""
    b.want[k] = port_of(s, links, tile, p.target[b.ring[k, b.head[k]]]) if b.there[k] > 0 else -1


@inner
def append(s, b, k, packet):
    """Take a slot of buffer k for a packet."""
    b.ring[k, (b.head[k] + b.used[k]) % s.capacity] = packet
    b.used[k] += 1


@inner
def remove(s, b, k):
    """Take the first packet out of buffer k."""
    packet = b.ring[k, b.head[k]]
    b.head[k] = (b.head[k] + 1) % s.capacity
    b.used[k] -= 1
    b.there[k] -= 1
    return packet


@inner
def send(s, p, b, links, now, core):
    """Let a core put its next packet into its buffer, or wait for a slot."""
    k = links + core
    if b.used[k] >= s.capacity:
        b.stalled[core] = True
        return
    b.stalled[core] = False
    packet = b.sent[core]
    append(s, b, k, packet)
    b.there[k] += 1
    b.entered[packet] = now
    b.sent[core] = packet + 1
    tile = s.host_tile if core == len(b.receiving) else core // s.per_tile
    look(s, p, b, links, k, tile)
    b.dirty[tile] = True
    if packet + 1 < p.first[core + 1]:
        push(b, len(b.used), now + p.delay[packet + 1], SEND, core)
    else:
        b.size[1] = max(b.size[1], now + p.tail[core])


@inner
def receive(s, p, b, links, now, core):
    """Let a core that is free take up a packet that waits."""
    k = links + len(b.receiving) + 1 + core
    if b.receiving[core] or b.there[k] == 0:
        return
    b.receiving[core] = True
    push(b, len(b.used), now + p.work[remove(s, b, k)], DONE, core)
    b.dirty[core // s.per_tile] = True


@inner
def start(s, p, b, links, now, port):
    """Let the packet that waits longest set out through a port, if the port is free and there is room beyond it."""
    beyond = port if port < links else port + len(b.receiving) + 1
    if b.busy[port] or b.used[beyond] >= s.capacity:
        return False
    tile = tile_of(s, links, port)
    k = longest(b, tile, port)
    if k < 0:
        return False
    append(s, b, beyond, remove(s, b, k))
    look(s, p, b, links, k, tile)
    b.busy[port] = True
    hop = 0 if port >= links else s.hop_x if port % 4 < 2 else s.hop_y
    push(b, len(b.used), now + s.occupancy, FREE, port)
    push(b, len(b.used), now + max(hop, s.occupancy), ARRIVE, beyond)
    if k < links:
        b.dirty[k // 4] = True
    elif b.stalled[k - links]:
        send(s, p, b, links, now, k - links)
    return True


@inner
def settle(s, p, b, links, now):
    """Let every packet set out that can, at the lowest tile first."""
    tile = 0
    while tile < len(b.dirty):
        if not b.dirty[tile]:
            tile += 1
            continue
        b.dirty[tile] = False
        again = True
        while again:
            again = False
            for way in range(4):
                again |= start(s, p, b, links, now, 4 * tile + way)
            for core in range(tile * s.per_tile, (tile + 1) * s.per_tile):
                again |= start(s, p, b, links, now, links + core)
        tile = 0


@inner
def happen(s, p, b, links, now, kind, number):
    """Let one event happen."""
    incoming = links + len(b.receiving) + 1
    if kind == FREE:
        b.busy[number] = False
        b.dirty[tile_of(s, links, number)] = True
    elif kind == ARRIVE:
        packet = b.ring[number, (b.head[number] + b.there[number]) % s.capacity]
        b.entered[packet] = now
        b.there[number] += 1
        if number >= incoming:
            receive(s, p, b, links, now, number - incoming)
        else:
            look(s, p, b, links, number, next_tile(s, number))
            b.dirty[next_tile(s, number)] = True
    elif kind == DONE:
        b.receiving[number] = False
        receive(s, p, b, links, now, number)
    else:
        send(s, p, b, links, now, number)


@inner
def next_tile(s, link):
    """Return the tile at the far end of a link."""
    tile, way = link // 4, link % 4
    step = s.tiles_y if way < 2 else 1
    return tile + step if way % 2 == 1 else tile - step


@entry
def flow(s, p, b):
    """Send all packets; return the ps at which the last one is processed and the last core is done. The buffers must be empty."""
    links, span = np.int64(4 * s.tiles_x * s.tiles_y), len(b.used)
    for core in range(len(b.sent)):
        if p.first[core] < p.first[core + 1]:
            push(b, span, p.delay[p.first[core]], SEND, core)
        else:
            b.size[1] = max(b.size[1], p.tail[core])
    while b.size[0] > 0:
        event = pop(b)
        number, kind, now = event % span, event // span % KINDS, event // span // KINDS
        b.size[1] = max(b.size[1], now)
        happen(s, p, b, links, now, kind, number)
        settle(s, p, b, links, now)
    return b.size[1]
