"""Edge cases of cs.gradients in float64, each against values worked out by hand and against the dense reference in tests/oracle.

The networks are small and most numbers exact in binary: with tau = 1 / ln 2 a membrane halves in every step.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import dense

HALVING = {"tau_mem": 1.0 / np.log(2.0), "tau_readout": 1.0 / np.log(2.0)}
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
both_readouts = pytest.mark.parametrize("readout", ["max", "sum"])


def one_input(steps: int, *times: int, value: float = 1.0) -> np.ndarray:
    """Return x [T, 1, 1] with an event at every given time."""
    x = np.zeros((steps, 1, 1))
    x[list(times)] = value
    return x


def gradients(p: dense.Problem, **override: object):
    """Return chipsim's gradients after comparing them with the reference."""
    net = cs.ssgd_network(**p.arguments, seed=1).with_weights(p.named_weights)
    g = cs.gradients(net, p.x, p.y, numerics="float64", **override)
    assert dense.differences(g, p, **override) == []
    return g


def assert_all_zero(g: object, *names: str) -> None:
    for name in names:
        assert not np.asarray(g.weights[name]).any(), name


@both_readouts
def test_no_active_event(readout):
    """V jumps over the band: spikes, a readout gradient, but nothing for the hidden weights."""
    p = dense.describe([[[3.0, 5.0]], [[1.0, -1.0], [0.5, 2.0]]], one_input(6, 0, 2), [0], **HALVING, readout=readout)
    g = gradients(p)
    assert not g.active["hidden1"].any()
    assert_all_zero(g, "hidden1")
    assert np.asarray(g.weights["out"]).any()


def test_active_event_after_the_last_presynaptic_event():
    """0.95, 0.86, 0.78 .. : the neuron is active at t = 1 and 2, its only input spike stands at t = 0."""
    p = dense.describe([[[0.95]], [[2.0, 1.0]]], one_input(8, 0), [0], readout="sum")
    g = gradients(p)
    np.testing.assert_array_equal(np.flatnonzero(g.active["hidden1"]), [1, 2])
    a, r = p.model.alphas[0], p.model.alpha_out
    eps = [(2.0 * -0.5 + 1.0 * 0.5) * (1.0 - r ** (7 - t)) for t in (1, 2)]
    ds = [e / (100.0 * abs(v - 1.0) + 1.0) ** 2 for e, v in zip(eps, (0.95, 0.95 * a), strict=True)]
    assert g.weights["hidden1"][0, 0] == pytest.approx(ds[0] + a * ds[1], rel=1e-12)


def test_upper_layer_is_active_long_after_the_layer_below():
    """Layer 1 is active at t = 1 only, layer 2 until t = 3: here the published code reads before the start of a table."""
    p = dense.describe([[[1.1]], [[0.95]], [[2.0, 1.0]]], one_input(8, 0), [0], readout="sum")
    g = gradients(p)
    np.testing.assert_array_equal(np.flatnonzero(g.active["hidden1"]), [1])
    np.testing.assert_array_equal(np.flatnonzero(g.active["hidden2"]), [2, 3])
    assert np.asarray(g.weights["hidden1"]).any() and np.asarray(g.weights["hidden2"]).any()


@both_readouts
def test_activity_only_at_the_last_step(readout):
    """No loss can depend on a spike at T - 1; only a regulariser can."""
    p = dense.describe([[[0.9, 1.1]], np.ones((2, 2))], one_input(5, 3), [0], readout=readout)
    g = gradients(p)
    assert g.active["hidden1"][4].all() and not g.active["hidden1"][:4].any()
    assert_all_zero(g, "hidden1", "out")
    p = dense.describe(p.weights, p.x, [0], readout=readout, regularisers=REGULARISERS)
    g = gradients(p)
    np.testing.assert_allclose(g.weights["hidden1"], [[-0.1 / 121.0, 0.0]], rtol=1e-12)


def test_membrane_of_exactly_one_is_active_and_silent():
    """g(0) = 1; kappa = 1 - 0.5; q = (-0.5, 0.5): dW = (2 * -0.5 + 1 * 0.5) * 0.5."""
    p = dense.describe([[[1.0]], [[2.0, 1.0]]], one_input(3, 0), [0], **HALVING, readout="sum")
    g = gradients(p)
    np.testing.assert_array_equal(np.flatnonzero(g.active["hidden1"]), [1])
    assert_all_zero(g, "out")
    assert g.weights["hidden1"][0, 0] == pytest.approx(-0.25, rel=1e-12)


