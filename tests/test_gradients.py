"""Gradients in float64 against the dense reference in tests/oracle, and that reference against independent formulas.

Dimensions: T steps, B samples, N neurons. Tolerances are relative to the largest entry of a tensor.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import dense

EXACT = 1e-12
SIZES = {1: (40, 24, 5), 2: (40, 24, 16, 5), 3: (40, 24, 16, 12, 5)}
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
INF = float("inf")

SHAPES = [(s, h) for s in ("paper", "box", "triangle") for h in (0.05, 0.2, INF) if (s, h) != ("triangle", INF)]
each_shape = pytest.mark.parametrize(("surrogate", "half_width"), SHAPES)
each_readout = pytest.mark.parametrize("readout", ["max", "sum"])
each_half_width = pytest.mark.parametrize("half_width", [0.05, 0.2, INF])
each_depth = pytest.mark.parametrize("depth", [1, 2, 3])


def lively(problem: dense.Problem, low: float = 0.005, high: float = 0.15) -> dense.Trace:
    """Return the reference's trace after asserting that every layer fires and has active events: no vacuous comparison."""
    trace = dense.forward(problem.model, problem.weights, problem.x)
    for s, active in zip(trace.spikes, trace.active, strict=True):
        assert low < s.mean() < high
        assert active.any()
    return trace


def network(problem: dense.Problem, seed: int = 1):
    return cs.ssgd_network(**problem.arguments, seed=seed).with_weights(problem.named_weights)


def assert_equal_to_reference(problem: dense.Problem, **override: object) -> None:
    """Compare loss, gradients and active sets of chipsim with the reference; override: half_width, surrogate."""
    g = cs.gradients(network(problem), problem.x, problem.y, numerics="float64", **override)
    assert dense.differences(g, problem, EXACT, **override) == []
    assert all(np.any(g.weights[name]) for name in problem.names), "a gradient of zero proves nothing here"


def random_directions(seed: int, weights: list[np.ndarray]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=w.shape) for w in weights]


def along(gradients: list[np.ndarray], directions: list[np.ndarray]) -> float:
    return float(sum((g * d).sum() for g, d in zip(gradients, directions, strict=True)))


# ---- the reference against itself ----------------------------------------------------------------------------------------------


@each_shape
@each_readout
@each_depth
def test_reference_adjoint_equals_forward_tangent(depth, half_width, readout, surrogate):
    p = dense.random_problem(depth, SIZES[depth], half_width=half_width, readout=readout, surrogate=surrogate,
                             regularisers=REGULARISERS)  # fmt: skip
    lively(p)
    g = dense.gradients(p.model, p.weights, p.x, p.y).weights
    for layer in range(depth + 1):
        directions = [np.zeros_like(w) for w in p.weights]
        directions[layer] = random_directions(layer, p.weights)[layer]
        expected = dense.tangent(p.model, p.weights, directions, p.x, p.y)
        assert along(g, directions) == pytest.approx(expected, rel=1e-10, abs=1e-10 * np.abs(g[layer]).max())


def test_reference_adjoint_equals_forward_tangent_entry_by_entry_with_a_decay_per_layer():
    p = dense.random_problem(5, (6, 5, 4, 3), steps=25, half_width=INF, regularisers=REGULARISERS)
    model = p.model._replace(alphas=(0.9, 0.7), alpha_out=0.8)
    g = dense.gradients(model, p.weights, p.x, p.y).weights
    for layer, w in enumerate(p.weights):
        found = np.zeros_like(w)
        for index in np.ndindex(*w.shape):
            directions = [np.zeros_like(v) for v in p.weights]
            directions[layer][index] = 1.0
            found[index] = dense.tangent(model, p.weights, directions, p.x, p.y)
        assert dense.deviation(g[layer], found) <= 1e-10


@each_readout
def test_reference_readout_gradient_equals_finite_differences(readout):
    p = dense.random_problem(11, readout=readout, regularisers=REGULARISERS)
    lively(p)
    g = dense.gradients(p.model, p.weights, p.x, p.y).weights[-1]
    assert dense.deviation(g, dense.readout_differences(p.model, p.weights, p.x, p.y)) <= 1e-6


@each_readout
def test_reference_readout_error_equals_closed_form(readout):
    p = dense.random_problem(12, readout=readout)
    lively(p)
    g = dense.gradients(p.model, p.weights, p.x, p.y)
    eps, dw = dense.closed_form(p.model, p.weights, p.x, p.y)
    assert dense.deviation(g.eps[-1], eps) <= EXACT
    assert dense.deviation(g.weights[-1], dw) <= EXACT


