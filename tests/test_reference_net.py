"""The reference network checked by hand: neurons, weights, projections and delays of docs/neurons.md, without Lava."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "peers")]

from netdraws import ALL_KINDS, LAVA, networks
from refnet import prepared, run_net
from refneurons import CURRENT, Population, clip, decay, fold, lazy_word, sat, wrap
from refrandom import philox

CHIP = {**LAVA, "entries": 8}
WEIGHTS = {"loihi": True, "sign": None, "weight_bits": 8}
PLAIN = {"pre": 0, "post": 1, "exponent": 0, "message_bits": 0, "delays": None, **WEIGHTS}
RELAY = {"kind": "graded", "size": 1, "vth": 0, "relu": False}  # sends what arrives


def drive(spec: dict, arrivals: list[int], chip: dict | None = None) -> dict[str, list[int]]:
    """Give one neuron one number per step; None means that nothing arrives."""
    neuron = Population({"size": 1, **spec}, chip or CHIP, 0, (0, 0, 0))
    found = {"u": [], "v": [], "spikes": [], "extra": []}
    for t, a in enumerate(arrivals):
        neuron.step(t, [a or 0], [a is not None])
        for name in found:
            found[name] += getattr(neuron, name)[:1]
    return found


def net(projections: list[dict], inputs: list[list[int]], size: int, **more) -> dict:
    populations = [{"kind": "input", "size": len(inputs[0])}, {**RELAY, "size": size, **more}]
    specs = [{**PLAIN, **spec} for spec in projections]
    numbers = {"steps": len(inputs), "seed": 1, "sample": 2, "pass": 3, "arithmetic": CHIP, "inputs": inputs}
    return {**numbers, "populations": populations, "projections": specs}


def received(*arguments) -> list[list[int]]:
    """Return what arrives in every step."""
    return [step[1] for step in run_net(net(*arguments))["a"]]


# numbers


def test_overflow():
    assert [wrap(x, 4) for x in (7, 8, -8, -9, 24)] == [7, -8, -8, 7, -8]
    assert [sat(x, 4) for x in (7, 8, -8, -9)] == [7, 7, -8, -8]
    assert [clip(x, 4) for x in (7, 8, -8, -9)] == [7, 7, -7, -7]
    assert [fold(x, 4) for x in (7, 8, 9, -7, -8, 100)] == [7, 8, -7, -7, 8, 84]


@pytest.mark.parametrize(
    ("rounding", "falling", "rising"),
    [
        ("nearest", [136, 6, 5], [-136, -6, -5]),
        ("toward-zero", [132, 1, 0], [-132, -1, 0]),
        ("floor", [132, 1, 0], [-141, -12, -10]),
    ],
)
def test_decay_from_1000(rounding, falling, rising):
    """D = 3707, after 20, 50 and 100 steps."""
    for start, expected in ((1000, falling), (-1000, rising)):
        x, found = start, []
        for _ in range(100):
            x = decay(x, 3707, rounding)
            found.append(x)
        assert [found[n - 1] for n in (20, 50, 100)] == expected


def test_halves_round_away_from_zero():
    assert [decay(x, 2048, "nearest") for x in (1, -1, 3, -3)] == [1, -1, 2, -2]


def test_stochastic_decay():
    """-3 * 1024 / 4096 = -0.75: floor gives -1 three times in four, whatever else the random word holds."""
    assert Counter(decay(-3, 1024, "stochastic", r + 4096 * 77) for r in range(4096)) == {-1: 3072, 0: 1024}
    leak = {"kind": "leaky-readout", "decay": 2048, "size": 3}
    population = Population(leak, {**CHIP, "rounding": "stochastic"}, 5, (11, 12, 13))
    population.step(1, [101, 102, 103], [True] * 3)
    population.step(2, [0] * 3, [False] * 3)
    noise = [philox((5 + i, 2, 12, 13), (11, 2))[0] & 4095 for i in range(3)]
    assert population.v == [(v * 2048 + r) >> 12 for v, r in zip((101, 102, 103), noise, strict=True)]


# neurons of the Loihi family

LIF = {"kind": "loihi-lif", "du": 400, "dv": 100, "vth": 20, "bias_mant": -3, "bias_exp": 2}
STILL = {"kind": "loihi-lif", "du": 4095, "dv": 0, "vth": 131071, "bias_mant": 0, "bias_exp": 0}


def test_lif():
    found = drive(LIF, [10, 0, -7, 30, 0, 0, -40, 0])
    assert found["u"] == [640, 577, 72, 1984, 1789, 1613, -1105, -996]
    assert found["v"] == [628, 1177, 1208, 0, 0, 0, -1117, -2097]
    assert found["spikes"] == [0, 0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("a", "u", "v"),
    [(2**17, 2**23, 0), (2**17 + 1, -8388544, -8388544), (-(2**17), 2**23, 0), (2**17 - 1, 2**23 - 64, 2**23 - 64)],
)
def test_current_folds(a, u, v):
    """v saturates at 2^23 - 1, which lies above the threshold 2^23 - 64, so that it spikes; 2^23 - 64 does not."""
    found = drive(STILL, [None, a])
    assert (found["u"][1], found["v"][1]) == (u, v)


def test_index_0_needs_a_bias():
    assert drive({**LIF, "bias_mant": 400, "bias_exp": 0, "vth": 6}, [None, None])["spikes"] == [1, 1]
    assert drive({**LIF, "bias_mant": 0}, [None, None])["v"] == [0, 0]


def test_ternary():
    spec = {**STILL, "kind": "ternary-lif", "vth_hi": 5, "vth_lo": -3}
    assert drive(spec, [None, 5, 1, -3, -1, 0])["spikes"] == [0, 0, 1, 0, -1, 0]
    assert drive(spec, [None, 5, 1, -3, -1, 0])["v"] == [0, 320, 0, -192, 0, 0]


def test_reset():
    """Index 2 is Lava's step 3, the first after which 3 mod 4 = 7 mod 4."""
    spec = {**STILL, "kind": "reset-lif", "interval": 4, "offset": 7, "du": -1}
    assert drive(spec, [None, 1, 1, 1, 1, 1, 1])["u"] == [0, 64, 64, 128, 192, 256, 64]
    assert drive(spec, [None, 1, 1, 1])["v"] == [0, 64, 64, 192]


