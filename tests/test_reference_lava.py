"""The reference of Loihi's learning connections: numbers from the real models of lava-nc 0.10.0, and arithmetic by hand."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "peers")]

import learndraws
import reflava

from chipsim.learning.lava import LavaRule

PRE, POST = [1, 0, 1, 1, 0, 0, 1, 0], [0, 1, 0, 1, 1, 0, 0, 1]
CHECKED = {"x1_impulse": 16.3, "x1_tau": 10, "y1_impulse": 20.5, "y1_tau": 6, "rng_seed": 7}
VALUES = {  # rule, t_epoch -> values after the learning phases (real models; W 101, MIXED, becomes 100)
    ("2^-2*y0*x1 - 2^-1*x0*y1", 1): {
        "x1": [17, 16, 31, 44, 40, 36, 50, 45],
        "y1": [0, 21, 17, 36, 51, 44, 37, 53],
        "w": [100, 104, 96, 89, 99, 99, 81, 92],
    },
    ("2^-2*y0*x1 - 2^-1*x0*y1", 4): {"x1": [37, 38], "y1": [33, 49], "w": [93, 86]},
    ("2^-3*x0*y1*w - u1*w", 2): {"x1": [16, 43, 36, 44], "y1": [21, 37, 45, 53], "w": [100, 14, 14, 2]},
}


def made(weights, number=None, sign="mixed", message_bits=0, steps=20, **table) -> reflava.Connection:
    rule = LavaRule(**{**CHECKED, **table})
    return reflava.Connection(
        learndraws.reference_rule(rule, {"sign": sign, "message_bits": message_bits}, steps), weights, number
    )


def run(connection, pre, post, third=None) -> list[dict]:
    """Run a connection of one synapse; return what it holds after every learning phase."""
    found = []
    for t, (a, b) in enumerate(zip(pre, post, strict=True), start=1):
        connection.spikes(t, [a], [b], third or {})
        connection.learn(t)
        if t % connection.rule["epoch"] == 0:
            found.append({v: row[0] for v, row in connection.trace.items()} | {v: m[0][0] for v, m in connection.synapse.items()})
    return found


@pytest.mark.parametrize("case", VALUES, ids=str)
def test_check_values(case):
    rule, length = case
    found = run(made([[100]], dw=rule, t_epoch=length), PRE, POST)
    assert {v: [step[v] for step in found] for v in VALUES[case]} == VALUES[case]


def test_weights_are_prepared_before():
    net = {"kind": "dense", "loihi": True, "sign": "mixed", "weight_bits": 8, "weights": [[101]]}
    assert reflava.prepared(net) == [[100]]


@pytest.mark.parametrize(
    ("payload", "half"), [(0, 0), (1, 0), (3, 2), (5, 2), (255, 128), (256, 128), (-1, 0), (-3, 254), (1022, 255)]
)
def test_half_a_payload(payload, half):
    assert reflava.Fixed().half(payload) == half


def test_graded_modes():
    n = reflava.Fixed()
    assert n.overwrite(1, 50, 200, True) == (200, True) and n.overwrite(1, 50, 0, False) == (50, False)
    assert n.overwrite(2, 100, 60, True) == (127, True) and n.overwrite(2, 100, 200, True) == (44, True)
    assert n.overwrite(3, 100, 20, True) == (120, False) and n.overwrite(3, 100, 60, True) == (33, True)
    assert n.overwrite(3, 128, 0, False) == (1, False) and n.overwrite(3, 120, 135, True) == (128, True)


def test_products():
    n = reflava.Fixed()
    assert n.term([], [], 3, -7) == 3 and n.term([], [], 1, 0) == 128
    assert n.term([50], [7], 3, -2) == 50 * 3 * 32
    assert n.term([50, 60], [7, 7], -1, -7) == -(50 * 60) >> 3  # 7 + 7 + 4 - 15 bits go, and do not come back
    assert n.term([50, 600], [7, 9], 1, -7) == 50 * 511 >> 5
    assert n.term([200], [7], 7, 8) == 32767 and n.term([200], [7], -7, 2) == -32769
    wrapped = 255**4 * 7 % 2**32 - 2**32
    assert -(2**31) <= wrapped < 0 and n.term([255] * 4, [9] * 4, 7, -7) == wrapped >> 25


def test_the_sum_saturates_after_every_product():
    n = reflava.Fixed()
    assert n.total(255, [32767, -32769]) == -2 and n.total(255, [-32769, 32767]) == 32638
    assert (
        n.stored(32767, "mixed", 0.99) == 256 - 1 and n.stored(-32769, "t", 0.995) == -257 and n.stored(-32769, "t", 0.99) == -256
    )
    assert n.stored(-5, "excitatory", 0.0) == 0 and n.stored(5, "inhibitory", 0.0) == 0 and n.stored(-1, "d", 0.5) == 0
    assert n.stored(100 * 128 + 64, "mixed", 0.49) == 101 and n.stored(100 * 128 + 64, "mixed", 0.5) == 100


def test_a_negative_third_factor_becomes_zero_where_the_neuron_spikes():
    more = {"dw": "u0*y2", "factors": 3, "rng_seed": 1}
    table = {key: value for key, value in CHECKED.items() if key.startswith("x")} | more
    third = {"y1": [0], "y2": [-50], "y3": [0]}
    for post, change in (([0], -50), ([1], 0)):
        rule = LavaRule(**table)
        one = reflava.Connection(learndraws.reference_rule(rule, {"sign": "mixed", "message_bits": 0}, 9), [[100]])
        assert run(one, [0], post, third)[0]["w"] == 100 + change


def test_float_is_the_formula():
    """No shift, no rounding: one pre spike, one post spike, the traces by hand."""
    more = {"y1_impulse": 20.5, "y1_tau": 6.0, "x1_impulse": 16.3, "x1_tau": 10.0}
    one = made([[100.0]], reflava.Float(), dw="2^-2*y0*x1 - 2^-1*x0*y1*w", **more)
    found = run(one, [1, 0, 1], [0, 1, 0])
    x1, y1 = 16.3 * math.exp(-0.1), 20.5 * math.exp(-1 / 6)
    w = 100 + x1 / 4
    assert found[1]["w"] == pytest.approx(w, rel=1e-12) and found[2]["w"] == pytest.approx(w - y1 * w / 2, rel=1e-12)
    assert found[2]["x1"] == pytest.approx(16.3 + 16.3 * math.exp(-0.2), rel=1e-12)
