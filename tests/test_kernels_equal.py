"""Fixed point: the kernels against the reference chip of tests/reference, bit for bit, on random small networks and chips."""

from __future__ import annotations

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import bridge
import numpy as np
import pytest
from chipdraws import draw_chip, scans
from hypothesis import given, settings
from hypothesis import strategies as st
from refchip import Chip as Reference
from refchip import LogOverflow

from chipsim.compiler import ChipImage, compile_network
from chipsim.counters import EVENTS, OF_OTHER_FORMS, OF_OTHER_RULES, SUMS
from chipsim.errors import CapacityError
from chipsim.network import ssgd_network

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]

TAUS = (*[10.0] * 4, *[3.0] * 4, 50.0, 1.0, 0.5, 0.05, 1e6)  # decay words 3706, 2935, 4015, 1507, 554, 0, 4096
STEPS = (*[12, 11, 10, 9, 8, 7] * 3, 6, 5, 4, 3, 2, 1)
MEMBRANES = (12, 13, 14, 16, 24)
REGULARISERS = (
    None,
    {"upper": 0.06, "lower": 100.0, "f_upper": 1.0, "f_lower": 1e-3},
    {"upper": 2.0, "lower": 0.0, "f_upper": 0.0, "f_lower": 0.0},
    {"upper": 0.0, "lower": 1.0, "f_upper": 0.0, "f_lower": 2.5},
    {"upper": 1.0, "lower": 100.0, "f_upper": 0.5, "f_lower": 1.5},
)


class Case:
    """One network on one chip with a few samples: (input, label, index, pass) each."""

    def __init__(self, network, fractions: list[int], shifts: list[int], chip, seed: int, samples: list[tuple]):
        self.network, self.fractions, self.shifts = network, fractions, shifts
        self.chip, self.seed, self.samples = chip, seed, samples

    def image(self, chip=None, learn: bool = True) -> ChipImage:
        return compile_network(self.network, chip or self.chip, learn=learn, numerics="fixed", fractions=self.fractions)

    def kernels(self, chip=None, learn: bool = True) -> bridge.Kernels:
        return bridge.Kernels(self.image(chip, learn), self.shifts, self.seed)

    def reference(self) -> Reference:
        return Reference(bridge.describe(self.image(), self.shifts, self.seed))

    def __repr__(self) -> str:
        return f"Chip({bridge.describe(self.image(), self.shifts, self.seed)}), run(*s) for s in {self.samples}"


def draw_network(draw):
    """Return a network without weights."""
    surrogate = draw(st.sampled_from(["box", "paper", "triangle"]))
    membrane, delta = draw(st.sampled_from(MEMBRANES)), draw(st.integers(12, 16))
    wide = [math.inf] if surrogate == "box" else []
    network = ssgd_network(
        n_in=draw(st.integers(1, 6)), hidden=draw(st.lists(st.integers(1, 7), min_size=1, max_size=3)),
        classes=draw(st.integers(2, 4)), steps=draw(st.sampled_from(STEPS)), tau_mem=draw(st.sampled_from(TAUS)),
        tau_readout=draw(st.sampled_from(TAUS)), readout=draw(st.sampled_from(["sum", "max"])), surrogate=surrogate,
        half_width=draw(st.sampled_from([0.0625, 0.2, 0.5, 1.0, 3.0, *wide])), regularisers=draw(st.sampled_from(REGULARISERS)),
    )  # fmt: skip
    learning = {
        "write": draw(st.sampled_from(["stochastic", "stochastic", "nearest", "one-lsb", "sign"])), "weight_bits": draw(st.integers(2, 10)),
        "v_fraction": draw(st.integers(4, min(membrane - 3, 16))), "delta_fraction": draw(st.integers(7, delta - 2)),
        "readout_delta_fraction": draw(st.integers(7, delta - 2)),
    }  # fmt: skip
    accumulator = draw(st.sampled_from([9, 12, 16, 24]))
    widths = {"membrane": membrane, "delta": delta, "weight": 16, "gradient_accumulator": accumulator, "partial_error": 48}
    return network.but(learning={**network.learning.model_dump(), **learning}), widths


