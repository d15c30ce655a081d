"""One pass over the data: batch 1 with on-chip writes (fixed), or mini-batches of the float reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.events import Events
from chipsim.learning.writes import write_weights
from chipsim.network import Schedule
from chipsim.simulator.engine import copy_of
from chipsim.threads import workers
from chipsim.training.learner import Learner, check_finite
from chipsim.training.optimise import STEPS, count_update
from chipsim.training.tally import Tally
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
        self.update = start_update(image, image.weights, schedule)

    def train(
        self, weights: np.ndarray, events: Events, labels: np.ndarray, order: np.ndarray, run: int, tally: Tally, report: Report
    ) -> Seen:
        """Train on the samples in `order`; `run`: number of the pass. Weights change in place."""
        image, learner, engine = self.image, self.learner, self.learner.engine
        log, how = events.spikes(np.dtype(np.int64)), self.update._replace(shift=write_shifts(image, self.schedule, run))
        loss, right = 0.0, 0
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
            tally.add(engine.work.activity, tally.copy_of(engine.work.spikes))
            report(done + 1)
        return loss, right


class BatchPass:
    """Mini-batches in float: chunks of samples in parallel threads, reduced in a fixed order, then one optimiser step."""

    def __init__(self, image: ChipImage, schedule: Schedule, threads: int):
        self.image, self.schedule, self.threads = image, schedule, threads
        self.learners = [Learner(image) for _ in range(-(-schedule.batch // CHUNK))]
        self.gradients = [np.zeros(len(image.weights), dtype=image.weights.dtype) for _ in self.learners]
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
                for n, (chunk_loss, chunk_right, peak, kept) in enumerate(found):
                    loss, right, tally.peak_log = loss + chunk_loss, right + chunk_right, max(tally.peak_log, peak)
                    if n == len(found) - 1:
                        kept[-1] = copy_of(self.learners[n].engine.work.activity), kept[-1][1]
                    for activity, spikes in kept:
                        tally.add(activity, spikes)
                report(at + len(batch))
        return loss, right

    def chunk(
        self, n: int, samples: np.ndarray, weights: np.ndarray, events: Events, log, labels: np.ndarray, tally: Tally
    ) -> tuple[float, int, int, list]:
        """Run and replay some samples with learner n; return loss, right predictions, fullest log and their activities."""
        learner, gradient = self.learners[n], self.gradients[n]
        gradient[:] = 0
        loss, right, peak, kept = 0.0, 0, 0, []
        for b in samples:
            learner.engine.forward(weights, events.of_sample(log, b))
            peak = max(peak, learner.engine.check_logs(int(b)))
            tally.meet(learner.engine.work.spikes)
            learner.backward(weights, gradient, labels[b])
            loss, right = loss + learner.loss(labels[b]), right + (learner.engine.predicted() == labels[b])
            kept.append((copy_of(learner.engine.work.activity), tally.copy_of(learner.engine.work.spikes)))
        return loss, right, peak, kept

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
