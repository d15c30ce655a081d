"""chipsim's own step of workload B: fixed point on Loihi's mesh, then every count per core and step."""

from __future__ import annotations

import os
import time

import numpy as np

from chipsim.bench.listed import image_of, rows_of
from chipsim.bench.ring import Ring
from chipsim.cost import price_energy
from chipsim.counters import ROW, Counters, empty
from chipsim.events import Events
from chipsim.simulator.account import book
from chipsim.simulator.engine import Block, Engine
from chipsim.simulator.fans import Ways

ARRIVALS = ("synops", "packets_in", "words_read")


class Subject:
    """steps: per call of `run`. cores: over which the neurons are spread equally. Every call starts anew."""

    def __init__(self, folder, steps, cores=128):
        stored = np.load(os.path.join(folder, "ring.npz"))
        self.steps = (
            steps + 1
        )  # index 0 is before the first step of the others: the bias of index 1 is taken off the start voltage
        rows = rows_of(Ring(stored["targets"], stored["weights"], stored["start"]))
        self.image = image_of(rows, self.steps, cores)
        self.neurons = n = len(self.image.circuit.group_of) // 2
        self.engine, self.ways = Engine(self.image, scattered=self.image.scattered), Ways(self.image)
        nothing, everyone = np.zeros(0, dtype=np.int64), np.arange(n)
        self.counters = empty(self.steps, self.image.routes.cores)
        self.inputs = {True: self.log(np.zeros(n, dtype=np.int64), everyone), False: self.log(nothing, nothing)}

    def log(self, t, unit):
        """Return input spikes."""
        events = Events(t, np.zeros_like(t), unit, (self.steps, 1, self.neurons))
        return events.of_sample(events.spikes(np.dtype(np.int64)), 0)

    def once(self, started=True):
        """Run all steps and add their counts to `counters`; return wall and CPU seconds of stepping and of accounting."""
        marks = [now()]
        self.engine.forward(self.image.weights, self.inputs[started])
        marks.append(now())
        block = Block()
        block.keep(self.engine.work.activity, self.engine.events())
        book(self.image, block.take(), learned=False, ways=self.ways).add_to(self.counters.counts[0])
        marks.append(now())
        return [[b - a for a, b in zip(*pair, strict=True)] for pair in (marks[:2], marks[1:])]

    def fresh(self, started=True):
        """Run all steps; return their counts alone."""
        self.counters.counts[:] = 0
        self.once(started)
        return self.counters

    def run(self):
        """Time all steps, with and without accounting."""
        (wall, cpu), (more_wall, more_cpu) = self.once()
        return {
            "steps": self.steps - 1,
            "wall_s": wall + more_wall,
            "cpu_s": cpu + more_cpu,
            "bare_wall_s": wall,
            "bare_cpu_s": cpu,
        }

    def first(self, path):
        """Run once; write spikes per neuron and voltages, and what is counted."""
        counters = self.fresh()
        self.write(path)
        fired = int(self.engine.work.spikes.start[-1] - self.neurons)
        last = int(np.diff(self.engine.work.spikes.start[-2:])[0])
        synops = int(counters.of("forward", "synops").sum())
        spikes = int(counters.of("forward", "spikes").sum())
        return {"steps": self.steps - 1, "spikes": fired, "sent": fired - last, "synops": synops, "counted_spikes": spikes}

    def write(self, path):
        """Write spikes per neuron and voltages of the last run."""
        log, lo = self.engine.work.spikes, self.image.circuit.lo[1]
        counts = np.bincount(log.unit[: log.start[-1]], minlength=self.image.circuit.hi[1])[lo:]
        np.savez(path, counts=counts, v=self.engine.work.membranes.cells.state[0, lo:] // 64)

    def in_phase(self, steps):
        """Run without start voltages, as SANA-FE must; return energy in J and counts of what so many steps send, arrivals included."""
        counts = self.fresh(started=False).total().counts
        part = counts[None, :, :steps].copy()
        for event in ARRIVALS:  # here they are counted in the step in which they arrive
            row = ROW["forward", "forward", event]
            part[0, row, -1] += counts[row, steps]
        counters = Counters(part, self.image.routes.cores)
        energy = price_energy(counters, self.image.chip, None, self.image.cores_used).forward_j
        return {"energy_j": energy, **{name: int(counters.of("forward", name).sum()) for name in ("synops", "packets")}}


def now():
    """Return wall and process CPU seconds."""
    return time.perf_counter(), time.process_time()
