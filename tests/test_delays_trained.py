"""Replay of projections with delays: a spike meets the delta of the step in which it arrives."""

from __future__ import annotations

from collections import Counter

import generaldraws
import numpy as np
import pytest
from generaldraws import general
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_general_gradients import assert_equal

import chipsim as cs
from chipsim.compiler import compile_network

FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
DIGITS = {"population.hidden1.size": 40, "population.hidden2.size": 30}


def test_random_networks_equal_the_oracle():
    seen = Counter()

    @settings(max_examples=120, **FREE)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([None, REGULARISERS]), st.sampled_from([None, 10]))
    def compare(seed, regularisers, sharpness):
        net, network, x, y = generaldraws.draw(seed, delays=True, regularisers=regularisers, sharpness=sharpness)
        expected = general.gradients(net, x, y)
        assume(expected.loss > 1e-2)
        assert_equal(net, network, x, y, expected)
        for g, q in zip(expected.weights, net.projections, strict=True):
            if q.delays is not None and np.any(g):
                seen.update({"dense" if q.mask.all() else "sparse", f"into {net.populations[q.post].kind}"})

    compare()
    assert min(seen[name] for name in ("dense", "sparse", *(f"into {kind}" for kind in generaldraws.KINDS))) >= 10, seen


@pytest.mark.parametrize("seed", range(6))
def test_the_oracle_equals_a_forward_tangent(seed):
    net, _, x, y, expected = generaldraws.lively(seed, delays=True, regularisers=REGULARISERS)
    rng = np.random.default_rng(seed)
    directions = [rng.normal(size=q.weights.shape) * q.mask for q in net.projections]
    along = sum(float((g * d).sum()) for g, d in zip(expected.weights, directions, strict=True))
    assert along == pytest.approx(general.tangent(net, directions, x, y), rel=1e-9)


def test_delays_of_zero_are_none():
    _, network, x, y = generaldraws.draw(5)
    zero = {name: np.zeros_like(w, dtype=np.int64) for name, w in network.weights.items()}
    plain, told = cs.gradients(network, x, y), cs.gradients(network.with_delays(zero), x, y)
    for name, g in plain.weights.items():
        assert general.dense.deviation(told.weights[name], g) <= 1e-12


def test_the_ring_takes_memory():
    """delta of 16 bits, five later steps, 40 neurons of hidden1."""
    plain = cs.load_model("digits", DIGITS)
    late = cs.load_model("digits", {**DIGITS, "projection.0.delay": [0, 5]})
    bits = [compile_network(n, cs.load_chip("loihi1-ssgd")).memory[0].by_kind["error_state"] for n in (plain, late)]
    assert bits[1] - bits[0] == 40 * 5 * 16


@pytest.mark.parametrize("numerics", ["fixed", "float"])
def test_digits_learn_with_delays(numerics):
    network = cs.load_model("digits", {**DIGITS, "projection.0.delay": [0, 5], "projection.1.delay": 2})
    run = cs.train(network, "loihi1-ssgd", numerics=numerics, passes=3)
    assert run.accuracy.test >= 0.75
