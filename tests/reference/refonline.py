"""A chip that learns in forward time: docs/online.md on top of the forward phase of refchip, packet by packet.

The description is that of refchip.Chip and in addition "rule" (see refrules). Since weights are frozen during a sample, the learning of
all steps is done after the forward phase, step by step, and booked where it belongs.
"""

from __future__ import annotations

from refchip import Chip, Result
from refmesh import HOST, Packet
from refnumbers import rescale, saturate
from refreplay import LearningCore
from refrules import RuleCore, faded
from refwalk import first_traces, random_weight, walk

PULLED = ("sym", "sym-trace", "fa")


class OnlineCore(LearningCore):
    """A core without logs; what is active in a step is remembered for the rule alone."""

    def count(self, phase: str, stage: str, event: str, step: int, amount: int = 1) -> None:
        if event != "active_log_entries":
            super().count(phase, stage, event, step, amount)

    def receive(self, packet: Packet, t: int, learn: bool) -> None:
        if packet.kind == "spike":
            super().receive(packet, t, False)

    def send(self, t: int) -> None:
        """Send spikes; an active and silent neuron asks for its error with a mark, if the rule carries errors down by weights."""
        rule = self.spec["rule"]
        asks = rule["source"] in PULLED and t + rule["ahead"] <= self.steps - 1 and self.learning
        for cell in self.compartments:
            kind = "spike" if cell.spiked else "mark"
            if (cell.spiked and t <= self.steps - 2) or (not cell.spiked and cell.active and asks):
                for k, projection in enumerate(self.projections):
                    for target in self.receivers[k] if projection["pre"] == cell.population else ():
                        arrives = t + 1 if kind == "spike" else t + rule["ahead"]
                        self.mesh.send(Packet(kind, self.id, target, t, arrives, k, cell.neuron))


