"""The kernel cache: an edit in a callee is noticed, processes do not mix up each other's code, a second process compiles nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(code: str, tree: Path, cache: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(cache), "NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, cwd=tree)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path):
    """A copy of the package whose sources a test may edit."""
    shutil.copytree(ROOT / "chipsim", tmp_path / "tree" / "chipsim", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "tree"


ROUND = "from chipsim.kernels.fixed import round_stochastic as r; print(r(100, 3, 0), sum(r.stats.cache_hits.values()))"


def test_a_second_process_loads_and_an_edit_is_noticed(tree, tmp_path):
    cache = tmp_path / "cache"
    assert run(ROUND, tree, cache) == "12 0"
    assert run(ROUND, tree, cache) == "12 1"
    path = tree / "chipsim" / "kernels" / "fixed.py"
    path.write_text(path.read_text().replace("DECAY_BITS = 12", "DECAY_BITS = 11"))
    assert run(ROUND, tree, cache) == "12 0"


MANY = """
import sys, time, numpy as np
from chipsim.kernels.fixed import clip_symmetric
kind = {"int": int, "float": float, "single": np.float32}[sys.argv[1]]
while time.time() < float(sys.argv[2]): pass
print(clip_symmetric(kind(7), kind(5)), clip_symmetric(kind(-2.0), kind(5)))
"""


def test_processes_that_compile_at_once_keep_their_own_code(tree, tmp_path):
    import time

    for attempt in range(3):
        cache, start = tmp_path / f"cache{attempt}", str(time.time() + 2.5)
        environment = {**os.environ, "PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(cache), "NUMBA_DISABLE_JIT": "0"}
        lines = [[sys.executable, "-c", MANY, kind, start] for kind in ("int", "float", "single")]
        jobs = [subprocess.Popen(line, env=environment, cwd=tree, stdout=subprocess.PIPE, text=True) for line in lines]
        assert [job.communicate()[0].strip() for job in jobs] == ["5 -2", "5.0 -2.0", "5.0 -2.0"]
        again = [run(MANY, tree, cache, kind, "0") for kind in ("int", "float", "single")]
        assert again == ["5 -2", "5.0 -2.0", "5.0 -2.0"]
        assert len(list(cache.glob("**/fixed.clip_symmetric-*.nbc"))) == 3


def test_without_a_cache_folder_kernels_run_and_say_so(tree, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    code = "import warnings\nwith warnings.catch_warnings(record=True) as w:\n import chipsim.kernels._jit\nprint(w[0].message)"
    assert "cannot be written" in run(code, tree, tmp_path / "cache")
    assert run("import warnings; warnings.simplefilter('ignore'); " + ROUND, tree, tmp_path / "cache") == "12 0"