@pytest.mark.parametrize("period", [0, 1, 4])
def test_refractory(period):
    """A neuron that would spike in every step is silent for exactly so many."""
    spec = {**STILL, "kind": "refractory-lif", "vth": 1, "period": period}
    found = drive(spec, [None] + [2] * 12)
    assert found["spikes"] == [0] + [int(n % (period + 1) == 0) for n in range(12)]
    assert set(found["u"][1:]) == {128} and set(found["v"]) == {0}


def test_graded():
    assert drive({**RELAY, "vth": 5}, [None, 5, 6, -6])["spikes"] == [0, 0, 6, -6]
    assert drive({**RELAY, "vth": 5, "relu": True}, [None, 5, 6, -6])["spikes"] == [0, 0, 6, 0]


# neurons of the delta family

DELTA = {"kind": "delta-lif", "decay": 2048, "theta": 10}


def test_delta():
    """25 spikes, 12 - 10 + 9 spikes again, 5 - 10 stays below."""
    found = drive(DELTA, [None, 25, 9, 0, 0])
    assert (found["v"], found["spikes"]) == ([0, 25, 11, -5, -2], [0, 1, 1, 0, 0])
    found = drive({"kind": "if", "theta": 10}, [None, 25, 0, 0, 0])
    assert (found["v"], found["spikes"]) == ([0, 25, 15, 5, 5], [0, 1, 1, 0, 0])


def test_adaptive():
    """A is 8 after the first spike, so that 12 - 10 + 15 = 17 stays below 18; then 4."""
    spec = {**DELTA, "kind": "adaptive-lif", "decay_a": 2048, "jump": 8}
    found = drive(spec, [None, 25, 15, 7])
    assert (found["v"], found["extra"], found["spikes"]) == ([0, 25, 17, 15], [0, 0, 8, 4], [0, 1, 0, 1])


def test_overflow_of_v():
    narrow = {**CHIP, "v_bits": 6}
    assert drive({**DELTA, "theta": 100}, [None, 40, -80], narrow)["v"] == [0, 31, -32]
    assert drive({**DELTA, "theta": 100}, [None, 40], {**narrow, "overflow_v": "wrap"})["v"] == [0, -24]
    assert drive(STILL, [None, 1, 1], {**CHIP, "u_bits": 7, "overflow_u": "saturate"})["u"] == [0, 63, 63]


