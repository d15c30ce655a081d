"""The active test made in three ways: what each finds and what it costs (docs/semantics.md section 3, learning.scan)."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.errors import CapacityError, ConfigError
from chipsim.hardware import load_chip

STEPS, N = 40, 30
SCANS = ("clocked", "touched", "analytic")


def network(scan: str, half_width: float = 0.4):
    made = cs.ssgd_network(8, (N, N), 3, STEPS, tau_mem=8.0, surrogate="box", half_width=half_width, readout="sum")
    return made.but(learning={**made.learning.model_dump(), "scan": scan})


def events(rate: float = 0.03):
    return (np.random.default_rng(3).random((STEPS, 4, 8)) < rate).astype(float)


def weights():
    dice = np.random.default_rng(1)
    return {
        "hidden1": dice.normal(0.3, 0.4, (8, N)),
        "hidden2": dice.normal(0.05, 0.25, (N, N)),
        "out": dice.normal(0, 0.3, (N, 3)),
    }


def ran(scan: str, numerics: str = "fixed", chip="loihi1-ssgd", **more):
    return cs.simulate(network(scan, **more).with_weights(weights()), events(), chip, numerics, record=("spikes", "v", "active"))


def checks(sim, event: str = "gate_checks") -> int:
    return int(sim.counters.of("backward", event).sum())


@pytest.mark.parametrize("numerics", ["fixed", "float64"])
def test_results_of_the_three_scans(numerics):
    """analytic finds what clocked finds; touched misses exactly the events of neurons that decay without input."""
    clocked, touched, analytic = (ran(scan, numerics) for scan in SCANS)
    for name in ("hidden1", "hidden2"):
        for other in (touched, analytic):
            assert np.array_equal(clocked.spikes[name], other.spikes[name]) and np.array_equal(clocked.v[name], other.v[name])
        assert np.array_equal(clocked.active[name], analytic.active[name])
        source = clocked.spikes["input" if name == "hidden1" else "hidden1"]
        due = np.zeros_like(clocked.active[name])
        due[1:] = source[:-1].any(axis=2, keepdims=True) | clocked.spikes[name][:-1]
        assert np.array_equal(touched.active[name], clocked.active[name] & due)
        assert (clocked.active[name] & ~due).any(), "the case must hold passive activity"


@pytest.mark.parametrize("numerics", ["fixed", "float64"])
def test_costs_of_the_three_scans(numerics):
    clocked, touched, analytic = (ran(scan, numerics) for scan in SCANS)
    assert checks(clocked) == 4 * (STEPS - 1) * 2 * N
    assert checks(touched) == checks(analytic) < checks(clocked) / 1.2
    assert checks(clocked, "band_lookups") == checks(touched, "band_lookups") == 0
    silent = sum(int((touched.active[name] & ~touched.spikes[name]).sum()) for name in ("hidden1", "hidden2"))
    assert checks(analytic, "band_lookups") == silent > 0


def test_a_narrow_band_has_no_passive_activity():
    """K, the longest passive stay, is the largest integer below ln(1 - h / theta) / ln alpha: 0 for h = 0.05 and tau = 8."""
    clocked, touched = ran("clocked", half_width=0.05), ran("touched", half_width=0.05)
    assert all(np.array_equal(clocked.active[name], touched.active[name]) for name in ("hidden1", "hidden2"))


def test_prices_follow_the_counts():
    from chipsim.cost import price_energy

    chip = load_chip("toy", {"mesh.tiles_x.value": 4})
    found = {scan: price_energy(ran(scan, chip=chip).counters, chip, None, 3) for scan in SCANS}
    parts = {scan: energy.backward_j for scan, energy in found.items()}
    assert parts["touched"] < parts["analytic"] < parts["clocked"]


def test_lazy_chip_updates_on_demand():
    """With one multiplication per touch V may differ from the stepped one by rounding; updates are fewer, none is idle."""
    lazy = load_chip("loihi1-ssgd", {"arithmetic.decay": "lazy", "arithmetic.decay_table": 64})
    stepped, one = ran("touched"), ran("touched", chip=lazy)
    forward = one.counters.table()["forward"]
    assert forward["updates_active"] < stepped.counters.table()["forward"]["neuron_updates"]
    readout = 4 * (STEPS - 1) * 3
    assert forward["updates_idle"] <= readout
    assert abs(one.spikes["hidden1"].mean() - stepped.spikes["hidden1"].mean()) < 0.01
    analytic = ran("analytic", chip=lazy)
    assert (analytic.active["hidden1"] & ~one.active["hidden1"]).any()


@pytest.mark.parametrize(
    ("scan", "half_width", "changes", "error", "words"),
    [
        ("clocked", 0.4, {"arithmetic.decay": "lazy"}, ConfigError, ("learning.scan", "clocked", "lazy", "analytic")),
        ("analytic", 1.0, {}, ConfigError, ("learning.half_width", "1.0", "below 1")),
        ("analytic", 0.4, {"arithmetic.rounding": "stochastic"}, ConfigError, ("learning.scan", "stochastic")),
        ("clocked", 0.4, {"arithmetic.rounding": "banker"}, ConfigError, ("arithmetic.rounding", "banker", "toward-zero")),
        ("clocked", 0.4, {"arithmetic.decay_table": 1}, ConfigError, ("arithmetic.decay_table", "1", "2")),
    ],
)
def test_refused(scan, half_width, changes, error, words):
    with pytest.raises(error) as caught:
        ran(scan, chip=load_chip("loihi1-ssgd", changes), half_width=half_width)
    assert all(word in str(caught.value) for word in words)


def test_a_loihi_neuron_is_refused_on_a_lazy_chip():
    model = cs.Network(
        steps=5,
        population=[{"name": "a", "neuron": "input", "size": 2}, {"name": "b", "neuron": "loihi-lif", "size": 2, "dv": 100}],
    )
    with pytest.raises(CapacityError, match="population.b.neuron.*loihi-lif.*lazily"):
        cs.simulate(model, np.zeros((5, 1, 2)), load_chip("loihi1", {"arithmetic.decay": "lazy"}), "fixed")


def test_training_on_the_event_driven_chip():
    """The same job on a chip that computes otherwise: 4-bit weights, lazy decay rounded stochastically, multicast."""
    sizes = {"population.hidden1.size": 60, "population.hidden2.size": 60, "learning.weight_bits": 4, "learning.scan": "touched"}
    model = cs.load_model("digits", sizes)
    run = cs.train(model, "toy-event", samples=300, passes=3)
    again = cs.train(model, "toy-event", samples=300, passes=3, threads=2)
    assert run.accuracy.test > 0.5 and all(np.array_equal(run.stored[name], again.stored[name]) for name in run.stored)
    assert all(abs(w).max() <= 7 for w in run.stored.values())
    forward = run.counters.table()["forward"]
    assert forward["updates_active"] < forward["barriers"] * 120
