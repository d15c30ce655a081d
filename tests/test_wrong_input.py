"""A user's mistake in Python gives a ChipsimError that names object, key, value and limit; never another exception."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chipsim as cs

NET = cs.ssgd_network(8, (6, 5), 3, steps=10)
X = (np.random.default_rng(0).random((10, 4, 8)) < 0.3).astype(float)
Y = np.array([0, 1, 2, 0])
RAGGED = [[[1, 0], [1]], [[0]]]
LAYERS = [{"name": "a", "size": 3, "neuron": "input"}, {"name": "b", "size": 3, "tau_ms": 5.0}]
OUT = {"name": "c", "size": 3, "neuron": "leaky-readout", "tau_ms": 5.0}


def network(**more):
    return cs.Network(**{"steps": 5, "population": [*LAYERS, OUT], **more})


def events(t=(0, 1), sample=(0, 0), unit=(0, 1), shape=(10, 1, 8), **more):
    return cs.Events(t, sample, unit, shape=shape, **more)


def wider():
    return [p.model_copy(update={"size": 7}) if p.name == "hidden1" else p for p in NET.population]


WRONG = {
    "simulate: chip is a number": (lambda: cs.simulate(NET, X, chip=3), "chip = 3, but a Chip, a name or a path"),
    "simulate: no such path": (lambda: cs.simulate(NET, X, chip=Path("no/such.toml")), "no/such.toml"),
    "simulate: no such model": (lambda: cs.simulate("digitz", X), "did you mean 'digits'"),
    "simulate: ragged": (lambda: cs.simulate(NET, RAGGED), "shape"),
    "simulate: objects": (lambda: cs.simulate(NET, np.array([[[None]]])), "numeric array"),
    "simulate: record": (lambda: cs.simulate(NET, X, record=("w",)), "record = .w..*spikes, v, u, payloads, active"),
    "gradients: rule": (lambda: cs.gradients(NET, X, Y, rule=["x"]), "rule"),
    "gradients: model": (lambda: cs.gradients(7, X, Y), "model = 7"),
    "weights: a list": (lambda: NET.with_weights([1, 2]), "form = 'list', but a dict"),
    "weights: complex": (lambda: NET.with_weights({n: w + 1j for n, w in NET.weights.items()}), "real numbers"),
    "weights: ragged": (lambda: NET.with_weights({**NET.weights, "out": [[1, 2], [3]]}), "out.*real numbers"),
    "weights: huge": (lambda: NET.with_weights({**NET.weights, "out": NET.weights["out"] * 1e300}), "at most 1e\\+06"),
    "weights: other shape": (lambda: NET.with_weights(NET.weights).but(population=wider()), "hidden1.*shape"),
    "events: shape": (lambda: events(shape=5), "shape = 5"),
    "events: float shape": (lambda: events(shape=(10.0, 1.0, 8.0)), "whole numbers"),
    "events: huge shape": (lambda: events(shape=(10**9, 10**9, 4)), "at most"),
    "events: value": (lambda: events(value="a"), "value"),
    "events: one value": (lambda: events(value=1.0), "one-dimensional"),
    "events: values in a table": (lambda: events(value=[[1.0, 1.0]]), "one-dimensional"),
    "events: NaN": (lambda: events(value=[1.0, np.nan]), "value = nan.*finite"),
    "network: populations": (lambda: network(population=[1, 2, 3]), "population.0"),
    "network: text": (lambda: network(steps="5"), "steps = '5'"),
    "network: truth": (lambda: network(steps=True), "steps = True"),
    "network: name": (lambda: network(name="a/../../b"), "name = 'a/../../b'"),
    "network: no name": (lambda: network(name=""), "name = ''"),
    "network: half_width": (lambda: network(learning={"half_width": 1e30}), "half_width = 1e\\+30.*1000"),
    "network: weight_bits": (lambda: network(learning={"weight_bits": "8"}), "weight_bits = '8'"),
    "network: several": (lambda: network(steps=0, dt_ms=-1.0, colour="red"), "(?s)steps = 0.*dt_ms|dt_ms.*steps = 0"),
    "ssgd_network: hidden": (lambda: cs.ssgd_network(8, 200), "hidden = 200, but a list of sizes"),
    "ssgd_network: init": (lambda: cs.ssgd_network(8, (3,), init=3), "init = 3"),
    "ssgd_network: gain": (lambda: cs.ssgd_network(8, (3,), init={"gain": 1e300}), "gain = 1e\\+300"),
    "load_chip: nothing": (lambda: cs.load_chip(None), "name = None, but a name or a path"),
    "load_model: a number": (lambda: cs.load_model(3), "name = 3"),
    "load_model: overrides": (lambda: cs.load_model("digits", ["steps=3"]), "overrides.*dict"),
    "evaluate: a number": (lambda: cs.evaluate(3), "run_dir = 3"),
    "evaluate: nothing there": (lambda: cs.evaluate("no/such/run"), "config.toml"),
    "evaluate: threads": (lambda: cs.evaluate("no/such/run", threads=0), "threads = 0"),
    "compile: chip": (lambda: cs.train(NET, 4), "chip = 4"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named(case):
    action, text = WRONG[case]
    with pytest.raises(cs.ChipsimError, match=text) as error:
        action()
    assert error.value.exit_code in (2, 3) and error.value.problems


def test_names_and_paths_do_for_models_and_chips():
    path = Path(cs.__file__).parent.parent / "hw_configs" / "toy.toml"
    x = np.zeros((30, 1, 64))
    sim = cs.simulate("digits", x, chip=path, numerics="fixed", record="spikes")
    assert sim.v == {} and set(sim.spikes) == {"input", "hidden1", "hidden2"}
    assert cs.gradients("digits", x, np.array([3])).loss == pytest.approx(np.log(10))


def test_an_event_of_value_zero_is_none():
    plain = events(t=[2], sample=[0], unit=[3])
    graded = events(t=[0, 2, 4], sample=[0, 0, 0], unit=[3, 3, 3], value=[0, 1, 0])
    assert len(graded) == 1 and graded.value is None
    for numerics in ("float64", "fixed"):
        a, b = cs.simulate(NET, plain, numerics=numerics), cs.simulate(NET, graded, numerics=numerics)
        assert np.array_equal(a.scores, b.scores) and a.counters.table() == b.counters.table()
    none = cs.simulate(NET, events(value=[0.0, 0.0]), numerics="fixed")
    assert not none.scores.any() and none.counters.table()["forward"]["inputs_injected"] == 0


def test_graded_events_follow_when_samples_are_taken():
    graded = cs.Events([0, 1, 2], [0, 1, 2], [0, 1, 2], (10, 3, 8), value=[0.5, 1.5, 2.5])
    assert graded.take(np.array([2, 0])).value.tolist() == [2.5, 0.5]