class OnlineChip(Chip):
    """Cores on a mesh, with a rule."""

    core_kind, stage, packet = OnlineCore, "forward", " now"

    def run(self, sample: list[list[int]], label: int, index: int = 0, pass_index: int = 0, learn: bool = True) -> Result:
        """Run one sample: forward; with learning also the rule and (fixed) the update."""
        self.clear()
        for core in self.cores.values():
            core.address, core.learning = (index, pass_index), learn
        result = Result(self.counters)
        self.forward(sample, learn, result)
        for t in range(self.steps):  # marks that ask for errors of the same step
            self.mesh.arrivals(t)
        self.predict(result)
        if learn:
            result.active_log = sorted(tuple(r) for core in self.cores.values() for r in core.active_log)
            self.learn(sample, label, result)
            result.gradients = self.gather_matrices("gradients")
            self.counters["update", "replay", "barriers", 0, HOST] += 1
            for core in self.cores.values():
                core.update(index, pass_index)
        result.weights = self.gather_matrices("weights")
        return result

    def learn(self, sample: list[list[int]], label: int, result: Result) -> None:
        """Errors, signals, then the steps of the rule."""
        self.errors(label, result)
        hidden = range(1, len(self.spec["populations"]) - 1) if self.spec["rule"]["source"] == "local" else ()
        self.local = [[], *(self.local_errors(p, label, result) for p in hidden)]
        self.signals(label, result)
        cores = [RuleCore(core, self.spec["rule"], first_traces(self.spec), self.stage, result.v) for core in self.cores.values()]
        spiking = [{(0, n) for n in sample[t]} | {(p, n) for at, p, n in result.spikes if at == t} for t in range(self.steps)]
        walk(cores, self.spec, spiking, (self.signal, self.gains), 1 if result.prediction == label else -1)

    def errors(self, label: int, result: Result) -> None:
        """Section 3: the loss of every step, on the lowest-numbered readout core."""
        last, rule = len(self.spec["populations"]) - 1, self.spec["rule"]
        readout, judge = self.spec["populations"][last], self.receivers[-1][0]
        homes = {(p, n): core for core in self.cores.values() for p, n in ((c.population, c.neuron) for c in core.compartments)}
        self.error = [[0] * readout["size"] for _ in range(self.steps)]
        for t in range(1, self.steps):
            for c in range(readout["size"]):
                if homes[last, c].id != judge:
                    self.mesh.send(Packet("score now", homes[last, c].id, judge, t, t, last, c))
                self.counters["backward", "forward", "softmax_evaluations", t, judge] += 1
                for target in self.receivers[-1]:
                    self.mesh.send(Packet("broadcast now", judge, target, t, t, last, c))
                for p in range(1, last) if rule["source"] in ("dfa", "sdfa") else ():
                    for target in self.receivers[p - 1]:
                        self.mesh.send(Packet("broadcast now", judge, target, t, t, last, c))
            self.mesh.arrivals(t)
            q, _ = self.numerics.softmax([v * rule["sharpness"] for v in result.v[t][last]], label, readout)
            self.error[t] = [self.numerics.injection(x, readout) for x in q]
        if rule["source"] == "label" and self.steps > 1:
            for p in range(1, last):
                for target in self.receivers[p - 1]:
                    self.mesh.send(Packet("broadcast now", judge, target, 1, 1, last, label))
            self.mesh.arrivals(1)

    def local_errors(self, p: int, label: int, result: Result) -> list[list[int]]:
        """A leaky readout of population p, of fixed random weights: every core sends its part to the first, which sends errors back."""
        rule, populations = self.spec["rule"], self.spec["populations"]
        readout, classes = populations[-1], populations[-1]["size"]
        cells = {cell.neuron: (core, cell) for core in self.cores.values() for cell in core.compartments if cell.population == p}
        judge, r, found = cells[0][0], [0] * classes, [[0] * classes]
        for t in range(1, self.steps):
            parts = [0] * classes
            for n in [n for at, q, n in result.spikes if (at, q) == (t - 1, p)]:
                core, cell = cells[n]
                core.count("backward", "forward", "gather_adds", t, classes)
                for c in range(classes):
                    parts[c] += rescale(random_weight(cell.id * classes + c), 7 - readout["fraction"])
            for core in {id(core): core for core, _ in cells.values()}.values():
                for c in range(classes):
                    if core is not judge:
                        self.mesh.send(Packet("score now", core.id, judge.id, t, t, p, c))
                    self.mesh.send(Packet("broadcast now", judge.id, core.id, t, t, p, c))
            self.mesh.arrivals(t)
            for c in range(classes):
                if r[c] != 0:
                    judge.count("backward", "forward", "trace_decays", t)
                r[c] = saturate(faded(r[c], readout["decay"], "truncate", 0) + parts[c], readout["v_bits"])
                judge.count("backward", "forward", "softmax_evaluations", t)
            q, _ = self.numerics.softmax([v * rule["sharpness"] for v in r], label, readout)
            found.append([self.numerics.injection(x, readout) for x in q])
        return found

    def loud(self, x: int, p: int) -> int:
        return x if abs(x) > self.spec["rule"]["threshold"][p] else 0

    def signals(self, label: int, result: Result) -> None:
        """Section 3: the learning signal of every neuron that needs one, from the readout down."""
        rule, populations = self.spec["rule"], self.spec["populations"]
        last = len(populations) - 1
        self.gains = {(t, p, n): self.spec["lut"][code] for t, p, n, code in result.active_log}
        self.signal = [{(last, c): self.loud(g, last) for c, g in enumerate(errors)} for errors in self.error]
        self.past = [[] for _ in populations]
        if rule["source"] == "sym-trace":
            self.past[last] = self.sum_past(last, self.error)
        for p in range(last - 1, 0, -1):
            for t in range(1, self.steps):
                for n in range(populations[p]["size"]):
                    active = (t, p, n) in self.gains
                    if not (active or rule["everywhere"]):
                        continue
                    late = t + rule["ahead"]
                    if rule["source"] == "none" or (late >= self.steps and rule["source"] != "label"):
                        found = 0
                    elif rule["source"] in PULLED or (rule["source"] == "deferred" and p == last - 1):
                        found = self.pulled(late, p, n, active)
                    else:
                        found = self.broadcast(late, p, n, label)
                    self.signal[t][p, n] = self.loud(found, p)
            if rule["source"] == "sym-trace":
                self.past[p] = self.sum_past(p)

    def sum_past(self, p: int, errors: list | None = None) -> list[list[int]]:
        """Decaying sums of the errors ds of population p, [t][neuron]; errors: those of the classes."""
        own, cells = self.spec["populations"][p], {}
        for core in self.cores.values():
            cells |= {cell.neuron: (core, cell) for cell in core.compartments if cell.population == p}
        found = [[0] * own["size"]]
        for t in range(1, self.steps):
            row = []
            for n, before in enumerate(found[-1]):
                core, cell = cells[n]
                if before != 0:
                    core.count("backward", "forward", "trace_decays", t)
                ds = errors[t][n] if errors else self.source(t, cell) or 0
                row.append(self.numerics.clip_delta(faded(before, own["decay"], "truncate", 0) + ds))
            found.append(row)
        return found

    def pulled(self, t: int, p: int, n: int, active: bool) -> int:
        """Ask every core of the next population for its part of the error; an active neuron gets each in a packet."""
        projection, total = self.spec["projections"][p], 0
        home = next(c.id for c in self.cores.values() for cell in c.compartments if (cell.population, cell.neuron) == (p, n))
        for core in (self.cores[c] for c in self.receivers[p]):
            row = core.rows[p, n]
            if active:
                core.count("backward", self.stage, "rows_gathered", t)
                core.count("backward", self.stage, "words_read", t, row.words)
                self.mesh.send(Packet("error" + self.packet, core.id, home, t, t, p, n))
            for target, w, synapse in zip(row.targets, row.weights, row.synapses, strict=True):
                ds = self.source(t, target)
                if self.past[target.population]:
                    ds = self.past[target.population][t][target.neuron] or None
                if ds is not None:
                    core.count("backward", self.stage, "gather_adds", t)
                    weight = random_weight(synapse) if self.spec["rule"]["source"] == "fa" else w
                    total += weight * ds
        self.mesh.arrivals(t)
        pre, post = self.spec["populations"][p], self.spec["populations"][p + 1]
        return self.numerics.clip_delta(rescale(total, projection["fraction"] + post["delta_fraction"] - pre["delta_fraction"]))

    def source(self, t: int, target) -> int | None:
        """Return ds of a neuron at t: the error of a class, or gain x signal of an active neuron; None: it has none."""
        if target.population == len(self.spec["populations"]) - 1:
            return self.error[t][target.neuron]
        gain = self.gains.get((t, target.population, target.neuron))
        return None if gain is None else rescale(self.signal[t][target.population, target.neuron] * gain, 8)

    def broadcast(self, t: int, p: int, n: int, label: int) -> int:
        """Return the signal of a neuron through fixed random weights."""
        populations, rule = self.spec["populations"], self.spec["rule"]
        core, cell = next(
            (c, cell) for c in self.cores.values() for cell in c.compartments if (cell.population, cell.neuron) == (p, n)
        )
        classes, fd, fd_readout = populations[-1]["size"], populations[p]["delta_fraction"], populations[-1]["delta_fraction"]
        b = [random_weight(cell.id * classes + c) for c in range(classes)]
        if rule["source"] == "label":
            return rescale(sum(b) // classes - b[label], 7 - fd)
        core.count("backward", self.stage, "gather_adds", t, classes)
        errors = self.local[p][t] if rule["source"] == "local" else self.error[t]
        if rule["source"] == "sdfa":
            errors = [((e > 0) - (e < 0)) << fd_readout for e in errors]
        return saturate(
            rescale(sum(x * e for x, e in zip(b, errors, strict=True)), 7 + fd_readout - fd), self.spec["bits"]["delta"]
        )
