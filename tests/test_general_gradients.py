"""Gradients of any network in float: recurrent, feedback, skip and sparse projections, every neuron model with an adjoint."""

from __future__ import annotations

from collections import Counter

import generaldraws
import numpy as np
import pytest
from generaldraws import general
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import chipsim as cs

EXACT = 1e-12
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
dense = general.dense


def deviations(found, net: general.Net, expected: general.Gradient) -> dict[str, float]:
    """Return by how much loss and gradients differ, relative to the largest entry of a tensor."""
    off = {"loss": dense.deviation(found.loss, expected.loss)}
    return off | {f"k{k}": dense.deviation(found.weights[f"k{k}"], g) for k, g in enumerate(expected.weights)}


def assert_equal(net, network, x, y, expected, tolerance: float = EXACT, numerics: str = "float64") -> None:
    found = cs.gradients(network, x, y, numerics=numerics)
    off = {name: value for name, value in deviations(found, net, expected).items() if not value <= tolerance}
    assert off == {}
    active = general.forward(net, x).active
    for n, p in enumerate(network.hidden, start=1):
        assert np.array_equal(found.active[p.name], active[n])


def test_random_networks_equal_the_oracle():
    seen = Counter()

    @settings(max_examples=400, **FREE)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([None, REGULARISERS]))
    def compare(seed, regularisers):
        net, network, x, y = generaldraws.draw(seed, regularisers=regularisers)
        expected = general.gradients(net, x, y)
        assume(expected.loss > 1e-2)
        assert_equal(net, network, x, y, expected)
        seen.update(p.kind for p in net.populations)
        for g, q in zip(expected.weights, net.projections, strict=True):
            if np.any(g):
                seen.update({"recurrent" if q.pre == q.post else "feedback" if q.pre > q.post else "skip" if q.pre < q.post - 1 else
                             "next", "dense" if q.mask.all() else "sparse", f"into {net.populations[q.post].kind}"})  # fmt: skip

    compare()
    names = ("recurrent", "feedback", "skip", "next", "dense", "sparse", *(f"into {kind}" for kind in generaldraws.KINDS))
    assert min(seen[name] for name in names) >= 30, seen


@pytest.mark.parametrize("kind", generaldraws.KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_each_model_equals_the_oracle(seed, kind):
    assert_equal(*generaldraws.lively(seed, (kind,), regularisers=REGULARISERS))


def test_a_threshold_of_its_own_scales_band_and_surrogate():
    """loihi-lif with vth = 300: V in units of 19200; the same network with the default threshold has the same gradients."""
    net, network, x, y, expected = generaldraws.lively(3, ("loihi-lif",), surrogate="paper", half_width=0.4)
    told = [p.model_dump() for p in network.population]
    others = [{**p, "vth": 300, "bias_mant": 0} if p["neuron"] == "loihi-lif" else p for p in told]
    plain = [{**p, "bias_mant": 0} if p["neuron"] == "loihi-lif" else p for p in told]
    a, b = (cs.gradients(network.but(population=p), x, y, numerics="float64") for p in (others, plain))
    for name, g in a.weights.items():
        assert dense.deviation(g, b.weights[name]) <= 1e-10
    assert any(np.any(g) for g in a.weights.values())


@pytest.mark.parametrize("kind", generaldraws.KINDS)
def test_float32_is_close(kind):
    for seed in range(200):  # the first network in which no V lies on a knife's edge
        net, network, x, y, expected = generaldraws.lively(seed, (kind,))
        u = np.concatenate([np.abs(p[1:]).ravel() for p in general.forward(net, x).potential[1:-1]])
        if min(u.min(), np.abs(u - net.half_width).min()) > 1e-4:
            return assert_equal(net, network, x, y, expected, 1e-3, "float32")
    raise AssertionError("no such network")
