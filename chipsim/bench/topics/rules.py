"""Topic `rules`: batch-1 training on the chip by every shipped rule, samples per second and cost per active event."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.bench import timing
from chipsim.bench.peers import OURS_RULES
from chipsim.bench.process import Subject, temporary
from chipsim.bench.run import Options
from chipsim.bench.topics.training import NO_DATA, QUICK
from chipsim.bench.workloads import UNITS, Case, fashion, synthetic
from chipsim.errors import DataError, RunError
from chipsim.learning import RULES
from chipsim.validation.row import Row, equal

CHECK, MOST, SECONDS = 8, 256, 2.0  # samples of the check; samples of a call, at most and by the time they take
AGAIN = "the same run again"


def topic(options: Options, progress: Any) -> dict[str, Any]:
    """Measure every rule on Fashion-MNIST, or where it is not on synthetic input."""
    skipped: list[dict[str, str]] = []
    case = chosen(options, skipped)
    rows, found, absent, before = [], [], [], timing.load()
    with temporary() as folder:
        hidden = [case.hidden, case.hidden]
        np.savez(Path(folder) / "rules.npz", t=case.t, sample=case.sample, unit=case.unit, labels=case.labels, steps=case.steps,
                 units=UNITS, hidden=hidden)  # fmt: skip
        for rule in RULES:
            progress.start(0, f"rule {rule}")
            try:
                rows.append(measured(rule, folder, options, found))
            except RunError as error:
                absent.append({"name": rule, "reason": str(error)})
    facts = {"name": f"rules on {case.name}, one sample at a time", "equality": [row.facts() for row in rows], "rules": found,
             "absent": absent, "load_average_before": before, "load_average_after": timing.load()}  # fmt: skip
    return {"cases": [facts], "skipped": skipped, "ok": all(row.ok for row in rows)}


def chosen(options: Options, skipped: list[dict[str, str]]) -> Case:
    """Return the samples."""
    hidden = options.hidden[0] if options.hidden else None
    if options.quick:
        return synthetic(**QUICK | ({"hidden": hidden} if hidden else {}))
    if options.data is None:
        skipped.append({"name": "Fashion-MNIST", "reason": NO_DATA})
        return synthetic(hidden or 200)
    try:
        return fashion(options.data, hidden or 200)
    except DataError as error:
        skipped.append({"name": "Fashion-MNIST", "reason": str(error)})
        return synthetic(hidden or 200)


def measured(rule: str, folder: str, options: Options, found: list[dict[str, Any]]) -> Row:
    """Train by one rule; add its figures to `found` if equality holds, and return its row of equality.

    Raises:
        RunError: the rule does not run on this network, in fixed point or on this chip.
    """
    subject = Subject(rule, OURS_RULES)
    try:
        subject.start("chip", folder=folder, rule=rule)
        first = subject.ask("first", samples=CHECK)
        row = equal(f"{rule}: weights that differ", 0, first["weights_that_differ"], "weights", AGAIN)
        if row.ok:
            count = CHECK if options.quick else int(min(MOST, max(CHECK, SECONDS / first["wall_s"])))
            runs = [subject.ask("run", samples=count) for _ in range(options.rounds)]
            found.append({"rule": rule, "weights_changed": first["weights_changed"], **figures(runs)})
        return row
    finally:
        subject.stop()


def figures(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of a rule: medians of rates, and learning as what is beyond the forward pass."""
    samples, active = runs[0]["samples"], runs[0]["active"]
    cpu, forward = (statistics.median(run[key] for run in runs) for key in ("cpu_s", "forward_cpu_s"))
    learning = max(0.0, cpu - forward)
    return {"samples": samples, "runs": len(runs), "samples_per_s": samples / statistics.median(run["wall_s"] for run in runs),
            "samples_per_s_cpu": samples / cpu, "samples_per_s_best": samples / min(run["wall_s"] for run in runs),
            "active_per_sample": active / samples, "spikes_per_sample": runs[0]["spikes"] / samples,
            "ns_per_active": 1e9 * learning / active if active else None, "learning_share": learning / cpu}  # fmt: skip
