"""Several samples in one call of a kernel give what they give one by one: weights, counts, activity, losses, overflowing logs."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.training.learner import Learner
from chipsim.training.together import replays_plainly

SMALL = {"population.hidden1.size": 24, "population.hidden2.size": 20}


def trained(chip="toy", model=None, **more):
    return cs.train(model or cs.load_model("digits", SMALL), chip, **{"passes": 2, "samples": 40, **more})


@pytest.fixture
def apart(monkeypatch):
    """Return what trains as `trained`, sample by sample."""

    def run(*given, **more):
        with monkeypatch.context() as patch:
            patch.setattr("chipsim.training.passes.replays_plainly", lambda image: False)
            return trained(*given, **more)

    return run


@pytest.mark.parametrize("numerics", ["fixed", "float32", "float64"])
def test_the_same_run_as_one_by_one(apart, numerics):
    together, alone = trained(numerics=numerics), apart(numerics=numerics)
    assert all(np.array_equal(together.stored[name], alone.stored[name]) for name in alone.stored)
    assert np.array_equal(together.counters.counts, alone.counters.counts) and together.counters.samples == 80
    for one, other in zip(together.metrics, alone.metrics, strict=True):
        assert {**one, "loss": None} == {**other, "loss": None} and one["loss"] == pytest.approx(other["loss"], rel=1e-12)
    assert together.summary["energy_j_per_sample"] == alone.summary["energy_j_per_sample"]
    assert together.summary["memory_bits"] == alone.summary["memory_bits"]


def test_a_log_that_overflows_stops_at_the_same_sample(apart):
    def refusal(run, words):
        with pytest.raises(cs.CapacityError, match="log words of sample") as found:
            run(cs.load_chip("toy", {"limits.log_words_per_core.value": words}))
        return str(found.value)

    fullest = trained().summary["log_words"]["peak"]
    messages = {refusal(trained, words) for words in (fullest - 1, fullest * 3 // 4)}
    assert messages == {refusal(apart, words) for words in (fullest - 1, fullest * 3 // 4)} and len(messages) == 2


@pytest.mark.parametrize(
    "learning", [{"form": "A"}, {"apply": "inplace"}, {"loss": "step"}, {"rule": "ssgd-online"}], ids=lambda x: next(iter(x))
)
def test_what_needs_a_look_at_every_sample_goes_one_by_one(learning):
    network = cs.load_model("digits", SMALL)
    image = compile_network(network.but(learning={**network.learning.model_dump(), **learning}), None, numerics="fixed")
    assert not replays_plainly(image) and replays_plainly(compile_network(network, None, numerics="fixed"))
    with pytest.raises(cs.ConfigError, match="one by one"):
        Learner(image).together()
