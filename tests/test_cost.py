"""Energy and time of counts: by hand on small arrays, and the laws that hold for any counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from chipsim.cost import LinkLoads, price_energy, price_time
from chipsim.cost.energy import UNIT_EVENTS, unit_of
from chipsim.counters import EVENTS, HOST, PHASES, ROW, Counters
from chipsim.hardware import load_chip

SHIPPED = ("loihi1", "loihi1-ssgd", "toy")
CORES = np.array([0, 3, 7, HOST])


def counters(*entries: tuple, samples: int = 1, steps: int = 3, cores: np.ndarray = CORES) -> Counters:
    """Return counts [M, E, T, K] from entries (phase, stage, event, step, column, count[, sample])."""
    counts = np.zeros((samples, len(EVENTS), steps, len(cores)), dtype=np.int64)
    for phase, stage, event, step, column, count, *sample in entries:
        counts[sample[0] if sample else 0, ROW[phase, stage, event], step, column] += count
    return Counters(counts, cores, samples)


def random_counters(seed: int = 0, samples: int = 3) -> Counters:
    counts = np.random.default_rng(seed).integers(0, 1000, (samples, len(EVENTS), 5, len(CORES)))
    return Counters(counts, CORES, samples)


def chip_with(name: str = "toy", *without: str, **changes: object):
    """Return a shipped chip with some prices ("energy.forward.synops") taken out and fields replaced."""
    chip = load_chip(name)
    for section in ("energy", "time"):
        gone = [w.partition(".")[2] for w in without if w.startswith(section)]
        changes.setdefault(section, {k: p for k, p in getattr(chip, section).items() if k not in gone})
    return dataclasses.replace(chip, **changes)


# --- energy


def test_energy_by_hand():
    counts = counters(
        ("forward", "forward", "synops", 1, 0, 7),  # 1 pJ each on the toy chip
        ("forward", "forward", "updates_active", 2, 1, 3),  # 10 pJ
        ("backward", "forward", "packets_in", 1, 2, 4),  # 1 pJ, the same event in two stages
        ("backward", "replay", "packets_in", 2, 0, 5),
        ("update", "replay", "evaluations", 0, 1, 2),  # 100 pJ
        ("forward", "forward", "inputs_injected", 0, 3, 6),  # 1 pJ, host
    )
    energy = price_energy(counts, load_chip("toy"), time_s=1e-6, cores_used=3)  # 0.1 mW each
    assert energy.forward_j == pytest.approx(43e-12)
    assert energy.backward_j == pytest.approx(9e-12)
    assert energy.update_j == pytest.approx(200e-12)
    assert energy.static_j == pytest.approx(300e-12)
    assert energy.total_j == pytest.approx(552e-12)
    assert (energy.low_j, energy.high_j) == (pytest.approx(184e-12), pytest.approx(3 * 552e-12))
    assert energy.rows_pj["backward", "packets_in"] == 9
    assert energy.rows_pj["update", "writes"] == 0
    assert energy.per_core_j == pytest.approx({0: 12e-12, 3: 230e-12, 7: 4e-12, HOST: 6e-12})
    assert energy.by_unit["synapses"]["forward"] == pytest.approx(7e-12)
    assert energy.by_unit["learning"]["update"] == pytest.approx(200e-12)
    assert energy.by_unit["network"] == pytest.approx({"forward": 6e-12, "backward": 9e-12, "update": 0})
    assert energy.by_unit["static"]["static"] == energy.static_j
    assert (energy.complete, energy.unpriced, energy.assumed_share) == (True, {}, 1.0)


@pytest.mark.parametrize("name", SHIPPED)
def test_laws_of_energy(name):
    counts = random_counters()
    energy = price_energy(counts, load_chip(name), 1e-3, 3)
    phases = [getattr(energy, f"{p}_j") or 0.0 for p in PHASES]
    dynamic = pytest.approx(sum(phases), rel=1e-12)
    assert energy.total_j == pytest.approx(sum(phases) + energy.static_j, rel=1e-12)
    assert sum(energy.per_core_j.values()) == dynamic
    assert sum(energy.rows_pj.values()) * 1e-12 == dynamic
    units = dict(energy.by_unit)
    assert units.pop("static") == {"static": energy.static_j}
    assert sum(sum(row.values()) for row in units.values()) == dynamic
    assert energy.low_j <= energy.total_j <= energy.high_j
    assert 0 <= energy.assumed_share <= 1
    assert energy.complete == (not energy.unpriced) == (name == "toy")


@pytest.mark.parametrize("name", SHIPPED)
def test_energy_is_linear(name):
    counts, chip = random_counters(), load_chip(name)
    one = price_energy(counts, chip, 1e-3, 3)
    two = price_energy(dataclasses.replace(counts, counts=2 * counts.counts), chip, 2e-3, 3)
    for field in ("forward_j", "update_j", "static_j", "total_j", "low_j", "high_j"):
        assert getattr(two, field) == pytest.approx(2 * getattr(one, field), rel=1e-12)
    assert two.assumed_share == pytest.approx(one.assumed_share)
    assert two.unpriced == {event: 2 * count for event, count in one.unpriced.items()}


def test_energy_does_not_care_whether_samples_are_summed():
    counts, chip = random_counters(), load_chip("loihi1-ssgd")
    assert price_energy(counts, chip, 1e-3, 3) == price_energy(counts.total(), chip, 1e-3, 3)


def test_an_unpriced_event_is_listed_with_its_count_and_not_zero():
    entries = [("forward", "forward", "synops", 1, 0, 7), ("forward", "forward", "packets_in", 1, 1, 5)]
    energy = price_energy(counters(*entries), load_chip("loihi1"), 0.0, 2)
    assert energy.unpriced == {"forward.packets_in": 5}
    assert not energy.complete
    assert ("forward", "packets_in") not in energy.rows_pj
    assert energy.total_j == pytest.approx(7 * 23.6e-12)
    entries = [
        ("backward", "forward", "packets_in", 1, 0, 7),
        ("backward", "replay", "packets_in", 1, 1, 5),
    ]
    assert price_energy(counters(*entries), load_chip("loihi1"), 0.0, 2).unpriced == {"backward.packets_in": 12}


def test_a_documented_zero_is_priced():
    entries = [("forward", "forward", "spikes", 1, 0, 7), ("forward", "forward", "updates_active", 1, 0, 7)]
    energy = price_energy(counters(*entries), load_chip("loihi1"), 0.0, 1)
    assert energy.complete and energy.rows_pj["forward", "spikes"] == 0
    assert energy.total_j == pytest.approx(7 * 81e-12)


def test_a_phase_without_any_price_is_none_and_not_in_the_total():
    entries = [("forward", "forward", "synops", 1, 0, 7), ("backward", "replay", "row_adds", 1, 1, 5)]
    energy = price_energy(counters(*entries), load_chip("loihi1"), 0.0, 2)
    assert energy.backward_j is None and energy.update_j == 0
    assert energy.total_j == energy.forward_j


def test_no_priced_event_gives_no_total():
    energy = price_energy(counters(("backward", "replay", "row_adds", 1, 1, 5)), load_chip("loihi1"), 1.0, 2)
    assert energy.unpriced == {"backward.row_adds": 5}
    names = ("backward_j", "static_j", "total_j", "low_j", "high_j", "assumed_share")
    assert [getattr(energy, n) for n in names] == [None] * len(names)
    assert energy.per_sample(4)["total"] is None


def test_nothing_counted_costs_nothing_but_static():
    energy = price_energy(counters(), load_chip("toy"), 1.0, 2)
    assert (energy.forward_j, energy.total_j, energy.complete) == (0, pytest.approx(0.2e-3), True)
    assert price_energy(counters(), load_chip("toy"), 0.0, 2).assumed_share == 0  # and no division by zero


@pytest.mark.parametrize("time_s, power, expected", [(None, {"static_core": 1}, 0.0), (0.5, {}, 1.0)])
def test_unknown_static_power_is_listed(time_s, power, expected):
    toy = load_chip("toy")
    chip = dataclasses.replace(toy, power=toy.power if power else {})
    energy = price_energy(counters(("forward", "forward", "synops", 1, 0, 7)), chip, time_s, 2)
    assert (energy.static_j, energy.complete, energy.unpriced) == (None, False, {"static.core_seconds": expected})
    assert energy.total_j == energy.forward_j


def test_share_of_assumptions():
    entries = [("forward", "forward", "updates_idle", 1, 0, 3), ("backward", "replay", "trace_decays", 1, 0, 1)]
    energy = price_energy(counters(*entries), load_chip("loihi1-ssgd"), 0.0, 1)
    assert energy.assumed_share == pytest.approx(0.25)  # 52 pJ each, one of four assumed
    assert energy.low_j == pytest.approx((3 * 52 / 1.5 + 52 / 3) * 1e-12)
    assert energy.high_j == pytest.approx((3 * 52 * 1.5 + 52 * 3) * 1e-12)


def test_energy_per_sample():
    energy = price_energy(random_counters(), load_chip("toy"), 1e-3, 3)
    row = energy.per_sample(4)
    assert list(row) == ["forward", "backward", "update", "static", "total", "low", "high", "assumed_share"]
    assert (row["total"], row["assumed_share"]) == (energy.total_j / 4, energy.assumed_share)


def test_every_event_belongs_to_one_unit():
    listed = [e for events in UNIT_EVENTS.values() for e in events]
    assert len(listed) == len(set(listed))
    assert {unit_of(phase, event) for phase, _, event in EVENTS} == set(UNIT_EVENTS)
    assert (unit_of("backward", "evaluations"), unit_of("update", "evaluations")) == ("neurons", "learning")


# --- time: on the toy chip most events take 1 ns, updates_active 10, evaluations 5 and 100 (update), a barrier 100


FORWARD = [
    ("forward", "forward", "updates_active", 1, 0, 2),  # step 1, core 0: sends 20 + 3, receives 4
    ("forward", "forward", "packets", 1, 0, 3),
    ("forward", "forward", "synops", 1, 0, 4),
    ("forward", "forward", "packets_in", 1, 1, 5),  # core 3: receives 5 + 16 + 1, sends 10
    ("forward", "forward", "synops", 1, 1, 16),
    ("forward", "forward", "words_read", 1, 1, 1),
    ("forward", "forward", "updates_active", 1, 1, 1),
    ("forward", "forward", "synops", 2, 2, 30),  # step 2, core 7: receives 30
    ("forward", "forward", "packets", 1, 3, 10_000),  # the host takes no core time
    ("forward", "forward", "hops_x", 1, 0, 10_000),  # neither do hops
    ("forward", "forward", "barriers", 1, 3, 1),
    ("forward", "forward", "barriers", 2, 3, 1),
]


@pytest.mark.parametrize("core_time, expected", [("pipelined", 23 + 30 + 200), ("sequential", 32 + 30 + 200)])
def test_forward_time_by_hand(core_time, expected):
    time = price_time(counters(*FORWARD), chip_with(core_time=core_time), tiles_used=2)
    assert time.total_s == time.forward_s == pytest.approx(expected * 1e-9)
    assert (time.backward_s, time.update_s, time.complete, time.network) == (0, 0, True, "none")


def test_backward_time_by_hand():
    marks = [
        ("backward", "forward", "gate_checks", 1, 1, 8),  # core 3 takes 22 + 8, core 0 stays at 23: 7 more
        ("backward", "forward", "spike_log_entries", 2, 0, 25),  # core 0 takes 25, less than the 30 of core 7: nothing
        ("backward", "replay", "evaluations", 2, 0, 3),  # 15
        ("backward", "replay", "packets_in", 2, 1, 12),
        ("backward", "replay", "row_adds", 2, 1, 13),  # 25: the slowest
        ("backward", "replay", "log_reads", 1, 2, 4),  # 4
        ("backward", "replay", "error_hops_y", 1, 2, 999),
        ("backward", "replay", "barriers", 1, 3, 1),
        ("backward", "replay", "barriers", 2, 3, 1),
        ("update", "replay", "evaluations", 0, 0, 2),  # 200
        ("update", "replay", "visits", 0, 0, 3),  # 3
        ("update", "replay", "visits", 0, 1, 100),
        ("update", "replay", "barriers", 0, 3, 1),
    ]
    time = price_time(counters(*FORWARD, *marks), load_chip("toy"), tiles_used=2)
    assert time.forward_s == pytest.approx(253e-9)
    assert time.backward_s == pytest.approx((7 + 25 + 4 + 200) * 1e-9)
    assert time.update_s == pytest.approx((203 + 100) * 1e-9)
    assert time.total_s == pytest.approx((253 + 236 + 303) * 1e-9)
    assert time.critical_steps == {0: 0, 3: 2, 7: 2}


def test_time_takes_the_slowest_core_of_each_sample():
    entries = [("forward", "forward", "synops", 1, 0, 10, 0), ("forward", "forward", "synops", 1, 1, 30, 1)]
    both = counters(*entries, samples=2)
    assert price_time(both, load_chip("toy"), 1).forward_s == pytest.approx(40e-9)
    with pytest.raises(ValueError, match="each sample apart"):
        price_time(both.total(), load_chip("toy"), 1)
    alone = counters(entries[0]).total()
    assert price_time(alone, load_chip("toy"), 1).forward_s == pytest.approx(10e-9)


def test_times_add_up_over_batches():
    counts, chip = random_counters(samples=4), load_chip("loihi1-ssgd")
    parts = [Counters(counts.counts[a:b], CORES, b - a) for a, b in ((0, 1), (1, 4))]
    whole, (first, second) = price_time(counts, chip, 3), [price_time(p, chip, 3) for p in parts]
    added = first + second
    for name in ("forward_s", "backward_s", "update_s", "total_s"):
        assert getattr(added, name) == pytest.approx(getattr(whole, name), rel=1e-12)
    assert (added.unpriced, added.critical_steps) == (whole.unpriced, whole.critical_steps)
    assert whole.per_sample(4)["total"] == whole.total_s / 4


def test_a_barrier_depends_on_the_tiles_in_use():
    counts = counters(("forward", "forward", "barriers", 1, 3, 2))
    times = [price_time(counts, load_chip("loihi1"), tiles).forward_s for tiles in (1, 32)]
    assert times == [pytest.approx(226e-9), pytest.approx(930e-9)]


def test_events_without_a_time_are_named():
    chip = chip_with("toy", "time.forward.synops", barrier_points=())
    time = price_time(counters(*FORWARD), chip, 2)
    assert time.unpriced == ("forward.synops", "forward.barriers") and not time.complete
    assert time.forward_s == pytest.approx(23e-9)


def test_what_only_the_host_does_needs_no_core_time():
    counts = counters(("forward", "forward", "inputs_injected", 1, 3, 5), ("forward", "forward", "synops", 1, 0, 5))
    assert price_time(counts, load_chip("loihi1"), 1).unpriced == ()


def test_a_phase_without_any_time_is_none():
    chip = chip_with("loihi1", barrier_points=())
    entries = [("backward", "replay", "row_adds", 1, 0, 5)]
    nothing = price_time(counters(*entries), chip, 1)
    assert (nothing.forward_s, nothing.backward_s, nothing.total_s) == (0, None, 0)
    assert (nothing + nothing).backward_s is None
    some = price_time(counters(*entries, ("forward", "forward", "synops", 1, 0, 2)), chip, 1)
    assert (some + nothing).total_s == some.forward_s == pytest.approx(7e-9)
    assert (price_time(counters(), chip, 1) + nothing).per_sample(2)["backward"] is None


def link_loads(**stages: list) -> LinkLoads:
    """Return loads of one sample on two links, an "x" and a "y", over the three steps; stages not named are empty."""
    arrays = {s: np.array([stages.get(s, [[0, 0]] * 3)]) for s in ("forward", "marking", "replay", "signals")}
    return LinkLoads(kinds=("x", "y"), **arrays)


def test_the_hottest_link_can_be_the_slowest():
    chip = chip_with(network_time="hottest_link")
    loads = link_loads(forward=[[0, 0], [24, 3], [29, 0]], marking=[[0, 0], [2, 0], [0, 0]], replay=[[0, 0], [0, 0], [0, 4]])
    time = price_time(counters(*FORWARD), chip, 2, loads)
    assert time.forward_s == pytest.approx((24 + 30 + 200) * 1e-9)  # 24 packets on a link are slower than 23 ns
    assert time.backward_s == pytest.approx((2 + 8) * 1e-9)  # two marks on the same link; error packets take 2 ns a hop
    assert time.network == "hottest_link"
    assert price_time(counters(*FORWARD), chip, 2).network == "none"
    assert price_time(counters(*FORWARD), load_chip("toy"), 2, loads).forward_s == pytest.approx(253e-9)
    untimed = chip_with("toy", "time.forward.hops_x", network_time="hottest_link")  # hops need a time only if links are timed
    assert price_time(counters(*FORWARD), untimed, 2).unpriced == ()
    assert price_time(counters(*FORWARD), untimed, 2, loads).unpriced == ("forward.hops_x",)


@pytest.mark.parametrize("name", SHIPPED)
def test_time_never_shrinks_with_more_work(name):
    counts, chip = random_counters(), load_chip(name)
    more = dataclasses.replace(counts, counts=counts.counts + random_counters(1).counts)
    assert price_time(more, chip, 3).total_s >= price_time(counts, chip, 3).total_s > 0
