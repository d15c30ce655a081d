"""Rounds: every subject in turn, so that what the machine does meanwhile hits all alike; then medians and minima."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chipsim.bench.process import Subject

OWN_STEPS = 3  # of ours in a round, beside one of every peer
QUIET = 0.5  # load average up to which times of two threads mean something
COLUMNS = ("cpu", "wall")


def rounds(
    subjects: Sequence[Subject], own: Sequence[bool], count: int, report: Callable[[int], None]
) -> list[list[list[float]]]:
    """Return for every subject its steps, each [forward, backward] CPU and wall seconds; report: told the rounds done."""
    found: list[list[list[float]]] = [[] for _ in subjects]
    for done in range(count):
        for subject, ours, steps in zip(subjects, own, found, strict=True):
            steps += subject.ask("steps", count=OWN_STEPS if ours else 1)["steps"]
        report(done + 1)
    return found


def phases(steps: Sequence[Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return {phase: {cpu_ms, cpu_ms_min, wall_ms, wall_ms_min}} of forward, backward and total; medians and minima."""
    forward, backward = [s[:2] for s in steps], [s[2:] for s in steps]
    total = [[a + b for a, b in zip(f, g, strict=True)] for f, g in zip(forward, backward, strict=True)]
    return {name: spread(rows) for name, rows in (("forward", forward), ("backward", backward), ("total", total))}


def spread(rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return median and minimum of [CPU, wall] seconds, in ms."""
    found = {}
    for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        found[f"{name}_ms"], found[f"{name}_ms_min"] = 1e3 * statistics.median(column), 1e3 * min(column)
    return found


def ratio(peer: dict[str, dict[str, float]], ours: dict[str, dict[str, float]], key: str = "cpu_ms") -> dict[str, float | None]:
    """Return by phase how many times as long a peer takes; null where ours took no time that could be measured."""
    return {phase: peer[phase][key] / ours[phase][key] if ours[phase][key] > 0 else None for phase in peer}


def load() -> list[float]:
    """Return the load averages over 1, 5 and 15 minutes."""
    return [round(x, 2) for x in os.getloadavg()]


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    packages = {name: version(name) for name in ("numpy", "numba")}
    return {
        "cpu": processor(),
        "cpus": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        **packages,
    }


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