@st.composite
def cases(draw, log_words=8192):
    network, widths = draw_network(draw)
    rule, sizes = network.learning, [p.size for p in network.populations]
    fractions = [min(rule.v_fraction, rule.weight_bits - 1 + draw(st.integers(-2, 2))) for _ in sizes[1:]]
    fd = [rule.delta_fraction] * (len(sizes) - 2) + [rule.readout_delta_fraction]
    shifts = [draw(st.integers(0, 20)) + fw - d for fw, d in zip(fractions, fd, strict=True)]
    network = network.with_weights(draw_weights(draw, network, fractions))
    samples = [draw_sample(draw, network) for _ in range(4)]
    chip = draw_chip(draw, sizes, widths | {"log_words_per_core": log_words})
    network = network.but(learning={**network.learning.model_dump(), "scan": draw(st.sampled_from(scans(network, chip)))})
    return Case(network, fractions, shifts, chip, draw(st.integers(0, 2**32 - 1)), samples)


def draw_weights(draw, network, fractions):
    """Return weights that are whole numbers of LSBs: random, all at an extreme, or zero."""
    dice, top = np.random.default_rng(draw(st.integers(0, 2**32))), 2 ** (network.learning.weight_bits - 1) - 1
    found = {}
    for k, p in enumerate(network.projections):
        shape = (network.populations[k].size, network.populations[k + 1].size)
        kind = draw(st.sampled_from([*["any"] * 4, *["positive"] * 4, "extreme", "top", "zero"]))
        whole = {
            "any": lambda s: dice.integers(-top, top + 1, s), "positive": lambda s: dice.integers(0, top + 1, s),
            "extreme": lambda s: dice.choice([-top, top], s), "top": lambda s: np.full(s, top), "zero": np.zeros,
        }[kind](shape)  # fmt: skip
        found[p.post] = whole * 2.0 ** -fractions[k]
    return found


def draw_sample(draw, network):
    """Return (input, label, index, pass)."""
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    density = draw(st.sampled_from([0.5, 0.5, 0.5, 0.2, 0.2, 1.0, 0.0]))
    raster = dice.random((network.steps, network.populations[0].size)) < density
    label = draw(st.integers(0, network.populations[-1].size - 1))
    return [np.flatnonzero(row).tolist() for row in raster], label, draw(st.integers(0, 2**20)), draw(st.integers(0, 99))


class Extremes:
    """Counts how often the reference clipped, so that a test can show that it met the edges."""

    def __init__(self):
        self.seen = Counter()

    def watch(self, reference: Reference) -> None:
        for name in ("clip_v", "clip_delta", "clip_accumulator"):
            setattr(reference.numerics, name, self.wrap(name, getattr(reference.numerics, name)))

    def wrap(self, name, clip):
        def counting(x, *rest):
            clipped = clip(x, *rest)
            self.seen[name] += clipped != x
            return clipped

        return counting


