"""One core of the reference chip in the forward phase: docs/semantics.md section 3.

A core owns its compartments, one synapse row per incoming axon, its logs; it shares nothing but the mesh and the counters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from refmesh import Mesh, Packet
from refrandom import philox


@dataclass
class Compartment:
    """State of one neuron on its home core."""

    population: int
    neuron: int
    id: int = 0  # in the whole network
    v: float = 0
    last: int = 0  # step of the last update
    total: float = 0  # what this step's synapses added
    touched: bool = False  # a synapse was applied in this step
    spiked: bool = False
    active: bool = False
    spikes: int = 0  # in this sample
    score: float = 0  # readout: sum of V, or its maximum
    best: int = 0  # readout: first t that reaches the maximum
    injection: float = 0  # readout: G
    penalty: float = 0  # hidden: reg
    partial: float = 0  # hidden: partial errors that arrived for the next replay step
    delta: float = 0


@dataclass
class Row:
    """The synapses of one axon on one core; synapse ids are those of the whole network."""

    targets: list[Compartment]
    weights: list
    synapses: list[int]
    words: int
    gradients: list
    dirty: bool = False


class ActiveRecord(NamedTuple):
    """Entry of the active log."""

    t: int
    population: int
    neuron: int
    code: float


class SpikeRecord(NamedTuple):
    """Entry of the spike log: an axon that spiked at t, was active at t, or both."""

    t: int
    projection: int
    neuron: int
    spiked: bool
    active: bool


class Core:
    """The forward half of a core; `refreplay.LearningCore` adds the backward half.

    receivers: cores that hold the postsynaptic population, per projection. homes: core of each (population, neuron).
    """

    def __init__(self, core: int, spec: dict, numerics, mesh: Mesh, counters: Counter):
        self.id, self.spec, self.numerics, self.mesh, self.counters = core, spec, numerics, mesh, counters
        self.populations, self.projections, self.steps = spec["populations"], spec["projections"], spec["steps"]
        self.compartments: list[Compartment] = []
        self.rows: dict[tuple[int, int], Row] = {}
        self.receivers: list[list[int]] = []
        self.homes: dict[tuple[int, int], int] = {}
        self.active_log: list[ActiveRecord] = []
        self.spike_log: list[SpikeRecord] = []
        self.address = (0, 0)  # sample and pass

    def count(self, phase: str, stage: str, event: str, step: int, amount: int = 1) -> None:
        self.counters[phase, stage, event, step, self.id] += amount

    def receive(self, packet: Packet, t: int, learn: bool) -> None:
        """Apply the row of a spike; remember spikes and marks in the spike log."""
        spiked = packet.kind == "spike"
        if spiked:
            row, projection = self.rows[packet.index, packet.neuron], self.projections[packet.index]
            self.count("forward", "forward", "words_read", t, row.words)
            for target, w in zip(row.targets, row.weights, strict=True):
                target.total += self.numerics.synapse(w, projection, self.populations[target.population])
                target.touched = True
                self.count("forward", "forward", "synops", t)
        if learn:
            self.spike_log.append(SpikeRecord(packet.departs, packet.index, packet.neuron, spiked, packet.active))
            self.count("backward", "forward", "spike_log_entries", t)

    def fire(self, t: int, learn: bool) -> None:
        """Update every compartment once; on a chip with lazy decay only those that are due."""
        for cell in self.compartments:
            due, hidden = cell.touched or cell.spiked, self.populations[cell.population]["kind"] == "delta-lif"
            lazy = hidden and self.numerics.modes["decay"] == "lazy"
            if due or not lazy:
                before = cell.v
                self.integrate(cell, t)
                busy = {"fired": cell.spiked, "received_input": cell.touched, "state_changed": cell.v != before}
                active = lazy or busy[self.spec["predicate"]]
                self.count("forward", "forward", "updates_active" if active else "updates_idle", t)
                cell.last = t
            cell.total, cell.touched = 0, False
            if learn and hidden:
                self.gate(cell, t, due)

    def decayed(self, cell: Compartment, t: int) -> float:
        """Return V after the decay since the last update; stepped chips update in every step."""
        lazy = self.numerics.modes["decay"] == "lazy" and self.populations[cell.population]["kind"] == "delta-lif"
        noise = 0
        if self.numerics.modes["rounding"] == "stochastic":
            noise = philox((cell.id, t, *self.address), (self.spec["seed"], 2))[0]
        return self.numerics.decay_v(cell.v, self.populations[cell.population], t - cell.last if lazy else 1, noise)

    def integrate(self, cell: Compartment, t: int) -> None:
        pop, numerics = self.populations[cell.population], self.numerics
        v = self.decayed(cell, t) + cell.total
        if pop["kind"] == "leaky-readout":
            cell.v = numerics.clip_v(v, pop)
            self.keep_score(cell, t)
            return
        theta = numerics.theta(pop)
        cell.v = numerics.clip_v(v - theta if cell.spiked else v, pop)
        cell.spiked = cell.v > theta
        if cell.spiked:
            cell.spikes += 1
            self.count("forward", "forward", "spikes", t)

    def keep_score(self, cell: Compartment, t: int) -> None:
        """Add to the class score, or keep the maximum and its first t (score 0 at t = 0 counts)."""
        if self.spec["readout"] == "sum":
            cell.score += cell.v
        elif cell.v > cell.score:
            cell.score, cell.best = cell.v, t

    def gate(self, cell: Compartment, t: int, due: bool) -> None:
        """Test whether a hidden neuron is active, and log it; `scan` says which neurons are tested in this step.

        With `analytic` a neuron that is not due is active as long as V, which then only decays, is still in the band: the same test,
        without a check that costs; each check that finds a silent neuron active looks up how long that will be.
        """
        pop, scan = self.populations[cell.population], self.spec.get("scan", "clocked")
        tested = due or scan == "clocked"
        v = cell.v if due or self.numerics.modes["decay"] == "stepped" else self.decayed(cell, t)
        distance = abs(v - self.numerics.theta(pop))
        cell.active = distance < pop["band"] and (tested or scan == "analytic")
        if tested:
            self.count("backward", "forward", "gate_checks", t)
            if scan == "analytic" and cell.active and not cell.spiked:
                self.count("backward", "forward", "band_lookups", t)
        if cell.active:
            code = self.numerics.code(distance, pop)
            self.active_log.append(ActiveRecord(t, cell.population, cell.neuron, code))
            self.count("backward", "forward", "active_log_entries", t)

    def send(self, t: int) -> None:
        """Send spikes, and marks of neurons that are active and silent, to every core of the next population."""
        for cell in self.compartments:
            if t > self.steps - 2 or not (cell.spiked or cell.active):
                continue
            kind = "spike" if cell.spiked else "mark"
            for k, projection in enumerate(self.projections):
                for target in self.receivers[k] if projection["pre"] == cell.population else ():
                    self.mesh.send(Packet(kind, self.id, target, t, t + 1, k, cell.neuron, active=cell.active))
