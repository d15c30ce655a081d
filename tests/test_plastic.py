"""Projections that learn while they are simulated: kernels, public call, counts and refusals against the reference, without Lava."""

from __future__ import annotations

import copy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "peers"), str(TESTS)]

import learndraws
import plasticbridge
import reflava
from test_reference_lava import CHECKED, POST, PRE, VALUES

import chipsim as cs
from chipsim.cost import price_energy, price_time
from chipsim.hardware import build_chip

pytestmark = pytest.mark.kernel

FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
SEEDS = st.integers(0, 2**64 - 1)
TINY = {"limits.compartments_per_core.value": 2, "mesh.host_tile.value": 9}  # several slices of every population


@settings(max_examples=100, **FREE)
@given(SEEDS)
def test_kernels_equal_the_reference(seed):
    net = learndraws.network(seed)
    assert plasticbridge.differences(net, plasticbridge.simulate(net), reflava.run_net(net)) == []


@settings(max_examples=40, **FREE)
@given(SEEDS)
def test_counts_are_those_of_the_reference_on_every_core(seed):
    net = learndraws.network(seed)
    result = reflava.run_net(net)
    for chip in (None, cs.load_chip("loihi1", TINY)):
        sim = plasticbridge.simulate(net, chip)
        assert plasticbridge.differences(net, sim, result) == []
        for event, wanted in plasticbridge.counts(net, sim.image, result).items():
            assert np.array_equal(sim.counters.of("update", event), wanted), event


def test_float_equals_the_float_reference():
    """Spikes are those of the simulation; weights, tags, delays and traces follow from them."""
    compared = []

    @settings(max_examples=60, **FREE)
    @given(SEEDS)
    def each(seed):
        compared.append(float_steps(learndraws.network(seed, floats=True)))

    each()
    assert len(compared) >= 60 and sum(compared) > 600


def float_steps(net: dict) -> int:
    """Compare a network in float with the reference as long as its numbers stay sensible; return the steps compared."""
    steps = 0
    sim = plasticbridge.simulate(net, numerics="float64")
    for k, spec in enumerate(net["projections"]):
        if "rule" not in spec:
            continue
        start = sim.image.real_weights(sim.image.weights)[f"k{k}"].tolist()
        one = reflava.Connection(spec["rule"], start, reflava.Float())
        pre, post = (sim.payloads[f"p{spec[end]}"][:, 0] for end in ("pre", "post"))
        for t in range(net["steps"]):
            third = {v: rows[t] for v, rows in net["third"].get(k, {}).items()}
            one.spikes(t + 1, pre[t].tolist(), post[t].tolist(), third)
            one.learn(t + 1)
            if max(np.abs(rows).max() for rows in one.synapse.values()) > 1e6:
                break  # nothing saturates in float: such a rule runs away, and rounding errors with it
            steps += 1
            for v, wanted in {**one.synapse, **one.trace}.items():
                assert np.allclose(sim.traces[v][f"k{k}"][t, 0], wanted, rtol=1e-9, atol=1e-9), (t, v)
    return steps


def one_synapse(weight: int = 101, steps: int = len(PRE), **more) -> cs.Network:
    """Return an input neuron and a post neuron that only its own input makes spike, one step after it."""
    return cs.Network(
        steps=steps,
        population=[
            {"name": "in", "neuron": "input", "size": 2},
            {"name": "out", "neuron": "loihi-lif", "size": 1, "du": 4095, "dv": 4096, "vth": 1000},
        ],
        projection=[
            {"pre": "in", "post": "out", "name": "forced", "units": "mantissa", "weight_exp": 4, "sign_mode": "excitatory"},
            {"pre": "in", "post": "out", "name": "plastic", "units": "mantissa", "sign_mode": "mixed", **more},
        ],
    ).with_weights({"forced": np.array([[0], [255]]), "plastic": np.array([[weight], [0]])})


