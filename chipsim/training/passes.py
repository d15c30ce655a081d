"""One pass over the data: batch 1 with on-chip writes (fixed), or mini-batches of the float reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.events import Events
from chipsim.learning.writes import How, write_weights
from chipsim.network import Schedule
from chipsim.simulator.engine import flat_of
from chipsim.simulator.samples import Chosen
from chipsim.state import SpikeLog
from chipsim.threads import workers
from chipsim.training.learner import Learner, check_finite
from chipsim.training.optimise import STEPS, count_update
from chipsim.training.tally import Tally
from chipsim.training.together import AT_ONCE, replays_plainly
from chipsim.training.update import start_update, write_shifts

CHUNK = 8  # samples summed in one go; fixed, so that results do not depend on the number of threads

Seen = tuple[float, int]  # loss, right predictions
Report = Callable[[int], None]  # called with the samples done so far


class ChipPass:
    """Batch 1 on the chip: forward, replay, write, sample after sample, all in integers. Starts from the weights of the image."""

    def __init__(self, image: ChipImage, schedule: Schedule, seed: int):
        self.image, self.schedule, self.seed = image, schedule, seed
        self.learner = Learner(image)
        self.gradient = np.zeros(len(image.weights), dtype=np.int64)
        self.together = self.learner.together() if replays_plainly(image) else None
        self.update = start_update(image, image.weights, schedule)

    def train(
        self, weights: np.ndarray, events: Events, labels: np.ndarray, order: np.ndarray, run: int, tally: Tally, report: Report
    ) -> Seen:
        """Train on the samples in `order`; `run`: number of the pass. Weights change in place."""
        if self.together is None or tally.packets is not None:
            return self.one_by_one(weights, events, labels, order, run, tally, report)
        log, how = events.spikes(np.dtype(np.int64)), self.how(run)
        loss, right = 0.0, 0
        for at in range(0, len(order), AT_ONCE):
            which = order[at : at + AT_ONCE]
            out = self.together.write(weights, self.gradient, Chosen(which, labels[which], log, self.seed, run), how)
            loss = sum(self.together.cross_entropies(out, labels[which]).tolist(), loss)
            right += int((out.scores.argmax(axis=1) == labels[which]).sum())
            tally.peak_log = max(tally.peak_log, self.together.peak_log(out, which))
            tally.spiked |= out.spiked
            for done, row in enumerate(out.activity, start=at + 1):
                tally.add(row, self.learner.engine.work.activity, None)
                report(done)
        return loss, right

    def how(self, run: int) -> How:
        """Return the update of a pass."""
        return self.update._replace(shift=write_shifts(self.image, self.schedule, run))

    def one_by_one(
        self, weights: np.ndarray, events: Events, labels: np.ndarray, order: np.ndarray, run: int, tally: Tally, report: Report
    ) -> Seen:
        """As `train`, for rules that need a look at every sample, and where the time needs its spikes."""
        image, learner, engine = self.image, self.learner, self.learner.engine
        log, how, loss, right = events.spikes(np.dtype(np.int64)), self.how(run), 0.0, 0
        for done, b in enumerate(order):
            engine.forward(weights, events.of_sample(log, b), (self.seed, int(b), run))
            tally.peak_log = max(tally.peak_log, engine.check_logs(int(b)))
            tally.meet(engine.work.spikes)
            address = np.array([self.seed, b, run], dtype=np.int64)
            if image.network.learning.apply == "inplace":
                learner.write_inplace(weights, labels[b], how, address)
            else:
                learner.backward(weights, self.gradient, labels[b])
                write_weights(image.circuit, image.wires, weights, self.gradient, how, address, engine.work)
                learner.follow(weights)
            loss, right = loss + learner.loss(labels[b]), right + (engine.predicted() == labels[b])
            tally.add(flat_of(engine.work.activity), engine.work.activity, tally.copy_of(engine.work.spikes))
            report(done + 1)
        return loss, right


class Part(NamedTuple):
    """What some samples of a batch gave."""

    loss: float
    right: int
    peak: int  # words of the fullest log
    activity: np.ndarray  # [M, entries] int64, overwritten by the next batch
    spikes: list[SpikeLog | None]  # of each sample, where the time needs them


class BatchPass:
    """Mini-batches in float: chunks of samples in parallel threads, reduced in a fixed order, then one optimiser step."""

    def __init__(self, image: ChipImage, schedule: Schedule, threads: int):
        self.image, self.schedule, self.threads = image, schedule, threads
        self.learners = [Learner(image) for _ in range(-(-schedule.batch // CHUNK))]
        self.gradients = [np.zeros(len(image.weights), dtype=image.weights.dtype) for _ in self.learners]
        self.together = [x.together() if replays_plainly(image) else None for x in self.learners]
        self.optimiser = STEPS[schedule.optimiser](image, schedule)

    def train(
        self, weights: np.ndarray, events: Events, labels: np.ndarray, order: np.ndarray, run: int, tally: Tally, report: Report
    ) -> Seen:
        """Train on the samples in `order`; weights change in place."""
        log, loss, right = events.spikes(weights.dtype), 0.0, 0
        with workers(self.threads) as each:
            for at in range(0, len(order), self.schedule.batch):
                batch = order[at : at + self.schedule.batch]
                chunks = [batch[n : n + CHUNK] for n in range(0, len(batch), CHUNK)]
                found = each(lambda part: self.chunk(*part, weights, events, log, labels, tally), enumerate(chunks))
                self.update(weights, len(batch), len(chunks))
                for n, part in enumerate(found):
                    loss, right, tally.peak_log = loss + part.loss, right + part.right, max(tally.peak_log, part.peak)
                    like = self.learners[n].engine.work.activity
                    if n == len(found) - 1:
                        part.activity[-1] = flat_of(like)
                    for row, spikes in zip(part.activity, part.spikes, strict=True):
                        tally.add(row, like, spikes)
                report(at + len(batch))
        return loss, right

    def chunk(
        self, n: int, samples: np.ndarray, weights: np.ndarray, events: Events, log: SpikeLog, labels: np.ndarray, tally: Tally
    ) -> Part:
        """Run and replay some samples with learner n."""
        gradient, together = self.gradients[n], self.together[n]
        gradient[:] = 0
        if together is None or tally.packets is not None:
            return self.one_by_one(n, samples, weights, events, log, labels, tally)
        out = together.learn(weights, gradient, Chosen(samples, labels[samples], log, 0, 0))
        peak = together.peak_log(out, samples)
        tally.spiked |= out.spiked
        right = (together.scores(out).argmax(axis=1) == labels[samples]).sum()
        return Part(
            sum(together.cross_entropies(out, labels[samples]).tolist()), int(right), peak, out.activity, [None] * len(samples)
        )

    def one_by_one(
        self, n: int, samples: np.ndarray, weights: np.ndarray, events: Events, log: SpikeLog, labels: np.ndarray, tally: Tally
    ) -> Part:
        """As `chunk`, for rules that need a look at every sample, and where the time needs its spikes."""
        learner, rows, spikes = self.learners[n], [], []
        loss, right, peak = 0.0, 0, 0
        for b in samples:
            learner.engine.forward(weights, events.of_sample(log, b))
            peak = max(peak, learner.engine.check_logs(int(b)))
            tally.meet(learner.engine.work.spikes)
            learner.backward(weights, self.gradients[n], labels[b])
            loss, right = loss + learner.loss(labels[b]), right + (learner.engine.predicted() == labels[b])
            rows.append(flat_of(learner.engine.work.activity).copy())
            spikes.append(tally.copy_of(learner.engine.work.spikes))
        return Part(loss, right, peak, np.stack(rows), spikes)

    def update(self, weights: np.ndarray, size: int, chunks: int) -> None:
        """Reduce the gradients of the chunks in order, take one optimiser step, count it on the last sample of the batch."""
        total = self.gradients[0].copy()
        for gradient in self.gradients[1:chunks]:
            total += gradient
        total /= size
        check_finite(total, self.image)
        before = weights.copy()
        self.optimiser.step(weights, total)
        last = self.learners[chunks - 1].engine
        for learner in self.learners[: chunks - 1]:
            last.work.errors.dirty[:] |= learner.engine.work.errors.dirty
            learner.engine.work.errors.dirty[:] = False
        count_update(self.image, last, total, weights != before, self.optimiser.dense)
        for learner in self.learners:
            learner.follow(weights)
