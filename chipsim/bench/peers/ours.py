"""chipsim's own training step: every sample forward with its loss, then replayed; samples shared out to threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import chipsim as cs
from chipsim.bench.roofline import rates
from chipsim.bench.training import network_of
from chipsim.compiler import compile_network
from chipsim.simulator.samples import Chosen
from chipsim.training.learner import Learner
from chipsim.training.together import AT_ONCE


class Subject:
    """numerics: float32, float64 or fixed. Every thread has a learner and gradients of its own, added up in a fixed order."""

    def __init__(self, case, threads, numerics):
        self.case, self.threads = case, threads
        self.image = compile_network(network_of(case, case.tau, case.half_width), None, numerics=numerics)
        self.events = cs.Events(case.t, case.sample, case.unit, (case.steps, case.batch, case.units))
        number = self.image.circuit.rules.constants.dtype
        self.log = self.events.spikes(number)
        self.learners = [Learner(self.image) for _ in range(threads)]
        self.sums = [np.zeros(len(self.image.weights), dtype=number) for _ in range(threads)]
        self.losses = [0.0] * threads
        self.pool = ThreadPoolExecutor(threads)
        self.together = [learner.together() for learner in self.learners]
        parts = np.array_split(np.arange(case.batch), threads)
        self.chunks = [[part[at : at + AT_ONCE] for at in range(0, len(part), AT_ONCE)] for part in parts]

    def step(self):
        """Run one step; return CPU and wall seconds of forward and of backward (wall: mean over the threads)."""
        if self.threads == 1:
            return self.part(0)
        parts = np.array(list(self.pool.map(self.part, range(self.threads))))
        start = (time.thread_time(), time.perf_counter())
        for other in self.sums[1:]:
            self.sums[0] += other
        cpu, wall = parts[:, ::2].sum(axis=0), parts[:, 1::2].mean(axis=0)
        wall *= parts[:, 1::2].sum(axis=1).max() / wall.sum()  # a step lasts as long as its slowest thread
        cpu[1] += time.thread_time() - start[0]
        wall[1] += time.perf_counter() - start[1]
        return [float(x) for x in (cpu[0], wall[0], cpu[1], wall[1])]

    def part(self, n):
        """Run the samples of thread n twice: forward alone, then the step. Backward is what the step takes longer."""
        marks = [now()]
        for which in self.chunks[n]:
            self.together[n].forward(self.image.weights, Chosen(which, self.case.labels[which], self.log, 1, 0))
        marks.append(now())
        gradient, labels = self.sums[n], self.case.labels
        gradient[:] = 0
        loss, together = 0.0, self.together[n]
        for which in self.chunks[n]:
            out = together.learn(self.image.weights, gradient, Chosen(which, labels[which], self.log, 1, 0))
            loss += together.cross_entropies(out, labels[which]).sum()
        marks.append(now())
        self.losses[n] = float(loss)
        forward, step = ([b - a for a, b in zip(*pair, strict=True)] for pair in (marks[:2], marks[1:]))
        return [*forward, step[0] - forward[0], step[1] - forward[1]]

    def loss(self):
        """Return the mean loss of the last step."""
        return sum(self.losses) / self.case.batch

    def gradients(self):
        """Return the mean gradients of the last step, float64."""
        scale = self.image.formats.gradient_scale
        found = self.image.tensors(self.sums[0].astype(np.float64)).values()
        return [g * (scale(k) / self.case.batch) for k, g in enumerate(found)]

    def spikes(self):
        """Return the spikes of the hidden layers, [T, B, H] bool."""
        engine, circuit, steps = self.learners[0].engine, self.image.circuit, self.case.steps
        found = [np.zeros((steps, self.case.batch, circuit.hi[p] - circuit.lo[p]), dtype=np.bool_) for p in (1, 2)]
        for b in range(self.case.batch):
            engine.forward(self.image.weights, self.events.of_sample(self.log, b), (1, b, 0))
            log = engine.work.spikes
            for t in range(steps):
                for p in (1, 2):
                    at = 4 * t + p
                    found[p - 1][t, b, log.unit[log.start[at] : log.start[at + 1]] - circuit.lo[p]] = True
        return found

    def held(self):
        """Return the bytes of the arrays that a step works on: gradients and workspaces, whether touched or not."""
        found = sum(g.nbytes for g in self.sums)
        found += sum(bytes_of(together.outcome) for together in self.together)
        return int(found + sum(bytes_of(learner.engine.work) for learner in self.learners))

    def rates(self):
        """Return the rates of the roofline on matrices of these sizes."""
        return rates([w.shape for w in self.case.weights[:2]])


def now():
    """Return CPU seconds of this thread, and wall seconds."""
    return time.thread_time(), time.perf_counter()


def bytes_of(value):
    """Return the bytes of all arrays in nested tuples."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    return sum(bytes_of(part) for part in value) if isinstance(value, tuple) else 0