def repeat(examples: int):
    """Return hypothesis settings of reproducible examples."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


def test_equal_to_the_reference_bit_for_bit():
    extremes, events, cores = Extremes(), Counter(), set()

    @repeat(300)
    @given(cases())
    def compare(case):
        reference, kernels = case.reference(), case.kernels()
        extremes.watch(reference)
        cores.add(kernels.image.cores_used)
        for sample in case.samples:
            seen = kernels.run(*sample)
            assert bridge.differences(seen, reference.run(*sample)) == {}
            for (phase, stage, event, _, _), n in seen.counters.items():
                events[phase, stage, event] += n

    compare()
    never = [key for key in EVENTS if events[key] == 0 and key not in OF_OTHER_RULES | OF_OTHER_FORMS]
    assert never == [("update", "replay", "optimiser_updates")]
    assert min(extremes.seen[name] for name in ("clip_v", "clip_delta", "clip_accumulator")) > 80
    assert min(cores) == 2 and max(cores) >= 8


def test_error_is_clipped_before_the_regulariser_is_added():
    """Twins with opposite weights of 7.5 thresholds leave both classes even, so eps reaches both ends, -2 and 2; reg is 1."""
    rule = {"upper": 2.0, "lower": 0.0, "f_upper": 0.0}
    network = ssgd_network(1, (2,), 2, 6, readout="sum", surrogate="box", half_width=math.inf, regularisers=rule)
    network = network.but(learning={**network.learning.model_dump(), "delta_fraction": 14, "v_fraction": 8})
    network = network.with_weights({"hidden1": [[1.5, 1.5]], "out": [[7.5, -7.5], [-7.5, 7.5]]})
    case = Case(network, [6, 4], [-8, -8], bridge.toy(membrane=24, tiles_x=2), 1, [])
    reference, kernels = case.reference(), case.kernels()
    sample = [[0], [0], [], [], [0], []], 0, 3, 4
    assert bridge.differences(kernels.run(*sample), reference.run(*sample)) == {}
    assert kernels.work.errors.eps[1:3].tolist() == [-(2**15), 2**15 - 1] and set(kernels.work.errors.reg[1:3]) == {2**14}


def test_full_logs_stop_both_at_the_same_core():
    outcomes = Counter()

    @repeat(60)
    @given(st.integers(0, 40).flatmap(lambda words: cases(log_words=words)))
    def compare(case):
        reference, kernels = case.reference(), case.kernels()
        for sample in case.samples:
            kernels.forward(sample[0])
            try:
                reference.run(*sample)
            except LogOverflow as full:
                with pytest.raises(CapacityError) as raised:
                    kernels.run(*sample)
                (problem,) = raised.value.problems
                assert (problem.object, problem.value) == (f"core {full.core}", full.need)
                assert problem.key == f"log words of sample {full.sample}" and f"{full.capacity} words" in problem.limit
                assert kernels.matrices(kernels.weights) == reference.gather_matrices("weights")
                outcomes["full"] += 1
                return
            seen = kernels.run(*sample)
            assert seen.weights == reference.gather_matrices("weights")
            outcomes["fits"] += 1

    compare()
    assert min(outcomes["full"], outcomes["fits"]) >= 20


SUMS_OF_ANY_PLACEMENT = (
    ("forward", "synops"), ("forward", "neuron_updates"), ("forward", "spikes"), ("backward", "gate_checks"),
    ("backward", "evaluations"), ("backward", "row_adds"), ("backward", "gather_adds"), ("update", "writes"),
)  # fmt: skip
WIDTHS = ("membrane", "delta", "weight", "gradient_accumulator", "partial_error")


def test_placement_changes_no_number():
    found = Counter()

    @repeat(40)
    @given(cases())
    def compare(case):
        hidden = max(p.size for p in case.network.populations[1:])
        one = None
        for room in range(hidden, 0, -1):
            widths = {name: case.chip.width(name) for name in WIDTHS}
            kernels = case.kernels(bridge.toy(cores_per_tile=7, compartments_per_core=room, **widths))
            found[kernels.image.cores_used] += 1
            runs = [kernels.run(*sample) for sample in case.samples]
            seen = [[getattr(run, name) for name in bridge.NUMBERS] for run in runs]
            sums = [Counter({key: total(run.counters, *key) for key in SUMS_OF_ANY_PLACEMENT}) for run in runs]
            one = one or (seen, sums)
            assert (seen, sums) == one
            found["writes"] += sums[0]["update", "writes"]

    compare()
    assert found["writes"] > 0 and len(found) > 8


def total(counters: Counter, phase: str, event: str) -> int:
    return sum(n for (p, _, e, _, _), n in counters.items() if p == phase and e in SUMS.get(event, (event,)))


def test_order_and_threads_change_no_random_word():
    moved = 0

    @repeat(20)
    @given(cases())
    def compare(case):
        nonlocal moved

        def alone(sample):
            seen = case.kernels().run(*sample)
            return seen.weights, seen.counters

        samples = case.samples * 4
        forward, backward = [alone(s) for s in samples], [alone(s) for s in samples[::-1]]
        with ThreadPoolExecutor(4) as pool:
            parallel = list(pool.map(alone, samples))
        assert forward == backward[::-1] == parallel
        moved += sum(total(counters, "update", "random_draws") for _, counters in forward)

    compare()
    assert moved > 0


def test_without_learning_only_the_forward_phase_is_counted():
    counted = Counter()

    @repeat(50)
    @given(cases())
    def compare(case):
        learning, plain, watching = case.kernels(), case.kernels(learn=False), case.kernels()
        reference = case.reference()
        sample = case.samples[0]
        full, bare, logged = learning.run(*sample), plain.run(*sample, learn=False), watching.run(*sample, learn=False)
        assert {key: n for key, n in full.counters.items() if key[0] == "forward"} == bare.counters
        assert {key: n for key, n in full.counters.items() if key[1] == "forward"} == logged.counters
        assert bare.active_log == [] and logged.active_log == full.active_log
        expected = reference.run(*sample, learn=False)
        assert bridge.unequal(bare.counters, expected.counters) == {}
        for seen in (bare, logged):
            assert (seen.spikes, seen.v, seen.scores, seen.weights) == (full.spikes, full.v, full.scores, expected.weights)
        counted["bare"] += total(bare.counters, "forward", "synops")
        counted["logged"] += total(logged.counters, "backward", "active_log_entries")

    compare()
    assert counted["bare"] > 0 and counted["logged"] > 0
