"""Rule bptt: dense backpropagation through time, equal to the dense adjoint without a band."""

from __future__ import annotations

import math
from collections import Counter

import generaldraws
import numpy as np
import pytest
from generaldraws import general
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import chipsim as cs
from chipsim.cli.app import app
from chipsim.errors import CapacityError, ConfigError

FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
ROOM = {"limits.log_words_per_core.value": 20000}
dense = general.dense


@pytest.mark.parametrize("surrogate", ["paper", "box"])
def test_random_networks_equal_the_dense_adjoint(surrogate):
    """paper: no band at all; box: the band of the adjoint is the support of the box, and still every neuron is evaluated."""
    seen = Counter()

    @settings(max_examples=100, **FREE)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([None, REGULARISERS]), st.sampled_from([None, 10]))
    def compare(seed, regularisers, sharpness):
        net, network, x, y = generaldraws.draw(seed, surrogate=surrogate, regularisers=regularisers, sharpness=sharpness)
        reference = net._replace(half_width=math.inf) if surrogate == "paper" else net
        expected = general.gradients(reference, x, y)
        assume(expected.loss > 1e-2)
        found = cs.gradients(network, x, y, rule="bptt")
        assert dense.deviation(found.loss, expected.loss) <= 1e-12
        for k, g in enumerate(expected.weights):
            assert dense.deviation(found.weights[f"k{k}"], g) <= 1e-12
            seen.update({net.populations[net.projections[k].post].kind} if np.any(g) else set())
        assert all(found.active[p.name][1:].all() and not found.active[p.name][0].any() for p in network.hidden)

    compare()
    assert min(seen[kind] for kind in generaldraws.KINDS) >= 20, seen


def test_the_band_is_what_ssgd_leaves_out():
    net, network, x, y, _ = generaldraws.lively(0, ("delta-lif",), surrogate="paper", half_width=0.2)
    banded, full = cs.gradients(network, x, y), cs.gradients(network, x, y, rule="bptt")
    wide = cs.gradients(network, x, y, half_width=math.inf)
    for name, g in full.weights.items():
        assert np.array_equal(wide.weights[name], g)
    assert any(not np.array_equal(banded.weights[name], g) for name, g in full.weights.items())


def problems(rule="bptt", numerics="float", chip=None, **changes):
    with pytest.raises(ConfigError) as error:
        network = cs.load_model("digits", {f"learning.{k}": v for k, v in changes.items()})
        cs.train(network, cs.load_chip("loihi1-ssgd", chip), rule=rule, numerics=numerics, samples=2, passes=1)
    return error.value.problems


def test_fixed_point_is_refused_by_name():
    (found,) = problems(numerics="fixed")
    assert (found.object, found.key, found.value) == ("run", "numerics", "fixed") and "'bptt'" in found.limit
    net, network, x, y = generaldraws.draw(1)
    with pytest.raises(ConfigError) as error:
        cs.gradients(network, x, y, rule="bptt", numerics="fixed")
    assert error.value.problems[0].key == "numerics"


@pytest.mark.parametrize("key, value", [("form", "A"), ("transport", "push"), ("scan", "touched")])
def test_options_it_does_not_follow_are_refused_by_name(key, value):
    assert [p.key for p in problems(**{key: value})] == [f"learning.{key}"]


def test_writes_in_place_are_refused():
    assert {p.key for p in problems(apply="inplace")} == {"learning.apply"}


def test_the_default_chip_cannot_log_every_neuron_of_every_step():
    """hidden2: 29 x 200 own records, and as many arrivals from hidden1, of 8192 words; the command says so and exits with 3."""
    with pytest.raises(CapacityError) as error:
        cs.train("digits", "loihi1-ssgd", rule="bptt", numerics="float", samples=2, passes=1)
    (found,) = error.value.problems
    assert (
        found.object.startswith("core")
        and found.value > 2 * 28 * 200
        and "8192" in found.limit
        and "rule with a band" in found.hint
    )
    done = CliRunner().invoke(app, ["train", "digits", "--rule", "bptt", "--numerics", "float", "--samples", "2", "--quiet"])
    assert done.exit_code == 3


def test_with_room_for_the_log_it_trains():
    run = cs.train("digits", cs.load_chip("loihi1-ssgd", ROOM), rule="bptt", numerics="float", samples=300, passes=4)
    assert run.accuracy.test > 0.6
    events = run.counters.table()["backward"]
    assert events["active_log_entries"] == events["evaluations"] == 4 * 300 * 29 * 400
