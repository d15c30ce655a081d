"""From the reference's description of a mesh and its packets (tests/reference/refqueue.py) to the kernel."""

from __future__ import annotations

import numpy as np
from refqueue import HOST

from chipsim.cost.queue import Queue
from chipsim.hardware import Mesh
from chipsim.kernels.mesh import Packets


def draw(rng) -> dict:
    """Return a small mesh with programs that fill its buffers."""
    net = {"tiles_x": rng.randint(1, 3), "tiles_y": rng.randint(1, 3), "cores_per_tile": rng.randint(1, 3), "buffer": rng.randint(1, 4),
           "occupancy": rng.choice([1, 3, 290]), "hop_x": rng.choice([0, 4, 410]), "hop_y": rng.choice([0, 6, 650])}  # fmt: skip
    tiles = net["tiles_x"] * net["tiles_y"]
    cores = tiles * net["cores_per_tile"]
    net["host_tile"], last = rng.randrange(tiles), 1 if rng.random() < 0.3 else cores  # all to one core: the mesh backs up
    net["programs"] = {
        core: [(rng.choice([0, 1, 5, 510]), rng.randrange(last), rng.choice([0, 1, 20, 2000])) for _ in range(rng.randint(0, 25))]
        for core in [*range(cores), HOST]
    }
    net["tails"] = {core: rng.choice([0, 10, 10**5]) for core in net["programs"]}
    return net


def cores_of(net: dict) -> list[int]:
    """Return all cores, the host last."""
    return [*range(net["tiles_x"] * net["tiles_y"] * net["cores_per_tile"]), HOST]


def packets(net: dict) -> Packets:
    """Return the programs as arrays."""
    rows = [net["programs"].get(core, []) for core in cores_of(net)]
    flat = np.array([packet for row in rows for packet in row], dtype=np.int64).reshape(-1, 3)
    first = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    tail = np.array([net["tails"].get(core, 0) for core in cores_of(net)], dtype=np.int64)
    return Packets(first, *(np.ascontiguousarray(column) for column in flat.T), tail)


def programs(made: Packets, net: dict) -> tuple[dict, dict]:
    """Return arrays as programs and tails."""
    found, tails = {}, {}
    for n, core in enumerate(cores_of(net)):
        span = slice(made.first[n], made.first[n + 1])
        found[core] = list(zip(made.delay[span].tolist(), made.target[span].tolist(), made.work[span].tolist(), strict=True))
        tails[core] = int(made.tail[n])
    return found, tails


def run(net: dict) -> int:
    """Return what the kernel says, in ps."""
    mesh = Mesh(net["tiles_x"], net["tiles_y"], net["cores_per_tile"], net["host_tile"])
    hops = net["hop_x"] / 1000, net["hop_y"] / 1000
    queue = Queue(mesh, hops, net["occupancy"] / 1000, net["buffer"])
    first, again = (queue.run(packets(net)) for _ in range(2))
    assert first == again  # a step leaves the mesh empty
    return first
