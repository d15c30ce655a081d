"""What it costs to count and price: accounting against the step it accounts for, in one run, sample by sample.

    python benchmarks/accounting.py [--samples N]

A step is what a training sample takes: forward, backward, weight update. Accounting is what the trainer adds: copying the activity,
counts per core and step, link loads, time, the recording for `chipsim cost`. Both are timed around every sample of one loop, in CPU
time of the thread; the figure is the ratio of their sums, the median over rounds. Networks: the digits; one as large as
Fashion-MNIST (784-200-200-10, 100 steps) on random spikes; the same with 1,000 neurons a layer on 33 cores, links timed. Exit code 1 if
one of these ratios is above the aim of 10 %. Beside them, without an aim, the digits cut to cores of 40 neurons: accounting grows with
cores x steps, while the step that is accounted for does not. Written to benchmarks/results/accounting.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.events import as_events
from chipsim.learning.writes import write_weights
from chipsim.network import Schedule
from chipsim.training.examples import load_examples
from chipsim.training.learner import Learner
from chipsim.training.recording import Recording
from chipsim.training.tally import Tally
from chipsim.training.update import start_update

RESULTS = Path(__file__).resolve().parent / "results" / "accounting.json"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "cost-events.md"
MARKS = ("<!-- accounting -->\n", "<!-- /accounting -->")
ROUNDS, LIMIT = 5, 0.10
ROOM, UNBOUNDED = "limits.compartments_per_core.value", "digits on cores of 40 neurons"
ROOMY = {f"limits.{name}.value": 10**9 for name in ("synapse_words_per_core", "sram_bits_per_core", "learning_bits_per_core")}
LINKED = {"network_time": "hottest_link", "limits.log_words_per_core.value": 10**6, **ROOMY}


def digits(samples: int):
    """Return the digits model with its first samples."""
    network = cs.load_model("digits")
    examples = load_examples(network, None, samples)
    return network, examples.train, examples.train_labels


def fashion(samples: int, hidden: int = 200):
    """Return a network of the size of Fashion-MNIST with random spikes, 2 % of the inputs in every step."""
    network = cs.ssgd_network(784, (hidden, hidden), 10, 100, surrogate="box", half_width=0.2, readout="sum")
    dice = np.random.default_rng(1)
    x = (dice.random((100, samples, 784)) < 0.02).astype(float)
    return network, as_events(x, 784, 100), dice.integers(0, 10, samples)


def ratio(network, events, labels, changes) -> dict[str, float]:
    """Train once over all samples; return seconds per sample of steps and of accounting, and their ratio."""
    image = compile_network(network, cs.load_chip("loihi1-ssgd", changes))
    learner, weights = Learner(image), image.weights.copy()
    gradient, tally = np.zeros(len(weights), dtype=np.int64), Tally(image, True, Recording())
    schedule = Schedule(passes=1, batch=1, optimiser="sgd")
    how = start_update(image, weights, schedule)._replace(shift=np.full(len(network.projections), 12, dtype=np.int64))
    log, steps, counting = events.spikes(np.dtype(np.int64)), 0.0, 0.0
    for b, label in enumerate(labels):
        start = time.thread_time()
        learner.engine.forward(weights, events.of_sample(log, b), (1, b, 0))
        learner.backward(weights, gradient, label)
        write_weights(image.circuit, image.wires, weights, gradient, how, np.array([1, b, 0]), learner.engine.work)
        between = time.thread_time()
        tally.add(learner.engine.work.activity, None)
        end = time.thread_time()
        steps, counting = steps + between - start, counting + end - between
    start = time.thread_time()
    tally.close()
    counting += time.thread_time() - start
    n = len(labels)
    return {"step_us": 1e6 * steps / n, "accounting_us": 1e6 * counting / n, "ratio": counting / steps, "cores": image.cores_used}


def table(stored: dict) -> str:
    """Return the stored results as a table."""
    head = "| network | cores | step | accounting | share |\n| --- | --- | --- | --- | --- |\n"
    rows = (
        f"| {name} | {c['cores']} | {c['step_us']:.0f} us | {c['accounting_us']:.0f} us | {c['ratio']:.1%} |\n"
        for name, c in stored["cases"].items()
    )
    return head + "".join(rows)


def put(page: str, stored: dict) -> str:
    """Return the page with the table between its marks."""
    before, _, rest = page.partition(MARKS[0])
    return before + MARKS[0] + table(stored) + MARKS[1] + rest.partition(MARKS[1])[2]


def main() -> None:
    """Measure all networks in turn, round after round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=0, help="of each network; 0: 1000 digits, 200 of the larger network")
    samples = parser.parse_args().samples
    cases = {
        "digits": (*digits(samples or 1000), {}),
        "784-200-200-10, random input": (*fashion(samples or 200), {}),
        "784-1000-1000-10, random input, links timed": (*fashion(samples or 40, 1000), LINKED | {ROOM: 64}),
        UNBOUNDED: (*digits(samples or 1000), {ROOM: 40}),
    }
    for network, events, labels, changes in cases.values():  # compile first
        ratio(network, events, labels[:5], changes)
    rounds = [{name: ratio(*case) for name, case in cases.items()} for _ in range(ROUNDS)]
    found = {}
    for name, (network, _, labels, _) in cases.items():
        keys = ("step_us", "accounting_us", "ratio", "cores")
        middle = {key: statistics.median(each[name][key] for each in rounds) for key in keys}
        found[name] = {"samples": len(labels), "steps": network.steps, "rounds": ROUNDS, **middle}
        print(
            f"{name}: accounting {middle['ratio']:.1%} of the step ({middle['accounting_us']:.0f} of {middle['step_us']:.0f} us)"
        )
    stored = {"limit": LIMIT, "cases": found}
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
    PAGE.write_text(put(PAGE.read_text(), stored))
    raise SystemExit(int(any(row["ratio"] > LIMIT for name, row in found.items() if name != UNBOUNDED)))


if __name__ == "__main__":
    main()