def test_lazy():
    """Two steps at once are 1024 / 4096; beyond 3 entries nothing is left; the step after a spike is an update too."""
    chip = {**CHIP, "decay": "lazy", "entries": 3}
    spec = {**DELTA, "theta": 5000}
    assert drive(spec, [None, 1001, None, 0, None, None, 7], chip)["v"] == [0, 1001, 1001, 250, 250, 250, 7]
    assert drive({**spec, "theta": 600}, [None, 1001, None, None], chip)["v"] == [0, 1001, -100, -100]
    assert drive({**spec, "kind": "leaky-readout"}, [None, 1001, None, None], chip)["v"] == [0, 1001, 500, 250]
    assert [lazy_word(2048, n, 64) for n in (0, 1, 12, 13)] == [4096, 2048, 1, 0]  # 0.5 rounds to even


# projections


@pytest.mark.parametrize(
    ("sign", "bits", "expected"),
    [
        (None, 8, [-256, -4, -2, 0, 0, 2, 254]),
        ("mixed", 6, [-256, -8, -8, 0, 0, 0, 248]),
        ("mixed", 1, [-256, -256, -256, 0, 0, 0, 0]),
        ("excitatory", 8, [0, 0, 0, 0, 1, 3, 255]),
        ("inhibitory", 8, [-255, -3, -1, 0, 0, 0, 0]),
    ],
)
def test_weight_preparation(sign, bits, expected):
    raw = [-301, -3, -1, 0, 1, 3, 301]
    assert prepared({**PLAIN, "kind": "dense", "weights": [raw], "sign": sign, "weight_bits": bits}) == [expected]
    listed = [(0, i, w, 0) for i, w in enumerate(raw)]
    assert prepared({**PLAIN, "kind": "sparse", "synapses": listed, "sign": sign, "weight_bits": bits}) == expected


def test_sign_mode_from_the_weights():
    dense = {**PLAIN, "kind": "dense", "weight_bits": 6}
    assert prepared({**dense, "weights": [[-301, -7, -1]]}) == [[-252, -4, 0]]
    assert prepared({**dense, "weights": [[301, 7, 0]]}) == [[252, 4, 0]]
    assert prepared({**dense, "weights": [[301, 7]], "loihi": False}) == [[301, 7]]


def test_negative_exponent_floors_the_sum():
    dense = {"kind": "dense", "weights": [[6], [-10]], "exponent": -3}
    assert received([dense], [[1, 1], [1, 0], [0, 1], [0, 0], [0, 0]], 1) == [[0], [-1], [0], [-2], [0]]


def test_payloads():
    """Without message bits every payload counts 1; onto the delta family weights are as they are and nothing wraps."""
    dense = {"kind": "dense", "weights": [[6]]}
    assert received([dense, {**dense, "message_bits": 8}], [[-5], [0]], 1) == [[0], [6 - 30]]
    assert received([{**dense, "message_bits": 8, "exponent": 28}], [[-5], [0]], 1) == [[0], [-30 * 2**28 + 2**33]]
    free = {**dense, "weights": [[301]], "exponent": 28, "loihi": False}
    assert received([free], [[1], [0]], 1) == [[0], [301 * 2**28]]


def test_delays():
    """A spike at index 0 arrives at 1, 2 and 4; one at index 2 at 3, 4 and, too late, 6. Zero weights arrive too."""
    synapses = [(0, 0, 2, 0), (0, 0, 10, 1), (0, 0, 100, 3), (1, 1, 0, 2)]
    result = run_net(
        net([{"kind": "sparse", "synapses": synapses, "delayed": True}], [[1, 1], [0, 0], [1, 0], [0, 0], [0, 0]], 2)
    )
    assert [step[1] for step in result["a"]] == [[0, 0], [2, 0], [10, 0], [2, 0], [110, 0]]
    assert [[int(some) for some in step[1]] for step in result["arrived"]] == [[0, 0], [1, 0], [1, 0], [1, 1], [1, 0]]
    dense = {"kind": "dense", "weights": [[2, 4], [6, 8]], "delays": [[0, 2], [1, 0]]}
    assert received([dense], [[1, 1], [0, 0], [0, 0], [0, 0]], 2) == [[0, 0], [2, 8], [6, 0], [0, 4]]


