"""How many threads a run takes unless told, and running parts of it in them.

Without a number a run takes every processor that this process may use, and only one where others already run beside it:

    in a process that multiprocessing, joblib or Dask started      what its environment says, else 1
    in a thread that is not the main one (joblib, Dask, a server)  1
    otherwise                                                      the processors, or fewer if the environment says so; at most 8

The processors are those of the affinity of the process, within the quota of its cgroup. Every thread holds the memory of a sample: more
than 8 must be asked for. The environment says it in OMP_NUM_THREADS and
NUMBA_NUM_THREADS, which joblib, Dask and batch systems set for the workers they start; the smaller one counts.

No thread outlives a call, and one thread means the caller's own: a process that forks later (lava-nc does) forks nothing of ours.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral
from pathlib import Path
from typing import TypeVar

from chipsim.errors import Problem, raise_all

VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
CGROUP = Path("/sys/fs/cgroup")
MOST = 8  # unless asked for more
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
    """Return what is wrong with a number of threads, or if none is given with what the environment says."""
    if threads is None:
        return environment()[1]
    if isinstance(threads, Integral) and not isinstance(threads, bool) and threads >= 1:
        return []
    return [Problem(name, "threads", threads, LIMIT)]


def default() -> int:
    """Return how many threads a run takes that was not told."""
    told, worker = environment()[0], multiprocessing.parent_process() is not None
    alone = threading.current_thread() is threading.main_thread()
    if not alone and not worker or worker and not told:
        return 1
    return min([MOST, processors(), *told])


def environment() -> tuple[list[int], list[Problem]]:
    """Return the numbers in the environment, and what is wrong with them; of a list, one per level of OpenMP, the first counts."""
    found, wrong = [], []
    for name in VARIABLES:
        text = os.environ.get(name, "").split(",")[0].strip()
        if text.isdecimal() and int(text) >= 1:
            found.append(int(text))
        elif text:
            wrong.append(Problem("environment", name, text, LIMIT, "correct it, or give the number of threads"))
    return found, wrong


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


@contextlib.contextmanager
def workers(threads: int) -> Iterator[Callable[[Callable[[Part], Result], Iterable[Part]], list[Result]]]:
    """Yield a function like `map` that works in so many threads and returns its results in order; one thread is the caller's own."""
    if threads == 1:
        yield lambda work, parts: [work(part) for part in parts]
        return
    with ThreadPoolExecutor(threads) as pool:
        yield lambda work, parts: list(pool.map(work, parts))
