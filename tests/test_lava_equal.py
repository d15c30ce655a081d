"""Reference and kernels equal the real fixed-point models of lava-nc 0.10.0: spikes, u and v in every step."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "peers")]

import netbridge
import refnet
from netdraws import LAVA, networks
from netstats import statistics

pytestmark = [pytest.mark.lava, pytest.mark.xdist_group("lava")]

EXAMPLES = 300
FREE = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
AT_LEAST = {  # networks of EXAMPLES in which it must occur
    **dict.fromkeys(("dense", "sparse", "delays", "most neurons spike"), 80),
    **dict.fromkeys(("loihi-lif", "ternary-lif", "reset-lif", "graded"), 40),
    **dict.fromkeys(("u wraps", "v clipped", "negative truncation"), 40),
    **dict.fromkeys(("bias exponent", "negative bias", "negative exponent", "recurrent", "graded payloads"), 40),
    **dict.fromkeys(("conv", "u outside 24 bits", "long delays", "weights of 1 bit", "vth 0", "vth 131071"), 20),
    **dict.fromkeys((f"sign {mode}" for mode in (None, "mixed", "excitatory", "inhibitory")), 20),
    **dict.fromkeys(("huge payloads", "weights outside", "weights all zero"), 10),
    **dict.fromkeys(("du -1", "du 0", "du 4095", "dv 0", "dv 4096"), 10),
}


def same(net: dict, mine: dict, lava: dict) -> None:
    """Assert that spikes, v and u are equal in every step."""
    for t in range(net["steps"]):
        for number, spec in enumerate(net["populations"]):
            for name in ("spikes", "v", "u"):
                here = f"{name} of population {number}, {spec['kind']}, index {t}"
                assert mine[name][t][number] == lava[name][t][number].tolist(), here


def check(net: dict) -> dict:
    """Assert that Lava's models and chipsim's kernels equal the reference; return the result of the reference."""
    from lavachip import run_net

    result = refnet.run_net(net)
    same(net, result, run_net(net))
    if in_range(net):
        assert netbridge.differences(net, netbridge.Ran(net, netbridge.image_of(net)), result) == []
    return result


def in_range(net: dict) -> bool:
    """Return whether chipsim takes these weights: it refuses -2^31, which Lava negates to itself in 32 bits."""
    raw = [row for spec in net["projections"] for row in spec.get("weights", [])]
    raw += [[s[2] for s in spec["synapses"]] for spec in net["projections"] if spec["kind"] == "sparse"]
    return all(abs(w) < 2**31 for row in raw for w in row)


@lru_cache(maxsize=1)
def compared() -> Counter:
    """Check all drawn networks; return in how many of them each thing happened."""
    found = Counter()

    @settings(max_examples=EXAMPLES, derandomize=True, **FREE)
    @given(networks())
    def each(net):
        found.update({"networks", *statistics(net, check(net))})

    each()
    return found


def test_drawn_networks_equal_lava():
    assert compared()["networks"] >= EXAMPLES


def test_drawn_networks_reach_the_extremes():
    found = compared()
    assert not {name: (found[name], least) for name, least in AT_LEAST.items() if found[name] < least}


# networks made by hand


def network(populations: list[dict], projections: list[dict], inputs: list[list[int]]) -> dict:
    """Return a network of Lava's arithmetic; projections are given by what differs from a plain one."""
    plain = {"exponent": 0, "message_bits": 0, "loihi": True, "sign": None, "weight_bits": 8, "delays": None}
    return {
        "steps": len(inputs),
        "seed": 0,
        "sample": 0,
        "pass": 0,
        "arithmetic": {**LAVA, "entries": 0},
        "populations": [{"kind": "input", "size": len(inputs[0])}, *populations],
        "projections": [{**plain, **spec} for spec in projections],
        "inputs": inputs,
    }


def graded(*relu: bool) -> list[dict]:
    return [{"kind": "graded", "size": 1, "vth": 10, "relu": one} for one in relu]


