"""Routing: which core receives what, over how many hops. Static, so every count of a sample is a product with these tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipsim.compiler.multicast import tree
from chipsim.compiler.plan import Plan, Slice
from chipsim.counters import HOST
from chipsim.hardware import Chip

SMALL = 255  # the largest number in a byte


@dataclass(frozen=True)
class Routes:
    """Fan-out tables. S slices, G groups of neurons (of one slice, with the same axons), K columns (cores in use, the host last)."""

    cores: np.ndarray  # [K] int64 core id of each column, ascending
    column: np.ndarray  # [S, K] int64 one-hot: the column of the core that holds a slice
    slice_of: np.ndarray  # [G] int64 the slice of a group, ascending
    group_of: np.ndarray  # [N] int64 group of each neuron
    axons: np.ndarray  # [G, S] uint8, or int64 if one needs it: axons of a neuron that end on a slice
    synapses: np.ndarray  # [G, S] as axons: synapses of these axons
    words: np.ndarray  # [G, S] as axons: words read when the neuron spikes
    packets: np.ndarray  # [G] int64 packets of one spike
    spike_hops: np.ndarray  # [3, G] int64 hops x, y, local of all packets of one spike
    hops: np.ndarray  # [3, S, S] int64: hops x, y, local of a packet from slice a to slice b
    size: np.ndarray  # [S] int64 neurons
    loss: int  # slice on the loss core (training)
    readout: np.ndarray  # [S] int64 neurons of the readout on a slice (training)
    score_from: np.ndarray  # [S] int64 score packets a slice sends to the loss core
    multicast: bool

    def onto_cores(self, table: np.ndarray) -> np.ndarray:
        """Return a table [X, S] of whole numbers as one that ends on the cores that hold the slices, [X, K]."""
        place = self.column.argmax(axis=1)
        if len(set(place.tolist())) < len(place):
            return table @ self.column
        found = np.zeros((len(table), len(self.cores)), dtype=table.dtype)
        found[:, place] = table
        return found


def route(plan: Plan, slices: list[Slice]) -> Routes:
    """Build the tables; without a chip every hop count is 0."""
    used = sorted({s.core for s in slices} - {HOST})
    cores = np.array([*used, HOST], dtype=np.int64)
    place = {core: n for n, core in enumerate(cores.tolist())}
    column = np.zeros((len(slices), len(cores)), dtype=np.int64)
    for n, s in enumerate(slices):
        column[n, place[s.core]] = 1
    hops = np.zeros((3, len(slices), len(slices)), dtype=np.int64)
    if plan.chip is not None:
        for a, source in enumerate(slices):
            for b, target in enumerate(slices):
                hops[:, a, b] = plan.chip.mesh.hops(source.core, target.core)
    slice_of, group_of, axons, synapses, words = groups(plan, slices)
    packets, spike_hops = departures(plan.chip if plan.multicast else None, slices, slice_of, axons, hops)
    readout = [n for n, s in enumerate(slices) if s.population == slices[-1].population]
    readout.sort(key=lambda n: slices[n].core)  # the loss is evaluated on the lowest-numbered readout core
    size = np.array([s.size for s in slices], dtype=np.int64)
    score = np.zeros(len(slices), dtype=np.int64)
    score[readout[1:]] = size[readout[1:]]
    held = np.zeros_like(size)
    held[readout] = size[readout]
    return Routes(
        cores, column, slice_of, group_of, axons, synapses, words, packets, spike_hops, hops, size, readout[0], held, score,
        plan.multicast,
    )  # fmt: skip


def groups(plan: Plan, slices: list[Slice]) -> tuple[np.ndarray, ...]:
    """Return slice_of, group_of, axons, synapses and words of all groups: neurons of a slice whose axons are alike."""
    reach = {p: fan_out(plan, slices, p) for p in range(len(plan.network.population))}  # [3, N_p, S]
    tables, group_of, found = [], [], 0
    for s in slices:
        first, which = alike(reach[s.population][:, s.lo : s.hi])
        group_of.append(which + found)
        tables.append(reach[s.population][:, s.lo + first])
        found += len(first)
    axons, synapses, words = np.concatenate(tables, axis=1)
    slice_of = np.repeat(np.arange(len(slices)), [table.shape[1] for table in tables])
    return slice_of, np.concatenate(group_of).astype(np.int64), axons, synapses, words


def alike(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, of rows [3, n, S], the first one of each kind, and which kind every row is, [n]; kinds in the order of their numbers."""
    flat = np.ascontiguousarray(rows.transpose(1, 0, 2).astype(rows.dtype.newbyteorder(">"))).reshape(rows.shape[1], -1)
    whole = flat.view(np.dtype((np.void, flat.itemsize * flat.shape[1]))).ravel()  # compared byte by byte, as numbers from 0 are
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return first, which.ravel()


def fan_out(plan: Plan, slices: list[Slice], p: int) -> np.ndarray:
    """Return axons, synapses and words read of every neuron of population p onto every slice: [3, N_p, S] uint8 or int64."""
    size = plan.network.population[p].size
    found = np.zeros((3, size, len(slices)), dtype=np.uint8)
    for k in plan.out_of(p):
        mine = [b for b, target in enumerate(slices) if target.population == plan.network.ends[k][1]]
        for rows, synapses, words in plan.reach(k, [(slices[b].lo, slices[b].hi) for b in mine]):
            most = max(int(synapses.max(initial=0)), int(words.max(initial=0)))
            if found.dtype == np.uint8 and int(found[1:, rows].max(initial=0)) + most > SMALL:
                found = found.astype(np.int64)
            for table, more in zip(found, (synapses > 0, synapses, words), strict=True):
                table[rows, mine[0] : mine[-1] + 1] += more.astype(found.dtype)
    return found


def departures(
    chip: Chip | None, slices: list[Slice], slice_of: np.ndarray, axons: np.ndarray, hops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return packets [G] and hops [3, G] of one spike of each group; `chip`: it sends one packet along a tree (multicast)."""
    found = np.zeros((3, len(axons)), dtype=np.int64)
    if chip is None:
        for s in range(len(slices)):
            mine = slice(*np.searchsorted(slice_of, [s, s + 1]))
            found[:, mine] = (axons[mine].astype(np.int64) @ hops[:, s].T).T
        return axons.sum(axis=1, dtype=np.int64), found
    packets = (axons.sum(axis=1, dtype=np.int64) > 0).astype(np.int64)
    for g, row in enumerate(axons):
        links, local = tree(chip.mesh, slices[slice_of[g]].core, sorted({slices[b].core for b in np.flatnonzero(row)}))
        kinds = [link[0] for link in links]
        found[:, g] = kinds.count("x"), kinds.count("y"), local
    return packets, found
