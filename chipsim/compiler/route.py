"""Routing: which core receives what, over how many hops. Static, so every count of a sample is a product with these tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipsim.compiler.multicast import tree
from chipsim.compiler.plan import Plan, Slice
from chipsim.counters import HOST
from chipsim.hardware import Chip


@dataclass(frozen=True)
class Routes:
    """Fan-out tables. S slices, G groups of neurons (of one slice, with the same axons), K columns (cores in use, the host last)."""

    cores: np.ndarray  # [K] int64 core id of each column, ascending
    column: np.ndarray  # [S, K] int64 one-hot: the column of the core that holds a slice
    home: np.ndarray  # [G, S] int64 one-hot: the slice of a group
    group_of: np.ndarray  # [N] int64 group of each neuron
    axons: np.ndarray  # [G, S] int64 axons of a neuron that end on a slice
    synapses: np.ndarray  # [G, S] int64 synapses of these axons
    words: np.ndarray  # [G, S] int64 words read when the neuron spikes
    packets: np.ndarray  # [G] int64 packets of one spike
    spike_hops: np.ndarray  # [3, G] int64 hops x, y, local of all packets of one spike
    hops: np.ndarray  # [3, S, S] int64: hops x, y, local of a packet from slice a to slice b
    size: np.ndarray  # [S] int64 neurons
    loss: int  # slice on the loss core (training)
    readout: np.ndarray  # [S] int64 neurons of the readout on a slice (training)
    score_from: np.ndarray  # [S] int64 score packets a slice sends to the loss core
    multicast: bool

    @property
    def slice_of(self) -> np.ndarray:
        """[G] int64: the slice of a group."""
        return self.home.argmax(axis=1)


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
    home, group_of, axons, synapses, words = groups(plan, slices)
    packets, spike_hops = departures(plan.chip if plan.multicast else None, slices, home, axons, hops)
    readout = [n for n, s in enumerate(slices) if s.population == slices[-1].population]
    readout.sort(key=lambda n: slices[n].core)  # the loss is evaluated on the lowest-numbered readout core
    size = np.array([s.size for s in slices], dtype=np.int64)
    score = np.zeros(len(slices), dtype=np.int64)
    score[readout[1:]] = size[readout[1:]]
    held = np.zeros_like(size)
    held[readout] = size[readout]
    return Routes(
        cores, column, home, group_of, axons, synapses, words, packets, spike_hops, hops, size, readout[0], held, score,
        plan.multicast,
    )  # fmt: skip


def groups(plan: Plan, slices: list[Slice]) -> tuple[np.ndarray, ...]:
    """Return home, group_of, axons, synapses and words of all groups: neurons of a slice whose axons are alike."""
    reach = {p: fan_out(plan, slices, p) for p in range(len(plan.network.population))}  # [3, N_p, S]
    tables, homes, group_of = [], [], []
    for n, s in enumerate(slices):
        rows = reach[s.population][:, s.lo : s.hi]
        flat = np.ascontiguousarray(rows.transpose(1, 0, 2).reshape(s.size, -1))
        _, first, which = np.unique(flat, axis=0, return_index=True, return_inverse=True)
        group_of.append(which.ravel() + sum(len(t[0]) for t in tables))
        tables.append(rows[:, first])
        homes += [n] * len(first)
    axons, synapses, words = np.concatenate(tables, axis=1)
    home = (np.array(homes)[:, None] == np.arange(len(slices))).astype(np.int64)
    return home, np.concatenate(group_of).astype(np.int64), axons, synapses, words


def fan_out(plan: Plan, slices: list[Slice], p: int) -> np.ndarray:
    """Return axons, synapses and words read of every neuron of population p onto every slice: [3, N_p, S] int64."""
    found = np.zeros((3, plan.network.population[p].size, len(slices)), dtype=np.int64)
    for k in plan.out_of(p):
        for b, target in enumerate(slices):
            if target.population == plan.network.ends[k][1]:
                chain = plan.lists(k, target.lo, target.hi)
                found[:, :, b] += np.stack([chain.synapses > 0, chain.synapses, chain.read])
    return found


def departures(
    chip: Chip | None, slices: list[Slice], home: np.ndarray, axons: np.ndarray, hops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return packets [G] and hops [3, G] of one spike of each group; `chip`: it sends one packet along a tree (multicast)."""
    slice_of = home.argmax(axis=1)
    if chip is None:
        return axons.sum(axis=1), np.stack([(axons * way[slice_of]).sum(axis=1) for way in hops])
    packets, found = (axons.sum(axis=1) > 0).astype(np.int64), np.zeros((3, len(axons)), dtype=np.int64)
    for g, row in enumerate(axons):
        links, local = tree(chip.mesh, slices[slice_of[g]].core, sorted({slices[b].core for b in np.flatnonzero(row)}))
        kinds = [link[0] for link in links]
        found[:, g] = kinds.count("x"), kinds.count("y"), local
    return packets, found
