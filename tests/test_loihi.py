"""Loihi's neurons as a user meets them: cs.simulate and TOML, against numbers taken from lava-nc 0.10.0 and worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.errors import ConfigError, DataError

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]


def one(
    neuron: dict, weights, x, numerics: str = "fixed", projection: dict | None = None, record=("spikes", "v", "u", "payloads")
):
    """Run one input population of len(weights) neurons into one neuron (or as many as weights has columns)."""
    weights, x = np.atleast_2d(np.array(weights, dtype=float)), np.array(x, dtype=float)
    model = cs.Network(
        steps=len(x),
        population=[
            {"name": "in", "neuron": "input", "size": weights.shape[0]},
            {"name": "n", "size": weights.shape[1], **neuron},
        ],
        projection=[{"pre": "in", "post": "n", "units": "mantissa", **(projection or {})}],
    )
    return cs.simulate(model.with_weights({"n": weights}), x[:, None, :], numerics=numerics, record=record)


def test_lif_equals_the_figures_of_lava():
    """du 400, dv 100, vth 20, and 10, 0, -7, 30, 0, 0, -40, 0 arriving: lava-nc's currents as its own model gives them."""
    arriving = [10, 0, -7, 30, 0, 0, -40, 0]
    u, v, us, vs, spikes = 0, 0, [], [], []
    for a in arriving:  # the equations of lava-nc, in Python's integers
        u = int(u * 3695 / 4096) + 64 * a
        v = int(v * 3996 / 4096) + u
        spikes.append(v > 20 * 64)
        v = 0 if spikes[-1] else v
        us.append(u)
        vs.append(v)
    assert us == [640, 577, 72, 1984, 1789, 1613, -1105, -996]  # the currents that lava-nc gives
    sim = one({"neuron": "loihi-lif", "du": 400, "dv": 100, "vth": 20}, [[1]], [[a] for a in [*arriving, 0]],
              projection={"message_bits": 8})  # fmt: skip
    assert sim.u["n"][1:, 0, 0].tolist() == us and sim.v["n"][1:, 0, 0].tolist() == vs
    assert sim.spikes["n"][1:, 0, 0].tolist() == spikes


@pytest.mark.parametrize(("a", "u", "v"), [(2**17, 8388608, 0), (2**17 + 1, -8388544, -8388544), (-(2**17), 8388608, 0)])
def test_the_current_folds_at_its_edge(a, u, v):
    """8388608 becomes 8388607 in v, which is above the threshold 131071 * 64: a spike, and v = 0."""
    sim = one({"neuron": "loihi-lif", "du": 4095, "dv": 0, "vth": 131071}, [[1]], [[a], [0]], projection={"message_bits": 24})
    assert sim.u["n"][1, 0, 0] == u and sim.v["n"][1, 0, 0] == v


def test_a_bias_acts_from_the_first_step_on():
    sim = one({"neuron": "loihi-lif", "dv": 0, "vth": 100, "bias_mant": 50, "bias_exp": 5}, [[0]], np.zeros((6, 1)))
    assert sim.v["n"][:, 0, 0].tolist() == [1600, 3200, 4800, 6400, 0, 1600]
    assert sim.spikes["n"][:, 0, 0].tolist() == [False, False, False, False, True, False]
    forward = sim.counters.table()["forward"]
    assert forward["neuron_updates"] == forward["barriers"] == 6


@pytest.mark.parametrize(
    ("bits", "mode", "stored"),
    [
        (8, None, [-256, -4, -2, 0, 0, 2, 254]),
        (6, None, [-256, -8, -8, 0, 0, 0, 248]),
        (8, "excitatory", [0, 0, 0, 0, 1, 3, 255]),
        (1, "mixed", [-256, -256, -256, 0, 0, 0, 0]),
        (1, "excitatory", [0, 0, 0, 0, 0, 0, 128]),
    ],
)
def test_weights_are_prepared_as_lava_does(bits, mode, stored):
    projection = {"weight_bits": bits} | ({"sign_mode": mode} if mode else {})
    sim = one(
        {"neuron": "loihi-lif", "dv": 0}, [[w] for w in (-301, -3, -1, 0, 1, 3, 301)], np.zeros((2, 7)), projection=projection
    )
    assert sim.image.weights.tolist() == stored


