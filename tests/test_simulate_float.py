"""cs.simulate in float64: spikes and membranes against the dense reference, and against values worked out by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import dense

TAU_HALF = 1.0 / np.log(2.0)  # decay exp(-1/tau) = 0.5 exactly


def simulate(p: dense.Problem, x: object = None, **options: object):
    net = cs.ssgd_network(**p.arguments, seed=1).with_weights(p.named_weights)
    return cs.simulate(net, p.x if x is None else x, **{"numerics": "float64", "record": ("spikes", "v"), **options})


def assert_equal_to_reference(p: dense.Problem) -> None:
    trace = dense.forward(p.model, p.weights, p.x)
    sim = simulate(p)
    for name, s, v in zip(p.names, trace.spikes, trace.v, strict=False):
        assert sim.spikes[name].dtype == bool
        np.testing.assert_array_equal(sim.spikes[name], s.astype(bool))
        np.testing.assert_allclose(sim.v[name], v, rtol=0.0, atol=1e-12 * max(1.0, np.abs(v).max()))
    assert sim.v["out"].dtype == np.float64
    assert dense.deviation(sim.v["out"], trace.out) <= 1e-12


def assert_lively(p: dense.Problem) -> None:
    for s in dense.forward(p.model, p.weights, p.x).spikes:
        assert 0.005 < s.mean() < 0.15


def test_reference_decay_of_one_half_is_exact():
    assert np.exp(-1.0 / TAU_HALF) == 0.5


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_forward_equals_reference(depth, seed):
    rng = np.random.default_rng(1000 * depth + seed)
    sizes = (int(rng.integers(10, 60)), *(int(n) for n in rng.integers(8, 40, depth)), int(rng.integers(2, 12)))
    p = dense.random_problem(seed, sizes, steps=int(rng.integers(20, 120)), batch=int(rng.integers(1, 5)),
                             tau_mem=float(rng.uniform(2.0, 20.0)), tau_readout=float(rng.uniform(2.0, 20.0)))  # fmt: skip
    assert_lively(p)
    assert_equal_to_reference(p)


def test_membrane_and_readout_by_hand():
    """Decay 0.5, weight 1.5, input at t = 0 and 1: V = 1.5, then 0.75 + 1.5 - 1 = 1.25, then 0.625 - 1."""
    x = np.array([1, 1, 0, 0, 0]).reshape(5, 1, 1)
    p = dense.describe([[[1.5]], [[2.0, 0.0]]], x, [0], tau_mem=TAU_HALF, tau_readout=TAU_HALF)
    sim = simulate(p)
    np.testing.assert_array_equal(sim.v["hidden1"].ravel(), [0.0, 1.5, 1.25, -0.375, -0.1875])
    np.testing.assert_array_equal(sim.spikes["hidden1"].ravel(), [False, True, True, False, False])
    np.testing.assert_array_equal(sim.v["out"][:, 0, 0], [0.0, 0.0, 1.0, 1.5, 0.75])


def test_threshold_is_strict():
    """V = 1 exactly is silent, the next larger number spikes."""
    x = np.array([1, 0, 0]).reshape(3, 1, 1)
    p = dense.describe([[[1.0, np.nextafter(1.0, 2.0)]], np.ones((2, 2))], x, [0])
    sim = simulate(p)
    np.testing.assert_array_equal(sim.v["hidden1"][1, 0], [1.0, np.nextafter(1.0, 2.0)])
    np.testing.assert_array_equal(sim.spikes["hidden1"][1, 0], [False, True])


def test_input_of_the_last_step_is_never_used():
    x = np.zeros((6, 2, 3), dtype=np.uint8)
    x[5] = 1
    p = dense.describe([np.full((3, 4), 2.0), np.ones((4, 2))], x, [0, 1])
    sim = simulate(p)
    assert not sim.spikes["hidden1"].any()
    assert not sim.v["hidden1"].any() and not sim.v["out"].any()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_few_steps(steps):
    p = dense.random_problem(3, steps=steps, rate=0.9, fire=0.3)
    sim = simulate(p)
    assert sim.v["hidden1"].shape == (steps, 3, 24)
    assert not sim.v["hidden1"][0].any() and not sim.v["out"][0].any()
    assert_equal_to_reference(p)


def test_non_binary_input_multiplies_the_row():
    p = dense.random_problem(7, analog=True)
    assert_lively(p)
    assert_equal_to_reference(p)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32, np.float64])
def test_dtype_and_layout_of_the_input_do_not_matter(dtype):
    p = dense.random_problem(8)
    a, b = simulate(p), simulate(p, np.asfortranarray(p.x.astype(dtype)))
    for name in p.names:
        np.testing.assert_array_equal(a.v[name], b.v[name])


def test_events_give_the_same_bits_as_the_dense_input():
    p = dense.random_problem(9)
    assert_lively(p)
    a, b = simulate(p), simulate(p, cs.Events(*np.nonzero(p.x), shape=p.x.shape))
    for name in p.names:
        np.testing.assert_array_equal(a.v[name], b.v[name])
    for name in p.names[:-1]:
        np.testing.assert_array_equal(a.spikes[name], b.spikes[name])
    np.testing.assert_array_equal(a.counters.counts, b.counters.counts)


def test_no_input_event_at_all():
    p = dense.random_problem(10)
    p = p._replace(x=np.zeros_like(p.x))
    for x in (p.x, cs.Events(*np.nonzero(p.x), shape=p.x.shape)):
        sim = simulate(p, x)
        assert not any(sim.v[name].any() for name in p.names)
        assert not any(sim.spikes[name].any() for name in p.names[:-1])


def test_samples_of_a_batch_do_not_touch_each_other():
    p = dense.random_problem(11, batch=4)
    whole = simulate(p)
    for b in range(4):
        single = simulate(p, p.x[:, [b]])
        for name in p.names:
            np.testing.assert_array_equal(whole.v[name][:, [b]], single.v[name])


def test_counters_equal_counts_of_the_reference():
    p = dense.random_problem(12)
    assert_lively(p)
    trace = dense.forward(p.model, p.weights, p.x)
    steps, batch = p.x.shape[:2]
    below = [p.x, *trace.spikes]
    synops = sum(int(s[: steps - 1].sum()) * w.shape[1] for s, w in zip(below, p.weights, strict=True))
    counted = simulate(p).counters.total()
    assert counted.of("forward", "synops").sum() == synops
    assert counted.of("forward", "spikes").sum() == sum(int(s.sum()) for s in trace.spikes)
    assert counted.of("forward", "neuron_updates").sum() == (steps - 1) * batch * sum(w.shape[1] for w in p.weights)
    assert counted.of("forward", "inputs_injected").sum() == int(p.x[: steps - 1].sum())
    assert counted.samples == batch


def test_float32_is_close_to_float64():
    p = dense.random_problem(61, (20, 14, 10, 4), steps=25, batch=2)
    assert_lively(p)
    v = dense.forward(p.model, p.weights, p.x).v
    assert min(np.abs(layer - 1.0).min() for layer in v) > 1e-5, "this seed sits on the knife edge"
    a, b = simulate(p, numerics="float32"), simulate(p)
    for name in p.names:
        assert dense.deviation(a.v[name], b.v[name]) <= 1e-4


def test_a_second_call_gives_the_same_bits():
    p = dense.random_problem(13)
    a, b = simulate(p), simulate(p)
    for name in p.names:
        np.testing.assert_array_equal(a.v[name], b.v[name])
