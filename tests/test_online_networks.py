"""Online rules in float64 on any network: recurrent, feedback, skip and sparse projections, every neuron model with an adjoint."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import generaldraws
import online_net
from generaldraws import general

import chipsim as cs
from chipsim.learning.online.feedback import feedback_weights

EXACT, SHARP = 1e-12, 7


def dfa(net: general.Net) -> list[np.ndarray]:
    """The fixed random weights from the classes to the neurons of every population."""
    sizes = [p.size for p in net.populations]
    flat, ends = feedback_weights(sum(sizes), sizes[-1], True), np.cumsum(sizes)
    return np.split(flat, ends[:-1])


def fa(net: general.Net) -> list[np.ndarray]:
    """The fixed random weights in place of those of every projection, numbered by synapse."""
    found, first = [], 0
    for q in net.projections:
        b = np.zeros(q.mask.shape)
        b[q.mask] = feedback_weights(int(q.mask.sum()), 1, True, first).ravel()
        found, first = [*found, b], first + int(q.mask.sum())
    return found


def label_code(net: general.Net) -> list[np.ndarray]:
    """The code of the label: those weights less their mean over the classes, rounded down in units of 1/128."""
    return [b - np.floor(128 * b.mean(axis=1, keepdims=True) + 1e-9) / 128 for b in dfa(net)]


RULES = {
    "ssgd-online": (lambda s: online_net.three_factors(s), {}),
    "sltt": (lambda s: online_net.three_factors(s, memory=False), {}),
    "eprop": (lambda s: online_net.eprop(s), {}),
    "etlp": (lambda s: online_net.three_factors(s, "label", 0, b=label_code(s.net)), {}),
    "ssgd-online sym-trace": (lambda s: online_net.three_factors(s, "sym-trace", 1), {"signal": "sym-trace", "align": "next"}),
    "decolle": (lambda s: online_net.three_factors(s, "local", 1, b=dfa(s.net)), {}),
    "stdp": (lambda s: online_net.stdp(s, 0.01, 0.0105), {}),
    "ssgd-online fa": (lambda s: online_net.three_factors(s, "fa", 1, b=fa(s.net)), {"signal": "fa"}),
    "ssgd-online dfa": (lambda s: online_net.three_factors(s, "dfa", 1, b=dfa(s.net)), {"signal": "dfa", "align": "next"}),
    "ssgd-online same": (lambda s: online_net.three_factors(s, "sym", 0), {"align": "same"}),
    "reckon": (lambda s: online_net.three_factors(s, "sym", 0), {}),
    "drtp": (
        lambda s: [
            a if q.post == s.last else b
            for a, b, q in zip(
                online_net.three_factors(s, "none"),
                online_net.three_factors(s, "label", 0, False, b=label_code(s.net)),
                s.net.projections,
                strict=True,
            )
        ],
        {},
    ),
    "eprop dfa": (lambda s: online_net.eprop(s, "dfa", b=dfa(s.net)), {"signal": "dfa"}),
}


def drawn(seed: int, kinds: tuple[str, ...] = generaldraws.KINDS):
    """Return a network for the oracle, the same for chipsim, input and labels."""
    net, network, x, y = generaldraws.draw(seed, kinds, half_width=0.9)
    return net._replace(sharpness=SHARP), network, x, y


def compared(name: str, net: general.Net, network: cs.Network, x: np.ndarray, y: np.ndarray, expected) -> list[np.ndarray]:
    """Assert that a rule's gradients equal the mean over the samples of `expected(sample)`, which is returned."""
    learning = {**network.learning.model_dump(), "sharpness": SHARP, **RULES[name][1]}
    found = cs.gradients(network.but(learning=learning), x, y, rule=name.split()[0])
    parts = [expected(online_net.sample(net, x[:, b], int(label))) for b, label in enumerate(y)]
    wanted = [sum(of) / len(y) for of in zip(*parts, strict=True)]
    assert found.loss == pytest.approx(general.loss(net, general.forward(net, x), y), rel=1e-11)
    off = {f"k{k}": general.dense.deviation(found.weights[f"k{k}"], w) for k, w in enumerate(wanted)}
    assert max(off.values()) <= EXACT, off
    return wanted


@pytest.mark.parametrize("name", RULES)
def test_rule_equals_its_sum(name):
    seen = Counter()
    for seed in range(60):
        net, network, x, y = drawn(seed)
        for g, q in zip(compared(name, net, network, x, y, RULES[name][0]), net.projections, strict=True):
            if np.any(g):
                away = online_net.distance(net)
                way = (
                    "recurrent" if q.pre == q.post else "feedback" if q.pre > q.post else "skip" if q.pre < q.post - 1 else "next"
                )
                seen.update({way, "dense" if q.mask.all() else "sparse", f"into {net.populations[q.post].kind}",
                             f"far {away[q.post]}"})  # fmt: skip
    names = [
        "recurrent",
        "feedback",
        "skip",
        "next",
        "dense",
        "sparse",
        "far 2",
        *(f"into {kind}" for kind in generaldraws.KINDS),
    ]
    assert min(seen[n] for n in names) >= 3, seen


def layer(seed: int, kind: str):
    """Return a network with one hidden layer, dense, without recurrence."""
    while True:
        net, network, x, y = drawn(seed, (kind,))
        if len(net.projections) == 2 and len(net.populations) == 3:
            return net, network, x, y
        seed += 1000


@pytest.mark.parametrize("kind", ["delta-lif", "if", "adaptive-lif"])
def test_eprop_is_exact_for_one_hidden_layer(kind):
    """The gradient of the loss per step by backpropagation through time, jump of the threshold included."""
    moved = 0
    for seed in range(15):
        net, network, x, y = layer(seed, kind)
        exact = general.gradients(net, x, y).weights
        wanted = compared("eprop", net, network, x, y, online_net.eprop)
        assert max(general.dense.deviation(w, g) for w, g in zip(wanted, exact, strict=True)) <= EXACT
        moved += np.any(exact[0])
    assert moved >= 5


@pytest.mark.parametrize(("kind", "exact"), [("delta-lif", True), ("if", True), ("adaptive-lif", False), ("loihi-lif", False)])
def test_deferred_is_exact_for_one_hidden_layer_whose_trace_holds_everything(kind, exact):
    """Not where a spike also moves the threshold, or sets the potential to zero: its docstring says so."""
    off = []
    for seed in range(10):
        net, network, x, y = layer(seed, kind)
        found, replayed = (cs.gradients(network.but(learning={**network.learning.model_dump(), "rule": rule}), x, y, rule=rule).weights
                           for rule in ("ssgd-deferred", "ssgd-replay"))  # fmt: skip
        for k, q in enumerate(net.projections):
            deviation = general.dense.deviation(found[f"k{k}"], replayed[f"k{k}"])
            if q.post == len(net.populations) - 1:
                assert deviation <= EXACT, "the readout is exact in any case"
            elif np.any(replayed[f"k{k}"]):
                off.append(deviation)
    assert len(off) >= 4 and (max(off) <= EXACT if exact else max(off) > 1e-3)
