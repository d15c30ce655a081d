"""Placement by traffic: slices that talk much come to lie close. No random numbers, so always the same placement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chipsim.counters import HOST
from chipsim.hardware import Mesh


class Flows(NamedTuple):
    """Units (all slices that start on one core) and sites (cores they may take): U movable units, K sites."""

    flow: np.ndarray  # [U, U] int64 packets between two units, both directions, 0 on the diagonal
    outside: np.ndarray  # [U] int64 packets between a unit and all that cannot move
    anchor: np.ndarray  # [U, K] int64 cost of a unit on a site that its traffic with what cannot move makes
    distance: np.ndarray  # [K, K] int64 hops of a packet between two sites


def minimise(
    traffic: np.ndarray, mesh: Mesh, cores: Sequence[int], start: Sequence[int], pinned: Sequence[int] = ()
) -> list[int]:
    """Return the core of every slice, [S], such that packets make few hops: never more than at the start.

    The sum over all pairs of traffic x (hops x + hops y + local) is lowered by pairwise exchanges and moves to free
    cores, always the one that saves most, until none saves anything; once from the start and once from a greedy
    placement, and the better end is taken (the start's, if equal). That end need not be the optimum. Slices that start
    on one core stay together; all cores are considered.
    Idea: hop-count-minimising placement as in SpiNeMap (Balaji et al. 2020), here by swap-based local search.

    Args:
        traffic: [S, S] int, packets per unit of time from slice a to slice b.
        mesh: The mesh whose hops are counted.
        cores: Core ids that may be used.
        start: [S] core of each slice; `HOST` never moves.
        pinned: Numbers of slices that must stay, and with them what shares their core.

    Raises:
        ValueError: shapes differ, or a slice that may move starts on a core that may not be used.
    """
    packets, at = np.asarray(traffic, dtype=np.int64), np.asarray(start, dtype=np.int64)
    if packets.shape != (len(at), len(at)):
        raise ValueError(f"traffic of shape {packets.shape} for {len(at)} slices")
    fixed = {HOST, *(int(at[s]) for s in pinned)}
    homes = [core for core in dict.fromkeys(at.tolist()) if core not in fixed]
    sites = sorted(set(cores) - fixed)
    if set(homes) - set(sites):
        raise ValueError(f"slices start on cores {sorted(set(homes) - set(sites))}, which may not be used")
    if not homes:
        return at.tolist()
    flows = pose(packets, at, mesh, homes, sites)
    origin = np.searchsorted(sites, homes)
    ends = [improve(flows, origin), improve(flows, greedy(flows))]
    best = min(ends, key=lambda places: cost(flows, places))  # the first of equals
    moved = {home: sites[site] for home, site in zip(homes, best.tolist(), strict=True)}
    return [moved.get(core, core) for core in at.tolist()]


def pose(traffic: np.ndarray, start: np.ndarray, mesh: Mesh, homes: list[int], sites: list[int]) -> Flows:
    """Sum the traffic of slices into that of units and of what stays; traffic inside a unit never changes: left out."""
    unit = {core: n for n, core in enumerate(homes)}
    stay = sorted(set(start.tolist()) - set(homes))
    column = np.zeros((len(start), len(homes) + len(stay)), dtype=np.int64)
    for s, core in enumerate(start.tolist()):
        column[s, unit[core] if core in unit else len(homes) + stay.index(core)] = 1
    flow = column.T @ (traffic + traffic.T) @ column
    np.fill_diagonal(flow, 0)
    distance = distances(mesh, [*sites, *stay])
    k, u = len(sites), len(homes)
    return Flows(flow[:u, :u], flow[:u, u:].sum(axis=1), flow[:u, u:] @ distance[k:, :k], distance[:k, :k])


def distances(mesh: Mesh, cores: Sequence[int]) -> np.ndarray:
    """Return [K, K] int64: all hops of a packet between two cores, as `Mesh.hops` counts them."""
    places = np.array([mesh.position(core) for core in cores], dtype=np.int64).reshape(-1, 2)
    hops = np.abs(places[:, None] - places[None]).sum(axis=2)
    return np.maximum(hops, 1)  # inside a tile one local hop


def cost(flows: Flows, places: np.ndarray) -> int:
    """Return packets x hops of a placement, [U] sites, without what no placement changes."""
    between = (flows.flow * flows.distance[np.ix_(places, places)]).sum() // 2
    return int(between + flows.anchor[np.arange(len(places)), places].sum())


def greedy(flows: Flows) -> np.ndarray:
    """Place the unit with most traffic to what is placed on its best free site, one by one; of equals the lowest."""
    units, sites = flows.anchor.shape
    places = np.full(units, -1, dtype=np.int64)
    wait, free = np.ones(units, dtype=bool), np.ones(sites, dtype=bool)
    price = flows.anchor.copy()  # [U, K] of each unit on each site, towards what is placed
    pull = flows.outside  # [U] traffic to what is placed
    total = flows.flow.sum(axis=1)
    for _ in range(units):
        order = np.lexsort((np.arange(units), -total, -pull, ~wait))
        unit = int(order[0])
        site = int(np.argmin(np.where(free, price[unit], np.iinfo(np.int64).max)))
        places[unit], wait[unit], free[site] = site, False, False
        price += np.outer(flows.flow[:, unit], flows.distance[site])
        pull = pull + flows.flow[:, unit]
    return places


def improve(flows: Flows, places: np.ndarray) -> np.ndarray:
    """Take the exchange or move that saves most until none saves anything; exchanges first among equals."""
    flow, distance, places = flows.flow, flows.distance, np.array(places)
    units, sites = flows.anchor.shape
    row = np.arange(units)
    price = flows.anchor + flow @ distance[places]  # [U, K] of each unit on each site, all others where they are
    while True:
        excess = price - price[row, places][:, None]
        swap = excess[:, places]
        swap = swap + swap.T + 2 * flow * (distance[np.ix_(places, places)] - 1)  # the two keep their distance
        move = excess.copy()
        move[:, places] = 0  # taken
        gains = int(swap.min()), int(move.min())
        if min(gains) >= 0:
            return places
        if gains[0] <= gains[1]:
            a, b = divmod(int(swap.argmin()), units)
            price += np.outer(flow[:, a] - flow[:, b], distance[places[b]] - distance[places[a]])
            places[a], places[b] = places[b], places[a]
        else:
            a, site = divmod(int(move.argmin()), sites)
            price += np.outer(flow[:, a], distance[site] - distance[places[a]])
            places[a] = site
