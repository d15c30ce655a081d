"""Standing costs last as long as the run, and are as uncertain as that time: intervals, corners, comparison figures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_compare import STEPS, tiny
from test_cost import chip_with, counters, random_counters
from test_timespread import NO_LOADS, chip_of, spread

import chipsim as cs
from chipsim.cost import price_energy, price_time
from chipsim.cost.compare import during
from chipsim.cost.terms import Lasting
from chipsim.hardware import Quantity
from chipsim.training.compare import dense_sample
from chipsim.training.reprice import recount


def all_static(basis="architectural"):
    """Return a chip on which only power costs energy and only synaptic operations take time."""
    return dataclasses.replace(
        chip_of(synops=(2.0, "assumed", "a")),
        energy={},
        power={"static_core": Quantity(0.5, "mW", basis, "s", seen="read in source")},
    )


COUNTED = counters(("forward", "forward", "synops", 1, 0, 10))


def test_an_exact_power_is_as_uncertain_as_the_time():
    chip, took = all_static(), spread(COUNTED, all_static())
    energy = price_energy(COUNTED, chip, took.total.nominal, 3)
    alone, found = energy.uncertainty, energy.over(took.lasting).uncertainty
    assert alone is None  # no event has a price here
    chip = dataclasses.replace(chip, power={"static_core": dataclasses.replace(chip.power["static_core"], scope="aggregate")})
    energy = price_energy(COUNTED, chip, took.total.nominal, 3)
    exact, found = energy.uncertainty.total, energy.over(took.lasting)
    assert exact.p05 == pytest.approx(exact.p95) == pytest.approx(energy.total_j)
    watts = energy.total_j / took.total.nominal
    assert found.uncertainty.total == pytest.approx([watts * end for end in took.total])
    assert (found.low_j, found.high_j) == pytest.approx((watts * took.low, watts * took.high))
    assert found.total_j == energy.total_j and (energy.low_j, energy.high_j) == pytest.approx((energy.total_j,) * 2)
    assert energy.over(None) is energy


def test_power_and_time_are_multiplied_inside_a_trial():
    chip = chip_with("toy")
    counted, took = random_counters(), spread(random_counters(), chip)
    energy = price_energy(counted, chip, took.total.nominal, 3)
    alone, found = energy.uncertainty, energy.over(took.lasting).uncertainty
    assert found.draws["static"].values == pytest.approx(alone.draws["static"].values * took.lasting.values)
    assert (found.draws["forward"].values == alone.draws["forward"].values).all()
    assert found.phases["static"].nominal == alone.phases["static"].nominal
    assert found.phases["static"].p95 / found.phases["static"].p05 > 1.2 * alone.phases["static"].p95 / alone.phases["static"].p05
    (row,) = [row for row in energy.over(took.lasting).terms if row.name == "power.static_core"]
    price = chip.power["static_core"]
    share = (price.low / price.value * took.lasting.low, price.high / price.value * took.lasting.high)
    assert row.ends == pytest.approx([energy.static_j * end for end in share])


def test_corners_of_the_time_take_every_price_at_its_end():
    chip = load = cs.load_chip("toy")
    ends = {}
    for end in ("low", "high"):
        times = {name: dataclasses.replace(price, value=getattr(price, end)) for name, price in chip.time.items()}
        points = tuple((n, dataclasses.replace(q, value=getattr(q, end))) for n, q in chip.barrier_points)
        link = {name: dataclasses.replace(q, value=getattr(q, end)) for name, q in chip.link.items()}
        load = dataclasses.replace(chip, time=times, barrier_points=points, link=link)
        ends[end] = price_time(random_counters(), load, 1).total_s
    found = spread(random_counters(), chip)
    assert (found.low, found.high) == pytest.approx((ends["low"], ends["high"]))
    assert found.low <= found.total.p05 < found.total.nominal < found.total.p95 <= found.high
    row = found.summary(3)
    assert (row["low"], row["high"]) == (found.low / 3, found.high / 3)


def test_a_phase_takes_its_share_of_every_trial():
    chip, counted = chip_with("toy"), random_counters()
    time, took = price_time(counted, chip, 1), spread(counted, chip)
    energy = price_energy(counted, chip, time.total_s, 3).over(took.lasting)
    drawn, found = energy.uncertainty.draws, during(energy, time, took, ("forward",))
    power = drawn["static"].values / took.draws["total"].values  # W
    assert found.values == pytest.approx(drawn["forward"].values + power * took.draws["forward"].values)
    assert found.nominal == pytest.approx(energy.forward_j + energy.static_j * time.forward_s / time.total_s)


@pytest.fixture(scope="module")
def run():
    x = np.zeros((STEPS, 2, 4))
    x[:, 0], x[:2, 1, 0] = 1, 1
    return cs.train(tiny(), cs.load_chip("toy"), (x, np.array([0, 1]), x, np.array([0, 1])), numerics="float64")


def test_a_run_and_its_price_elsewhere_have_it(run):
    took = recount(run.image, run.recording).costs()[1]
    plain = price_energy(run.counters, run.chip, run.time.total_s, run.image.cores_used)
    static = plain.uncertainty.draws["static"] * 1.0
    wanted = static.values * took.lasting.values
    assert run.energy.uncertainty.draws["static"].values == pytest.approx(wanted)
    again = cs.reprice(run)
    assert again.energy.uncertainty.draws["static"].values == pytest.approx(wanted)
    for summary in (run.summary, again.summary):
        ends = summary["energy_uncertainty"]["phases"]["static"]
        assert (ends["p05"], ends["p95"]) == pytest.approx(tuple(np.quantile(wanted, (0.05, 0.95)) / 2))
        assert summary["energy_j_per_sample"]["low"] == pytest.approx(run.energy.low_j / 2)
    assert run.energy.low_j < plain.low_j and run.energy.high_j > plain.high_j


def test_the_dense_sample_lasts_as_uncertainly(run):
    tally = recount(run.image, run.recording)
    dense = dense_sample(tally, run.schedule)
    (power,) = [row for row in dense.energy.terms if row.phase == "static"]
    assert power.lasting is not None and power.lasting.low < 1 < power.lasting.high
    saved = run.summary["comparison"]["dense"]["saved"]["static"]
    apart = run.energy.uncertainty.draws["static"] * 0.5 / dense.energy.uncertainty.draws["static"]
    assert (saved["p05"], saved["p95"]) == pytest.approx((1 - apart.interval.p95, 1 - apart.interval.p05), rel=1e-6)
    assert saved["p95"] - saved["p05"] < 0.3  # power cancels, and most of the time


def test_truenorth_is_as_uncertain_as_its_tick():
    chip = cs.load_chip("truenorth")
    barriers = counters(("forward", "forward", "barriers", 1, 3, 1), ("forward", "forward", "synops", 1, 0, 10))
    took = spread(barriers, chip, NO_LOADS)
    energy = price_energy(barriers, chip, took.total.nominal, 3).over(took.lasting)
    power = [row.price for row in energy.terms if row.phase == "static"]
    assert energy.static_j / energy.total_j > 0.9 and len(power) == 1
    wide, wanted = (
        np.array(energy.uncertainty.phases["static"][1:]) / energy.static_j,
        np.array(took.total[1:]) / took.total.nominal,
    )
    assert wide == pytest.approx(wanted, rel=0.1) and wanted[0] < 0.05  # the power itself is known to 15 %


def test_lastings_are_compared_by_their_ends():
    assert Lasting(0.5, 2.0, np.ones(3)) == Lasting(0.5, 2.0, np.zeros(3)) != Lasting(0.5, 3.0, np.ones(3))