def test_what_is_due_in_one_step_wraps_again():
    dense = {"kind": "dense", "weights": [[128]], "exponent": 23, "sign": "excitatory"}
    sparse = {**dense, "kind": "sparse", "synapses": [(0, 0, 128, 0), (0, 0, 128, 1)], "delayed": True}
    assert received([dense, dense], [[1], [0]], 1)[1] == [2**31]
    assert received([sparse], [[1], [1], [0]], 1)[1:] == [[2**30], [-(2**31)]]


def test_the_floor_is_per_delay():
    dense = {"kind": "dense", "weights": [[3], [3]], "exponent": -1}
    assert received([dense], [[1, 1], [0, 0], [0, 0]], 1)[1] == [3]
    late = {**dense, "delays": [[0], [1]]}
    assert received([late], [[0, 1], [1, 0], [0, 0]], 1)[2] == [2]


PLACES = {"kind": "conv", "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1}


def test_convolution():
    """A kernel is flipped: a spike in the middle of 3 x 3 leaves the kernel itself."""
    middle = [int(n == 4) for n in range(9)]
    conv = {**PLACES, "in_shape": [3, 3, 1], "kernel": [[[[1], [2]], [[3], [4]]]]}
    assert received([conv], [middle, [0] * 9], 4)[1] == [1, 2, 3, 4]


def test_convolution_with_everything():
    """o[x, k] = W[k, 1] q[2x - 1, k] + W[k, 0] q[2x + 1, k]; spikes at x = 1 (both channels) and 3 (channel 0)."""
    more = {"stride": [2, 1], "padding": [1, 0], "dilation": [2, 1], "groups": 2}
    conv = {**PLACES, **more, "in_shape": [4, 1, 2], "kernel": [[[[1]], [[10]]], [[[50]], [[100]]]]}
    result = run_net(net([conv], [[0, 0, 1, 1, 0, 0, 1, 0], [0] * 8, [1] + [0] * 7, [0] * 8], 4))
    assert [step[1] for step in result["a"]] == [[0] * 4, [1, 50, 11, 100], [0] * 4, [0] * 4]
    assert result["arrived"][1][1] == [True] * 4 and result["arrived"][3][1] == [False] * 4


def test_convolution_wraps_to_24_bits():
    conv = {**PLACES, "in_shape": [1, 1, 1], "kernel": [[[[2]]]], "message_bits": 24}
    assert received([conv], [[2**22], [2**22 - 1], [0]], 1) == [[0], [-(2**23)], [2**23 - 2]]


# drawn networks


def test_drawn_networks_keep_to_their_ranges():
    """Whatever the arithmetic: v stays in its width, a pause is a pause, and the draws cover every model and mode."""
    seen = Counter()

    @settings(max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(networks(lava=False, steps=40))
    def each(drawn):
        result, chip = run_net(drawn), drawn["arithmetic"]
        top = 1 << (chip["v_bits"] - 1)
        seen.update(chip[name] for name in ("overflow_v", "rounding", "decay"))
        for number, spec in enumerate(drawn["populations"][1:], start=1):
            spikes = [step[number] for step in result["spikes"]]
            seen.update({spec["kind"], f"{spec['kind']} spikes" if any(map(any, spikes)) else "silent"})
            if chip["overflow_v"] == "saturate" or spec["kind"] not in CURRENT:
                assert all(-top <= v < top for step in result["v"] for v in step[number])
            for i in range(spec["size"]):
                times = [t for t, step in enumerate(spikes) if step[i]]
                assert all(b - a > spec.get("period", 0) for a, b in zip(times, times[1:], strict=False))

    each()
    modes = ("saturate", "wrap", "toward-zero", "nearest", "floor", "stochastic", "stepped", "lazy")
    lively = [f"{kind} spikes" for kind in ALL_KINDS if kind != "leaky-readout"]
    assert not {name: seen[name] for name in (*modes, *ALL_KINDS, *lively) if seen[name] < 3}
