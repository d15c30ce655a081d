"""chipsim's batch-1 training on the chip by one rule: forward, learning, weight writes and every count per core, sample after sample."""

from __future__ import annotations

import os
import time

import numpy as np

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.hardware import load_chip
from chipsim.training.job import prepare
from chipsim.training.recording import Recording
from chipsim.training.tally import Tally
from chipsim.training.trainer import make_teacher

CHIP = "loihi1-ssgd"
ROOM = {"limits.log_words_per_core.value": 100_000, "limits.learning_bits_per_core.value": 10**8}  # for rules that log much
SEED = 1


class Subject:
    """rule: a name of `chipsim rules`. Every call starts from the same weights."""

    def __init__(self, folder, rule):
        stored = np.load(os.path.join(folder, "rules.npz"))
        shape = (int(stored["steps"]), len(stored["labels"]), int(stored["units"]))
        events = cs.Events(stored["t"], stored["sample"], stored["unit"], shape)
        network = cs.ssgd_network(shape[2], tuple(stored["hidden"].tolist()), 10, shape[0], surrogate="box", readout="sum")
        data = (events, stored["labels"], events, stored["labels"])
        self.job = prepare(network, load_chip(CHIP, ROOM), data, rule, "fixed", SEED, 1, None, 1, False)
        self.image = compile_network(self.job.network, self.job.chip, numerics="fixed", seed=SEED)
        self.schedule = make_teacher(self.job, self.image).schedule

    def train(self, samples):
        """Train on the first samples; return the weights, the tally, and wall and CPU seconds."""
        job, weights = self.job, self.image.weights.copy()
        teacher = make_teacher(job.__class__(**{**vars(job), "schedule": self.schedule}), self.image)
        tally, order = Tally(self.image, True, Recording()), np.arange(samples)
        marks = [(time.perf_counter(), time.process_time())]
        teacher.train(weights, job.examples.train, job.examples.train_labels, order, 0, tally, lambda done: None)
        tally.close()
        marks.append((time.perf_counter(), time.process_time()))
        return weights, tally, teacher, [b - a for a, b in zip(*marks, strict=True)]

    def first(self, samples):
        """Train twice; return how many weights differ, which must be none, how many have changed, and seconds per sample."""
        one, two = self.train(samples), self.train(samples)
        return {"weights_that_differ": int((one[0] != two[0]).sum()), "weights_changed": int((one[0] != self.image.weights).sum()),
                "wall_s": two[3][0] / samples}  # fmt: skip

    def run(self, samples):
        """Time training on so many samples, and then their forward passes alone; return both and the events."""
        weights, tally, teacher, (wall, cpu) = self.train(samples)
        engine, events = teacher.learner.engine, self.job.examples.train
        log, began = events.spikes(np.dtype(np.int64)), time.process_time()
        for b in range(samples):
            engine.forward(weights, events.of_sample(log, b), (SEED, b, 0))
        forward = time.process_time() - began
        spikes, active, _ = tally.events.sum(axis=1).tolist()
        return {"samples": samples, "wall_s": wall, "cpu_s": cpu, "forward_cpu_s": forward, "spikes": spikes, "active": active}
