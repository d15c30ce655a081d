"""Run: what a training run gave, and the summary that `chipsim train --json` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chipsim.compiler import ChipImage, memory_summary
from chipsim.cost import Energy, Time
from chipsim.counters import Counters
from chipsim.hardware import Chip
from chipsim.learning import rule_of
from chipsim.network import Schedule
from chipsim.training.compare import community, comparison
from chipsim.training.health import death_warnings
from chipsim.training.job import Job
from chipsim.training.recording import Recording
from chipsim.training.tally import Tally
from chipsim.training.timefacts import time_facts, time_warnings

SCHEMA = 1


class Accuracy(NamedTuple):
    """Share of right predictions with the final weights, 0 to 1."""

    train: float
    test: float


@dataclass(frozen=True)
class Run:
    """A finished run.

    energy, time: of all training samples together (`energy.total_j`); counters: summed over them. metrics: one dict per pass.
    weights: {postsynaptic population: [N_pre, N_post] float64} in units of the threshold; stored: as the chip holds them.
    """

    summary: dict[str, Any]
    accuracy: Accuracy
    energy: Energy
    time: Time
    counters: Counters
    metrics: list[dict[str, Any]] = field(repr=False)
    weights: dict[str, np.ndarray] = field(repr=False)
    stored: dict[str, np.ndarray] = field(repr=False)
    chip: Chip = field(repr=False)
    image: ChipImage = field(repr=False)
    schedule: Schedule = field(repr=False)  # as it was run: learning-rate shifts calibrated
    recording: Recording = field(repr=False)  # of every training sample, for `chipsim.reprice`
    run_dir: Path | None = None

    def report(self, path: str | Path) -> None:
        """Refuse: the HTML report is not in this version (`chipsim.report.pictures` draws the pictures of a run).

        Raises:
            ConfigError: always.
        """
        from chipsim.errors import ConfigError, Problem

        raise ConfigError(
            Problem("Run", "report", str(path), "this version draws pictures only: chipsim.report.pictures(run, folder)")
        )


def summarise(
    job: Job,
    image: ChipImage,
    tally: Tally,
    metrics: list[dict[str, Any]],
    schedule: Schedule,
    accuracy: Accuracy,
    folder: Path | None,
    stored: dict[str, np.ndarray],
) -> dict[str, Any]:
    """Return the object of `chipsim train --json`."""
    from chipsim import __version__

    (energy, spread), counters = tally.costs(), tally.counters
    activity = tally.activity()
    return {
        "schema": SCHEMA, "version": __version__, "verb": "train", "model": job.network.name, "chip": job.chip.name,
        "rule": job.network.learning.rule, "numerics": job.numerics, "seed": job.seed,
        "samples": {"train": job.examples.train.samples, "test": job.examples.test.samples}, "passes": schedule.passes,
        "learning_rate_shifts": None if schedule.shifts is None else dict(zip(image.tensors(image.weights), schedule.shifts, strict=True)),
        "accuracy": {"train": accuracy.train, "test": accuracy.test},
        "activity": activity,
        "counts_per_sample": counters.per_sample(),
        "energy_j_per_sample": energy.per_sample(counters.samples),
        "energy_complete": energy.complete, "unpriced": energy.unpriced,
        "energy_uncertainty": uncertainty_summary(energy, counters.samples),
        **time_facts(tally), "time_uncertainty": None if spread is None else spread.summary(counters.samples),
        "comparison": comparison(tally, energy, spread, accuracy.test, schedule),
        "neurobench": community(tally, stored, job.examples.train),
        "memory_bits": memory_summary(image),
        "cores_used": image.cores_used,
        "log_words": {"peak": tally.peak_log, "declared": image.log_words},
        "warnings": warnings_of(job, image, tally, metrics),
        "run_dir": None if folder is None else str(folder),
    }  # fmt: skip


def uncertainty_summary(energy: Energy, samples: int) -> dict[str, Any] | None:
    """Return the `energy_uncertainty` of a summary; None if nothing has a price."""
    return None if energy.uncertainty is None else energy.uncertainty.summary(samples)


def warnings_of(job: Job, image: ChipImage, tally: Tally, metrics: list[dict[str, Any]]) -> list[str]:
    """Return what a reader of the numbers must know; metrics: the line of every pass."""
    found = [*job.chip.assumptions, *death_warnings(image, metrics)]
    for name, errors in zip(job.network.names, image.formats.errors, strict=True):
        if errors.saturated > 0:
            found.append(
                f"{errors.saturated:.2%} of the initial weights to {name} were clipped to {image.formats.weight_bits} bits"
            )
    return [*found, *float_warnings(image), *time_warnings(tally, job.chip)]


def float_warnings(image: ChipImage) -> list[str]:
    """Return what the counts of a float run stand for, and which write policy of the model or its rule it does without."""
    if image.formats.fixed:
        return []
    learning = image.network.learning
    own = getattr(rule_of(learning), "write", None)
    text = f"learning.write = {learning.write}" if learning.write else own and f"write {own} of rule {learning.rule}"
    found = [f"{image.numerics}: counts are those of the float run, memory and prices those of the chip's integer units"]
    return found + [f"{image.numerics} writes weights without rounding: {text} has no effect"] * bool(text)
