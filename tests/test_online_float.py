"""Online rules in float64 against sums over whole arrays (tests/oracle/online.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import online
from dense import deviation, forward, random_problem, scores

import chipsim as cs
from chipsim.events import as_events
from chipsim.learning.online.feedback import feedback_weights
from chipsim.learning.rules.rstdp import Rstdp
from chipsim.learning.rules.stdp_triplet import StdpTriplet
from chipsim.training.learner import Learner

SHARP = 10


def feedback(sizes):
    """The fixed random weights of every hidden layer of a chain."""
    ends = np.cumsum(sizes)
    flat = feedback_weights(int(ends[-1]), sizes[-1], True)
    return [flat[ends[n] : ends[n + 1]] for n in range(len(sizes) - 2)]


def label_code(sizes):
    """The code of the label of every hidden layer: fixed random weights less their mean over the classes, rounded down to 1/128."""
    return [b - np.floor(128 * b.mean(axis=1, keepdims=True) + 1e-9) / 128 for b in feedback(sizes)]


def compared(rule, problem, expected, model=None, **learning):
    """Largest deviation of the package's gradient from the sum over the samples of `expected(sample)`; `model`: one to take instead."""
    network = cs.ssgd_network(**problem.arguments).with_weights(problem.named_weights)
    network = network.but(learning={**network.learning.model_dump(), "sharpness": SHARP, **learning})
    found = cs.gradients(network, problem.x, problem.y, rule=rule)
    model = model or problem.model
    samples = [online.sample(model, problem.weights, problem.x[:, b], int(y), SHARP) for b, y in enumerate(problem.y)]
    wanted = [sum(parts) / len(samples) for parts in zip(*(expected(s) for s in samples), strict=True)]
    total = [online.loss(problem.model, problem.weights, problem.x[:, b], int(y), SHARP) for b, y in enumerate(problem.y)]
    assert found.loss == pytest.approx(np.mean(total), rel=1e-12)
    assert all(np.abs(w).max() > 0 for w in wanted), "nothing to compare"
    return max(deviation(found.weights[name], w) for name, w in zip(problem.names, wanted, strict=True))


SIZES = (40, 24, 16, 5)
CASES = {
    "ssgd-online": lambda s: online.three_factors(s),
    "sltt": lambda s: online.three_factors(s, memory=False),
    "eprop": lambda s: online.eprop(s),
    "decolle": lambda s: online.three_factors(s, "local", 1, b=feedback(SIZES)),
    "drtp": lambda s: [
        *online.three_factors(s, "label", 0, False, label_code(SIZES))[:-1],
        online.three_factors(s, "none")[-1],
    ],
    "etlp": lambda s: online.three_factors(s, "label", 0, b=label_code(SIZES)),
    "stdp": lambda s: online.stdp(s, 0.01, 0.0105),
}