@pytest.mark.parametrize("surrogate", ["paper", "box"])
def test_edge_of_the_band_is_not_active(surrogate):
    """|V - 1| = half_width exactly on either side is outside, the next number inside."""
    w = [0.75, 1.25, np.nextafter(0.75, 1.0), np.nextafter(1.25, 1.0)]
    p = dense.describe([[w], np.arange(8.0).reshape(4, 2)], one_input(5, 0), [1], **HALVING, readout="sum", half_width=0.25,
                       surrogate=surrogate)  # fmt: skip
    g = gradients(p)
    np.testing.assert_array_equal(g.active["hidden1"][1, 0], [False, False, True, True])
    assert g.active["hidden1"].sum() == 2
    np.testing.assert_array_equal(np.asarray(g.weights["hidden1"])[0] != 0.0, [False, False, True, True])


def test_infinite_band_is_active_everywhere_but_at_the_start():
    p = dense.random_problem(1, half_width=float("inf"))
    g = gradients(p)
    for name in ("hidden1", "hidden2"):
        assert not g.active[name][0].any()
        assert g.active[name][1:].all()


def test_outputs_never_positive_with_max():
    """Every class keeps its score of 0 from t = 0: no gradient at all, loss ln C."""
    p = dense.random_problem(2, readout="max")
    p = dense.describe([*p.weights[:-1], -np.abs(p.weights[-1])], p.x, p.y, readout="max")
    trace = dense.forward(p.model, p.weights, p.x)
    assert all(s.any() and a.any() for s, a in zip(trace.spikes, trace.active, strict=True))
    g = gradients(p)
    assert_all_zero(g, "hidden1", "hidden2", "out")
    assert g.loss == pytest.approx(np.log(5.0), rel=1e-12)


def test_one_class_never_positive_with_max():
    p = dense.random_problem(3, readout="max")
    p.weights[-1][:, 2] = -np.abs(p.weights[-1][:, 2])
    g = gradients(p)
    assert not np.asarray(g.weights["out"])[:, 2].any()
    assert np.asarray(g.weights["out"]).any() and np.asarray(g.weights["hidden1"]).any()


def test_tied_maxima_take_the_first_step():
    """Class 0 gives 0, 0, 1, 1, 0.5: the first 1 belongs to the spike of neuron 0 alone."""
    x = np.zeros((5, 1, 2))
    x[0, 0, 0] = x[1, 0, 1] = 1.0
    p = dense.describe([np.diag([2.0, 2.0]), [[2.0, 0.0], [1.0, 0.0]]], x, [0], **HALVING, readout="max", half_width=1.5)
    np.testing.assert_array_equal(dense.forward(p.model, p.weights, p.x).out[:, 0, 0], [0.0, 0.0, 1.0, 1.0, 0.5])
    g = gradients(p)
    q = np.e / (np.e + 1.0) - 1.0
    np.testing.assert_allclose(g.weights["out"], [[0.5 * q, 0.0], [0.0, 0.0]], rtol=1e-12)
    assert np.asarray(g.weights["hidden1"]).any()


@both_readouts
def test_one_step(readout):
    """T = 1: no transition. Loss ln C plus 1e-4 per silent layer of the lower regulariser."""
    p = dense.random_problem(4, steps=1, rate=0.9, readout=readout, regularisers=REGULARISERS)
    g = gradients(p)
    assert_all_zero(g, "hidden1", "hidden2", "out")
    assert g.loss == pytest.approx(np.log(5.0) + 2e-4, rel=1e-12)


@both_readouts
def test_two_steps(readout):
    """T = 2: one transition; layer 1 may be active at t = 1, where only a regulariser reaches it."""
    p = dense.random_problem(5, steps=2, rate=0.5, fire=0.2, readout=readout, half_width=0.5)
    g = gradients(p)
    assert g.active["hidden1"].any() and not g.active["hidden2"].any()
    assert_all_zero(g, "hidden1", "hidden2", "out")
    p = dense.describe(p.weights, p.x, p.y, readout=readout, half_width=0.5, regularisers=REGULARISERS)
    g = gradients(p)
    assert np.asarray(g.weights["hidden1"]).any()
    assert_all_zero(g, "hidden2", "out")


@both_readouts
def test_three_steps(readout):
    p = dense.random_problem(6, (30, 20, 4), steps=3, rate=0.5, fire=0.2, readout=readout, half_width=0.5)
    g = gradients(p)
    assert np.asarray(g.weights["hidden1"]).any() and np.asarray(g.weights["out"]).any()


