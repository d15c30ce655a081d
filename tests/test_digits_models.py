"""The digits with other neurons and other wiring than models/digits.toml: float and fixed learn them, and run folders keep them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chipsim as cs

NETWORKS = Path(__file__).parent / "networks"
SHIPPED = "digits-loihi"


def found(name: str) -> str:
    return name if name == SHIPPED else str(NETWORKS / f"{name}.toml")


@pytest.mark.parametrize("numerics", ["fixed", "float"])
@pytest.mark.parametrize("name", [SHIPPED, "recurrent", "adaptive"])
def test_digits_are_learned(name, numerics):
    run = cs.train(found(name), "loihi1-ssgd", numerics=numerics, seed=1, passes=4)
    assert run.accuracy.test >= 0.88
    assert min(row["active_fraction"] for row in run.summary["activity"].values()) > 0
    assert run.metrics[-1]["loss"] < run.metrics[0]["loss"]


def test_a_recurrent_run_is_evaluated_from_its_folder(tmp_path):
    run = cs.train(found("recurrent"), "loihi1-ssgd", passes=1, samples=200, out=tmp_path / "run")
    assert cs.evaluate(tmp_path / "run")["accuracy"]["test"] == run.accuracy.test
    before = run.image.tensors(run.image.weights)
    assert set(run.stored) == {
        "input->hidden1",
        "hidden1->hidden1",
        "hidden2",
        "hidden2->hidden1",
        "hidden1->out",
        "hidden2->out",
    }
    for k, (name, w) in enumerate(run.stored.items()):
        mask = run.image.network.mask(k)
        assert np.any(w != before[name])
        if mask is not None:
            assert not w[~mask].any()


@pytest.mark.parametrize("name", ["recurrent", "adaptive"])
def test_threads_do_not_change_a_bit(name):
    one, two = (cs.train(found(name), "loihi1-ssgd", numerics="float", passes=1, samples=100, threads=n) for n in (1, 2))
    assert all(np.array_equal(one.stored[n], two.stored[n]) for n in one.stored)
    assert np.array_equal(one.counters.counts, two.counters.counts)
