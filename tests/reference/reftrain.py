"""A training sample of any network on any cores: docs/semantics.md in plain Python, record by record. Nothing of chipsim.

`net` is what `refnet` runs, `routed` the same network as `refroute` cuts it over cores; rule is a dictionary:
    delta_fraction [p], fraction [k] (real weight = w 2^-fraction, in thresholds), shift [k] (rate 2^-s), band [p] (units of V),
    lut, bits {"delta", "acc", "weight"}, scan ("clocked" or "touched"), write, number, optimiser, momentum (as in `refwrites`), apply,
    form, transport, loss, sharpness,
    seed, readout, regulariser (as in `refchip`)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import refadjoint
import refforms
import refnet
import refroute
from refjudge import judge
from refmesh import HOST, Mesh, Packet
from refnumbers import Fixed, rescale, saturate
from refweights import delays_of, numbered, put, stored
from refwrites import Writer, epoch

REPLAY, FORWARD, UPDATE = ("backward", "replay"), ("backward", "forward"), ("update", "replay")


class Row(NamedTuple):
    """The synapses of one neuron in one projection onto one slice: an axon."""

    core: int
    post: int  # population
    synapses: list[tuple[int, int]]  # target, number of the weight in its projection
    words: int


@dataclass
class Result:
    """What one sample did; every list by [population][neuron] unless it says otherwise."""

    counters: Counter = field(default_factory=Counter)
    forward: dict = field(default_factory=dict)
    active: list = field(default_factory=list)  # (t, population, neuron, code)
    scores: list = field(default_factory=list)
    best: list = field(default_factory=list)
    injections: list = field(default_factory=list)
    errors: dict = field(default_factory=dict)  # (t, class) -> error that is injected
    penalties: list = field(default_factory=list)
    x: list = field(default_factory=list)  # backward variables after replay step 1
    y: list = field(default_factory=list)
    gradients: list = field(default_factory=list)  # [projection][weight]
    log_need: Counter = field(default_factory=Counter)  # core -> words


class Trainer:
    """One network on its cores; `run` changes the weights in `net`."""

    def __init__(self, net: dict, routed: dict, rule: dict):
        self.net, self.routed, self.rule, self.steps = net, routed, rule, net["steps"]
        self.numbers, self.home, self.writer = Fixed(rule), refroute.homes(routed), Writer(rule)
        self.form_a, self.push = rule["form"] == "A", rule["transport"] == "push"
        self.late = [delays_of(spec) for spec in net["projections"]]
        self.rings = {p: max((max(late, default=0) for late, q in zip(self.late, net["projections"], strict=True) if q["post"] == p),
                             default=0) for p in range(len(net["populations"]))}  # fmt: skip
        self.kinds, self.last = [p["kind"] for p in net["populations"]], len(net["populations"]) - 1
        self.rows: dict[tuple[int, int, int], list[Row]] = defaultdict(list)  # (population, neuron, projection) -> axons
        for k, (spec, where) in enumerate(zip(net["projections"], routed["projections"], strict=True)):
            for i, found in numbered(spec).items():
                for piece in routed["slices"]:
                    targets = [(j, n) for j, n in found if piece["lo"] <= j < piece["hi"]]
                    if piece["population"] == spec["post"] and targets:
                        axon = refroute.make_axon(routed, where, piece, [j for j, _ in targets])
                        self.rows[spec["pre"], i, k].append(Row(piece["core"], spec["post"], targets, axon.kept))

    def axons(self, p: int, n: int) -> list[tuple[int, Row]]:
        """Return (projection, row) of every axon of a neuron."""
        return [(k, row) for k in range(len(self.net["projections"])) for row in self.rows.get((p, n, k), ())]

    def incoming(self, k: int) -> dict[int, list[tuple[int, int]]]:
        """Return {postsynaptic neuron: [(presynaptic neuron, number of the weight)]} of projection k."""
        return refforms.by_target(numbered(self.net["projections"][k]))

    def run(self, label: int, index: int = 0, pass_index: int = 0) -> Result:
        """Run, replay and write one sample."""
        self.net |= {"sample": index, "pass": pass_index}
        result, self.weights = Result(), [stored(spec) for spec in self.net["projections"]]
        result.forward = refnet.run_net(self.net)
        self.counters, self.mesh = result.counters, Mesh(self.routed["mesh"], result.counters)
        self.count_forward(result)
        self.mark(result)
        judge(self, label, result)
        self.punish(result)
        self.replay(result)
        self.update(result)
        for key in [key for key, n in self.counters.items() if n == 0]:
            del self.counters[key]
        return result

    def count(self, stage: tuple[str, str], event: str, t: int, core: int, n: int = 1) -> None:
        self.counters[(*stage, event, t, core)] += n

    def count_forward(self, result: Result) -> None:
        v = result.forward["v"]
        before = [[[0] * len(row) for row in v[0]], *v[:-1]]
        changed = [[[a != b for a, b in zip(x, y, strict=True)] for x, y in zip(now, then, strict=True)]
                   for now, then in zip(v, before, strict=True)]  # fmt: skip
        self.counters.update(refroute.count(self.routed, result.forward["spikes"], result.forward["arrived"], changed))

    def mark(self, result: Result) -> None:
        """Section 3: the active test, marks and logs."""
        spikes, potential, arrived = (result.forward[name] for name in ("spikes", "potential", "arrived"))
        ends = refroute.axons(self.routed)
        self.events: dict[tuple[int, int, int], int] = {}  # (t, population, neuron) -> code
        for t in range(1, self.steps):
            for p in range(1, self.last):
                for n, u in enumerate(potential[t][p]):
                    core = self.home[p, n]
                    self.test(t, p, n, u, arrived[t][p][n] or spikes[t - 1][p][n])
                    own = spikes[t][p][n] and self.kinds[p] in refadjoint.RESETS
                    if (t, p, n) in self.events or own:
                        self.count(FORWARD, "active_log_entries", t, core)
                        result.log_need[core] += 1
                    silent = (t, p, n) in self.events and not spikes[t][p][n]
                    if silent and not self.push and t < self.steps - 1 and (p, n) in ends:
                        for packet in refroute.walk(self.routed, core, ends[p, n]):
                            self.count(FORWARD, "mark_packets", t, core)
                            for kind, _, _ in packet:
                                self.count(FORWARD, f"hops_{kind}", t, core)
        self.note(spikes, result)
        result.active = [(*event, code) for event, code in sorted(self.events.items())]

    def test(self, t: int, p: int, n: int, u: int, touched: bool) -> None:
        """Test whether a neuron is active; u: its potential minus the threshold."""
        if self.rule["scan"] == "clocked" or touched:
            self.count(FORWARD, "gate_checks", t, self.home[p, n])
            if abs(u) < self.rule["band"][p]:
                self.events[t, p, n] = abs(u) * 32 // self.rule["band"][p]

    def note(self, spikes: list, result: Result) -> None:
        """Write the spike logs: one record per axon over which a spike or a mark arrives."""
        for t in range(self.steps - 1):
            for p in range(self.last):
                for n, sent in enumerate(spikes[t][p]):
                    for _, row in self.axons(p, n) if sent or (not self.push and (t, p, n) in self.events) else ():
                        self.count(FORWARD, "spike_log_entries", t + 1, row.core)
                        self.count(FORWARD, "packets_in", t + 1, row.core, 0 if sent else 1)
                        result.log_need[row.core] += 1

    def punish(self, result: Result) -> None:
        """Set reg."""
        terms, spikes = self.rule["regulariser"], result.forward["spikes"]
        result.penalties = [[0] * p["size"] for p in self.net["populations"]]
        for p in range(1, self.last) if terms else ():
            size, scale = self.net["populations"][p]["size"], {"delta_fraction": self.rule["delta_fraction"][p]}
            counts = [sum(spikes[t][p][n] for t in range(self.steps)) for n in range(size)]
            for n, spiked in enumerate(counts):
                if sum(counts) / size > terms["f_upper"]:
                    result.penalties[p][n] += self.numbers.penalty(terms["lambda_upper"] / size, scale)
                if spiked < terms["f_lower"]:
                    missing = 2 * terms["lambda_lower"] / size * (terms["f_lower"] - spiked)
                    result.penalties[p][n] -= self.numbers.penalty(missing, scale)

    def replay(self, result: Result) -> None:
        """Section 5."""
        result.x, result.y = ([[0] * p["size"] for p in self.net["populations"]] for _ in range(2))
        result.gradients = [[0] * len(w) for w in self.weights]
        self.partial: Counter = Counter()  # (population, neuron) -> rescaled errors of all projections
        self.dirty: dict[tuple, Row] = {}
        self.past: dict[int, list] = {}  # delta by step
        self.ds: dict[tuple[int, int, int], int] = {}  # (t, population, neuron) -> ds of the event
        self.pushed: Counter = Counter()  # (projection, presynaptic neuron) -> Lam
        self.first = [sum(len(w) for w in self.weights[:k]) for k in range(len(self.weights))]
        for t in range(self.steps - 1, 0, -1):
            self.count(REPLAY, "barriers", t, HOST)
            for p in range(1, self.last + 1):
                for n in range(len(result.x[p])):
                    self.evaluate(t, p, n, result)
            self.partial, waiting, self.past[t] = Counter(), [], [list(row) for row in result.x]
            for p, n in self.recorded(t - 1, result):
                waiting += self.walk(t, p, n, result)
            if self.push and t > 1:
                refforms.push(self, t)
            for k, row, live in waiting:
                for w, delta in live:
                    self.write(k, w, delta, t, row)
            if self.rule["apply"] == "inplace":
                epoch(self, t, [row for _, row, _ in waiting])
        if self.form_a:
            refforms.walk(self, result)

    def due(self, t: int, post: int, j: int, late: int) -> int:
        """Return the delta that a spike of step t - 1 meets at neuron j after a delay."""
        return self.past[t + late][post][j] if t + late in self.past else 0

    def recorded(self, t: int, result: Result) -> list[tuple[int, int]]:
        """Return (population, neuron) of the records of the spike logs of step t that replay reads, in their order."""
        if self.push and self.form_a:
            return []
        everyone = [(p, n) for p in range(self.last) for n in range(self.net["populations"][p]["size"])]
        spikes = result.forward["spikes"][t]
        return [(p, n) for p, n in everyone if spikes[p][n] or (not self.push and (t, p, n) in self.events)]

    def evaluate(self, t: int, p: int, n: int, result: Result) -> None:
        """Step a for one neuron."""
        core, bits, event = self.home[p, n], self.rule["bits"]["delta"], None
        fired = result.forward["spikes"][t][p][n] != 0 and self.kinds[p] in refadjoint.RESETS
        if p == self.last and (t, n) in result.errors:
            self.count(REPLAY, "error_updates", t, core)
            event = result.errors[t, n], 1
        if (t, p, n) in self.events:
            self.count(REPLAY, "evaluations", t, core)
            event = saturate(self.partial[p, n], bits) + result.penalties[p][n], self.rule["lut"][self.events[t, p, n]]
        self.count(REPLAY, "log_reads", t, core, (t, p, n) in self.events or fired)
        x, y = result.x[p][n], result.y[p][n]
        self.count(REPLAY, "trace_decays", t, core, (x != 0) + (y != 0))
        spec = self.net["populations"][p]
        self.ds[t, p, n] = refadjoint.blame(spec, y, event, bits)
        self.count(REPLAY, "log_rewrites", t, core, self.form_a and (t, p, n) in self.events)
        x, result.y[p][n] = refadjoint.step(spec, x, y, event, fired, bits)
        result.x[p][n] = 0 if self.form_a and self.push else x

    def walk(self, t: int, p: int, n: int, result: Result) -> list[tuple]:
        """Steps b and c for the records of one neuron; the exact sums of a projection come together before they are rounded.

        Returns what is to be written in place when all errors are gathered: (projection, row, synapses with a delta).
        """
        active, sums, waiting = not self.push and (t - 1, p, n) in self.events, Counter(), []
        spiked = result.forward["spikes"][t - 1][p][n] != 0
        for k, row in self.axons(p, n):
            live = [(w, delta) for j, w in row.synapses if (delta := self.due(t, row.post, j, self.late[k][w])) != 0]
            piece = [m for (q, m), core in self.home.items() if q == row.post and core == row.core]
            ring = range(self.rings[row.post] + 1)
            met = not self.form_a and any(self.due(t, row.post, m, d) != 0 for m in piece for d in ring)
            self.count(REPLAY, "log_reads", t, row.core)
            if active or met:
                self.count(REPLAY, "rows_read", t, row.core)
                self.count(REPLAY, "words_read", t, row.core, row.words)
            else:
                self.count(REPLAY, "rows_skipped", t, row.core)
            if spiked and self.rule["apply"] == "inplace":
                waiting += [(k, row, live)] if live else []
            elif spiked and not self.form_a:
                self.count(REPLAY, "row_adds", t, row.core, len(live))
                for w, delta in live:
                    result.gradients[k][w] = saturate(result.gradients[k][w] + delta, self.rule["bits"]["acc"])
                    self.dirty[k, n, row.core] = row
            if active:
                self.count(REPLAY, "rows_gathered", t, row.core)
                self.count(REPLAY, "gather_adds", t, row.core, len(live))
                sums[k] += sum(self.weights[k][w] * delta for w, delta in live)
                self.mesh.send(Packet("error", row.core, self.home[p, n], t, t - 1, k, n))
                self.count(REPLAY, "packets_in", t - 1, self.home[p, n])
        for k, total in sums.items():
            post, fractions = self.net["projections"][k]["post"], self.rule["delta_fraction"]
            self.partial[p, n] += rescale(total, self.rule["fraction"][k] + fractions[post] - fractions[p])
        return waiting

    def update(self, result: Result) -> None:
        """Section 6, after the replay."""
        self.count(UPDATE, "barriers", 0, HOST, self.rule["apply"] == "after")
        visited = []
        for (_, i, k), rows in self.rows.items():
            for row in rows:
                live = [w for _, w in row.synapses if result.gradients[k][w] or self.writer.velocity.get(self.first[k] + w)]
                if (k, i, row.core) in self.dirty or live:
                    visited.append(row)
                for w in live:
                    self.write(k, w, result.gradients[k][w], 0, row)
        if self.rule["apply"] == "after":
            epoch(self, 0, visited)
        for spec, w in zip(self.net["projections"], self.weights, strict=True):
            put(spec, w)

    def visited(self, row: Row) -> int:
        """Return the words of a row with the state of its synapses, which starts in a word of its own."""
        return row.words + -(-len(row.synapses) * self.writer.state_bits // self.routed["widths"]["synapse_word"])

    def gradient_fraction(self, k: int, post: int) -> int:
        """Return the fraction bits of the accumulators: those of delta."""
        return self.rule["delta_fraction"][post]

    def write(self, k: int, w: int, acc: int, t: int, row: Row) -> None:
        """Move one weight by an accumulator, or in place by a delta."""
        shift = self.rule["shift"][k] - self.rule["fraction"][k]
        shift += 0 if self.writer.optimiser == "sign" else self.gradient_fraction(k, row.post)
        self.count(UPDATE, "evaluations", t, row.core)
        self.count(UPDATE, "evaluations_skipped", t, row.core, -1)
        self.count(UPDATE, "random_draws", t, row.core, self.writer.draws)
        self.count(UPDATE, "optimiser_updates", t, row.core, self.writer.optimiser == "momentum")
        new = self.writer.move(self.first[k] + w, self.weights[k][w], acc, shift, (self.net["sample"], self.net["pass"], t))
        self.count(UPDATE, "writes" if new != self.weights[k][w] else "writes_skipped", t, row.core)
        if self.push and new != self.weights[k][w]:
            refforms.copy(self, k, w, t, row)
        self.weights[k][w] = new