@both_readouts
def test_batch_of_one(readout):
    p = dense.random_problem(7, batch=1, readout=readout)
    g = gradients(p)
    assert all(np.asarray(g.weights[name]).any() for name in p.names)


def test_non_binary_input_multiplies_the_added_row_by_hand():
    """0.5 * 2 = 1 = V; dW = 0.5 * delta with the delta of the case V = 1."""
    p = dense.describe([[[2.0]], [[2.0, 1.0]]], one_input(3, 0, value=0.5), [0], **HALVING, readout="sum")
    g = gradients(p)
    assert g.weights["hidden1"][0, 0] == pytest.approx(-0.125, rel=1e-12)


@both_readouts
def test_non_binary_input(readout):
    p = dense.random_problem(8, readout=readout, regularisers=REGULARISERS, analog=True)
    g = gradients(p)
    assert all(np.asarray(g.weights[name]).any() for name in p.names)
    assert all(g.active[name].any() for name in ("hidden1", "hidden2"))


def test_input_of_the_last_step_has_no_gradient():
    p = dense.random_problem(9)
    later = p.x.copy()
    later[-1] = 1 - later[-1]
    a, b = gradients(p), gradients(p._replace(x=later))
    for name in p.names:
        np.testing.assert_array_equal(a.weights[name], b.weights[name])


@both_readouts
def test_no_input_at_all(readout):
    p = dense.random_problem(10, readout=readout, regularisers=REGULARISERS)
    g = gradients(p._replace(x=np.zeros_like(p.x)))
    assert_all_zero(g, "hidden1", "hidden2", "out")
    assert g.loss == pytest.approx(np.log(5.0) + 2e-4, rel=1e-12)


def test_lower_regulariser_acts_on_silent_neurons_only():
    """Box, no downstream error: 0.9 is silent and gets -0.2/H, 1.1 spikes once and gets exactly 0, the rest is not active."""
    p = dense.describe([[[0.9, 1.1, 3.0, 0.1]], np.zeros((4, 2))], one_input(4, 0), [0], **HALVING, surrogate="box",
                       regularisers={"upper": 0.0, "lower": 100.0, "f_upper": 1.0})  # fmt: skip
    g = gradients(p)
    np.testing.assert_allclose(g.weights["hidden1"], [[-0.2 / 4, 0.0, 0.0, 0.0]], rtol=1e-12)
    assert g.loss == pytest.approx(np.log(2.0) + 100.0 / 4 * 2 * 1e-6, rel=1e-12)


@pytest.mark.parametrize(("f_upper", "acts"), [(0.5, True), (1.0, False), (2.0, False)])
@pytest.mark.parametrize("steps", [2, 4])
def test_upper_regulariser_acts_above_its_limit_only(f_upper, acts, steps):
    """Two neurons spike once, mean count 1: above 0.5, not above 1. With T = 2 the spike at T - 1 counts all the same."""
    p = dense.describe([[[1.1, 3.0]], np.zeros((2, 2))], one_input(steps, 0), [0], **HALVING, surrogate="box",
                       regularisers={"upper": 0.06, "lower": 100.0, "f_upper": f_upper})  # fmt: skip
    g = gradients(p)
    np.testing.assert_allclose(g.weights["hidden1"], [[0.03 if acts else 0.0, 0.0]], rtol=1e-12)
    assert g.loss == pytest.approx(np.log(2.0) + (0.03 if acts else 0.0), rel=1e-12)


@both_readouts
def test_silent_last_layer_leaves_the_regulariser_of_layer_one(readout):
    p = dense.random_problem(11, readout=readout, regularisers=REGULARISERS)
    p.weights[0][:, 0] *= 0.25
    p = dense.describe([p.weights[0], -np.abs(p.weights[1]), p.weights[2]], p.x, p.y, readout=readout, regularisers=REGULARISERS)
    g = gradients(p)
    assert not g.active["hidden2"].any()
    assert np.asarray(g.weights["hidden1"]).any()
    assert_all_zero(g, "hidden2", "out")


@both_readouts
def test_scores_of_thousands_stay_finite(readout):
    p = dense.random_problem(12, readout=readout)
    p = dense.describe([*p.weights[:-1], 1e5 * p.weights[-1]], p.x, p.y, readout=readout)
    g = gradients(p)
    assert 1e3 < g.loss < np.inf