@each_readout
@each_half_width
def test_reference_gradient_does_not_need_errors_at_inactive_events(half_width, readout):
    p = dense.random_problem(13, SIZES[3], half_width=half_width, readout=readout, regularisers=REGULARISERS)
    lively(p)
    full, masked = (dense.gradients(p.model, p.weights, p.x, p.y, mask_eps=m) for m in (False, True))
    assert any((a != b).any() for a, b in zip(full.eps, masked.eps, strict=True)), "the mask removed nothing"
    for a, b in zip(masked.weights, full.weights, strict=True):
        assert dense.deviation(a, b) <= EXACT


def test_reference_weight_gradient_in_form_a_equals_form_b():
    p = dense.random_problem(14)
    trace = lively(p)
    g = dense.gradients(p.model, p.weights, p.x, p.y)
    ds = g.eps[0] * dense.slope(p.model, trace.v[0], trace.active[0])
    x = np.zeros(p.x.shape)
    for t in range(len(x) - 1):
        x[t + 1] = p.model.alphas[0] * x[t] + p.x[t]
    assert dense.deviation(np.einsum("tbi,tbj->ij", x, ds) / len(p.y), g.weights[0]) <= EXACT


# ---- chipsim against the reference ---------------------------------------------------------------------------------------------


@each_shape
@each_readout
@each_depth
def test_gradients_equal_reference(depth, half_width, readout, surrogate):
    p = dense.random_problem(20 + depth, SIZES[depth], half_width=half_width, readout=readout, surrogate=surrogate)
    lively(p)
    assert_equal_to_reference(p)


@each_readout
@each_depth
@pytest.mark.parametrize("f_upper", [1.0, 10.0])
def test_gradients_with_regularisers_equal_reference(f_upper, depth, readout):
    p = dense.random_problem(30 + depth, SIZES[depth], readout=readout, regularisers={**REGULARISERS, "f_upper": f_upper})
    p.weights[0][:, :3] = -0.05 * np.abs(p.weights[0][:, :3])  # three neurons that never spike
    trace = lively(p)
    counts = [s.sum(axis=0) for s in trace.spikes]
    assert all((c.mean(axis=1) > 1.0).any() for c in counts), "the upper regulariser must act for f_upper = 1"
    assert (counts[0][:, :3] == 0).all()
    assert_equal_to_reference(p)


@pytest.mark.parametrize("seed", range(100, 140))
def test_random_networks_equal_reference(seed):
    rng = np.random.default_rng(seed)
    sizes = (int(rng.integers(10, 60)), *(int(n) for n in rng.integers(8, 40, rng.integers(1, 4))), int(rng.integers(2, 12)))
    p = dense.random_problem(
        seed, sizes, steps=int(rng.integers(20, 70)), batch=int(rng.integers(1, 6)), rate=float(rng.uniform(0.05, 0.3)),
        tau_mem=float(rng.uniform(2.0, 20.0)), tau_readout=float(rng.uniform(2.0, 20.0)), half_width=float(rng.uniform(0.1, 0.6)),
        readout=("max", "sum")[rng.integers(2)], surrogate=("paper", "box", "triangle")[rng.integers(3)],
        regularisers=(None, REGULARISERS)[rng.integers(2)],
    )  # fmt: skip
    lively(p)
    assert_equal_to_reference(p)


@each_readout
def test_direction_of_gradients_equals_forward_tangent(readout):
    p = dense.random_problem(40, SIZES[3], readout=readout, half_width=0.3, regularisers=REGULARISERS)
    lively(p)
    g = cs.gradients(network(p), p.x, p.y, numerics="float64")
    found = [np.asarray(g.weights[name]) for name in p.names]
    for layer in range(len(p.weights)):
        directions = [d if n == layer else np.zeros_like(d) for n, d in enumerate(random_directions(layer, p.weights))]
        expected = dense.tangent(p.model, p.weights, directions, p.x, p.y)
        assert along(found, directions) == pytest.approx(expected, rel=1e-10, abs=1e-10 * np.abs(found[layer]).max())


@each_readout
def test_readout_gradient_equals_finite_differences(readout):
    p = dense.random_problem(41, readout=readout)
    lively(p)
    g = cs.gradients(network(p), p.x, p.y, numerics="float64")
    assert dense.deviation(g.weights["out"], dense.readout_differences(p.model, p.weights, p.x, p.y)) <= 1e-6