def test_a_negative_exponent_floors_the_sum():
    sim = one({"neuron": "loihi-lif", "du": 4095, "dv": 4096}, [[6], [-10]], [[1, 1], [1, 0], [0, 1], [0, 0], [0, 0]],
              projection={"weight_exp": -3})  # fmt: skip
    assert (sim.u["n"][1:, 0, 0] // 64).tolist() == [-1, 0, -2, 0]


def test_a_delay_of_d_arrives_d_steps_later():
    model = cs.Network(
        steps=12, population=[{"name": "in", "neuron": "input", "size": 3}, {"name": "n", "neuron": "graded", "size": 1, "vth": 0}],
        projection=[{"pre": "in", "post": "n", "units": "mantissa"}],
    ).with_weights({"n": [[1], [3], [7]]}).with_delays({"n": [[0], [4], [9]]})  # fmt: skip
    x = np.zeros((12, 1, 3))
    x[1] = 1
    sim = cs.simulate(model, x, numerics="fixed", record=("payloads",))
    assert {t: int(a) for t, a in enumerate(sim.payloads["n"][:, 0, 0]) if a} == {2: 1, 6: 3, 11: 7}


def test_a_refractory_neuron_is_silent_for_its_period():
    sim = one({"neuron": "refractory-lif", "du": 4095, "dv": 0, "vth": 1, "period": 3}, [[2]], np.ones((12, 1)))
    assert np.flatnonzero(sim.spikes["n"][:, 0, 0]).tolist() == [1, 5, 9]


def test_an_adaptive_neuron_spikes_less_and_less():
    made = {"name": "n", "size": 1, "neuron": "adaptive-lif", "tau_ms": 20.0, "tau_adapt_ms": 200.0, "jump": 0.5}
    model = cs.Network(steps=100, population=[{"name": "in", "neuron": "input", "size": 1}, made]).with_weights({"n": [[0.6]]})
    sim = cs.simulate(model, np.ones((100, 1, 1)), numerics="float64", record=("spikes", "u"))
    gaps = np.diff(np.flatnonzero(sim.spikes["n"][:, 0, 0]))
    assert gaps[-1] > gaps[0] and sim.u["n"].max() > 1


def test_an_integrate_and_fire_neuron_fires_at_the_rate_of_its_input():
    model = cs.Network(
        steps=101, population=[{"name": "in", "neuron": "input", "size": 1}, {"name": "n", "size": 1, "neuron": "if"}]
    )
    for numerics in ("fixed", "float64"):
        sim = cs.simulate(model.with_weights({"n": [[0.25]]}), np.ones((101, 1, 1)), numerics=numerics)
        assert abs(int(sim.spikes["n"].sum()) - 25) <= 1


def test_float_follows_fixed_where_nothing_rounds():
    """Powers of two as decay and small numbers: the float run is the fixed one in thresholds."""
    neuron = {"neuron": "loihi-lif", "du": 4095, "dv": 0, "vth": 64}
    x = (np.random.default_rng(2).random((30, 3)) < 0.4).astype(float)
    fixed, real = (one(neuron, [[20], [-8], [14]], x, numerics) for numerics in ("fixed", "float64"))
    assert np.array_equal(fixed.v["n"] * fixed.v_scale["n"], real.v["n"]) and np.array_equal(fixed.spikes["n"], real.spikes["n"])
    assert fixed.spikes["n"].any()


@pytest.mark.parametrize("vth", [None, 300])
def test_weights_in_thresholds_are_quantised_onto_loihi(vth):
    """A stored weight w stands for w * 64 * 2^exponent / theta thresholds; fixed follows float up to that rounding."""
    neuron = {"neuron": "loihi-lif", "tau_ms": 10.0, "tau_syn_ms": 4.0} | ({} if vth is None else {"vth": vth})
    model = cs.Network(
        steps=40, population=[{"name": "in", "neuron": "input", "size": 30}, {"name": "n", "size": 25, **neuron}],
        projection=[{"pre": "in", "post": "n", "gain": 2.0}],
    )  # fmt: skip
    x = (np.random.default_rng(1).random((40, 4, 30)) < 0.1).astype(float)
    fixed, real = (cs.simulate(model, x, numerics=n) for n in ("fixed", "float64"))
    assert 0.02 < real.spikes["n"].mean() < 0.5 and (fixed.spikes["n"] == real.spikes["n"]).mean() > 0.97
    image = fixed.image
    unit = 64 * 2.0 ** image.wires.exponent[0] / image.formats.theta[1]
    kept = image.real_weights(image.weights)["n"]
    assert np.abs(kept - model.weights["n"]).max() <= unit / 2 and np.array_equal(kept, image.tensors(image.weights)["n"] * unit)
    early = slice(0, 6)  # before a spike that comes one step apart resets one of the two
    assert np.abs(fixed.v["n"][early] * fixed.v_scale["n"] - real.v["n"][early]).mean() < 0.03


def test_threads_and_batches_change_no_bit():
    neuron = {"neuron": "ternary-lif", "du": 700, "dv": 300, "vth_hi": 20, "vth_lo": -15}
    model = cs.Network(
        steps=25, population=[{"name": "in", "neuron": "input", "size": 6}, {"name": "n", "size": 5, **neuron}],
        projection=[{"pre": "in", "post": "n", "units": "mantissa", "init": "integers", "low": -40, "high": 90},
                    {"pre": "n", "post": "n", "units": "mantissa", "init": "integers", "low": -90, "high": 90, "delay": [0, 7]}],
    )  # fmt: skip
    x = (np.random.default_rng(5).random((25, 7, 6)) < 0.3).astype(float)
    first, second = (cs.simulate(model, x, "loihi1", "fixed", record=cs_record, threads=n) for n in (1, 2))
    alone = cs.simulate(model, x[:, 3:4], "loihi1", "fixed", record=cs_record)
    for name in ("payloads", "v", "u"):
        assert np.array_equal(getattr(first, name)["n"], getattr(second, name)["n"])
        assert np.array_equal(getattr(first, name)["n"][:, 3:4], getattr(alone, name)["n"])
    assert (first.payloads["n"] == -1).any() and first.counters.table() == second.counters.table()


cs_record = ("payloads", "v", "u")


@pytest.mark.parametrize(
    ("population", "projection", "words"),
    [
        ({"neuron": "loihi-lif"}, {}, ("decay of the voltage", "dv")),
        ({"neuron": "loihi-lif", "dv": 5000}, {}, ("population.1.dv", "5000", "4096")),
        ({"neuron": "loihi-lif", "dv": 1, "tau_ms": 3.0}, {}, ("tau_ms and dv",)),
        ({"neuron": "ternary-lif", "dv": 1, "vth_hi": 5, "vth_lo": 3}, {}, ("vth_lo", "3", "0")),
        ({"neuron": "ternary-lif", "dv": 1, "vth": 5, "vth_hi": 5, "vth_lo": -3}, {}, ("population.1.vth", "5")),
        ({"neuron": "lif", "dv": 1}, {}, ("population.1.neuron", "lif", "loihi-lif")),
        ({"neuron": "delta-lif", "tau_ms": 5.0}, {"units": "mantissa"}, ("Loihi family", "delta-lif")),
        ({"neuron": "loihi-lif", "dv": 1}, {"weight_bits": 4}, ("weight_bits", "mantissa")),
        ({"neuron": "loihi-lif", "dv": 1}, {"units": "mantissa", "weight_bits": 9}, ("weight_bits", "9", "8")),
        ({"neuron": "loihi-lif", "dv": 1, "vth": 0}, {}, ("population.n.vth", "0", "above 0")),
        ({"neuron": "loihi-lif", "dv": 1}, {"delay": 63}, ("delay", "63", "62")),
        ({"neuron": "loihi-lif", "dv": 1}, {"kind": "conv", "kernel": [3, 3]}, ("shape",)),
        ({"neuron": "graded"}, {}, ("graded", "mantissas")),
    ],
)
def test_wrong_descriptions_are_refused_by_name(population, projection, words):
    with pytest.raises(ConfigError) as caught:
        cs.Network(
            steps=3, population=[{"name": "in", "neuron": "input", "size": 4}, {"name": "n", "size": 4, **population}],
            projection=[{"pre": "in", "post": "n", **projection}],
        )  # fmt: skip
    assert all(word in str(caught.value) for word in words)


def test_mantissas_must_come_from_somewhere():
    population = [{"name": "in", "neuron": "input", "size": 4}, {"name": "n", "size": 4, "neuron": "loihi-lif", "dv": 1}]
    model = cs.Network(steps=3, population=population, projection=[{"pre": "in", "post": "n", "units": "mantissa"}])
    with pytest.raises(ConfigError, match="projection.0.init = 'normal'.*integers"):
        cs.simulate(model, np.zeros((3, 1, 4)), numerics="fixed")


@pytest.mark.parametrize("numerics", ["fixed", "float64"])
def test_a_population_with_a_bias_needs_no_projection(numerics):
    population = [{"name": "in", "neuron": "input", "size": 1},
                  {"name": "n", "size": 2, "neuron": "loihi-lif", "dv": 0, "vth": 10, "bias_mant": 7, "bias_exp": 5}]  # fmt: skip
    sim = cs.simulate(cs.Network(steps=6, population=population, projection=[]), np.zeros((6, 1, 1)), numerics=numerics)
    assert sim.spikes["n"][:, 0, 0].tolist() == [False, False, True, False, False, True]
    with pytest.raises(ConfigError, match="predictions.*leaky-readout"):
        print(sim.predictions)


def test_payloads_mean_the_same_in_fixed_and_float():
    """A ternary neuron sends -1; weights in thresholds see a spike, in any numerics."""
    ternary = {"name": "t", "size": 3, "neuron": "ternary-lif", "dv": 300, "vth_hi": 20, "vth_lo": -15}
    model = cs.Network(
        steps=30, population=[{"name": "in", "neuron": "input", "size": 3}, ternary, {"name": "n", "size": 1, "neuron": "if"}],
        projection=[{"pre": "in", "post": "t", "units": "mantissa", "init": "integers", "low": -60, "high": 40},
                    {"pre": "t", "post": "n"}],
    )  # fmt: skip
    weights = {"t": model.weights["t"], "n": np.full((3, 1), 0.25)}
    x = (np.random.default_rng(3).random((30, 2, 3)) < 0.5).astype(float)
    fixed, real = (cs.simulate(model, x, numerics=n, weights=weights, record=("payloads",)) for n in ("fixed", "float64"))
    assert (fixed.payloads["t"] == -1).any() and np.array_equal(fixed.payloads["n"], real.payloads["n"])
    assert fixed.payloads["n"].any()


def test_graded_input_needs_somewhere_to_go():
    with pytest.raises(DataError, match="message_bits"):
        one({"neuron": "loihi-lif", "dv": 1}, [[3]], [[5], [0]])
    with pytest.raises(DataError, match="message_bits"):
        one({"neuron": "loihi-lif", "dv": 1}, [[3]], [[5], [0]], "float64")
    with pytest.raises(DataError, match="whole numbers"):
        one({"neuron": "loihi-lif", "dv": 1}, [[3]], [[5.5], [0]], projection={"message_bits": 8})
