"""cs.train: prepare, compile, calibrate, pass over the data, evaluate, sum up, write the run folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.errors import raise_all
from chipsim.events import Events
from chipsim.hardware import Chip
from chipsim.network import Network
from chipsim.simulator.engine import Engine
from chipsim.simulator.samples import Chosen
from chipsim.threads import workers
from chipsim.training.calibrate import measure, require_life, shifts_of
from chipsim.training.claim import Claim
from chipsim.training.job import Job, prepare
from chipsim.training.membrane import resolve_gains
from chipsim.training.passes import BatchPass, ChipPass
from chipsim.training.recording import Recording
from chipsim.training.run import Accuracy, Run, summarise
from chipsim.training.runfolder import digest, interrupted, load_weights, write_run
from chipsim.training.tally import Tally
from chipsim.training.together import AT_ONCE, Together
from chipsim.training.update import shift_problems

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
    rule: Any = None,
    numerics: str = "fixed",
    seed: int = 1,
    passes: int | None = None,
    samples: int | None = None,
    threads: int | None = None,
    init: str | Path | None = None,
    out: str | Path | None = None,
    force: bool = False,
    what_if: bool = False,
    progress: Any = None,
) -> Run:
    """Train `model` on `chip` and say what it cost.

    model, chip: objects, names or paths. data: None (the model's own), a DataSet, or (train_x, train_y, test_x, test_y) with
    intensities [B, N], spikes [T, B, N] or Events. numerics: fixed (batch 1, on-chip arithmetic), float (= float32), float64.
    rule: a name, FILE.py:CLASS, or a rule made with cs.rule; None: the model's own.
    passes, samples: in place of the schedule's passes and of all training samples. threads: the same bits with any number, None: as
    chipsim.threads says; batch-1 training itself is sequential. init: run folder whose final weights to start from. out: run folder to
    write ({n} in its name: the first free number); None: none. force: replace an existing one. what_if: add the assumed learning
    extension to a chip that lacks it. progress: has start(total, text), update(done, text), stop().

    Raises:
        ConfigError, DataError: something given is wrong. CapacityError: the network does not fit, or a log overflowed.
        RunError: a gradient is not finite, or none reaches a projection; a hidden layer is dead. KeyboardInterrupt: after saving the
            weights so far.
    """
    job = prepare(model, chip, data, rule, numerics, seed, passes, samples, threads, what_if)
    if init is not None:
        job = replace(job, network=load_weights(init, job.network)[0], init=str(init))
    job = replace(job, network=resolve_gains(job.network, job.examples.train, seed))
    init_sha256 = None if init is None else digest(init)
    claim = None if out is None else Claim(out, force)
    try:
        result = execute(job, claim, progress or Silent(), init_sha256)
        if claim is not None:
            write_run(result, job, claim, init_sha256)
    finally:
        if claim is not None:
            claim.release()
    return result


def execute(job: Job, claim: Claim | None, progress: Any, init_sha256: str | None = None) -> Run:
    """Run a job that has been checked; `claim`: where an interrupted run saves its weights, and what the summary names."""
    progress.start(0, "preparing")
    image = compile_network(job.network, job.chip, numerics=job.numerics, seed=job.seed)
    tally, weights = Tally(image, True, Recording()), image.weights.copy()
    metrics: list[dict[str, Any]] = []
    examples, folder = job.examples, claim.path if claim else None
    teacher = make_teacher(job, image)
    try:
        for run in range(job.schedule.passes):
            metrics.append(one_pass(job, image, teacher, weights, run, tally, progress))
        seen = evaluate_accuracy(image, weights, examples.train, examples.train_labels, job.threads, job.seed)
    except KeyboardInterrupt:
        raise interrupted(claim, job, init_sha256, image, weights, metrics, teacher.schedule) from None
    finally:
        progress.stop()
    accuracy = Accuracy(seen, metrics[-1]["test_accuracy"])
    stored = {name: w.copy() for name, w in image.tensors(weights).items()}
    summary = summarise(job, image, tally, metrics, teacher.schedule, accuracy, folder, stored)
    return Run(summary, accuracy, tally.costs()[0], tally.time, tally.counters, metrics, image.real_weights(weights), stored,
               job.chip, image, teacher.schedule, tally.recording, folder)  # fmt: skip


def make_teacher(job: Job, image: ChipImage) -> ChipPass | BatchPass:
    """Return what runs a pass; its schedule has every rate resolved.

    Raises:
        RunError: the network is dead, or no gradient reaches a projection. ConfigError: a rate that cannot be written.
    """
    schedule, examples, fixed = job.schedule, job.examples, image.formats.fixed
    found = measure(image, examples.train, examples.train_labels, schedule, job.seed)
    wanted = fixed and schedule.shifts is None
    require_life(found, wanted)
    if not fixed:
        return BatchPass(image, schedule, job.threads)
    schedule = schedule.model_copy(update={"shifts": shifts_of(found, schedule)}) if wanted else schedule
    raise_all(shift_problems(image, schedule))
    return ChipPass(image, schedule, job.seed)


def one_pass(
    job: Job, image: ChipImage, teacher: ChipPass | BatchPass, weights: np.ndarray, run: int, tally: Tally, progress: Any
) -> dict[str, Any]:
    """Train one pass over the data, then test; return its line of metrics."""
    examples, count = job.examples, job.examples.train.samples
    order = np.random.default_rng([job.seed, ORDER, run]).permutation(count)
    text = f"pass {run + 1} of {job.schedule.passes}"
    progress.start(count, text)
    local = Tally(image, True, tally.recording)
    loss, right = teacher.train(weights, examples.train, examples.train_labels, order, run, local, progress.update)
    local.close()
    tally.absorb(local)
    test = evaluate_accuracy(image, weights, examples.test, examples.test_labels, job.threads, job.seed)
    progress.update(count, f"{text}: loss {loss / count:.3f}, test accuracy {test:.1%}")
    total = local.energy().total_j
    return {
        "pass": run + 1, "loss": loss / count, "train_accuracy": int(right) / count, "test_accuracy": test,
        "activity": local.activity(), "silent_fraction": local.silent(), "energy_j_per_sample": None if total is None else total / count,
    }  # fmt: skip


def evaluate_accuracy(
    image: ChipImage, weights: np.ndarray, events: Events, labels: np.ndarray, threads: int, seed: int, tally: Tally | None = None
) -> float:
    """Return the share of right predictions; inference only, in parallel over samples. `tally` takes the counts."""
    quiet = replace(image, circuit=image.circuit._replace(learns=False))
    log = events.spikes(image.circuit.rules.constants.dtype)

    few = AT_ONCE if tally is None or tally.packets is None else 1  # the time of a chip may need the spikes of every sample

    def predict(part: np.ndarray) -> tuple[int, list]:
        engine, right, kept = Engine(quiet), 0, []
        together = Together(quiet, engine)
        for at in range(0, len(part), few):
            which = part[at : at + few]
            out = together.forward(weights, Chosen(which, labels[which], log, seed, 0))
            right += int((out.scores.argmax(axis=1) == labels[which]).sum())
            if tally is not None:
                kept += [(row.copy(), engine.work.activity, tally.copy_of(engine.work.spikes)) for row in out.activity]
        return right, kept

    parts = np.array_split(np.arange(events.samples), min(threads, events.samples))
    with workers(len(parts)) as each:
        found = each(predict, parts)
    for _, kept in found:
        for row, like, spikes in kept:
            tally.add(row, like, spikes)
    return sum(right for right, _ in found) / events.samples