def dense(post: int, weights: list[list[int]], **more) -> dict:
    return {"pre": 0, "post": post, "kind": "dense", "weights": weights, **more}


EDGES = {
    "a sum of -2^31 is silent": (graded(False, True), [
        dense(post, [[-256]] * 8, exponent=20, sign="mixed") for post in (1, 2)
    ], [[1] * 8, [1] * 7 + [0], [0] * 8, [0] * 8]),
    "two projections exceed 32 bits": (graded(False, True), [
        dense(post, [[200]], exponent=23) for post in (1, 2, 1, 2)
    ], [[1], [0], [1], [0]]),
    "the sum of 8 - 2^32 is below the threshold": (graded(False), [
        dense(1, [[128]], exponent=24), dense(1, [[128]], exponent=24), dense(1, [[8]])
    ], [[1], [0]]),
    "raw weights of -2^31": (graded(False), [
        dense(1, [[-(2**31)], [-7]], sign=sign) for sign in (None, "mixed", "inhibitory", "excitatory")
    ], [[1, 0], [0, 1], [1, 1], [0, 0]]),
    "sparse raw weights of -2^31": (graded(False), [
        {"pre": 0, "post": 1, "kind": "sparse", "delayed": False, "sign": sign,
         "synapses": [(0, 0, -(2**31), 0), (1, 0, -7, 0)]}
        for sign in (None, "mixed", "inhibitory", "excitatory")
    ], [[1, 0], [0, 1], [1, 1], [0, 0]]),
    "dense with delays wraps each product": (graded(False), [
        dense(1, [[200], [100]], exponent=-9, message_bits=8, delays=[[2], [2]])
    ], [[2**31 - 1, 2**30 + 7], [5, -(2**31)], [0, 0], [0, 0], [0, 0], [0, 0]]),
    "sparse with delays wraps their sum": (graded(False), [
        {"pre": 0, "post": 1, "kind": "sparse", "delayed": True, "exponent": -9, "message_bits": 8,
         "synapses": [(0, 0, 200, 2), (1, 0, 100, 2)]}
    ], [[2**31 - 1, 2**30 + 7], [5, -(2**31)], [0, 0], [0, 0], [0, 0], [0, 0]]),
    "dense wraps the sum": (graded(False), [
        dense(1, [[200], [100]], exponent=-9, message_bits=8)
    ], [[2**31 - 1, 2**30 + 7], [5, -(2**31)], [0, 0]]),
    "a convolution beyond 32 bits delivers 0": (graded(False), [
        {"pre": 0, "post": 1, "kind": "conv", "message_bits": 24, "in_shape": [1, 1, 2], "stride": [1, 1],
         "padding": [0, 0], "dilation": [1, 1], "groups": 1, "kernel": [[[[1, 127]]]]}
    ], [[2**31 - 1, 0], [0, 2**30 + 3], [-(2**31), 0], [-(2**31), -1], [1, 2**24 + 9], [0, 0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    result = check(network(*EDGES[name]))
    assert any(any(populations[1]) for populations in result["a"])


def test_a_wrapped_sum_decides():
    """Lava adds in 32 bits before it compares: 8 - 2^32 is 8, below the threshold, and -2^31 has no absolute value."""
    silent = check(network(*EDGES["the sum of 8 - 2^32 is below the threshold"]))
    assert (silent["a"][1][1], silent["spikes"][1][1]) == ([8 - 2**32], [0])
    lowest = check(network(*EDGES["a sum of -2^31 is silent"]))
    assert [step[1] for step in lowest["a"]] == [[0], [-(2**31)], [-7 * 2**28], [0]]
    assert [step[1] for step in lowest["spikes"]] == [[0], [0], [-7 * 2**28], [0]]


def test_lava_has_no_refractory_model():
    from lavachip import run_net

    with pytest.raises(ValueError, match="refractory"):
        run_net(network([{"kind": "refractory-lif", "size": 1}], [], [[1]]))


# the same networks in Lava's own runtime


def numbers(seed: int, low: int, high: int, *shape: int) -> list:
    """Return a nested list of random integers."""
    rng = random.Random(seed)

    def level(sizes: tuple[int, ...]) -> list | int:
        return [level(sizes[1:]) for _ in range(sizes[0])] if sizes else rng.randint(low, high)

    return level(shape)


LIF = {"du": 700, "dv": 300, "bias_mant": -5, "bias_exp": 3}
PAIRS = [(i, j) for i in range(4) for j in range(4) if (i + j) % 3]
BY_HAND = {
    "dense": ([{"kind": "loihi-lif", "size": 5, **LIF, "vth": 300}], [
        dense(1, numbers(1, -60, 255, 4, 5))
    ], numbers(2, 0, 1, 20, 4)),
    "recurrent ternary with delays": ([{"kind": "ternary-lif", "size": 4, **LIF, "vth_hi": 150, "vth_lo": -100}], [
        dense(1, numbers(3, -200, 255, 4, 4), delays=numbers(4, 0, 5, 4, 4)),
        {"pre": 1, "post": 1, "kind": "dense", "weights": numbers(5, -255, 255, 4, 4),
         "delays": numbers(6, 0, 9, 4, 4)},
        {"pre": 1, "post": 1, "kind": "sparse", "delayed": True, "exponent": -1,
         "synapses": [(i, j, 40 * i - 50 * j, (i * j) % 4) for i, j in PAIRS]},
    ], numbers(7, 0, 1, 20, 4)),
    "reset and sparse": ([{"kind": "reset-lif", "size": 4, **LIF, "vth": 200, "interval": 5, "offset": 7}], [
        {"pre": 0, "post": 1, "kind": "sparse", "delayed": False, "exponent": 1, "weight_bits": 5,
         "synapses": [(i, j, 60 * i - 35 * j, 0) for i, j in PAIRS]}
    ], numbers(8, 0, 1, 20, 4)),
    "convolution": ([
        {"kind": "loihi-lif", "size": 8, **LIF, "vth": 100},
        {"kind": "loihi-lif", "size": 3, **LIF, "vth": 200},
    ], [
        {"pre": 0, "post": 1, "kind": "conv", "in_shape": [4, 3, 2], "stride": [2, 1], "padding": [1, 0],
         "dilation": [1, 2], "groups": 2, "kernel": numbers(9, -60, 127, 4, 3, 2, 1)},
        {"pre": 1, "post": 2, "kind": "dense", "weights": numbers(10, -50, 255, 8, 3)},
    ], numbers(11, 0, 1, 20, 24)),
    "graded": ([
        {"kind": "graded", "size": 3, "vth": 500, "relu": False},
        {"kind": "loihi-lif", "size": 3, **LIF, "vth": 4000},
    ], [
        dense(1, numbers(12, -60, 255, 4, 3), message_bits=8),
        {"pre": 1, "post": 2, "kind": "dense", "weights": numbers(13, -60, 255, 3, 3),
         "message_bits": 24, "exponent": -4},
    ], numbers(14, -20, 90, 20, 4)),
}  # fmt: skip


def test_by_hand_in_the_runtime():
    """Lava's own runtime, in a process of its own because it forks one per Lava Process."""
    nets = [network(*parts) for parts in BY_HAND.values()]
    program = [sys.executable, str(TESTS / "peers" / "lavachip.py")]
    done = subprocess.run(program, input=json.dumps(nets), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for net, found in zip(nets, json.loads(done.stdout.splitlines()[-1]), strict=True):
        result = check(net)
        for number in range(1, len(net["populations"])):
            assert {name: [step[number] for step in result[name]] for name in found} == {
                name: [step[number] for step in steps] for name, steps in found.items()
            }
            assert any(any(step[number]) for step in result["spikes"])
