"""The reference chip: docs/semantics.md in plain Python, packet by packet. Standard library only, nothing of chipsim.

Description (one dict; every key is read, unless marked):
    numerics     "fixed" or "float"
    steps        T
    mesh         {"tiles_x", "tiles_y", "cores_per_tile", "host_tile"}
    populations  [{"kind": "input" | "delta-lif" | "leaky-readout", "size": N}], input first, readout last; beside the input also
                 fixed: "decay" D (0..4096), "fraction" f, "v_bits", "delta_fraction" fd, hidden: "band" (units of V)
                 float: "decay" alpha, hidden: "band" half width
    slices       [{"population": p, "core": c, "lo": a, "hi": b}], neurons a..b-1; the input is one slice at core -1 (host)
    projections  [{"pre": k, "post": k + 1, "weights": [N_pre][N_post], fixed: "fraction" fw, "lr_shift" s}]
    readout      "sum" or "max"
    predicate    "fired", "received_input" or "state_changed"
    words        {"word_bits", "header_bits", "synapse_bits"}
    log_words    capacity of the logs of a core
    regulariser  None or {"lambda_upper", "f_upper", "lambda_lower", "f_lower"}, for every hidden population
    lut          fixed: 32 ints with 8 fraction bits
    bits         fixed: {"delta", "acc", "weight"}
    write, seed  fixed: "stochastic", "nearest", "one-lsb" or "sign", and the seed of its random words
    scan         optional: "clocked" (default), "touched" or "analytic"
    arithmetic   optional, fixed: {"rounding", "overflow_v", "decay", "entries"} of docs/neurons.md section 2
    surrogate    float: "paper", "box" or "triangle"
Sample: T lists of ascending input neuron ids.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from refcore import Compartment, Row
from refloss import spread_error, spread_penalty
from refmesh import HOST, Mesh, Packet
from refnumbers import Fixed, Float
from refreplay import LearningCore


class LogOverflow(Exception):
    """The logs of one core need more words in one sample than it has."""

    def __init__(self, core: int, sample: int, need: int, capacity: int):
        super().__init__(f"core {core}: sample {sample} needs {need} log words, but the core has {capacity}")
        self.core, self.sample, self.need, self.capacity = core, sample, need, capacity


@dataclass
class Result:
    """What one sample did. Without learning `active_log`, `spike_logs` and the fields from `q` to `gradients` are empty."""

    counters: Counter  # (phase, stage, event, step, core) -> int
    spikes: list = field(default_factory=list)  # hidden (t, population, neuron), ascending
    v: list = field(default_factory=list)  # [t][population][neuron]; nothing for the input
    active_log: list = field(default_factory=list)  # (t, population, neuron, code), ascending; float: code is abs(V - 1)
    spike_logs: dict = field(default_factory=dict)  # core -> [(t, projection, neuron, spiked, active)], ascending
    scores: list = field(default_factory=list)  # m_c, without the factor 1 - a_r
    t_star: list = field(default_factory=list)  # mode max: first t of the maximum; mode sum: zeros
    prediction: int = 0
    q: list = field(default_factory=list)
    injections: list = field(default_factory=list)  # G_c
    penalties: list = field(default_factory=list)  # reg: [population][neuron]; nothing but for hidden ones
    gradients: list = field(default_factory=list)  # acc before the update: [projection][pre][post]
    weights: list = field(default_factory=list)  # after the update: [projection][pre][post]
    loss: float | None = None  # float only: cross entropy, no regulariser


class Chip:
    """Cores on a mesh. Weights stay from sample to sample; everything else starts anew in each."""

    core_kind = LearningCore

    def __init__(self, spec: dict):
        for k, p in enumerate(spec["projections"]):
            if (p["pre"], p["post"]) != (k, k + 1):
                raise ValueError(f"projection {k} must lead from population {k} to {k + 1}")
        self.spec, self.counters, self.steps = spec, Counter(), spec["steps"]
        self.numerics = {"fixed": Fixed, "float": Float}[spec["numerics"]](spec)
        self.mesh = Mesh(spec["mesh"], self.counters)
        homes = {(s["population"], n): s["core"] for s in spec["slices"] for n in range(s["lo"], s["hi"])}
        ids = sorted(set(homes.values()) - {HOST})
        self.cores = {c: self.core_kind(c, spec, self.numerics, self.mesh, self.counters) for c in ids}
        self.receivers = [sorted({c for (p, _), c in homes.items() if p == q["post"]}) for q in spec["projections"]]
        for core in self.cores.values():
            core.homes, core.receivers = homes, self.receivers
            ids = {cell: n for n, cell in enumerate(sorted(homes))}
            core.compartments = [Compartment(p, n, ids[p, n]) for (p, n), c in sorted(homes.items()) if c == core.id]
            self.store_rows(core)

    def store_rows(self, core: LearningCore) -> None:
        """Give a core the part of each weight row that ends on its compartments."""
        words, first = self.spec["words"], 0
        for k, projection in enumerate(self.spec["projections"]):
            targets = [c for c in core.compartments if c.population == projection["post"]]
            bits = len(targets) * words["synapse_bits"] + words["header_bits"]
            for i, weights in enumerate(projection["weights"] if targets else ()):
                own = [weights[c.neuron] for c in targets]
                synapses = [first + i * len(weights) + c.neuron for c in targets]
                core.rows[k, i] = Row(targets, own, synapses, -(-bits // words["word_bits"]), [0] * len(own))
            first += sum(len(weights) for weights in projection["weights"])

    def run(self, sample: list[list[int]], label: int, index: int = 0, pass_index: int = 0, learn: bool = True) -> Result:
        """Run one sample: forward; with learning also loss, replay and (fixed) update.

        Raises LogOverflow after the forward phase, for the core with the fullest logs (the lowest-numbered of equals).
        """
        self.clear()
        for core in self.cores.values():
            core.address = index, pass_index
        result = Result(Counter())
        self.forward(sample, learn, result)
        self.predict(result)
        if learn:
            self.check_logs(index, result)
            spread_error(self, label, result)
            spread_penalty(self, result)
            self.replay()
            result.gradients = self.gather_matrices("gradients")
            if self.numerics.writes:
                self.counters["update", "replay", "barriers", 0, HOST] += 1
                for core in self.cores.values():
                    core.update(index, pass_index)
        result.weights = self.gather_matrices("weights")
        result.counters = Counter(self.counters)
        return result

    def clear(self) -> None:
        """Forget everything but the weights."""
        self.counters.clear()
        self.mesh.flying.clear()
        for core in self.cores.values():
            core.active_log, core.spike_log = [], []
            for cell in core.compartments:
                vars(cell).update(vars(Compartment(cell.population, cell.neuron, cell.id)))
            for row in core.rows.values():
                row.gradients, row.dirty = [0] * len(row.gradients), False

    def forward(self, sample: list[list[int]], learn: bool, result: Result) -> None:
        """Section 3: input of t = 0 leaves the host, then step by step arrivals, compartments, departures."""
        self.inject(sample, 0)
        result.v.append(self.gather_state("v"))
        for t in range(1, self.steps):
            self.counters["forward", "forward", "barriers", t, HOST] += 1
            for packet in self.mesh.arrivals(t):
                self.cores[packet.target].receive(packet, t, learn)
            for core in self.cores.values():
                core.fire(t, learn)
                core.send(t)
            self.inject(sample, t)
            result.v.append(self.gather_state("v"))
            cells = sorted((c.population, c.neuron) for core in self.cores.values() for c in core.compartments if c.spiked)
            result.spikes += [(t, *cell) for cell in cells]

    def inject(self, sample: list[list[int]], t: int) -> None:
        for neuron in sample[t] if t <= self.steps - 2 else ():
            self.counters["forward", "forward", "inputs_injected", t, HOST] += 1
            for target in self.receivers[0]:
                self.mesh.send(Packet("spike", HOST, target, t, t + 1, 0, neuron))

    def predict(self, result: Result) -> None:
        result.scores = self.gather_state("score")[-1]
        result.t_star = self.gather_state("best")[-1]
        result.prediction = result.scores.index(max(result.scores))

    def check_logs(self, index: int, result: Result) -> None:
        result.active_log = sorted(tuple(r) for core in self.cores.values() for r in core.active_log)
        result.spike_logs = {core.id: sorted(tuple(r) for r in core.spike_log) for core in self.cores.values()}
        need = {core.id: len(core.active_log) + len(core.spike_log) for core in self.cores.values()}
        fullest = max(need, key=need.get)
        if need[fullest] > self.spec["log_words"]:
            raise LogOverflow(fullest, index, need[fullest], self.spec["log_words"])

    def replay(self) -> None:
        """Section 5: the same steps backward, all cores in lock-step."""
        for t in range(self.steps - 1, 0, -1):
            self.counters["backward", "replay", "barriers", t, HOST] += 1
            for packet in self.mesh.arrivals(t):
                self.cores[packet.target].take_error(packet)
            for core in self.cores.values():
                core.evaluate(t)
            for core in self.cores.values():
                core.walk_log(t)

    def gather_state(self, name: str, kind: str | None = None) -> list[list]:
        """Return [population][neuron] of a compartment variable; nothing for the input and for populations of another kind."""
        state: list[list] = [[] for _ in self.spec["populations"]]
        cells = [c for core in self.cores.values() for c in core.compartments]
        for cell in sorted(cells, key=lambda c: (c.population, c.neuron)):
            if kind in (None, self.spec["populations"][cell.population]["kind"]):
                state[cell.population].append(getattr(cell, name))
        return state

    def gather_matrices(self, name: str) -> list[list[list]]:
        """Return [projection][pre][post] of `weights` or `gradients` from the rows of all cores."""
        matrices = [[[0] * len(row) for row in p["weights"]] for p in self.spec["projections"]]
        for core in self.cores.values():
            for (k, i), row in core.rows.items():
                for target, value in zip(row.targets, getattr(row, name), strict=True):
                    matrices[k][i][target.neuron] = value
        return matrices


def run_sample(
    spec: dict, sample: list[list[int]], label: int, index: int = 0, pass_index: int = 0, learn: bool = True
) -> Result:
    """Run one sample on a fresh chip."""
    return Chip(spec).run(sample, label, index, pass_index, learn)
