"""One core of the reference chip in the backward and update phases: docs/semantics.md sections 5 and 6."""

from __future__ import annotations

from refcore import Core, Row, SpikeRecord
from refmesh import Packet
from refwrites import Writer


class LearningCore(Core):
    """A core with replay and weight write."""

    def book(self, event: str, step: int, amount: int = 1) -> None:
        self.count("backward", "replay", event, step, amount)

    def take_error(self, packet: Packet) -> None:
        """Add a partial error to the sum of its home compartment, at full width."""
        pre = self.projections[packet.index]["pre"]
        cell = next(c for c in self.compartments if (c.population, c.neuron) == (pre, packet.neuron))
        cell.partial += packet.value

    def evaluate(self, t: int) -> None:
        """Make delta[t-1] out of delta[t] (section 5 a)."""
        codes = {}
        for record in self.active_log:
            if record.t == t:
                self.book("log_reads", t)
                codes[record.population, record.neuron] = record.code
        for cell in self.compartments:
            pop = self.populations[cell.population]
            if cell.delta != 0:
                self.book("trace_decays", t)
            source = 0
            if pop["kind"] == "leaky-readout":
                if self.spec["readout"] == "sum" or t == cell.best:
                    self.book("error_updates", t)
                    source = cell.injection
            elif (cell.population, cell.neuron) in codes:
                self.book("evaluations", t)
                source = self.numerics.source(codes[cell.population, cell.neuron], self.error(cell))
            cell.partial = 0
            cell.delta = self.numerics.clip_delta(self.numerics.decay(cell.delta, pop) + source)

    def error(self, cell) -> float:
        """Return sat(eps + reg) of an active hidden neuron, eps from all partial errors that arrived (section 5 c)."""
        projection = next(p for p in self.projections if p["pre"] == cell.population)
        pre, post = self.populations[projection["pre"]], self.populations[projection["post"]]
        return self.numerics.clip_delta(self.numerics.error(cell.partial, pre, projection, post) + cell.penalty)

    def walk_log(self, t: int) -> None:
        """Read the spike-log records of t-1 in order: add rows of spikes, gather errors of active neurons (section 5 b)."""
        for record in sorted(self.spike_log):
            if record.t != t - 1:
                continue
            self.book("log_reads", t)
            row = self.rows[record.projection, record.neuron]
            if record.active or (record.spiked and any(target.delta != 0 for target in row.targets)):
                self.book("rows_read", t)
                self.book("words_read", t, row.words)
            else:
                self.book("rows_skipped", t)
            if record.spiked:
                self.add_row(row, t)
            if record.active:
                self.gather(record, row, t)

    def add_row(self, row: Row, t: int) -> None:
        for n, target in enumerate(row.targets):
            if target.delta != 0:
                row.gradients[n] = self.numerics.clip_accumulator(row.gradients[n] + target.delta)
                row.dirty = True
                self.book("row_adds", t)

    def gather(self, record: SpikeRecord, row: Row, t: int) -> None:
        self.book("rows_gathered", t)
        partial = 0
        for target, w in zip(row.targets, row.weights, strict=True):
            if target.delta != 0:
                partial += w * target.delta
                self.book("gather_adds", t)
        home = self.homes[self.projections[record.projection]["pre"], record.neuron]
        self.mesh.send(Packet("error", self.id, home, t, t - 1, record.projection, record.neuron, value=partial))

    def update(self, sample: int, pass_index: int) -> None:
        """Write the weights of dirty rows (section 6), by a policy without state."""
        writer = Writer(self.spec)
        if self.rows:
            self.count("update", "replay", "epochs", 0)
        for (k, _), row in self.rows.items():
            self.count("update", "replay", "visits" if row.dirty else "visits_skipped", 0, row.words)
            done = sum(gradient != 0 for gradient in row.gradients) if row.dirty else 0
            self.count("update", "replay", "evaluations_skipped", 0, len(row.gradients) - done)
            if not row.dirty:
                continue
            projection = self.projections[k]
            fraction = projection.get("gradient_fraction", self.populations[projection["post"]]["delta_fraction"])
            shift = fraction + projection["lr_shift"] - projection["fraction"]
            for n, gradient in enumerate(row.gradients):
                if gradient != 0:
                    self.count("update", "replay", "evaluations", 0)
                    self.count("update", "replay", "random_draws", 0, writer.draws)
                    w = writer.move(row.synapses[n], row.weights[n], gradient, shift, (sample, pass_index, 0))
                    self.count("update", "replay", "writes", 0, w != row.weights[n])
                    self.count("update", "replay", "writes_skipped", 0, w == row.weights[n])
                    row.weights[n] = w
