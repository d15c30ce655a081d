"""cs.calibrate, dead networks, initialisation by membrane potentials; write policies and optimisers through cs.train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import field_rows
from chipsim.learning.policies import OPTIMISERS, POLICIES
from chipsim.training.optimise import STEPS, stored_units

ENDS = (("input", "hidden1"), ("hidden1", "hidden2"), ("hidden2", "out"))


def small(init=None, **more):
    more |= {} if init is None else {"projection": [{"pre": a, "post": b, "init": init} for a, b in ENDS]}
    return cs.load_model(
        "digits", {"population.hidden1.size": 20, "population.hidden2.size": 16, "schedule.float.batch": 8, **more}
    )


def quick(model, numerics="fixed", **more):
    return cs.train(model, "toy", numerics=numerics, **{"samples": 120, "passes": 2, **more})


def test_train_uses_the_rates_that_calibrate_shows():
    found, run = cs.calibrate(small(), "toy", samples=120), quick(small())
    assert {row.name: row.shift for row in found.projections} == run.summary["learning_rate_shifts"]
    assert found.samples == 120 and "hidden1" in str(found) and f"2^{-found.projections[0].shift}" in str(found)
    ratio = small().schedule["fixed"].calibrate
    for k, row in enumerate(found.projections):
        w = found.image.tensors(found.image.weights)[row.name] * found.image.formats.unit[k]
        assert row.std == pytest.approx(w.std()) and abs(np.log2(ratio * row.std / row.rms) + row.shift) <= 0.5


def test_rms_and_activity_are_those_of_single_samples():
    x, y = np.zeros((30, 6, 64)), np.arange(6) % 10
    x[np.random.default_rng(1).random(x.shape) < 0.1] = 1
    found = cs.calibrate(small(), "toy", data=(x, y, x, y), numerics="float64", samples=4)
    weights = {name: w / 1.0 for name, w in small().initial_weights(1).items()}
    each = [cs.gradients(small(), x[:, [b]], y[[b]], weights=weights) for b in range(4)]
    spikes = cs.simulate(small(), x[:, :4], weights=weights).spikes
    for row in found.projections:
        assert row.rms == pytest.approx(np.sqrt(np.mean([g.weights[row.name] ** 2 for g in each])))
    for layer in found.layers:
        raster = spikes[layer.name]
        assert layer.spikes == raster.sum() / 4 and layer.silent == pytest.approx((~raster.any(axis=(0, 1))).mean())
        assert layer.active == sum(g.active[layer.name].sum() for g in each) / 4


@pytest.mark.parametrize("numerics", ["fixed", "float"])
def test_a_dead_layer_is_an_error_that_says_what_to_change(numerics):
    with pytest.raises(
        cs.ChipsimError, match="(?s)population \"hidden1\": spikes = 0.*projection.0.gain.*'membrane'.*hidden2"
    ) as error:
        quick(small("uniform"), numerics)
    assert any(p.key == "active events" and "half_width" in p.hint for p in error.value.problems)
    assert all(layer.spikes == 0 for layer in cs.calibrate(small("uniform"), "toy", numerics=numerics).layers)


@pytest.mark.parametrize("numerics", ["fixed", "float"])
def test_a_silent_network_trains_after_initialisation_by_the_membrane(numerics, tmp_path):
    passes = {"samples": 600, "passes": 4}
    run = quick(small("membrane"), numerics, out=tmp_path / "run", **passes)
    assert run.accuracy.test > 0.3 and run.metrics[-1]["loss"] < run.metrics[0]["loss"]
    network = run.image.network
    assert all(p.init == "normal" and p.gain for p in network.projection)
    events = cs.calibrate(small("membrane"), "toy", numerics=numerics).image.network  # of all samples: the same first 50
    assert [p.gain for p in events.projection] == [p.gain for p in network.projection]
    config = (tmp_path / "run" / "config.toml").read_text()
    assert all(f"gain = {p.gain!r}" in config for p in network.projection) and "membrane" not in config
    again = quick(network, numerics, **passes)
    assert all(np.array_equal(again.stored[name], run.stored[name]) for name in run.stored)
    started = quick(small("membrane"), numerics, init=tmp_path / "run", passes=1)
    assert started.image.network.projection[0].init == "membrane" and started.image.network.explicit


def test_potentials_reach_the_threshold_on_average():
    """V without spikes, by a sum over the inputs: V[t] = alpha V[t-1] + sum_i w_ij s_i[t-1]."""
    from chipsim.training.job import prepare

    job = prepare(small("membrane"), "toy", None, None, "float64", 3, None, None, 1, False)
    network = cs.calibrate(small("membrane"), "toy", seed=3, samples=1).image.network
    weights = network.initial_weights(3)
    spikes = cs.simulate(network, job.examples.train.take(np.arange(50)), weights=weights).spikes
    for p, (pre, post) in enumerate(ENDS, start=1):
        v, peak = 0.0, -np.inf
        for sent in spikes[pre][:-1]:
            v = network.alpha(p) * v + sent @ weights[post]
            peak = np.maximum(peak, v)
        assert np.maximum(peak, 0).mean() == pytest.approx(1, rel=1e-9)


def test_without_data_membrane_cannot_be_drawn():
    with pytest.raises(cs.ConfigError, match="input -> hidden1: init = 'membrane'.*cs.train and cs.calibrate"):
        cs.simulate(small("membrane"), np.zeros((30, 1, 64)))
    with pytest.raises(cs.ConfigError, match="(?s)gain = 2.0.*finds the gain itself"):
        small(projection=[{"pre": a, "post": b, "init": "membrane", "gain": 2.0} for a, b in ENDS])
    silent = np.zeros((30, 4, 64)), np.arange(4)
    with pytest.raises(cs.ChipsimError, match='population "hidden1": mean of max_t V / threshold = 0.*no spike reaches it'):
        cs.calibrate(small("membrane"), "toy", data=(*silent, *silent))


def test_layers_that_die_while_training_are_named():
    run = quick(small(**{"schedule.fixed.shifts": [0, 2, 2], "learning.write": "stochastic"}), passes=3)
    rows = [row["activity"] for row in run.metrics]
    dead = [name for name in ("hidden1", "hidden2") if any(row[name]["spike_fraction"] == 0 for row in rows)]
    quiet = [name for name in ("hidden1", "hidden2") if 0.5 < run.metrics[-1]["silent_fraction"][name] < 1]
    assert dead or quiet
    for name in dead:
        assert any(w.startswith(f"{name} never spiked in pass") and "gain" in w for w in run.summary["warnings"])
    for name in quiet:
        assert any(f"of the neurons of {name} never spiked in the last pass" in w for w in run.summary["warnings"])


@pytest.mark.parametrize("write", [*POLICIES, "master:12", "residue:20"])
def test_every_policy_trains(write):
    run = quick(small(**{"learning.write": write}), samples=300)
    kind = run.summary["memory_bits"]["by_kind"].get("write_state", 0)
    synapses = sum(w.size for w in run.stored.values())
    assert kind == synapses * {"master": 8, "master:12": 4, "residue": 24, "residue:20": 20}.get(write, 0)
    assert run.metrics[-1]["loss"] < run.metrics[0]["loss"] or write in ("nearest", "sign")


@pytest.mark.parametrize("optimiser", ["sign", "momentum"])
def test_optimisers_of_the_chip_train(optimiser):
    more = {"schedule.fixed.optimiser": optimiser, "learning.write": "residue"}
    run = quick(small(**more, **{"schedule.fixed.calibrate": 1e-2 if optimiser == "sign" else 1e-3}), samples=300, passes=3)
    assert run.metrics[-1]["loss"] < run.metrics[0]["loss"]
    updates = run.summary["counts_per_sample"]["update"]["optimiser_updates"]
    assert (updates > 0) == (optimiser == "momentum")


@pytest.mark.parametrize("name", [name for name in STEPS])
def test_float_optimisers_are_their_formulas(name):
    dice = np.random.default_rng(2)
    image = cs.calibrate(small(), "toy", numerics="float64", samples=1).image
    schedule = image.network.schedule["float"].model_copy(update={"optimiser": name, "rate": 0.01, "momentum": 0.8})
    scale = stored_units(image)
    gradients = dice.normal(size=(5, len(scale)))
    weights, step = np.zeros(len(scale)), STEPS[name](image, schedule)
    wanted, first, second = np.zeros(len(scale)), np.zeros(len(scale)), np.zeros(len(scale))
    for n, g in enumerate(gradients, start=1):
        step.step(weights, g)
        if name == "adam":
            first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
            move = first / (1 - 0.9**n) / (np.sqrt(second / (1 - 0.999**n)) + 1e-8)
        else:
            first = 0.8 * first + g
            move = {"sgd": g, "sign": np.sign(g), "momentum": first}[name]
        wanted -= 0.01 * move * scale
    np.testing.assert_allclose(weights, wanted, rtol=1e-12, atol=1e-14)


def test_the_registries_agree_and_the_pages_list_every_name():
    assert set(STEPS) == set(OPTIMISERS)
    root = Path(__file__).resolve().parent.parent / "docs"
    for page in ("semantics.md", "cli.md"):
        text = (root / page).read_text()
        assert [name for name in (*POLICIES, *OPTIMISERS) if f"`{name}`" not in text] == []


def test_every_stored_field_of_the_state_is_listed():
    changes = {"learning.write": "master:12", "schedule.fixed.optimiser": "momentum"}
    rows = field_rows(cs.compile_network(small(**changes), cs.load_chip("toy")))
    found = {(row["of"], row["field"]): row["bits"] for row in rows}
    assert found["out", "low bits of the master weight"] == 4 and found["hidden1", "velocity"] == 24
    assert not any(
        row["field"] in ("residue", "velocity") for row in field_rows(cs.compile_network(small(), cs.load_chip("toy")))
    )


@pytest.mark.parametrize("rule", ["sltt", "delta"])
def test_state_is_kept_under_online_rules_too(rule):
    run = quick(small(**{"learning.write": "master", "schedule.fixed.optimiser": "momentum"}), rule=rule)
    synapses = sum(w.size for w in run.stored.values())
    assert run.summary["memory_bits"]["by_kind"]["write_state"] == (8 + 24) * synapses
    assert run.summary["counts_per_sample"]["update"]["optimiser_updates"] > 0


@pytest.mark.parametrize("neuron", ["adaptive-lif", "loihi-lif", "if"])
def test_membrane_initialisation_of_other_neurons(neuron):
    more = {"tau_ms": 10.0} if neuron != "if" else {}
    more |= {"adaptive-lif": {"tau_adapt_ms": 100.0}}.get(neuron, {})
    population = [
        {"name": "input", "neuron": "input", "size": 64},
        {"name": "hidden1", "neuron": neuron, "size": 20, **more},
        {"name": "out", "neuron": "leaky-readout", "size": 10, "tau_ms": 10.0},
    ]
    chain = [{"pre": "input", "post": "hidden1", "init": "membrane"}, {"pre": "hidden1", "post": "out", "init": "membrane"}]
    model = cs.load_model("digits", {"population": population, "projection": chain})
    found = cs.calibrate(model, "loihi1-ssgd")
    assert found.layers[0].spikes > 1 and found.layers[0].silent < 0.5 and found.projections[0].shift is not None


WRONG = {
    "policy": ({"learning.write": "best"}, "one of stochastic, nearest, one-lsb, sign, residue, master"),
    "number": ({"learning.write": "nearest:3"}, "nearest takes no number"),
    "no digits": ({"learning.write": "master:x"}, "from 3 to 24"),
    "too wide": ({"learning.write": "master:25"}, "from 3 to 24"),
    "no bit more": ({"learning.write": "master:8"}, "weight_bits = 8.*from weight_bits \\+ 1 = 9 to 24"),
    "residue": ({"learning.write": "residue:0"}, "from 1 to 32"),
    "adam": ({"schedule.fixed.optimiser": "adam"}, "optimiser = 'adam'.*'sgd', 'sign' or 'momentum'"),
    "factor": ({"schedule.fixed.momentum": 1.0}, "momentum"),
    "in place": ({"schedule.fixed.optimiser": "momentum", "learning.apply": "inplace"}, "momentum.*no accumulators"),
    "narrow residue": ({"learning.write": "residue:2", "schedule.fixed.shifts": [10, 7, 5]}, "must be 0 to 2 \\(write residue"),
    "sign is lost": (
        {"learning.write": "nearest", "schedule.fixed.optimiser": "sign", "schedule.fixed.shifts": [12, 12, 12]},
        "must be 0 to 0 \\(write nearest, optimiser sign\\)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_are_refused_in_words(case):
    changes, text = WRONG[case]
    with pytest.raises(cs.ChipsimError, match=f"(?s){text}"):
        quick(small(**changes))


def test_write_policy_from_the_command_line(tmp_path, capsys):
    import json

    from chipsim.cli import main

    line = ["train", "--json", "--quiet", "--chip", "toy", "--samples", "40", "--passes", "1", "--out", str(tmp_path / "run")]
    assert main([*line, "--set", "learning.write=master:12"]) == 0
    assert json.loads(capsys.readouterr().out)["memory_bits"]["by_kind"]["write_state"] > 0