@each_shape
def test_half_width_and_surrogate_of_the_call_replace_those_of_the_network(half_width, surrogate):
    p = dense.random_problem(42, half_width=0.11, surrogate="box" if surrogate == "paper" else "paper")
    lively(p)
    assert_equal_to_reference(p, half_width=half_width, surrogate=surrogate)


def test_a_triangle_over_an_infinite_band_is_refused():
    with pytest.raises(cs.ConfigError, match=r"learning.half_width.*inf.*must be finite"):
        cs.ssgd_network(4, (3,), 2, surrogate="triangle", half_width=INF)
    flat = cs.ssgd_network(4, (3,), 2, surrogate="box", half_width=INF)
    with pytest.raises(cs.ConfigError, match="must be finite"):
        cs.gradients(flat, np.ones((5, 1, 4)), [0], surrogate="triangle")


def test_weights_of_the_call_replace_those_of_the_network_and_nothing_is_changed():
    p = dense.random_problem(43)
    before = [w.copy() for w in p.weights]
    net = cs.ssgd_network(**p.arguments, seed=3)
    own = {name: np.array(w) for name, w in net.weights.items()}
    g = cs.gradients(net, p.x, p.y, numerics="float64", weights=p.named_weights)
    h = cs.gradients(net.with_weights(p.named_weights), p.x, p.y, numerics="float64")
    for name in p.names:
        np.testing.assert_array_equal(g.weights[name], h.weights[name])
        np.testing.assert_array_equal(net.weights[name], own[name])
    for w, copy in zip(p.weights, before, strict=True):
        np.testing.assert_array_equal(w, copy)


def test_paper_regularisers_are_those_of_the_image_sets():
    named, told = (dense.random_problem(44, regularisers=r) for r in ("paper", REGULARISERS))
    trace = lively(named)
    assert all((s.sum(axis=0).mean(axis=1) > 1.0).any() for s in trace.spikes)
    assert_equal_to_reference(named)
    a, b = (cs.gradients(network(p), p.x, p.y, numerics="float64") for p in (named, told))
    for name in named.names:
        np.testing.assert_array_equal(a.weights[name], b.weights[name])


@each_readout
def test_batch_equals_mean_of_its_samples(readout):
    p = dense.random_problem(45, batch=5, readout=readout, regularisers=REGULARISERS)
    lively(p)
    net = network(p)
    whole = cs.gradients(net, p.x, p.y, numerics="float64")
    singles = [cs.gradients(net, p.x[:, [b]], p.y[[b]], numerics="float64") for b in range(5)]
    assert whole.loss == pytest.approx(np.mean([g.loss for g in singles]), rel=EXACT)
    for name in p.names:
        assert dense.deviation(whole.weights[name], np.mean([g.weights[name] for g in singles], axis=0)) <= EXACT


@each_readout
def test_events_give_the_same_bits_as_the_dense_input(readout):
    p = dense.random_problem(46, readout=readout, regularisers=REGULARISERS)
    lively(p)
    net = network(p)
    a = cs.gradients(net, p.x, p.y, numerics="float64")
    b = cs.gradients(net, cs.Events(*np.nonzero(p.x), shape=p.x.shape), p.y, numerics="float64")
    assert a.loss == b.loss
    for name in p.names:
        np.testing.assert_array_equal(a.weights[name], b.weights[name])


@each_readout
def test_float32_is_close_to_float64(readout):
    p = off_the_knife_edge(readout=readout)
    a, b = (cs.gradients(network(p), p.x, p.y, numerics=n) for n in ("float32", "float64"))
    assert a.loss == pytest.approx(b.loss, rel=1e-4)
    for name in p.names:
        assert dense.deviation(a.weights[name], b.weights[name]) <= 1e-4, name
        if name != "out":
            np.testing.assert_array_equal(a.active[name], b.active[name])


def off_the_knife_edge(margin: float = 1e-4, **options: object) -> dense.Problem:
    """Return a random problem of which no V is within `margin` of the threshold or of an edge of the band."""
    for seed in range(60, 160):
        p = dense.random_problem(seed, (20, 14, 10, 4), steps=25, batch=2, **options)
        u = np.concatenate([np.abs(v - 1.0).ravel() for v in dense.forward(p.model, p.weights, p.x).v])
        if min(u.min(), np.abs(u - p.model.half_width).min()) > margin:
            lively(p)
            return p
    raise AssertionError("no such problem in 100 seeds")
