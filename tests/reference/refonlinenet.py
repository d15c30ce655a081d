"""A sample of any network under an online rule, on any cores: docs/online.md in plain Python, on top of `reftrain`.

Since weights are frozen during a sample, the learning of all steps is done after the forward phase and booked where it belongs.
"""

from __future__ import annotations

from types import SimpleNamespace

import refnet
import refroute
import refsources
from refjudge import class_scores, readout_of, tell
from refmesh import Mesh, Packet
from refnumbers import rescale, saturate
from refrules import RuleCore
from reftrain import FORWARD, Result, Trainer, stored
from refwalk import first_traces, random_weight, walk


class OnlineTrainer(Trainer):
    """One network on its cores; `net["rule"]` is the rule (see refrules), rule["accumulator"] [k] the fraction bits of accumulators."""

    def __init__(self, net: dict, routed: dict, rule: dict):
        super().__init__(net, routed, rule)
        self.rule_of_net, self.away = net["rule"], distances([(p["pre"], p["post"]) for p in net["projections"]], self.last)
        self.late = self.rule_of_net["source"] == "deferred"
        self.stage, self.error_packet = (refsources.REPLAY, "error") if self.late else (FORWARD, "error now")
        toward = [
            self.away[p["pre"]] > self.away[p["post"]] and not (self.late and p["post"] != self.last) for p in net["projections"]
        ]
        self.toward = [k for k, down in enumerate(toward) if down]
        self.answering = {**routed, "projections": [routed["projections"][k] for k in self.toward]}
        self.adapted: dict[tuple[int, int], int] = {}  # (k, w): feedback weights that adapt
        sizes = [p["size"] for p in net["populations"]]
        self.id = {(p, n): sum(sizes[:p]) + n for p, n in self.home}

    def gradient_fraction(self, k: int, post: int) -> int:
        return self.rule["accumulator"][k]

    def run(self, label: int, index: int = 0, pass_index: int = 0) -> Result:
        """Run, learn from and write one sample."""
        self.net |= {"sample": index, "pass": pass_index}
        result, self.weights = Result(), [stored(spec) for spec in self.net["projections"]]
        self.first = [sum(len(w) for w in self.weights[:k]) for k in range(len(self.weights))]
        result.forward = refnet.run_net(self.net)
        self.counters, self.mesh, self.events = result.counters, Mesh(self.routed["mesh"], result.counters), {}
        self.count_forward(result)
        spikes, potential, arrived = (result.forward[name] for name in ("spikes", "potential", "arrived"))
        for t in range(1, self.steps):
            for p in range(1, self.last):
                for n, u in enumerate(potential[t][p]):
                    self.test(t, p, n, u, arrived[t][p][n] or spikes[t - 1][p][n])
        result.active = [(*event, code) for event, code in sorted(self.events.items())]
        self.gains = {event: self.rule["lut"][code] for event, code in self.events.items()}
        v = class_scores(self, result)
        if self.late:
            refsources.log(self, spikes)
            self.error = refsources.closed_errors(self, label, result)
        else:
            self.ask(spikes)
            self.errors(v, label)
        hidden = range(1, self.last) if self.rule_of_net["source"] == "local" else ()
        self.local = [[], *(refsources.local_errors(self, p, label, spikes) for p in hidden)]
        self.signals(label)
        self.v = result.forward["v"]
        self.learn(spikes, 1 if result.scores.index(max(result.scores)) == label else -1, index, pass_index, result)
        before = [list(w) for w in self.weights]
        self.update(result)
        refsources.follow(self, before)
        for key in [key for key, n in self.counters.items() if n == 0]:
            del self.counters[key]
        return result

    def ask(self, spikes: list) -> None:
        """Send a mark from every active, silent neuron to the cores that have its error, if there is one left."""
        ends, ahead = refroute.axons(self.answering), self.rule_of_net["ahead"]
        for t, p, n in self.events if self.rule_of_net["source"] in refsources.PULLED else ():
            if spikes[t][p][n] or t + ahead > self.steps - 1 or (p, n) not in ends:
                continue
            for packet in refroute.walk(self.routed, self.home[p, n], ends[p, n]):
                self.count(FORWARD, "mark_packets", t, self.home[p, n])
                for kind, _, _ in packet:
                    self.count(FORWARD, f"hops_{kind}", t, self.home[p, n])
            for axon in ends[p, n]:
                self.count(FORWARD, "packets_in", t + ahead, axon.core)

    def errors(self, v: list[list[int]], label: int) -> None:
        """Section 3: the loss of every step, told to the readout and to the hidden cores that use it."""
        classes, source = self.net["populations"][self.last]["size"], self.rule_of_net["source"]
        hidden = [piece["core"] for piece in self.routed["slices"] if 0 < piece["population"] < self.last]
        judge = min(self.home[self.last, c] for c in range(classes))
        self.error = [[0] * classes for _ in range(self.steps)]
        for t in range(1, self.steps):
            tell(self, t, ("score now", "broadcast now"), FORWARD)
            words = classes if source in ("dfa", "sdfa") else int(source == "label" and t == 1)
            for core in hidden:
                for c in range(words):
                    self.mesh.send(Packet("broadcast now", judge, core, t, t, self.last, c))
            self.mesh.arrivals(t)
            q, _ = self.numbers.softmax([x * self.rule_of_net["sharpness"] for x in v[t]], label, readout_of(self))
            self.error[t] = [self.numbers.injection(x, readout_of(self)) for x in q]

    def loud(self, x: int, p: int) -> int:
        return x if abs(x) > self.rule_of_net["threshold"][p] else 0

    def signals(self, label: int) -> None:
        """Section 3: the signal of every neuron that needs one, from those near the readout to those far from it."""
        rule = self.rule_of_net
        self.signal = [{(self.last, c): self.loud(g, self.last) for c, g in enumerate(errors)} for errors in self.error]
        self.past, summed = [[] for _ in self.net["populations"]], rule["source"] == "sym-trace"
        if summed:
            self.past[self.last] = refsources.sum_past(self, self.last, self.error)
        for p in sorted(range(1, self.last), key=lambda p: self.away[p]):
            for t in range(1, self.steps):
                for n in range(self.net["populations"][p]["size"]):
                    active = (t, p, n) in self.events
                    if active or rule["everywhere"]:
                        self.signal[t][p, n] = self.loud(self.one_signal(t, p, n, active, label), p)
            if summed:
                self.past[p] = refsources.sum_past(self, p)

    def one_signal(self, t: int, p: int, n: int, active: bool, label: int) -> int:
        """Return the signal of one neuron before the threshold of signals."""
        source, late = self.rule_of_net["source"], t + self.rule_of_net["ahead"]
        if source == "none" or (late >= self.steps and source != "label"):
            return 0
        if source in refsources.PULLED or (source == "deferred" and self.away[p] == 1):
            return self.pulled(late, p, n, active)
        fractions, classes = self.rule["delta_fraction"], len(self.error[0])
        b = [random_weight(self.id[p, n] * classes + c) for c in range(classes)]
        if source == "label":
            return rescale(sum(b) // classes - b[label], 7 - fractions[p])
        self.count(self.stage, "gather_adds", late, self.home[p, n], classes)
        errors = self.local[p][late] if source == "local" else self.error[late]
        if source == "sdfa":
            errors = [((e > 0) - (e < 0)) << fractions[self.last] for e in errors]
        total = sum(x * e for x, e in zip(b, errors, strict=True))
        return saturate(rescale(total, 7 + fractions[self.last] - fractions[p]), self.rule["bits"]["delta"])

    def pulled(self, t: int, p: int, n: int, active: bool) -> int:
        """Ask every core of an axon toward the readout for its part of the error; an active neuron gets each in a packet."""
        found, fractions = 0, self.rule["delta_fraction"]
        for k in self.toward:
            total = 0
            for row in self.rows.get((p, n, k), ()):
                if active:
                    self.count(self.stage, "rows_gathered", t, row.core)
                    self.count(self.stage, "words_read", t, row.core, row.words)
                    self.mesh.send(Packet(self.error_packet, row.core, self.home[p, n], t, t, k, n))
                for j, w in row.synapses:
                    ds = (self.past[row.post][t][j] or None) if self.past[row.post] else self.source(t, row.post, j)
                    if ds is not None:
                        self.count(self.stage, "gather_adds", t, row.core)
                        own = (
                            refsources.feedback(self, k, w)
                            if self.rule_of_net["source"] in ("fa", "adaptive")
                            else self.weights[k][w]
                        )
                        total += own * ds
            post = self.net["projections"][k]["post"]
            found += rescale(total, self.rule["fraction"][k] + fractions[post] - fractions[p])
        self.mesh.arrivals(t)
        return saturate(found, self.rule["bits"]["delta"])

    def source(self, t: int, p: int, n: int) -> int | None:
        """Return ds of a neuron at t: the error of a class, or gain x signal of an active neuron; None: it has none."""
        if p == self.last:
            return self.error[t][n]
        gain = self.gains.get((t, p, n))
        return None if gain is None else rescale(self.signal[t][p, n] * gain, 8)

    def learn(self, spikes: list, reward: int, index: int, pass_index: int, result: Result) -> None:
        """Run the hooks on every core, then gather the accumulators."""
        cores = [self.core(core, (index, pass_index)) for core in sorted(set(self.home.values()) - {-1})]
        spiking = [{(p, n) for p, row in enumerate(rows) for n, sent in enumerate(row) if sent} for rows in spikes]
        rules = [RuleCore(core, self.rule_of_net, first_traces(self.net), self.stage[1], self.v) for core in cores]
        walk(rules, self.net, spiking, (self.signal, self.gains), reward)
        result.gradients, self.dirty = [[0] * len(w) for w in self.weights], {}
        for core in cores:
            for (k, i), row in core.rows.items():
                if row.dirty:
                    self.dirty[k, i, core.id] = row.axon
                for (_, w), gradient in zip(row.axon.synapses, row.gradients, strict=True):
                    result.gradients[k][w] = gradient

    def core(self, core: int, address: tuple[int, int]) -> SimpleNamespace:
        """Return what a core holds, in the words of refrules."""

        def cell(p: int, n: int) -> SimpleNamespace:
            return SimpleNamespace(population=p, neuron=n, id=self.id[p, n])

        rows = {}
        for (_, i, k), axons in self.rows.items():
            for axon in axons:
                if axon.core == core:
                    rows[k, i] = SimpleNamespace(
                        axon=axon, targets=[cell(axon.post, j) for j, _ in axon.synapses], dirty=False,
                        synapses=[self.first[k] + w for _, w in axon.synapses], gradients=[0] * len(axon.synapses),
                        weights=[self.weights[k][w] for _, w in axon.synapses],
                    )  # fmt: skip
        bits = self.rule["bits"]["acc"]
        return SimpleNamespace(
            id=core, rows=rows, compartments=[cell(p, n) for (p, n), home in self.home.items() if home == core], address=address,
            projections=self.net["projections"], spec={"seed": self.rule["seed"]},
            numerics=SimpleNamespace(clip_accumulator=lambda x: saturate(x, bits)),
            count=lambda phase, stage, event, t, amount=1: self.count((phase, stage), event, t, core, amount),
        )  # fmt: skip


def distances(ends: list[tuple[int, int]], last: int) -> list[int]:
    """Return how many projections lie between each population and the last; last + 1 where there is no way."""
    found = [last + 1] * last + [0]
    for _ in range(last):
        for a, b in ends:
            found[a] = min(found[a], found[b] + 1)
    return found
