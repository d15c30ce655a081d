"""learning.loss = "step": replay gives the exact gradient of the loss that online rules follow."""

from __future__ import annotations

from collections import Counter

import generaldraws
import numpy as np
import pytest
from generaldraws import general
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_general_gradients import assert_equal

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.errors import CapacityError, ConfigError
from chipsim.events import as_events
from chipsim.training.learner import Learner
from chipsim.training.tally import Tally

REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
dense = general.dense


def test_random_networks_equal_the_oracle():
    seen = Counter()

    @settings(max_examples=100, **FREE)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([None, REGULARISERS]), st.sampled_from([1, 10, 64]))
    def compare(seed, regularisers, sharpness):
        net, network, x, y = generaldraws.draw(seed, regularisers=regularisers, sharpness=sharpness)
        expected = general.gradients(net, x, y)
        assume(expected.loss > 1e-2)
        assert_equal(net, network, x, y, expected)
        seen.update(p.kind for p, q in zip(net.populations, expected.weights, strict=False) if np.any(q))

    compare()
    assert min(seen[kind] for kind in ("delta-lif", "if")) >= 5


@pytest.mark.parametrize("seed", range(4))
def test_the_oracle_of_the_loss_is_its_derivative(seed):
    net, _, x, y, expected = generaldraws.lively(seed, sharpness=10, regularisers=REGULARISERS)
    rng, last = np.random.default_rng(seed), len(net.populations) - 1
    directions = [rng.normal(size=q.weights.shape) * q.mask for q in net.projections]
    along = sum(float((g * d).sum()) for g, d in zip(expected.weights, directions, strict=True))
    assert along == pytest.approx(general.tangent(net, directions, x, y), rel=1e-9)
    for k, q in enumerate(net.projections):
        if q.post == last:
            assert dense.deviation(expected.weights[k], general.readout_differences(net, k, x, y)) <= 1e-5


def test_the_readout_learns_as_under_an_online_rule():
    """The delta rule is exact for the readout: the same gradient of the same loss, one by replay, the other in forward time."""
    net = cs.ssgd_network(12, (15, 11), 4, steps=30, tau_mem=8.0, init={"gain": 2.5}, seed=3)
    x = (np.random.default_rng(0).random((30, 3, 12)) < 0.15).astype(float)
    y = np.array([0, 3, 1])
    replayed = cs.gradients(net.but(learning={"loss": "step", "sharpness": 7}), x, y)
    online = cs.gradients(net.but(learning={"sharpness": 7, "rule": "delta"}), x, y, rule="delta")
    assert replayed.loss == online.loss
    assert dense.deviation(replayed.weights["out"], online.weights["out"]) <= 1e-12 and np.any(online.weights["out"])


@pytest.mark.parametrize(
    "rule, learning, key",
    [
        ("ssgd-online", {"loss": "score"}, "learning.loss"),
        ("ssgd-replay", {"sharpness": 5}, "learning.sharpness"),
        ("ssgd-replay", {"sharpness": 5, "loss": "score"}, "learning.sharpness"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(rule, learning, key):
    network = cs.load_model("digits", {f"learning.{k}": v for k, v in learning.items()})
    with pytest.raises(ConfigError) as error:
        cs.train(network, "loihi1-ssgd", rule=rule, samples=2, passes=1)
    assert [p.key for p in error.value.problems] == [key]


def test_what_it_costs():
    """30 steps, 10 classes on one core: softmax and broadcast in each step, and the errors of each step in the log of the readout."""
    found = {}
    for loss in ("score", "step"):
        network = cs.load_model("digits", {"learning.loss": loss})
        run = cs.train(network, "loihi1-ssgd", samples=5, passes=1)
        found[loss] = run.counters
    softmax = [c.of("backward", "softmax_evaluations").sum() for c in found.values()]
    assert softmax == [5 * 10, 5 * 29 * 10]
    image = run.image
    core = int(np.flatnonzero(image.routes.cores == image.slices[-1].core)[0])
    logged = [c.of("backward", "active_log_entries")[:, core].sum() for c in found.values()]
    assert logged == [0, 5 * 29 * 10]
    assert found["step"].of("backward", "packets_in")[1:, core].min() > 0


def test_the_log_must_hold_the_errors_of_all_steps():
    network = cs.load_model("digits", {"learning.loss": "step"})
    few = cs.load_chip("loihi1-ssgd", {"limits.log_words_per_core.value": 280})
    with pytest.raises(CapacityError) as error:
        cs.train(network, few, samples=2, passes=1)
    assert "log words" in error.value.problems[0].key


def test_score_and_broadcast_packets_load_the_links_of_every_forward_step():
    where = {"hidden1": [3], "hidden2": [40], "out": [7, 90]}
    network = cs.load_model("digits", {"learning.loss": "step"}).but(placement={"strategy": "manual", "cores": where})
    chip = cs.load_chip("loihi1-ssgd")
    image = compile_network(network, chip)
    learner, tally = Learner(image), Tally(image, learned=True)
    events = as_events((np.random.default_rng(1).random((30, 1, 64)) < 0.1).astype(float), 64, 30)
    learner.engine.forward(image.weights, events.of_sample(events.spikes(np.dtype(np.int64)), 0))
    learner.backward(image.weights, np.zeros(len(image.weights), dtype=np.int64), 3)
    activity = type(learner.engine.work.activity)(*(a[None] for a in learner.engine.work.activity))
    loads = tally.links.loads(activity, True)
    way = sum(abs(a - b) for a, b in zip(chip.mesh.position(7), chip.mesh.position(90), strict=True))
    assert loads.signals[0, 1:].sum(axis=1).tolist() == [(5 + 10) * way] * 29 and not loads.signals[0, 0].any()
