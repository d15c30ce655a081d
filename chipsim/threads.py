"""How many threads a run takes unless told, and running parts of it in them.

Without a number a run takes every processor that this process may use, and one where something else already runs in parallel:

    in a thread that is not the main one (joblib's threads, Dask's, a server)        1
    in a process that multiprocessing, joblib or Dask started, or in its child       1, or what its environment says
    otherwise                                                                        the processors

The processors are those of the affinity of the process and of the quota of its cgroup. OMP_NUM_THREADS and NUMBA_NUM_THREADS, which
joblib, Dask and batch systems set for the workers they start, lower the number; the smaller of them counts.

No thread outlives a call, and one thread means the caller's own: a process that forks later (lava-nc does) forks nothing of ours.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral
from pathlib import Path
from typing import TypeVar

from chipsim.errors import ConfigError, Problem, raise_all

VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
CGROUP = Path("/sys/fs/cgroup")
LIMIT = "it must be a whole number of at least 1"

Part, Result = TypeVar("Part"), TypeVar("Result")


def resolve(threads: int | None, name: str = "run") -> int:
    """Return the number of threads of a run; None: as the module says.

    Raises:
        ConfigError: it is no whole number from 1, or was not given and a variable of the environment that says it is none.
    """
    raise_all(problems(threads, name))
    return default() if threads is None else int(threads)


def problems(threads: object, name: str = "run") -> list[Problem]:
    """Return what is wrong with a number of threads; None is none."""
    if threads is None or (isinstance(threads, Integral) and not isinstance(threads, bool) and threads >= 1):
        return []
    return [Problem(name, "threads", threads, LIMIT)]


def default() -> int:
    """Return how many threads a run takes that was not told.

    Raises:
        ConfigError: OMP_NUM_THREADS or NUMBA_NUM_THREADS is no number.
    """
    told = environment()
    if threading.current_thread() is not threading.main_thread():
        return 1
    if not told and is_worker():
        return 1
    return min([processors(), *told])


def environment() -> list[int]:
    """Return what the environment says; a list, as OpenMP may have one per level, counts by its first."""
    found, wrong = [], []
    for name in VARIABLES:
        text = os.environ.get(name, "").split(",")[0].strip()
        if text.isdecimal() and int(text) >= 1:
            found.append(int(text))
        elif text:
            wrong.append(Problem("environment", name, text, LIMIT, "correct it, or give the number of threads"))
    raise_all(wrong, ConfigError)
    return found


def is_worker() -> bool:
    """Return whether this process was started to work beside others."""
    return multiprocessing.parent_process() is not None or multiprocessing.current_process().daemon or "LOKY_WORKER" in os.environ


def processors() -> int:
    """Return the processors that this process may use: its affinity, and the quota of its cgroup rounded up."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, math.ceil(quota(CGROUP) or count)))


def quota(root: Path) -> float | None:
    """Return the processors that the cgroup mounted at `root` may use, versions 2 and 1; None: no limit."""
    try:
        if (root / "cpu.max").is_file():
            used, period = (root / "cpu.max").read_text().split()
        else:
            used, period = ((root / "cpu" / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        return None if used in ("max", "-1") else int(used) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def spread(work: Callable[[Part], Result], parts: Sequence[Part], threads: int) -> list[Result]:
    """Return `work` of every part, in order, in so many threads; with one it runs in the caller's."""
    if min(threads, len(parts)) <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(min(threads, len(parts))) as pool:
        return list(pool.map(work, parts))
