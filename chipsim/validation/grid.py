"""Networks of the comparison with a mesh simulator: neurons in a row on cores, every 20th fires in every step, onto 100 targets.

Neuron i sits on core i // per_core; firing neurons are 0, 20, 40, ...; target j of neuron i is (i + 1 + stride j) mod N.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.counters import HOST, ROW, Counters, Departures, LinkLoads, empty
from chipsim.hardware import Mesh
from chipsim.network import Network

EVERY, TARGETS = 20, 100
STEPS, STEADY = 5, 2  # steps simulated; the one that is compared, in which everything fires and arrives
FIRES = 100.0  # thresholds: enough for all steps
TINY = 1e-6  # a synapse that exists and does nothing


class Grid(NamedTuple):
    """One of these networks."""

    neurons: int
    per_core: int
    stride: int
    firing: int

    @property
    def core(self) -> np.ndarray:
        """[N] int64: core of each neuron."""
        return np.arange(self.neurons) // self.per_core

    @property
    def sources(self) -> np.ndarray:
        """[F] int64: neurons that fire."""
        return EVERY * np.arange(self.firing)

    @property
    def targets(self) -> np.ndarray:
        """[F, 100] int64: their targets."""
        return (self.sources[:, None] + 1 + self.stride * np.arange(TARGETS)) % self.neurons

    @property
    def reach(self) -> np.ndarray:
        """[F, C] int64: synapses of each firing neuron on each core."""
        cores = int(self.core[-1]) + 1
        found = np.zeros((self.firing, cores), dtype=np.int64)
        np.add.at(found, (np.arange(self.firing)[:, None], self.core[self.targets]), 1)
        return found


def network(grid: Grid) -> Network:
    """Return the network for the simulator: the input makes the firing neurons fire from step 1 on, in every step."""
    start, synapses = np.zeros((grid.firing, grid.neurons)), np.zeros((grid.neurons, grid.neurons))
    start[np.arange(grid.firing), grid.sources] = FIRES
    synapses[grid.sources[:, None], grid.targets] = TINY
    placed = {"strategy": "manual", "cores": {"n": tuple(range(int(grid.core[-1]) + 1))}}
    made = Network(
        name="grid", steps=STEPS, placement=placed,
        population=[{"name": "start", "neuron": "input", "size": grid.firing}, {"name": "n", "neuron": "if", "size": grid.neurons}],
        projection=[{"pre": pre, "post": "n", "name": name, "kind": "sparse"} for pre, name in (("start", "on"), ("n", "to"))],
    )  # fmt: skip
    return made.with_weights({"on": start, "to": synapses})


def steady(counters: Counters) -> Counters:
    """Return the counts of the step that is compared."""
    return Counters(counters.total().counts[None, :, STEADY : STEADY + 1], counters.cores)


def closed_form(grid: Grid, mesh: Mesh) -> Counters:
    """Return the counts of one step from the description alone, by the product of firing neurons with what they reach."""
    reach, home = grid.reach, grid.core[grid.sources]
    packets, cores = reach > 0, np.arange(reach.shape[1])
    counters = empty(1, np.append(cores, HOST))
    x, y = (np.array([mesh.position(int(c))[way] for c in cores]) for way in (0, 1))
    hops = {"hops_x": np.abs(x[home][:, None] - x), "hops_y": np.abs(y[home][:, None] - y)}
    hops["hops_local"] = (hops["hops_x"] + hops["hops_y"] == 0).astype(np.int64)
    at_home = {"packets": packets.sum(axis=1), **{name: (way * packets).sum(axis=1) for name, way in hops.items()}}
    at_home["spikes"] = np.ones(grid.firing, dtype=np.int64)
    for event, number in at_home.items():
        np.add.at(counters.counts[0, ROW["forward", "forward", event], 0], home, number)
    row = counters.counts[0, :, 0, :-1]
    touched = np.zeros(grid.neurons, dtype=bool)
    touched[grid.targets] = True
    row[ROW["forward", "forward", "packets_in"]] = packets.sum(axis=0)
    row[ROW["forward", "forward", "synops"]] = reach.sum(axis=0)
    row[ROW["forward", "forward", "updates_active"]] = np.bincount(grid.core, touched, len(cores))
    row[ROW["forward", "forward", "updates_idle"]] = np.bincount(grid.core, ~touched, len(cores))
    counters.counts[0, ROW["forward", "forward", "barriers"], 0, -1] = 1
    return counters


def link_loads(grid: Grid, mesh: Mesh) -> LinkLoads:
    """Return the packets on each link in one step."""
    between = np.zeros((grid.reach.shape[1],) * 2, dtype=np.int64)
    np.add.at(between, grid.core[grid.sources], grid.reach > 0)
    found: dict[tuple[str, int, int], int] = {}
    for a, b in np.argwhere(between):
        for link in mesh.links(int(a), int(b)):
            found[link] = found.get(link, 0) + int(between[a, b])
    loads, none = np.array([[list(found.values())]], dtype=np.int64), np.zeros((1, 1, len(found)), dtype=np.int64)
    return LinkLoads(tuple(kind for kind, _, _ in found), loads, none, none, none)


def departures(grid: Grid) -> Departures:
    """Return the spikes and packets of one step in the order in which they are sent."""
    reach, home = grid.reach, grid.core[grid.sources]
    spike, target = np.nonzero(reach)
    start = np.append(0, np.cumsum((reach > 0).sum(axis=1)))
    neurons = np.bincount(grid.core)[home]
    return Departures(home, grid.sources % grid.per_core, neurons, start, target, reach[spike, target], np.zeros_like(target))
