"""A chip whose rule walks its logs forward a second time, when the class scores are known: docs/online.md section 6."""

from __future__ import annotations

from refchip import Result
from refmesh import HOST, Packet
from refnumbers import rescale
from refonline import OnlineChip
from refreplay import LearningCore


class DeferredCore(LearningCore):
    """A core that logs as one that replays does; only neurons next to the readout say that they are active and silent."""

    def send(self, t: int) -> None:
        for cell in self.compartments if t <= self.steps - 2 else ():
            asks = self.learning and cell.active and cell.population == len(self.populations) - 2
            for k, projection in enumerate(self.projections):
                if projection["pre"] == cell.population and (cell.spiked or asks):
                    kind = "spike" if cell.spiked else "mark"
                    for target in self.receivers[k]:
                        self.mesh.send(Packet(kind, self.id, target, t, t + 1, k, cell.neuron, active=cell.active))


class DeferredChip(OnlineChip):
    """Cores on a mesh, with a rule of source `deferred`; the spec has "kappa", 12-bit words for 0 .. T - 1 steps."""

    core_kind, stage, packet = DeferredCore, "replay", ""

    def learn(self, sample: list[list[int]], label: int, result: Result) -> None:
        for t in range(1, self.steps):
            self.counters["backward", "replay", "barriers", t, HOST] += 1
            for core in self.cores.values():
                read = sum(r.t == t for r in core.active_log) + sum(r.t == t - 1 for r in core.spike_log)
                core.count("backward", "replay", "log_reads", t, read)
        super().learn(sample, label, result)

    def errors(self, label: int, result: Result) -> None:
        """The loss of the scores; from it, in closed form, what the error of a class does from every step on."""
        last, at = len(self.spec["populations"]) - 1, self.steps - 1
        readout, kappa = self.spec["populations"][last], self.spec["kappa"]
        self.tell(last, at, readout["size"])
        result.q, _ = self.numerics.softmax(result.scores, label, readout)
        self.error = [[0] * readout["size"] for _ in range(self.steps)]
        for t in range(1, self.steps):
            for c, q in enumerate(result.q):
                left = (at if self.spec["readout"] == "sum" else result.t_star[c]) - t
                if left >= 0:
                    self.error[t][c] = rescale(rescale(q * kappa[left], 12), 14 - readout["delta_fraction"])

    def tell(self, last: int, at: int, classes: int) -> None:
        """Send the scores to the loss core and its errors to the cores that use them."""
        judge = self.receivers[-1][0]
        for core in self.cores.values():
            for cell in core.compartments:
                if cell.population == last and core.id != judge:
                    self.mesh.send(Packet("score", core.id, judge, at, at, last, cell.neuron))
        for c in range(classes):
            self.counters["backward", "replay", "softmax_evaluations", at, judge] += 1
            for target in self.receivers[-1]:
                self.mesh.send(Packet("broadcast", judge, target, at, at, last, c))
            for p in range(1, last - 1):  # further away: q, and with a maximum also its step
                for target in self.receivers[p - 1]:
                    for _ in range(1 if self.spec["readout"] == "sum" else 2):
                        self.mesh.send(Packet("broadcast", judge, target, at, at, last, c))
        self.mesh.arrivals(at)
