"""Uncertainty of times: every price drawn, the slowest core found anew in every trial, on samples spread evenly over a run."""

from __future__ import annotations

import dataclasses
from statistics import quantiles

import numpy as np
import pytest
from test_cost import CORES, SHIPPED, chip_with, counters, link_loads, random_counters

import chipsim as cs
from chipsim.bookings import Booked
from chipsim.cost import Subset, price_time, spread_time
from chipsim.cost.draws import TRIALS, price_draws
from chipsim.cost.time import TimePrices, step_times
from chipsim.cost.timespread import CELLS, HEAD, changed, drawn_prices, slowest_core
from chipsim.counters import HOST, LinkLoads, empty
from chipsim.hardware import Price, Quantity, load_chip

NO_LOADS = LinkLoads((), *(np.zeros((1, 3, 0), dtype=np.int64),) * 4)


def spread(counted, chip, loads=NO_LOADS, tiles=1):
    steps = counted.counts.shape[2]
    subset = Subset(steps, len(CORES))
    subset.add(Booked.of(counted), loads)
    links = loads if chip.network_time == "hottest_link" else None
    return spread_time(subset, counted.cores, chip, tiles, price_time(counted, chip, tiles, links))


def chip_of(core_time="sequential", barrier=(), **times):
    """Return a chip on which only the given forward events take time: (ns, basis, source)."""
    named = {f"forward.{name}": Price(ns, "ns", basis, source) for name, (ns, basis, source) in times.items()}
    return chip_with(time=named, barrier_points=barrier, core_time=core_time, network_time="none")


def test_a_sum_of_two_prices_in_plain_python():
    chip = chip_of(synops=(2.0, "silicon", "a"), spikes=(5.0, "assumed", "b"))
    counted = counters(("forward", "forward", "synops", 1, 0, 10), ("forward", "forward", "spikes", 1, 0, 3))
    a, b = (price_draws(p, name, chip.point).tolist() for name, p in chip.time.items())
    cut = quantiles([(10 * x + 3 * y) * 1e-9 for x, y in zip(a, b, strict=True)], n=20, method="inclusive")
    found = spread(counted, chip)
    assert found.total == pytest.approx((35e-9, cut[0], cut[-1])) and found.phases["forward"] == found.total
    assert found.learning_to_inference is None and set(found.phases) == {"forward"}


def test_the_slowest_core_of_every_trial_in_plain_python():
    chip = chip_of(synops=(2.0, "assumed", "a"), spikes=(5.0, "assumed", "b"))
    counted = counters(("forward", "forward", "synops", 1, 0, 10), ("forward", "forward", "spikes", 1, 1, 3))  # 20 against 15 ns
    a, b = (price_draws(p, name, chip.point).tolist() for name, p in chip.time.items())
    longest = [max(10 * x, 3 * y) * 1e-9 for x, y in zip(a, b, strict=True)]
    cut = quantiles(longest, n=20, method="inclusive")
    found = spread(counted, chip)
    assert found.total == pytest.approx((20e-9, cut[0], cut[-1]))
    other = sum(3 * y > 10 * x for x, y in zip(a, b, strict=True)) / TRIALS
    assert found.core_changes == found.step_changes == other and 0.2 < other < 0.5


def test_many_prices_at_once_are_many_times_one_price():
    """The trials are one product of counts and prices: what each column of prices gives alone."""
    chip, counted = load_chip("toy"), random_counters(samples=1)
    found = drawn_prices(chip, 1)
    work = Booked.of(counted)
    steps, busy = step_times(work, chip, found, None)
    for column in (0, 1, HEAD, HEAD + 500):
        one = TimePrices({name: row[[column]] for name, row in found.events.items()}, found.barrier[[column]])
        alone, cores = step_times(work, chip, one, None)
        assert {phase: ns[column] for phase, ns in steps.items()} == pytest.approx(
            {p: ns[0] for p, ns in alone.items()}, rel=1e-12
        )
        assert busy[..., column] == pytest.approx(cores[..., 0], rel=1e-12)


def test_the_slowest_core_is_the_first_of_the_longest():
    busy = np.random.default_rng(3).integers(0, 4, (6, 5, 50)).astype(float)
    assert (slowest_core(busy) == busy.argmax(axis=1)).all()
    assert slowest_core(np.zeros((4, 0, 7))).shape == (0, 7)
    slowest = busy.argmax(axis=1)
    most = [np.bincount(row, minlength=5).argmax() for row in slowest.T]
    assert changed(slowest, 5) == (np.mean([m != most[0] for m in most[1:]]), (slowest[:, 1:] != slowest[:, :1]).mean())


def test_a_chip_that_times_only_learning():
    chip = chip_with("toy", time={"backward.row_adds": Price(2.0, "ns", "assumed", "s")}, barrier_points=(), network_time="none")
    found = spread(counters(("forward", "forward", "synops", 1, 0, 1), ("backward", "replay", "row_adds", 1, 0, 4)), chip)
    assert found.total.nominal == pytest.approx(8e-9) and found.total.p95 == pytest.approx(24e-9, rel=5e-3)
    assert "forward has a time" in found.unknown["learning_to_inference"]


