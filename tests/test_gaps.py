"""A phase without a price is unknown, not zero: ratios and comparisons say so, and say what they compare."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from test_compare import STEPS, tiny
from test_cost import chip_with, counters
from test_timespread import spread

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.cost import Time, price_energy, price_time
from chipsim.cost.compare import during, energy_delay, gpu, per_correct, saved
from chipsim.cost.gaps import Gaps
from chipsim.cost.uncertainty import learning_ratio
from chipsim.hardware import Price, Quantity, build_chip, dense_devices
from chipsim.report.result import spread_lines

FORWARD, BACKWARD = ("forward", "forward", "synops", 1, 0, 7), ("backward", "replay", "row_adds", 2, 1, 5)
SPIKES, GATES = ("forward", "forward", "spikes", 1, 0, 2), ("backward", "forward", "gate_checks", 1, 0, 3)
UPDATE = ("update", "replay", "writes", 0, 0, 4)
COUNTED = counters(FORWARD, SPIKES, BACKWARD, GATES, UPDATE, ("update", "replay", "evaluations", 0, 0, 4))
TIME = Time(3e-9, 5e-9, 2e-9, 10e-9, (), "none", {})


def priced(*without: str, counted=COUNTED, **changes):
    """Return the energy of `counted` on the toy chip without some prices."""
    return price_energy(counted, chip_with("toy", *(f"energy.{event}" for event in without), **changes), 10e-9, 3)


NO_BACKWARD = ("backward.row_adds", "backward.gate_checks")


def test_learning_without_a_price_has_no_ratio_and_says_why():
    found = priced(*NO_BACKWARD).uncertainty
    assert found.learning_to_inference is None
    assert found.unknown == {"learning_to_inference": "nothing that was counted in backward has a price on this chip"}
    text = spread_lines(found.summary(1))
    assert not any("learning costs" in line for line in text) and "in backward has a price" in text[-1]
    nothing = priced("forward.synops", "forward.spikes").uncertainty
    assert nothing.learning_to_inference is None and "forward" in nothing.unknown["learning_to_inference"]


@pytest.mark.parametrize("without, complete, at_least, said", [
    ((), True, False, "learning costs "),
    (("backward.gate_checks",), False, True, "learning costs at least "),
    (("forward.spikes",), False, False, "of what is known, learning costs "),
    (("forward.spikes", "backward.gate_checks"), False, False, "of what is known, learning costs "),
])  # fmt: skip
def test_a_ratio_says_how_it_reads(without, complete, at_least, said):
    found = priced(*without).uncertainty.summary(1)
    ratio = found["learning_to_inference"]
    assert (ratio["complete"], ratio["at_least"]) == (complete, at_least)
    (line,) = [line for line in spread_lines(found) if "learning" in line]
    assert line.startswith(said + f"{ratio['nominal']:.2f}") and found["unknown"] == {}


def test_a_phase_that_may_cost_nothing_is_no_divisor():
    nothing = Price(8.0, "pJ", "silicon", "s", lo=0.0, hi=8.0, scope="incremental")
    chip = chip_with("toy")
    chip = dataclasses.replace(chip, energy={**chip.energy, "forward.synops": nothing, "forward.spikes": nothing})
    energy = price_energy(COUNTED, chip, 10e-9, 3)
    assert energy.uncertainty.learning_to_inference is None
    assert "begins at 0" in energy.uncertainty.unknown["learning_to_inference"]
    found = saved(energy, 1, energy)
    assert found["forward"].row() is None and "begins at 0" in found["forward"].why and found["backward"].interval.nominal == 0


def test_inference_alone_has_neither_ratio_nor_reason():
    found = priced(counted=counters(FORWARD)).uncertainty
    assert found.learning_to_inference is None and found.unknown == {}


def test_an_aggregate_power_is_not_divided():
    power = {"static_chip": Quantity(65.0, "mW", "silicon", "s", scope="aggregate")}
    energy = priced(counted=COUNTED, energy={}, power=power)
    assert energy.gaps.held == {"forward", "backward", "update"} and energy.gaps.why() is None
    assert "undivided" in energy.uncertainty.unknown["learning_to_inference"]
    assert during(energy, TIME, None, ("forward",)).nominal == pytest.approx(0.3 * energy.total_j)  # as long as it lasts


def test_times_likewise():
    timed = (
        "forward.synops",
        "forward.spikes",
        "backward.row_adds",
        "backward.gate_checks",
        "update.writes",
        "update.evaluations",
    )
    full = chip_with("toy", network_time="none")
    assert set(timed) <= set(full.time)
    for without, why in (
        ((), {}),
        (NO_BACKWARD, {"learning_to_inference": "nothing that was counted in backward has a time on this chip"}),
    ):
        chip = chip_with("toy", *(f"time.{event}" for event in without), network_time="none")
        found, time = spread(COUNTED, chip), price_time(COUNTED, chip, 1)
        assert found.unknown == why and (found.learning_to_inference is None) == bool(why)
        delay = energy_delay(priced(), time, found, 1)
        assert (delay.interval is None) == bool(why) and delay.complete == (not why)
    row = spread(COUNTED, chip_with("toy", "time.backward.row_adds", network_time="none")).summary(1)["learning_to_inference"]
    assert (row["complete"], row["at_least"]) == (False, True)


def test_a_product_with_an_unknown_phase_is_unknown():
    energy, found = priced(*NO_BACKWARD), spread(COUNTED, chip_with("toy", network_time="none"))
    delay = energy_delay(energy, TIME, found, 1)
    assert delay.row() is None and "backward has a price" in delay.why
    assert energy_delay(priced("backward.row_adds"), TIME, found, 1).row()["complete"] is False


def test_a_right_answer_needs_inference_alone():
    energy, whole = priced(*NO_BACKWARD), priced()
    right = per_correct(energy, TIME, None, 1, 0.5)
    wanted = 2 * (whole.forward_j + 0.3 * whole.static_j)
    assert right.interval.nominal == pytest.approx(wanted) and right.complete  # what backward lacks does not matter
    assert not per_correct(priced("forward.spikes"), TIME, None, 1, 0.5).complete
    none = per_correct(priced("forward.spikes", "forward.synops"), TIME, None, 1, 0.5)
    assert none.row() is None and "forward has a price" in none.why
    unknown = dataclasses.replace(TIME, forward_s=None, unpriced=("forward.synops",))
    assert "has a time" in per_correct(whole, unknown, None, 1, 0.5).why  # how long would standing costs last?


def test_only_phases_with_a_price_are_compared_with_a_device():
    image = compile_network(tiny(), cs.load_chip("toy"), numerics="float64")
    whole, energy = priced(), priced(*NO_BACKWARD)
    every, some = gpu(image, whole, TIME, None, 1, 2, True), gpu(image, energy, TIME, None, 1, 2, True)
    macs, price = every["macs"], every["pj_per_mac"] * 1e-12
    assert (every["phases"], every["unknown"], every["chip_to_gpu"]["complete"]) == (
        ["forward", "backward", "update"],
        None,
        True,
    )
    assert every["chip_to_gpu"]["nominal"] == pytest.approx(whole.total_j / (sum(macs.values()) * price))
    assert some["phases"] == ["forward", "update"] and "backward" in some["unknown"] and not some["chip_to_gpu"]["complete"]
    chip = whole.forward_j + whole.update_j + 0.5 * whole.static_j  # 3 + 2 of 10 ns
    assert some["chip_to_gpu"]["nominal"] == pytest.approx(chip / ((macs["forward"] + macs["update"]) * price))
    assert some["j_per_sample"] == every["j_per_sample"]
    nothing = gpu(image, price_energy(COUNTED, chip_with("toy", energy={}, power={}), None, 3), TIME, None, 1, 2, True)
    assert nothing["chip_to_gpu"] is None and nothing["phases"] == [] and nothing["unknown"]


def test_what_sparsity_saved_is_unknown_where_a_phase_is():
    found = saved(priced(*NO_BACKWARD), 1, priced())
    assert found["backward"].row() is None is found["total"].row() and "backward" in found["total"].why
    assert found["forward"].interval.nominal == pytest.approx(0) and found["forward"].complete
    assert saved(priced(), 1, priced(*NO_BACKWARD))["backward"].row() is None
    part = saved(priced("backward.row_adds"), 1, priced("backward.row_adds"))
    assert part["backward"].row()["complete"] is part["total"].row()["complete"] is False and part["update"].complete
    quiet = saved(priced(counted=counters(FORWARD)), 1, priced())
    assert quiet["backward"].interval.nominal == 1  # nothing happened: that is known


def test_gaps_of_parts():
    found = Gaps.of({"forward": 1.0, "backward": None, "update": None}, ["backward.writes", "static.core_seconds"], "a time")
    assert found == (frozenset({"backward"}), frozenset({"backward", "static"}), frozenset({"update"}), "a time")
    assert found.complete(("forward", "update")) and not found.complete(("static",))
    assert learning_ratio({}, Gaps()) == (None, None)


def test_a_run_on_a_chip_that_does_not_price_its_learning():
    chip = cs.load_chip("toy")
    table = {**chip.table, "energy": {"forward": chip.table["energy"]["forward"]}}
    x = np.zeros((STEPS, 2, 4))
    x[:, 0], x[:2, 1, 0] = 1, 1
    run = cs.train(tiny(), build_chip(table, "forward-only"), (x, np.array([0, 1]), x, np.array([0, 1])), numerics="float64")
    found = run.summary
    assert found["energy_uncertainty"]["learning_to_inference"] is None
    assert "backward and update" in found["energy_uncertainty"]["unknown"]["learning_to_inference"]
    compared = found["comparison"]
    assert compared["energy_delay_j_s"] is None and "backward and update" in compared["unknown"]["energy_delay_j_s"]
    assert compared["gpu"]["phases"] == ["forward"] and compared["gpu"]["chip_to_gpu"]["complete"] is False
    assert compared["dense"]["saved"]["total"] is None and set(compared["dense"]["unknown"]) == {"backward", "update", "total"}


def test_the_price_of_a_device_claims_no_more_than_is_known():
    price = dense_devices()["gpu"]
    assert (price.value, price.basis, price.rests_on, price.factor) == (300.0, "derived", "assumed", 3.0)
    assert price.scope == "aggregate" and price.seen == "transcribed by third party"
    assert "2014" in price.note and "not known" in price.note and "no bound" in price.note
    found = gpu(compile_network(tiny(), cs.load_chip("toy"), numerics="float64"), priced(), TIME, None, 1, 2, True)
    assert found["note"] == price.note and found["j_per_sample"]["p95"] / found["j_per_sample"]["p05"] > 8
    page = (Path(cs.__file__).parent.parent / "docs" / "cost.md").read_text()
    header = (Path(cs.__file__).parent.parent / "hw_configs" / "devices" / "dense.toml").read_text()
    assert not [text for text in (page, header, price.note) if "full utilisation" in text or "no memory traffic" in text]
