"""Rules written as hooks against the same rule written as a kernel by hand, and the start of a second process.

    python benchmarks/rules.py

Equality first: a rule in a user's file, ssgd-online as shipped and a kernel written for it alone give the same accumulators on every
sample. Then the time of learning (signals and loops, without the forward pass), as ratios of one run; and the CPU time between the
imports and the first trained sample, in a process of its own after another has compiled.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.kernels._jit import entry, inner
from chipsim.kernels.fixed import rescale, saturate, wide
from chipsim.learning.online.signals import Net, signals
from chipsim.learning.online.state import FIRST_EVENT
from chipsim.learning.online.traces import advance_pre, start
from chipsim.training.examples import load_examples
from chipsim.training.learner import Learner

SAMPLES, ROUNDS = 300, 7
USER = '''import chipsim as cs


@cs.rule
class Mine:
    """Online SSGD once more, in a file of one's own."""

    x = cs.PreTrace(tau="post", bits=12, frac=8)
    psi = cs.Active()
    L = cs.Learn("sym", align="next")

    def dw_on_active(x, psi, L):
        return -x * cs.times(psi, L)

    def dw_on_readout(x, L):
        return -x * L
'''
SECOND = """
import sys, time
import chipsim as cs
from chipsim import api
from chipsim.training import trainer
import chipsim.learning.online.generate, chipsim.training.online, chipsim.learning.writes
imported = time.process_time()
cs.train("digits", "loihi1-ssgd", rule=sys.argv[1], passes=1, samples=20)
print(time.process_time() - imported)
"""


@inner
def listed(t, k, last, circuit, work, walk):
    """List who learns at step t on projection k, with ds; return how many."""
    q, count = circuit.post[k], 0
    lo, at = circuit.lo[q], t * len(circuit.lo) + q
    if last:
        for n in range(lo, circuit.hi[q]):
            if walk.signal[t, n] != 0:
                walk.unit[count], walk.error[count] = n - lo, walk.signal[t, n]
                count += 1
        return count
    for r in range(work.active.start[at], work.active.start[at + 1]):
        n = work.active.unit[r]
        if walk.signal[t, n] != 0:
            walk.unit[count] = n - lo
            walk.error[count] = rescale(wide(work.active.gain[r]) * wide(walk.signal[t, n]), 8)
            count += 1
    return count


@entry
def by_hand(steps, circuit, wires, setup, weights, gradient, work, walk):
    """Run ssgd-online as its author would have written it without hooks."""
    start(walk)
    address = (work.membranes.cells.address[0], work.membranes.cells.address[1], work.membranes.cells.address[2])
    for t in range(steps):
        for k in range(len(circuit.pre)):
            q, first = circuit.post[k], setup.first[k]
            lo, width = circuit.lo[q], circuit.hi[q] - circuit.lo[q]
            low, slices = circuit.first_slice[q], circuit.first_slice[q + 1] - circuit.first_slice[q]
            last = q == len(circuit.lo) - 1
            count = listed(t, k, last, circuit, work, walk) if t > 0 else 0
            for v in range(walk.count[k]):
                i = walk.live[first + v]
                row, mark, x = circuit.offset[k] + i * width, circuit.rows[k] + i * slices - low, wide(walk.pre[0, first + i])
                for e in range(count):
                    n = row + walk.unit[e]
                    dw = rescale(-x * wide(walk.error[e]), setup.shift[1 if last else 0, k])
                    gradient[n] = saturate(wide(gradient[n]) - dw, circuit.acc_bits)
                    work.errors.dirty[mark + circuit.slice_of[lo + walk.unit[e]]] = True
            for e in range(count):
                walk.counts[FIRST_EVENT if last else FIRST_EVENT + 1, t, circuit.slice_of[lo + walk.unit[e]]] += walk.count[k]
            advance_pre(t, k, circuit, wires, setup, walk, work.spikes, address)


def prepared(rule: str, numerics: str):
    """Return a learner of the digits, their events and labels."""
    network, chip = cs.load_model("digits"), cs.load_chip("loihi1-ssgd")
    network = network.but(learning={**network.learning.model_dump(), "rule": rule})
    examples = load_examples(network, None, SAMPLES)
    return Learner(compile_network(network, chip, numerics=numerics)), examples.train, examples.train_labels


def learned(learner, events, labels, learn=None) -> tuple[list[np.ndarray], float]:
    """Return the accumulators after every sample, and the seconds that learning took."""
    log, found, spent = events.spikes(learner.image.circuit.rules.constants.dtype), [], 0.0
    weights, way = learner.image.weights, learner.way
    learn = learn or way.learn
    for b in range(SAMPLES):
        gradient = np.zeros(len(weights), dtype=learner.image.circuit.rules.constants.dtype)
        learner.engine.forward(weights, events.of_sample(log, b), (1, b, 0))
        learner.backward(weights, np.zeros_like(gradient), labels[b])
        net = Net(way.how, learner.image.circuit, learner.image.wires, way.setup, weights)
        before = time.perf_counter()
        signals(labels[b], net, way.work, way.walk)
        learn(learner.image.steps, learner.image.circuit, learner.image.wires, way.setup, weights, gradient, way.work, way.walk)
        spent += time.perf_counter() - before
        found.append(gradient)
    return found, spent


def main() -> None:
    """Compare, then time."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mine.py"
        file.write_text(USER)
        for numerics in ("fixed", "float32"):
            shipped, mine = prepared("ssgd-online", numerics), prepared(f"{file}:Mine", numerics)
            ways = {"by hand": (*shipped, by_hand), "shipped": shipped, "user's file": mine}
            results = {name: learned(*way)[0] for name, way in ways.items()}
            for name, found in results.items():
                assert all(np.array_equal(a, b) for a, b in zip(found, results["by hand"], strict=True)), f"{name} differs"
            rounds = [{name: learned(*way)[1] for name, way in ways.items()} for _ in range(ROUNDS)]  # interleaved
            times = {name: min(each[name] for each in rounds) for name in ways}
            ratios = ", ".join(f"{name} {t / times['by hand']:.2f}" for name, t in times.items())
            print(f"{numerics}: equal on {SAMPLES} samples; time of learning, by hand = 1: {ratios}")
        for rule in ("ssgd-online", f"{file}:Mine"):
            spent = [float(subprocess.check_output([sys.executable, "-c", SECOND, rule])) for _ in range(3)]
            name = rule.rpartition("/")[2]
            print(f"second process, {name}: {min(spent[1:]):.2f} s of CPU time after the imports, for 20 samples and a test")


if __name__ == "__main__":
    main()