@pytest.mark.parametrize("case", [case for case in VALUES], ids=str)
def test_check_values_of_the_real_models(case):
    """Pre spikes come through input 0, post spikes one step later through input 1: shifted by a step, the post train of the table."""
    rule, length = case
    x = np.zeros((len(PRE), 1, 2))
    x[:, 0, 0], x[:-1, 0, 1] = PRE, POST[1:]
    record = ("spikes", *VALUES[case])
    sim = cs.simulate(
        one_synapse(), x, numerics="fixed", record=record, plastic={"plastic": cs.LavaRule(dw=rule, t_epoch=length, **CHECKED)}
    )
    assert sim.spikes["out"][:, 0, 0].tolist() == [bool(s) for s in POST]
    found = {v: sim.traces[v]["plastic"][length - 1 :: length, 0, 0].ravel().tolist() for v in VALUES[case]}
    assert {v: values[: len(VALUES[case][v])] for v, values in found.items()} == VALUES[case]


def test_samples_start_alike_and_threads_change_nothing():
    x = np.random.default_rng(2).random((30, 3, 2)) < 0.4
    x[:, 1], x[:, 2] = 0, x[:, 0]
    rule = cs.LavaRule(dw="2^-2*y0*x1", dt="x0", x1_impulse=16, x1_tau=10, rng_seed=3)
    more = {"numerics": "fixed", "record": ("x1", "w"), "plastic": {"plastic": rule}}
    one, two = (cs.simulate(one_synapse(), x.astype(float), threads=n, **more) for n in (1, 3))
    for mine, other in ((one.weights, two.weights), (one.tags, two.tags), (one.traces["x1"], two.traces["x1"])):
        assert np.array_equal(mine["plastic"], other["plastic"])
    assert np.array_equal(one.counters.counts, two.counters.counts) and one.counters.samples == 3
    weights, start = one.weights["plastic"], np.array([[100], [0]])
    assert np.array_equal(weights[0], weights[2]) and np.array_equal(weights[1], start) and (weights[0] > start).all()
    assert one.tags["plastic"][1].any() == 0 and (one.tags["plastic"][0] > 0).all()


def test_learning_has_its_price():
    x = (np.random.default_rng(2).random((30, 1, 2)) < 0.4).astype(float)
    rule = cs.LavaRule(dw="2^-2*y0*x1", x1_impulse=16, x1_tau=10, t_epoch=3, rng_seed=3)
    chip = cs.load_chip("loihi1")
    sim = cs.simulate(one_synapse(), x, chip=chip, numerics="fixed", plastic={"plastic": rule})
    evaluations = sim.counters.of("update", "evaluations")
    energy = price_energy(sim.counters, chip, None, 1)
    assert evaluations.sum() > 0 and energy.update_j == pytest.approx(evaluations.sum() * 120e-12)
    assert energy.unpriced["update.trace_updates"] == sim.counters.of("update", "trace_updates").sum() > 0
    assert price_time(sim.counters, chip, 1).update_s == pytest.approx(evaluations.max(axis=1).sum() * 6.1e-9)
    ends = np.flatnonzero(sim.counters.of("update", "random_draws").sum(axis=1) >= 5)
    assert ends.tolist() == list(range(2, 30, 3))


def two_projections() -> cs.Network:
    """Return two projections from 2 inputs to 3 neurons."""
    return cs.Network(
        steps=6,
        population=[
            {"name": "in", "neuron": "input", "size": 2},
            {"name": "out", "neuron": "loihi-lif", "size": 3, "du": 4095, "dv": 4096, "vth": 1000},
        ],
        projection=[{"pre": "in", "post": "out", "name": n, "units": "mantissa", "sign_mode": "mixed"} for n in "ab"],
    ).with_weights({n: np.zeros((2, 3)) for n in "ab"})


def engine(**learning):
    """Return loihi1-ssgd with a [learning] table."""
    table = copy.deepcopy(dict(cs.load_chip("loihi1-ssgd").table))
    return build_chip({**table, "learning": {"source": "a test", **learning}}, "engine")


