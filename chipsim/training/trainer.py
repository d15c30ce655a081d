"""cs.train: prepare, compile, calibrate, pass over the data, evaluate, sum up, write the run folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.events import Events
from chipsim.hardware import Chip
from chipsim.network import Network
from chipsim.simulator.engine import Engine, copy_of
from chipsim.training.calibrate import calibrate_shifts
from chipsim.training.job import Job, prepare
from chipsim.training.passes import BatchPass, ChipPass
from chipsim.training.run import Accuracy, Run, activity_of, summarise
from chipsim.training.runfolder import claim, initial_weights, interrupted, write_run
from chipsim.training.tally import Tally

ORDER = 7  # stream of the order of samples, apart from that of the weights


class Silent:
    """Progress that says nothing."""

    def start(self, total: int, text: str) -> None:
        """Begin."""

    def update(self, done: int, text: str = "") -> None:
        """Go on."""

    def stop(self) -> None:
        """End."""


def train(
    model: Network | str,
    chip: Chip | str,
    data: Any = None,
    rule: str = "ssgd-replay",
    numerics: str = "fixed",
    seed: int = 1,
    passes: int | None = None,
    samples: int | None = None,
    threads: int = 1,
    init: str | Path | None = None,
    out: str | Path | None = None,
    force: bool = False,
    what_if: bool = False,
    progress: Any = None,
) -> Run:
    """Train `model` on `chip` and say what it cost.

    model, chip: objects, names or paths. data: None (the model's own), a DataSet, or (train_x, train_y, test_x, test_y) with
    intensities [B, N], spikes [T, B, N] or Events. numerics: fixed (batch 1, on-chip arithmetic), float (= float32), float64.
    passes, samples: in place of the schedule's passes and of all training samples. threads: the same bits with any number; batch-1
    training itself is sequential. init: run folder whose final weights to start from. out: run folder to write; None: none.
    force: replace an existing one. what_if: add the assumed learning extension to a chip that lacks it. progress: has
    start(total, text), update(done, text), stop().

    Raises:
        ConfigError, DataError: something given is wrong. CapacityError: the network does not fit, or a log overflowed.
        RunError: a gradient is not finite, or none reaches a projection. KeyboardInterrupt: after saving the weights so far.
    """
    job = prepare(model, chip, data, rule, numerics, seed, passes, samples, threads, what_if)
    folder = None if out is None else claim(out, force)
    start = {} if init is None else initial_weights(init, job.network)
    network = job.network.with_weights(start) if start else job.network
    progress = progress or Silent()
    progress.start(1, "compiling the kernels (only at the first use of a version)")
    image = compile_network(network, job.chip, numerics=job.numerics, seed=job.seed)
    tally = Tally(image, learned=True)
    weights = image.weights.copy()
    metrics: list[dict[str, Any]] = []
    teacher, schedule = make_teacher(job, image)
    job = replace(job, schedule=schedule)
    try:
        for run in range(schedule.passes):
            metrics.append(one_pass(job, image, teacher, weights, run, tally, progress))
    except KeyboardInterrupt:
        raise interrupted(folder, image, weights, metrics) from None
    finally:
        progress.stop()
    tally.close()
    accuracy = Accuracy(
        evaluate_accuracy(image, weights, job.examples.train, job.examples.train_labels, threads)[0],
        metrics[-1]["test_accuracy"],
    )
    summary = summarise(job, image, tally, accuracy, [])
    summary["run_dir"] = None if folder is None else str(folder)
    result = Run(summary, accuracy, tally.energy(), tally.time, tally.counters, metrics, image.real_weights(weights),
                 {name: w.copy() for name, w in image.tensors(weights).items()}, job.chip, image, folder)  # fmt: skip
    if folder is not None:
        write_run(result, job, force)
    return result


def make_teacher(job: Job, image: ChipImage) -> tuple[ChipPass | BatchPass, Any]:
    """Return what runs a pass, and the schedule with every rate resolved."""
    schedule, examples = job.schedule, job.examples
    if not image.formats.fixed:
        return BatchPass(image, schedule, schedule.rate, job.threads), schedule
    shifts = schedule.shifts or calibrate_shifts(image, examples.train, examples.train_labels, schedule.calibrate)
    schedule = schedule.model_copy(update={"shifts": tuple(shifts)})
    return ChipPass(image, schedule, job.seed), schedule


def one_pass(job: Job, image: ChipImage, teacher: ChipPass | BatchPass, weights: np.ndarray, run: int, tally: Tally, progress: Any) -> dict[str, Any]:
    """Train one pass over the data, then test; return its line of metrics."""
    examples, count = job.examples, job.examples.train.samples
    order = np.random.default_rng([job.seed, ORDER, run]).permutation(count)
    text = f"pass {run + 1} of {job.schedule.passes}"
    progress.start(count, text)
    local = Tally(image, learned=True)
    loss, right = teacher.train(weights, examples.train, examples.train_labels, order, run, local, progress.update)
    local.close()
    tally.absorb(local)
    test = evaluate_accuracy(image, weights, examples.test, examples.test_labels, job.threads)[0]
    progress.update(count, f"{text}: loss {loss / count:.3f}, test accuracy {test:.1%}")
    total = local.energy().total_j
    return {
        "pass": run + 1, "loss": loss / count, "train_accuracy": int(right) / count, "test_accuracy": test,
        "activity": activity_of(local.counters, image), "energy_j_per_sample": None if total is None else total / count,
    }  # fmt: skip


def evaluate_accuracy(image: ChipImage, weights: np.ndarray, events: Events, labels: np.ndarray, threads: int, tally: Tally | None = None) -> tuple[float, int]:
    """Return accuracy and number of right predictions; inference only, in parallel over samples. `tally` takes the counts."""
    quiet = replace(image, circuit=image.circuit._replace(learns=False))
    log = events.spikes(image.circuit.decay.dtype)
    parts = np.array_split(np.arange(events.samples), threads)

    def predict(part: np.ndarray) -> tuple[int, list]:
        engine, right, kept = Engine(quiet), 0, []
        for b in part:
            engine.forward(weights, events.of_sample(log, int(b)))
            right += engine.predicted() == labels[b]
            if tally is not None:
                kept.append(copy_of(engine.work.activity))
        return right, kept

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(predict, parts))
    for _, kept in found:
        for activity in kept:
            tally.add(activity)
    right = int(sum(n for n, _ in found))
    return right / events.samples, right