def test_a_run_works_its_times_out_once(monkeypatch):
    """Not after every pass, and not again for the run's energy: a sweep of short runs pays it once each."""
    calls = []
    monkeypatch.setattr("chipsim.training.tally.spread_time", lambda *a: calls.append(a) or spread_time(*a))
    cs.train("digits", "loihi1-ssgd", samples=20, passes=3)
    assert len(calls) == 1


def test_exact_prices_leave_nothing_open():
    points = ((1, Quantity(100.0, "ns", "architectural", "s")), (4, Quantity(400.0, "ns", "architectural", "s")))
    chip = chip_of(synops=(2.0, "architectural", "a"), barrier=points)
    counted = counters(("forward", "forward", "synops", 1, 0, 10), ("forward", "forward", "barriers", 1, 3, 1))
    assert spread(counted, chip, tiles=2).total == pytest.approx((220e-9,) * 3)
    points = tuple((n, dataclasses.replace(q, basis="assumed")) for n, q in points)
    found = spread(counted, chip_of(synops=(2.0, "architectural", "a"), barrier=points), tiles=2)
    assert found.total.p05 < 150e-9 < 350e-9 < found.total.p95


@pytest.mark.parametrize("name", SHIPPED)
def test_laws_of_the_time(name):
    chip, counted = load_chip(name), random_counters()
    kinds = ("x", "y")
    loads = LinkLoads(kinds, *(np.random.default_rng(n).integers(0, 9, (3, 5, 2)) for n in range(4)))
    time = price_time(counted, chip, 1, loads if chip.network_time == "hottest_link" else None)
    found = spread(counted, chip, loads)
    assert found.total.nominal == pytest.approx(time.total_s) and found.samples == 3
    assert found.total.p05 < found.total.p95
    assert np.allclose(sum(found.draws[p].values for p in found.phases), found.draws["total"].values)
    ratio = found.learning_to_inference
    known = None not in (time.backward_s, time.update_s)  # loihi1 has no time for what replay does
    assert known == (name != "loihi1") == (ratio is not None)
    assert not known or ratio.nominal == pytest.approx((time.backward_s + time.update_s) / time.forward_s)
    assert spread(counted, chip, loads) == found  # the seed is fixed
    assert found.summary(3)["p95"] == found.total.p95 / 3


def test_links_are_drawn_too():
    chip = chip_with(network_time="hottest_link")
    found = spread(counters(("forward", "forward", "synops", 1, 0, 1)), chip, link_loads(forward=[[0, 0], [24, 3], [29, 0]]))
    assert found.total.nominal == pytest.approx(53e-9) and found.total.p95 > 2 * found.total.p05


def test_nothing_with_a_time_gives_nothing():
    assert spread(counters(("forward", "forward", "synops", 1, 0, 1)), chip_of(spikes=(1.0, "silicon", "a"))) is None


def test_a_sample_of_many_steps_is_worked_through_in_parts(monkeypatch):
    chip, counted = load_chip("toy"), random_counters()
    whole = spread(counted, chip)
    monkeypatch.setattr("chipsim.cost.timespread.CELLS", 4 * len(CORES))  # four steps at once
    subset = Subset(1, 1)
    subset.add(Booked.of(counted), NO_LOADS)
    parts = spread_time(subset, counted.cores, chip, 1, price_time(counted, chip, 1))
    assert parts.total == pytest.approx(whole.total) and parts.core_changes == whole.core_changes


def test_a_subset_is_spread_evenly_and_bounded():
    def passes(lengths):
        whole, number = Subset(1, CELLS // 12), 0
        for length in lengths:
            one = Subset(1, CELLS // 12)
            for _ in range(length):
                counted = empty(1, np.array([0, HOST]))
                counted.counts[...] = number
                one.add(Booked.of(counted), NO_LOADS)
                number += 1
            whole.absorb(one)
        assert whole.seen == number
        return whole.most, [int(counts[0, 0, 0]) for counts, _ in whole.kept]

    most, kept = passes([5])
    assert (most, kept) == (12, [0, 1, 2, 3, 4])
    most, kept = passes([64] * 10)
    assert len(kept) <= most
    of_pass = np.bincount(np.array(kept) // 64, minlength=10)
    assert of_pass.sum() >= 5 and of_pass.max() == 1


def test_cycles_of_a_formula_are_exact():
    chip, counted = chip_of(synops=(2.0, "assumed", "a")), counters(("forward", "forward", "synops", 1, 0, 10))
    subset = Subset(3, len(CORES))
    subset.add(Booked.of(counted), NO_LOADS)
    time = dataclasses.replace(price_time(counted, chip, 1), forward_s=7e-6, total_s=7e-6, cycles="reckon", exact=("forward",))
    assert spread_time(subset, counted.cores, chip, 1, time).total == pytest.approx((7e-6,) * 3)


def test_the_host_is_no_core():
    chip = chip_of(inputs_injected=(5.0, "assumed", "a"), synops=(1.0, "assumed", "b"))
    counted = counters(("forward", "forward", "inputs_injected", 1, 3, 99), ("forward", "forward", "synops", 1, 0, 1))
    assert counted.cores[3] == HOST and spread(counted, chip).total.nominal == pytest.approx(1e-9)
