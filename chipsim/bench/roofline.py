"""The roofline of a training step: what its additions would take at the rates this core reaches on rows of these sizes."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from chipsim.kernels.ceiling import gather_add, scatter_add

UPDATES = 20_000_000  # of each measurement
REPEATS = 3


class Work(NamedTuple):
    """Operations of one step. adds: row additions U of forward, and at most as many onto gradient rows backward. dots: products D."""

    adds: int
    dots: int


def work(events: dict[str, int], hidden: int, classes: int) -> Work:
    """Return the operations of a step from its events: input, spikes_1, spikes_2, active_1, active_2."""
    adds = (events["input"] + events["spikes_1"]) * hidden + events["spikes_2"] * classes
    return Work(adds, events["active_1"] * hidden + events["active_2"] * classes)


def rates(shapes: list[tuple[int, int]]) -> dict[str, float]:
    """Return {"add": .., "rmw": ..}: float32 updates per second of CPU time, of both loops, on random rows of matrices of these shapes."""
    found: dict[str, list[float]] = {"add": [], "rmw": []}
    for rows, width in shapes:
        matrix, total = np.zeros((rows, width), dtype=np.float32), np.zeros(width, dtype=np.float32)
        count = max(4, UPDATES // width // 4 * 4)
        order = np.random.RandomState(0).randint(0, rows, count)
        for name, loop in (("add", gather_add), ("rmw", scatter_add)):
            loop(matrix, order[:4], total)
            best = min(timed(loop, matrix, order, total) for _ in range(REPEATS))
            found[name].append(count * width / best)
    return {name: len(values) / sum(1 / v for v in values) for name, values in found.items()}


def timed(loop, *arguments) -> float:
    """Return the CPU seconds of one call."""
    began = time.thread_time()
    loop(*arguments)
    return time.thread_time() - began


def limits(needed: Work, rate: dict[str, float]) -> tuple[float, float]:
    """Return the least seconds of forward and backward. The backward one is flattered: steps after the last arg-max carry no error."""
    return needed.adds / rate["add"], needed.adds / rate["rmw"] + needed.dots / rate["add"]