@pytest.mark.parametrize("rule", CASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rule_equals_its_sum(rule, seed):
    problem = random_problem(seed, SIZES, surrogate=("paper", "box", "triangle")[seed % 3], half_width=0.4)
    assert compared(rule, problem, CASES[rule]) <= 1e-12


@pytest.mark.parametrize("surrogate", ["paper", "box", "triangle"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ottt_equals_its_truncated_sum_without_a_band(seed, surrogate):
    """The paper's surrogate has no end: half_width, which is a band to ssgd-online, is nothing to ottt."""
    problem = random_problem(seed, SIZES, surrogate=surrogate, half_width=0.4)
    model = problem.model._replace(half_width=np.inf) if surrogate == "paper" else problem.model
    assert compared("ottt", problem, online.three_factors, model) <= 1e-12
    banded = compared("ssgd-online", problem, online.three_factors, model)
    assert banded > 1e-6 if surrogate == "paper" else banded <= 1e-12


@pytest.mark.parametrize("seed", [1, 2])
def test_triplets_and_rewards_equal_their_sums(seed):
    problem = random_problem(seed, SIZES, half_width=0.4)
    amplitudes = (3 / 512, 7 / 1024), (7 / 4096, 3 / 2048)
    assert compared(StdpTriplet, problem, lambda s: online.triplet_stdp(s, (16.8, 946, 33.7, 27), *amplitudes)) <= 1e-12

    rewards = iter(2 * (answers(problem) == problem.y) - 1)
    assert compared(Rstdp, problem, lambda s: online.rstdp(s, int(next(rewards)), 20, 25)) <= 1e-12


def answers(problem) -> np.ndarray:
    """The classes that the reference finds, [B]."""
    out = forward(problem.model, problem.weights, problem.x).out
    return scores(problem.model, out)[0].argmax(axis=-1)


@pytest.mark.parametrize("source", ["dfa", "sdfa", "fa", "sym-trace", "local"])
@pytest.mark.parametrize("align", ["next", "same"])
def test_signals_can_be_exchanged(source, align):
    problem = random_problem(3, SIZES, half_width=0.4)
    ahead = int(align == "next")
    b = feedback(SIZES)
    if source == "fa":
        image = cs.compile_network(
            cs.ssgd_network(**problem.arguments).with_weights(problem.named_weights), None, numerics="float64"
        )
        ends = zip(SIZES, SIZES[1:], image.circuit.offset, strict=False)
        b = [feedback_weights(a, c, True, int(first)) for a, c, first in ends]
    assert (
        compared("ssgd-online", problem, lambda s: online.three_factors(s, source, ahead, b=b), signal=source, align=align)
        <= 1e-12
    )


@pytest.mark.parametrize("rule", ["eprop", "ssgd-online"])
def test_feedback_adapts_as_the_weights_change(rule):
    """b = b0 + (w - w0) at every step of a training in float64, and the updates are those that this b gives."""
    problem = random_problem(4, SIZES, half_width=0.4)
    network = cs.ssgd_network(**problem.arguments).with_weights(problem.named_weights)
    learning = network.learning.model_dump()
    network = network.but(learning={**learning, "rule": rule, "sharpness": SHARP, "signal": "adaptive", "align": "same"})
    image = cs.compile_network(network, None, numerics="float64")
    learner, events = Learner(image), as_events(problem.x, SIZES[0])
    weights, start, gradient = image.weights.copy(), image.weights.copy(), np.zeros_like(image.weights)
    ends = zip(SIZES, SIZES[1:], image.circuit.offset, strict=False)
    first = [feedback_weights(a, c, True, int(at)) / 4 for a, c, at in ends]
    layers = np.split(np.arange(len(weights)), np.cumsum([a * c for a, c in zip(SIZES, SIZES[1:], strict=False)])[:-1])
    for b, label in enumerate(problem.y):
        learner.engine.forward(weights, events.of_sample(events.spikes(weights.dtype), b), (0, b, 0))
        gradient[:] = 0
        learner.backward(weights, gradient, int(label))
        now = [weights[at].reshape(w.shape) for at, w in zip(layers, problem.weights, strict=True)]
        back = [b0 + (w - start[at].reshape(w.shape)) for b0, w, at in zip(first, now, layers, strict=True)]
        sample = online.sample(problem.model, now, problem.x[:, b], int(label), SHARP)
        sums = {"eprop": online.eprop, "ssgd-online": lambda s, *b: online.three_factors(s, b[0], 0, b=b[1])}[rule](
            sample, "fa", back
        )
        for at, expected in zip(layers, sums, strict=True):
            assert deviation(gradient[at].reshape(expected.shape), expected) <= 1e-12
        weights -= 0.05 * gradient
        learner.follow(weights)
    assert np.abs(weights - start).max() > 0.01


@pytest.mark.parametrize("readout", ["sum", "max"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_deferred_is_exact_for_the_last_hidden_layer(seed, readout):
    problem = random_problem(seed, SIZES, surrogate=("paper", "box")[seed % 2], half_width=0.4)
    network = cs.ssgd_network(**{**problem.arguments, "readout": readout}).with_weights(problem.named_weights)
    found, exact = (cs.gradients(network, problem.x, problem.y, rule=rule) for rule in ("ssgd-deferred", "ssgd-replay"))
    assert found.loss == exact.loss
    for name in ("hidden2", "out"):
        assert deviation(found.weights[name], exact.weights[name]) <= 1e-12
    samples = [online.sample(problem.model, problem.weights, problem.x[:, b], int(y), SHARP) for b, y in enumerate(problem.y)]
    sums = [online.deferred(s, readout == "sum", feedback(SIZES)) for s in samples]
    for name, parts in zip(problem.names, zip(*sums, strict=True), strict=True):
        assert deviation(found.weights[name], sum(parts) / len(parts)) <= 1e-12
    assert deviation(found.weights["hidden1"], exact.weights["hidden1"]) > 0.01, "random feedback below the last hidden layer"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_eprop_is_exact_for_the_last_hidden_layer(seed):
    """With one hidden layer e-prop is the exact gradient of the loss per step; with two, that of the upper one."""
    one = random_problem(seed, (30, 20, 5), half_width=0.3)
    assert compared("eprop", one, online.adjoint) <= 1e-12
    two = random_problem(seed, SIZES, half_width=0.3)
    samples = [online.sample(two.model, two.weights, two.x[:, 0], int(two.y[0]), SHARP)]
    assert deviation(online.eprop(samples[0])[1], online.adjoint(samples[0])[1]) <= 1e-12


def test_adjoint_of_the_loss_per_step():
    """The reference itself: its readout gradient against central differences."""
    p = random_problem(5, (20, 12, 4), half_width=0.3)
    s = online.sample(p.model, p.weights, p.x[:, 0], int(p.y[0]), SHARP)
    exact, h = online.adjoint(s)[-1], 1e-5
    for index in np.ndindex(*exact.shape):
        ends = []
        for sign in (1, -1):
            w = p.weights[-1].copy()
            w[index] += sign * h
            ends.append(online.loss(p.model, [*p.weights[:-1], w], p.x[:, 0], int(p.y[0]), SHARP))
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(exact[index], abs=1e-6)