def test_an_engine_that_visits_everything_is_charged_for_what_learns_on_the_way():
    x = (np.random.default_rng(2).random((30, 1, 2)) < 0.4).astype(float)
    rule = cs.LavaRule(dw="2^-2*y0*x1", x1_impulse=16, x1_tau=10, t_epoch=3, rng_seed=3)
    epoch = {"value": 5000, "unit": "ns", "basis": "assumed", "source": "a test", "scope": "incremental"}
    chip = engine(visit="all", read="always", write="always", epoch=epoch)
    sim = cs.simulate(one_synapse(), x, chip=chip, numerics="fixed", plastic={"plastic": rule})
    count = {event: int(sim.counters.of("update", event).sum()) for event in ("evaluations", "evaluations_skipped", "epochs")}
    assert count["epochs"] == 10 and count["evaluations"] + count["evaluations_skipped"] == 10 * 2 > count["evaluations"] > 0
    assert np.flatnonzero(sim.counters.of("update", "epochs").sum(axis=1)).tolist() == list(range(2, 30, 3))
    energy, time = price_energy(sim.counters, chip, None, 1), price_time(sim.counters, chip, 1)
    assert energy.update_j == pytest.approx(10 * 2 * 120e-12), "every synapse in every epoch"
    assert time.update_s == pytest.approx(10 * (5000 + 2 * 6.1) * 1e-9)
    gated = price_time(sim.counters, engine(visit="active"), 1)
    assert gated.update_s == pytest.approx(count["evaluations"] * 6.1e-9)
    published = cs.load_chip("loihi1")
    ways = {"visit": "all", "read": "always"}
    open_ones = price_energy(sim.counters, replace(published, engine=replace(published.engine, **ways)), None, 1).unpriced
    assert {"update.visits_skipped", "update.evaluations_skipped"} <= set(open_ones)


def test_an_epoch_is_that_of_a_core():
    """Two projections onto one core: epochs of 2 and of 3 steps; in step 5 both end in one epoch of the core."""
    net = two_projections()
    rules = {"a": cs.LavaRule(dw="x0*y1", t_epoch=2, rng_seed=3), "b": cs.LavaRule(dw="x0*y1", t_epoch=3, rng_seed=3)}
    sim = cs.simulate(net, np.zeros((6, 1, 2)), chip="loihi1", numerics="fixed", plastic=rules)
    assert sim.counters.of("update", "epochs").sum(axis=1).tolist() == [0, 1, 1, 1, 0, 1]
    assert sim.counters.of("update", "evaluations_skipped").sum(axis=1).tolist() == [0, 6, 6, 6, 0, 12]


def test_learned_weights_start_the_next_call():
    net, rule = one_synapse(), cs.LavaRule(dw="2^-2*y0*x1", x1_impulse=16, x1_tau=10, rng_seed=3)
    x = np.ones((8, 1, 2))
    first = cs.simulate(net, x, numerics="fixed", plastic={"plastic": rule})
    start = {**net.weights, "plastic": first.weights["plastic"][0]}
    assert (start["plastic"] > net.weights["plastic"]).all()
    second = cs.simulate(net, x, numerics="fixed", weights=start, plastic={"plastic": rule}, record=("w",))
    assert second.weights["plastic"][0, 0, 0] > start["plastic"][0, 0] - 1  # odd weights lose their last bit when they are stored
    assert "plastic" not in cs.simulate(net, x, numerics="fixed").weights


def test_without_a_spike_nothing_is_visited():
    net, rule = one_synapse(), cs.LavaRule(dw="x0*y1 + y0*x1*w", dt="x0", rng_seed=3)
    quiet = cs.simulate(net, np.zeros((8, 1, 2)), numerics="fixed", plastic={"plastic": rule})
    table = quiet.counters.table()["update"]
    assert {event: table[event] for event in ("visits", "evaluations", "terms", "writes", "trace_updates")} == dict.fromkeys(
        ("visits", "evaluations", "terms", "writes", "trace_updates"), 0
    )
    assert table["random_draws"] == 5 * 8
    every = cs.LavaRule(dw="u1*w", rng_seed=3)
    assert (
        cs.simulate(net, np.zeros((8, 1, 2)), numerics="fixed", plastic={"plastic": every}).counters.table()["update"][
            "evaluations"
        ]
        == 2 * 4
    )
