"""The dense reference of any network (tests/oracle/general.py) against its forward tangent, finite differences and the chain's."""

from __future__ import annotations

import generaldraws
import numpy as np
import pytest
from generaldraws import general

dense = general.dense
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}


def along(gradients: list[np.ndarray], directions: list[np.ndarray]) -> float:
    return float(sum((g * d).sum() for g, d in zip(gradients, directions, strict=True)))


@pytest.mark.parametrize("kind", [*generaldraws.KINDS, "mixed"])
@pytest.mark.parametrize("seed", range(8))
def test_adjoint_equals_forward_tangent(seed, kind):
    kinds = generaldraws.KINDS if kind == "mixed" else (kind,)
    net, _, x, y, expected = generaldraws.lively(seed, kinds, regularisers=REGULARISERS)
    found = expected.weights
    rng = np.random.default_rng(seed)
    for k, q in enumerate(net.projections):
        directions = [rng.normal(size=p.weights.shape) * (n == k) for n, p in enumerate(net.projections)]
        pushed = general.tangent(net, directions, x, y)
        assert along(found, directions) == pytest.approx(pushed, rel=1e-10, abs=1e-10 * np.abs(found[k]).max(initial=0))
        assert not found[k][~q.mask].any()


@pytest.mark.parametrize("seed", range(8))
def test_gradient_of_the_readout_equals_finite_differences(seed):
    net, _, x, y, expected = generaldraws.lively(seed)
    found, last = expected.weights, len(net.populations) - 1
    for k, q in enumerate(net.projections):
        if q.post == last:
            assert dense.deviation(found[k], general.readout_differences(net, k, x, y)) <= 1e-6


@pytest.mark.parametrize("readout", ["max", "sum"])
def test_a_chain_has_the_gradient_of_the_chain_reference(readout):
    p = dense.random_problem(3, (12, 9, 7, 4), steps=25, readout=readout, regularisers=REGULARISERS)
    sizes = [w.shape[0] for w in p.weights] + [p.weights[-1].shape[1]]
    kinds = ["input", "delta-lif", "delta-lif", "leaky-readout"]
    decays = [1.0, *p.model.alphas, p.model.alpha_out]
    populations = tuple(general.Population(k, n, a) for k, n, a in zip(kinds, sizes, decays, strict=True))
    projections = tuple(general.Projection(n, n + 1, w, np.ones(w.shape, dtype=bool)) for n, w in enumerate(p.weights))
    net = general.Net(populations, projections, readout, p.model.surrogate, p.model.half_width, p.model.regularisers)
    found, expected = general.gradients(net, p.x, p.y), dense.gradients(p.model, p.weights, p.x, p.y)
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    for a, b in zip(found.weights, expected.weights, strict=True):
        assert dense.deviation(a, b) <= 1e-12
