"""chipsim's own training step: every sample forward with its loss, then replayed; samples shared out to threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import chipsim as cs
from chipsim.bench.roofline import rates
from chipsim.bench.training import network_of
from chipsim.compiler import compile_network
from chipsim.training.learner import Learner


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
        self.chunks = np.array_split(np.arange(case.batch), threads)

    def step(self):
        """Run one step; return CPU and wall seconds of forward and of backward (wall: mean over the threads)."""
        if self.threads == 1:
            return self.part(0)
        began = time.perf_counter()
        parts = np.array(list(self.pool.map(self.part, range(self.threads))))
        start = (time.thread_time(), time.perf_counter())
        for other in self.sums[1:]:
            self.sums[0] += other
        cpu, wall = parts[:, ::2].sum(axis=0), parts[:, 1::2].mean(axis=0)
        wall *= (start[1] - began) / wall.sum()
        cpu[1] += time.thread_time() - start[0]
        wall[1] += time.perf_counter() - start[1]
        return [float(x) for x in (cpu[0], wall[0], cpu[1], wall[1])]

    def part(self, n):
        """Run the samples of thread n."""
        learner, gradient, weights, labels = self.learners[n], self.sums[n], self.image.weights, self.case.labels
        spent, loss, marks = [0.0] * 4, 0.0, []
        marks = (time.thread_time(), time.perf_counter())
        gradient[:] = 0
        spent[2:] = time.thread_time() - marks[0], time.perf_counter() - marks[1]
        for b in self.chunks[n].tolist():
            first = (time.thread_time(), time.perf_counter())
            learner.engine.forward(weights, self.events.of_sample(self.log, b), (1, b, 0))
            loss += learner.loss(labels[b])
            second = (time.thread_time(), time.perf_counter())
            learner.backward(weights, gradient, labels[b])
            third = (time.thread_time(), time.perf_counter())
            for k in range(2):
                spent[k] += second[k] - first[k]
                spent[2 + k] += third[k] - second[k]
        self.losses[n] = loss
        return spent

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
        return int(found + sum(bytes_of(learner.engine.work) for learner in self.learners))

    def rates(self):
        """Return the rates of the roofline on matrices of these sizes."""
        return rates([w.shape for w in self.case.weights[:2]])


def bytes_of(value):
    """Return the bytes of all arrays in nested tuples."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    return sum(bytes_of(part) for part in value) if isinstance(value, tuple) else 0
