"""Start-up: what one process has compiled no other compiles again, and compiling is said, when and only when it happens."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest
from lend import ROOT

from chipsim.cli import frame

WARNING = "compiling kernels (first use"
JOBS = """
import json, sys
import numpy as np
import chipsim as cs
from chipsim.kernels._jit import cache_statistics

def few(numerics="fixed", changes=(), **more):
    return cs.train(cs.load_model("digits", dict(changes)), "loihi1-ssgd", numerics=numerics, samples=20, passes=1, **more)

few(out=sys.argv[1], force=True)
few("float")
few(rule="ssgd-online")
few(changes={"learning.form": "A", "learning.transport": "push"})
few(changes={"learning.apply": "inplace"})
cs.evaluate(sys.argv[1], threads=2)
drawn = {"units": "mantissa", "init": "integers", "low": -60, "high": 90, "sign_mode": "mixed"}
network = cs.Network(
    steps=20,
    population=[{"name": "in", "neuron": "input", "size": 20},
                {"name": "n", "neuron": "loihi-lif", "size": 30, "du": 2000, "dv": 400, "vth": 50}],
    projection=[{"pre": "in", "post": "n", "name": "to", **drawn},
                {"pre": "n", "post": "n", "kind": "sparse", "density": 0.3, "delay": [0, 5], **drawn}],
)
x = np.random.default_rng(0).random((20, 3, 20)) < 0.2
cs.simulate(network, x, chip="loihi1", numerics="fixed", threads=2)
rule = cs.LavaRule(dw="2^-2*y0*x1", x1_impulse=16, x1_tau=10, rng_seed=3)
cs.simulate(network, x, chip="loihi1", numerics="fixed", plastic={"to": rule})
print(json.dumps(cache_statistics()))
"""
RAN = ("step.run", "replay.replay", "write_weights", "signals.signals", "start_backward", "forms.replay", "ssgd_online")


def process(code, *arguments, **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "0", **variables}
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def test_a_second_process_compiles_nothing(tmp_path):
    """The first one may: its cache is that of all tests. It says so if and only if it did."""
    for _ in range(2):
        done = process(JOBS, str(tmp_path / "run"))
        found = json.loads(done.stdout.splitlines()[-1])
        compiled = {name: misses for name, (_, misses) in found.items() if misses}
        assert (WARNING in done.stderr) == bool(compiled), done.stderr
        assert not [part for part in RAN if not any(part in name for name in found)], list(found)
    assert compiled == {}
    assert len(found) >= 10 and min(hits for hits, _ in found.values()) >= 1


ONE = """
from chipsim.kernels._jit import cache_statistics
from chipsim.kernels.fixed import round_stochastic
round_stochastic(9, 3, 0)
print(cache_statistics())
"""


def test_compiling_is_said_once_and_loading_is_not(tmp_path):
    first, second = (process(ONE, XDG_CACHE_HOME=str(tmp_path)) for _ in range(2))
    name = "chipsim.kernels.fixed.round_stochastic"
    assert first.stderr.count(WARNING) == 1 and str(tmp_path) in first.stderr and f"'{name}': (0, 1)" in first.stdout
    assert second.stderr == "" and f"'{name}': (1, 0)" in second.stdout
    off = process(ONE, XDG_CACHE_HOME=str(tmp_path), NUMBA_DISABLE_JIT="1")
    assert off.stderr == "" and off.stdout.strip() == "{}"


@pytest.mark.parametrize("quiet", [False, True])
def test_the_command_line_shows_what_is_compiled_unless_quiet(quiet, capsys):
    def work(**flags):
        logging.getLogger("chipsim.kernels").warning(WARNING)
        logging.getLogger("chipsim.kernels").info("compiled run in 12 s")

    assert frame.attempt(work, {"quiet": quiet}, debug=False) == (None, None)
    assert capsys.readouterr().err.splitlines() == ([] if quiet else [WARNING, "compiled run in 12 s"])
    logging.getLogger("chipsim.kernels").info("not any more")
    assert capsys.readouterr().err == ""
