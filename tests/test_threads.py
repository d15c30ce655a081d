"""Threads: how many unless told, none left behind, no trouble beside joblib, forks and Lava's processes. The bits: test_independence."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from joblib import Parallel, delayed
from lend import ROOT
from test_lava_present import NETWORK

import chipsim as cs
from chipsim import threads
from chipsim.errors import ConfigError

X = np.random.default_rng(0).random((20, 8, 64)) < 0.1


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No variable of the environment says anything."""
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def many(monkeypatch):
    """A machine with six processors."""
    monkeypatch.setattr(threads, "processors", lambda: 6)


def test_the_default_is_what_the_machine_and_the_environment_allow(many, monkeypatch):
    assert (threads.resolve(None), threads.resolve(3)) == (6, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert threads.resolve(None) == 4
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert (threads.resolve(None), threads.resolve(5)) == (3, 5)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "64")
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.resolve(None) == 6
    monkeypatch.delenv("NUMBA_NUM_THREADS")
    monkeypatch.setattr(threads, "processors", lambda: 64)
    assert threads.resolve(None) == threads.MOST


def test_a_worker_takes_one_thread_or_what_it_was_given(many, monkeypatch):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(threads.default).result() == 1
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert pool.submit(threads.default).result() == 1  # of many threads in one process, none owns what the process was given
        monkeypatch.setattr(multiprocessing, "parent_process", lambda: "somebody")
        assert threads.default() == pool.submit(threads.default).result() == 4
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.default() == 1


SEEN = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from chipsim.threads import default; print(default())"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_the_affinity_counts():
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, [{one}]); {SEEN}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "1"


def test_the_quota_of_the_cgroup_counts(tmp_path, monkeypatch):
    assert threads.quota(tmp_path) is None
    (tmp_path / "cpu").mkdir()
    for name, text in (("quota", "250000\n"), ("period", "100000\n")):
        (tmp_path / "cpu" / f"cpu.cfs_{name}_us").write_text(text)
    assert threads.quota(tmp_path) == 2.5
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert threads.quota(tmp_path) is None
    for text, wanted in (("max 100000\n", None), ("50000 100000\n", 0.5), ("150000 100000\n", 1.5), ("nonsense\n", None)):
        (tmp_path / "cpu.max").write_text(text)
        assert threads.quota(tmp_path) == wanted
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    found = []
    for text in ("50000 100000", "250000 100000", "max 100000"):
        (tmp_path / "cpu.max").write_text(text)
        found.append(threads.processors())
    assert found == [1, 3, 16]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "2"])
def test_wrong_numbers_are_refused_everywhere(wrong):
    for call in (
        partial(cs.simulate, "digits", X),
        partial(cs.train, "digits", "loihi1-ssgd"),
        partial(cs.evaluate, "runs/none"),
    ):
        with pytest.raises(ConfigError, match=rf"threads = {wrong!r}, but it must be a whole number of at least 1"):
            call(threads=wrong)


@pytest.mark.parametrize("text", ["0", "two", "-3"])
def test_a_wrong_variable_is_an_error_only_if_it_is_asked(text, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    with pytest.raises(ConfigError, match=rf"environment: OMP_NUM_THREADS = '{text}'.*at least 1.*give the number of threads"):
        cs.simulate("digits", X)
    assert cs.simulate("digits", X[:, :1], threads=1).scores.shape == (1, 10)


def scores(n):
    return cs.simulate("digits", X, "loihi1", "fixed", threads=n).scores.tolist()


def test_no_thread_outlives_a_call_and_one_thread_makes_none(monkeypatch):
    before = set(threading.enumerate())
    two = scores(2)
    assert set(threading.enumerate()) == before
    monkeypatch.setattr(threads, "ThreadPoolExecutor", lambda n: pytest.fail("a thread for nothing"))
    assert scores(1) == two


def answer(queue):
    queue.put((threads.default(), scores(2)))


def test_a_fork_after_a_threaded_run_runs_a_sample():
    wanted = scores(2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=answer, args=(queue,))
    child.start()
    try:
        assert queue.get(timeout=60) == (1, wanted)
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib_workers_do_not_take_more_processors_than_there_are(backend):
    """Each of two workers takes its share, and finds the same bits."""
    found = Parallel(n_jobs=2, backend=backend)(delayed(in_worker)() for _ in range(4))
    share = max(1, threads.processors() // 2)
    assert {n for n, _ in found} <= {1, share} and all(s == scores(1) for _, s in found)


def in_worker():
    return threads.default(), scores(None)


THREADED = """
import threading
import numpy as np
import chipsim as cs
x = np.random.default_rng(0).random((20, 8, 64)) < 0.1
def scores():
    return cs.simulate("digits", x, "loihi1", "fixed", threads=2).scores.tolist()
first = scores()
assert threading.active_count() == 1
"""


@pytest.mark.lava
@pytest.mark.xdist_group("lava")
def test_lava_runs_after_and_before_a_threaded_run():
    """Its processes are forks of this one."""
    code = THREADED + NETWORK + "assert scores() == first\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("[[")
