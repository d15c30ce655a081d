"""The closed form of a sample in which nothing is sparse equals, count for count, a run of bptt in which every neuron spikes."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.counters import EVENTS
from chipsim.simulator.account import account
from chipsim.simulator.dense import dense_activity

CHIP = {"limits.compartments_per_core.value": 6, "limits.log_words_per_core.value": 10000}


def network(kind="chain", steps=9, neuron="delta-lif", **learning):
    """Return a network in which, with all inputs on, every hidden neuron spikes in every step; every hidden population has input."""
    hidden = {"delta-lif": {"tau_ms": 5.0}, "if": {}, "adaptive-lif": {"tau_ms": 5.0, "tau_adapt_ms": 8.0, "jump": 0.01},
              "loihi-lif": {"du": 4095, "dv": 1000}}[neuron]  # fmt: skip
    readout = {"name": "out", "neuron": "leaky-readout", "size": 3, "tau_ms": 6.0, "readout": learning.pop("readout", "sum")}
    populations = [{"name": "in", "neuron": "input", "size": 5}]
    populations += [{"name": n, "neuron": neuron, "size": size, **hidden} for n, size in (("a", 8), ("b", 4))] + [readout]
    ends = [("in", "a"), ("in", "b"), ("a", "b"), ("b", "out")] + (
        [("b", "a"), ("a", "a"), ("a", "out")] if kind != "chain" else []
    )
    sizes = {p["name"]: p["size"] for p in populations}
    rng = np.random.default_rng(3)
    weights, delays, projections = {}, {}, []
    for n, (pre, post) in enumerate(ends):
        shape, sparse = (sizes[pre], sizes[post]), kind in ("sparse", "delays") and pre != "in"
        w = rng.uniform(0.3, 0.5, shape) if pre == "in" else rng.uniform(0.01, 0.05, shape)
        mask = rng.random(shape) < 0.6 if sparse else np.ones(shape, dtype=bool)
        mask[0], mask[:, 0] = True, True
        projections.append({"pre": pre, "post": post, "name": f"k{n}", "kind": "sparse" if sparse else "dense"})
        weights[f"k{n}"] = w * mask
        if kind == "delays" and pre != "in":
            delays[f"k{n}"] = rng.integers(0, 3, shape)
    made = cs.Network(
        steps=steps, population=populations, projection=projections, learning={"rule": "bptt", "surrogate": "paper", **learning},
        schedule={"float": {"passes": 1, "batch": 1, "optimiser": "sgd", "rate": 1e-3}},
    )  # fmt: skip
    made = made.with_weights(weights)
    return made.with_delays(delays) if delays else made


def both(net, chip=None):
    """Return (counts of a run over two samples, counts of the closed form of one)."""
    chip = cs.load_chip("toy", CHIP | (chip or {}))
    x, y = np.ones((net.steps, 2, net.populations[0].size)), np.array([0, 1])
    run = cs.train(net, chip, (x, y, x, y), numerics="float64")
    image = compile_network(net, chip, numerics="float64")
    return run.counters, account(image, dense_activity(image, learned=True), learned=True)


def differences(run, closed, least=1000):
    """Return {event: (counts of the run, twice those of the closed form)} where they differ; at least so much was counted."""
    found, expected = 2 * closed.total().counts, run.total().counts
    assert expected.sum() > least
    return {
        EVENTS[n]: (expected[n].sum(axis=1).tolist(), found[n].sum(axis=1).tolist())
        for n in range(len(EVENTS))
        if not np.array_equal(found[n], expected[n])
    }


@pytest.mark.parametrize("kind", ["chain", "recurrent", "sparse", "delays"])
def test_the_closed_form_is_that_of_a_real_run(kind):
    assert differences(*both(network(kind))) == {}


@pytest.mark.parametrize("neuron", ["if", "adaptive-lif", "loihi-lif"])
def test_other_neurons(neuron):
    assert differences(*both(network("recurrent", neuron=neuron))) == {}


@pytest.mark.parametrize(
    "options",
    [{"readout": "max"}, {"loss": "step"}, {"regularisers": {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}}, {"steps": 2}],
    ids=lambda options: next(iter(options)),
)
def test_other_losses(options):
    assert differences(*both(network("recurrent", **options)), least=300) == {}


def test_updates_count_by_the_predicate_of_the_chip():
    assert differences(*both(network("chain"), {"active_update": "fired"})) == {}


def test_an_optimiser_with_state_visits_every_row():
    net = network("sparse").but(schedule={"float": {"passes": 1, "batch": 1, "optimiser": "momentum", "rate": 1e-3}})
    chip = cs.load_chip("toy", CHIP)
    image = compile_network(net, chip, numerics="float64")
    one = dense_activity(image, learned=True, draws=True, state=True)
    synapses = sum(s.count for s in image.plan.synapses)
    assert one.evaluations.sum() == one.optimised.sum() == one.draws.sum() == one.writes.sum() == synapses
    assert one.visits.sum() == image.circuit.row_words.sum()


def test_inference_alone_has_no_learning():
    image = compile_network(network("chain"), cs.load_chip("toy", CHIP), learn=False, numerics="float64")
    counted = account(image, dense_activity(image, learned=False), learned=False).table()
    assert counted["forward"]["synops"] == 8 * 5 * (8 + 4) + 7 * (8 * 4 + 4 * 3)  # 9 steps; hidden spikes begin in step 1
    assert not any(counted["backward"].values()) and not any(counted["update"].values())
