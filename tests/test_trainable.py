"""What ssgd-replay cannot train is refused by name, with the value and what would do; all problems at once."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.errors import CapacityError, ConfigError

HIDDEN = {"name": "h", "neuron": "delta-lif", "size": 4, "tau_ms": 10.0}
OUT = {"name": "out", "neuron": "leaky-readout", "size": 2, "tau_ms": 10.0}


def network(hidden: dict | None = None, first: dict | None = None, **more) -> cs.Network:
    projections = [{"pre": "in", "post": "h", **(first or {})}, {"pre": "h", "post": "out"}]
    population = [{"name": "in", "neuron": "input", "size": 6}, HIDDEN if hidden is None else {**hidden, "name": "h"}, OUT]
    return cs.Network(**{"steps": 8, "population": population, "projection": projections, **more})


LOIHI = {"neuron": "loihi-lif", "size": 4, "dv": 100, "du": 4095}
REFUSED = {
    "graded": (dict(hidden={"neuron": "graded", "size": 4, "vth": 1}, first={"units": "mantissa", "init": "integers", "low": 0,
                    "high": 9}), "population.h.neuron = 'graded'"),
    "ternary": (dict(hidden={"neuron": "ternary-lif", "size": 4, "dv": 100, "vth_hi": 5, "vth_lo": -5}), "'ternary-lif'"),
    "refractory": (dict(hidden={**LOIHI, "neuron": "refractory-lif", "period": 2}), "'refractory-lif'"),
    "reset": (dict(hidden={**LOIHI, "neuron": "reset-lif", "interval": 5}), "'reset-lif'"),
    "mantissas": (dict(hidden=LOIHI, first={"units": "mantissa", "init": "integers", "low": 0, "high": 9}), "projection.0.units"),
    "delays, form A": (dict(first={"delay": 2}, learning={"form": "A"}), "projection.0.delay"),
    "delays, push": (dict(first={"delay": 2}, learning={"transport": "push"}), "projection.0.delay"),
    "delays, online": (dict(first={"delay": 2}, learning={"rule": "eprop"}), "projection.0.delay"),
    "threshold": (dict(hidden={**LOIHI, "vth": 300}), "population.h.vth = 300"),
    "analytic": (dict(hidden=LOIHI, learning={"scan": "analytic"}), "learning.scan = 'analytic'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_is_refused_by_name(case):
    arguments, text = REFUSED[case]
    with pytest.raises((ConfigError, CapacityError)) as error:
        compile_network(network(**arguments), None)
    assert text in str(error.value)
    compile_network(network(**arguments), None, learn=False)


def test_a_convolution_is_refused_by_name():
    image = [{"name": "in", "neuron": "input", "shape": [3, 3, 1]}, {**HIDDEN, "size": 2, "shape": [1, 1, 2]}, OUT]
    net = network(
        {},
        population=image,
        projection=[{"pre": "in", "post": "h", "kind": "conv", "kernel": [3, 3]}, {"pre": "h", "post": "out"}],
    )
    with pytest.raises(ConfigError, match="projection.0.kind = 'conv'.*summed between cores"):
        compile_network(net, None)


def test_a_readout_in_the_middle_is_refused_and_all_problems_are_told():
    middle = [{"name": "in", "neuron": "input", "size": 6}, {**OUT, "name": "early"}, HIDDEN, OUT]
    ways = [{"pre": "in", "post": "early"}, {"pre": "in", "post": "h", "delay": 1}, {"pre": "h", "post": "out"}]
    with pytest.raises(ConfigError) as error:
        compile_network(network(population=middle, projection=ways, learning={"form": "A"}), None)
    assert "population.early.neuron" in str(error.value) and "projection.1.delay" in str(error.value)


@pytest.mark.parametrize("vth", [None, 64, 256])
def test_thresholds_that_are_powers_of_two_are_trained(vth):
    assert compile_network(network({**LOIHI, "vth": vth}), None).learning
    assert compile_network(network({**LOIHI, "vth": 300}), None, numerics="float64").learning
    with pytest.raises(ConfigError, match="vth"):
        compile_network(network({**LOIHI, "vth": 300}), None)


def test_writes_in_place_have_no_gradient_and_no_float():
    net = network(learning={"apply": "inplace"}, data={"name": "digits"})
    with pytest.raises(ConfigError, match="learning.apply = 'inplace'"):
        cs.gradients(net, np.zeros((8, 1, 6)), [0])
    with pytest.raises(ConfigError, match="learning.apply = 'inplace'"):
        cs.train(net, "toy", numerics="float")


def test_writes_in_place_learn_without_accumulators():
    model = cs.load_model("digits", {"population.hidden1.size": 40, "population.hidden2.size": 30, "learning.apply": "inplace"})
    run = cs.train(model, "toy", passes=3)
    assert run.accuracy.test >= 0.8 and run.summary["memory_bits"]["by_kind"]["gradient_accumulators"] == 0
    counts = run.summary["counts_per_sample"]["update"]
    assert counts["evaluations"] == counts["random_draws"] > counts["writes"] > 0 == counts["barriers"]
