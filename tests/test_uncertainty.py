"""Uncertainty of energies: what the corners, the interval, ratios and shares of drawn prices must obey."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist, quantiles
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cost import SHIPPED, chip_with, counters, random_counters

from chipsim.cost import Term, price_energy
from chipsim.cost.draws import TRIALS, price_draws
from chipsim.cost.standing import EXPOSURES, Use, standing_terms, unknown_standing
from chipsim.cost.terms import MW, PJ
from chipsim.cost.uncertainty import uncertainty_of
from chipsim.hardware import Price, Quantity, load_chip
from chipsim.hardware.sections import POWERS

POINT = "28 nm, 0.9 V"


def price(value: float = 10.0, basis: str = "assumed", source: str = "a", **more) -> Price:
    return Price(value, "pJ", basis, source, scope="incremental", **more)


def term(name: str, amount: float, of: Quantity, phase: str = "forward") -> Term:
    return Term(name, phase, amount, MW if name.startswith("power") else PJ, of)


prices = st.builds(
    lambda value, basis, source, down, up, end: price(
        value,
        basis,
        source,
        lo=value / down if end in ("lo", "both") else None,
        hi=value * up if end in ("hi", "both") else None,
    ),
    st.floats(0.1, 100), st.sampled_from(["silicon", "pre-silicon", "assumed", "architectural"]), st.sampled_from("abc"),
    st.floats(1, 4), st.floats(1, 4), st.sampled_from(["", "lo", "hi", "both"]),
)  # fmt: skip


@given(st.lists(st.tuples(prices, st.integers(0, 1000)), min_size=1, max_size=6))
def test_corners_contain_the_interval(rows):
    found = uncertainty_of([term(f"forward.{n}", count, p) for n, (p, count) in enumerate(rows)], POINT)
    low, high = (sum(count * getattr(p, end) * 1e-12 for p, count in rows) for end in ("low", "high"))
    assert low * (1 - 1e-9) <= found.total.p05 <= found.total.p95 <= high * (1 + 1e-9)


def test_a_price_alone_has_its_ends_as_interval():
    found = uncertainty_of([term("forward.synops", 7, price(10, "assumed"))], POINT).total
    assert (found.p05, found.p95) == (pytest.approx(7 * 10e-12 / 3, rel=2e-3), pytest.approx(7 * 30e-12, rel=2e-3))
    values = price_draws(price(10, lo=5, hi=40), "forward.synops", POINT)
    assert np.median(values) == pytest.approx(10, rel=1e-2) and len(values) == TRIALS
    assert np.quantile(values, (0.05, 0.95)) == pytest.approx([5, 40], rel=5e-3)
    assert ((values < 5).mean(), (values > 40).mean()) == (0.05, 0.05)  # a published range is a 90 % interval, no wall


def test_the_draws_of_a_price_are_those_of_the_formula():
    """As docs/cost.md section 3 says, with the places of the trials taken from the draws."""
    normal = NormalDist()
    values = sorted(price_draws(price(10, "pre-silicon"), "forward.synops", POINT).tolist())
    expected = [10 * math.exp(math.log(1.5) * normal.inv_cdf((n + 0.5) / 1000) / normal.inv_cdf(0.95)) for n in range(1000)]
    assert values == pytest.approx(expected)
    values = sorted(price_draws(price(10, "pre-silicon", lo=10), "forward.synops", POINT).tolist())
    half = [normal.inv_cdf(0.5 + (n + 0.5) / 2000) / normal.inv_cdf(0.975) for n in range(1000)]
    assert values == pytest.approx([10 * 1.5**x for x in half])


@pytest.mark.parametrize("end, said", [("lo", "minimum"), ("hi", "maximum")])
def test_a_published_minimum_or_maximum_is_a_wall(end, said):
    for published in (10.0, {"lo": 8.0, "hi": 12.0}[end]):
        of = price(10.0, "pre-silicon", **{end: published})
        values = price_draws(of, "forward.synops", POINT)
        beyond = values < published if end == "lo" else values > published
        assert not beyond.any()
        other = values > 10 if end == "lo" else values < 10
        assert other.mean() >= 0.49
        assert uncertainty_of([term("forward.synops", 3, of)], POINT).one_sided == {"forward.synops": said}


@pytest.mark.parametrize("end", ["lo", "hi"])
def test_a_value_at_an_end_of_a_range_is_drawn_over_the_range(end):
    """Spinnaker2: 10 to 450 pJ, value 450."""
    of = price({"lo": 10.0, "hi": 450.0}[end], "silicon", lo=10.0, hi=450.0)
    values = price_draws(of, "forward.synops", POINT)
    assert np.quantile(values, (0.05, 0.95)) == pytest.approx([10, 450], rel=1e-2)
    assert np.median(values) == pytest.approx(math.sqrt(4500), rel=1e-2)
    normal = NormalDist()
    expected = [math.sqrt(4500) * 45 ** (normal.inv_cdf((n + 0.5) / 1000) / normal.inv_cdf(0.95) / 2) for n in range(1000)]
    assert sorted(values.tolist()) == pytest.approx(expected)
    found = uncertainty_of([term("forward.synops", 3, of)], POINT)
    assert found.one_sided == {"forward.synops": {"lo": "lower end", "hi": "upper end"}[end]}
    assert found.total.p95 / found.total.p05 == pytest.approx(45, rel=0.02)
    linear = price_draws(price(8.0, lo=0.0, hi=8.0), "forward.synops", POINT)
    assert np.median(linear) == pytest.approx(4, rel=1e-2) and linear.min() == 0
    assert uncertainty_of([term("forward.synops", 3, price(10, lo=9, hi=11))], POINT).one_sided == {}


def test_the_shipped_range_with_its_value_at_an_end():
    chip = load_chip("spinnaker2")
    energy = price_energy(counters(("forward", "forward", "synops", 1, 0, 7)), chip, None, 1).uncertainty
    assert energy.one_sided["forward.synops"] == "upper end"
    assert energy.phases["forward"].p05 == pytest.approx(7 * 10e-12, rel=1e-2)


def test_architectural_prices_are_exact():
    found = uncertainty_of([term("forward.synops", 7, price(10, "architectural"))], POINT)
    assert found.total == pytest.approx((70e-12,) * 3) and found.one_sided == {}
    assert set(price_draws(price(0.0), "forward.rows_skipped", POINT)) == {0.0}


def test_prices_of_one_source_and_point_share_a_factor():
    def correlation(**other):
        a, b = price(10), price(**{"value": 20, **other})
        logs = [np.log(price_draws(p, n, POINT)) for p, n in ((a, "forward.synops"), (b, "forward.packets"))]
        return float(np.corrcoef(*logs)[0, 1])

    assert correlation() == pytest.approx(0.8, abs=0.03)  # 4 / (4 + 1)
    assert abs(correlation(source="b")) < 0.1 and abs(correlation(point="7 nm")) < 0.1
    assert correlation(point=POINT) == correlation()


def test_common_factors_cancel_in_ratios():
    one, other = [
        [term("forward.synops", 100, price(10)), term("backward.row_adds", 50, price(20, source=s), "backward")] for s in "ab"
    ]
    shared, apart = (uncertainty_of(rows, POINT).learning_to_inference for rows in (one, other))
    assert shared.nominal == apart.nominal == pytest.approx(1.0)
    assert shared.p95 / shared.p05 < 0.6 * apart.p95 / apart.p05
    spread = uncertainty_of(one, POINT).total
    assert shared.p95 / shared.p05 < spread.p95 / spread.p05


def test_one_chip_under_two_rules():
    chip = load_chip("loihi1-ssgd")
    few, many = counters(("forward", "forward", "synops", 1, 0, 10)), counters(("forward", "forward", "synops", 1, 0, 30))
    a, b = (price_energy(c, chip, 0.0, 1).uncertainty.draws["total"] for c in (many, few))
    assert (a / b).interval == pytest.approx((3, 3, 3))  # the same price in every trial
    with pytest.raises(ZeroDivisionError):
        a / (b * 0.0)


@pytest.mark.parametrize("name", SHIPPED)
def test_laws_of_uncertainty(name):
    chip = load_chip(name)
    energy = price_energy(random_counters(), chip, 1e-3, 3)
    found = energy.uncertainty
    assert found.total.nominal == pytest.approx(energy.total_j, rel=1e-12)
    assert energy.low_j <= found.total.p05 < found.total.p95 <= energy.high_j
    for phase, row in found.phases.items():
        assert row.nominal == pytest.approx(getattr(energy, f"{phase}_j"), rel=1e-12)
    parts = [found.draws[phase].values for phase in found.phases]
    assert np.allclose(sum(parts), found.draws["total"].values, rtol=1e-12)
    for shares in (found.shares_by_basis, found.shares_by_seen, found.sensitivity):
        assert sum(shares.values()) == pytest.approx(1) and list(shares.values()) == sorted(shares.values(), reverse=True)
    assert found.shares_by_basis.get("assumed", 0.0) == pytest.approx(energy.assumed_share)
    assert [t.name for t in found.largest] == list(found.sensitivity)[:5]
    twice = price_energy(dataclasses.replace(random_counters(), counts=2 * random_counters().counts), chip, 2e-3, 3).uncertainty
    assert twice.total == pytest.approx([2 * end for end in found.total], rel=1e-12)
    assert twice.learning_to_inference == pytest.approx(found.learning_to_inference)
    assert price_energy(random_counters(), chip, 1e-3, 3).uncertainty == found  # the seed is fixed


def test_sensitivity_is_the_derivative():
    counts, chip = random_counters(), load_chip("loihi1-ssgd")
    energy = price_energy(counts, chip, 1e-3, 3)
    more = {**chip.energy, "forward.synops": dataclasses.replace(chip.energy["forward.synops"], value=23.6 * 1.001)}
    moved = price_energy(counts, dataclasses.replace(chip, energy=more), 1e-3, 3)
    assert (moved.total_j / energy.total_j - 1) / 0.001 == pytest.approx(
        energy.uncertainty.sensitivity["forward.synops"], rel=1e-6
    )


def test_by_hand_in_plain_python():
    """Two prices of one source and a power of another: interval, ratio and shares from the draws of each price."""
    silicon, guess = price(2.0, "silicon", "s", seen="read in source"), price(5.0, "assumed", "s")
    power = Quantity(3.0, "mW", "silicon", "t", seen="read in source", point="other")
    rows = [
        term("forward.synops", 100, silicon),
        term("update.writes", 10, guess, "update"),
        term("power.static_core", 1e-8, power, "static"),
    ]
    found = uncertainty_of(rows, POINT)
    a, b, c = (price_draws(r.price, r.name, POINT).tolist() for r in rows)
    totals = [100e-12 * x + 10e-12 * y + 1e-8 * 1e-3 * z for x, y, z in zip(a, b, c, strict=True)]
    cut = quantiles(totals, n=20, method="inclusive")
    assert found.total == pytest.approx((280e-12, cut[0], cut[-1]), rel=1e-9)
    cut = quantiles([0.1 * y / x for x, y in zip(a, b, strict=True)], n=20, method="inclusive")
    assert found.learning_to_inference == pytest.approx((0.25, cut[0], cut[-1]), rel=1e-9)
    assert found.shares_by_basis == pytest.approx({"silicon": 230 / 280, "assumed": 50 / 280})
    assert found.shares_by_seen == pytest.approx({"read in source": 230 / 280, "not stated": 50 / 280})
    assert found.sensitivity == pytest.approx(
        {"forward.synops": 200 / 280, "update.writes": 50 / 280, "power.static_core": 30 / 280}
    )
    assert found.mixed_points == {"other": ["power.static_core"]}
    row = found.summary(2)["largest_terms"][1]
    assert (row["term"], row["j_per_sample"], row["basis"], row["source"]) == (
        "update.writes",
        pytest.approx(25e-12),
        "assumed",
        "s",
    )
    assert (row["low"], row["high"]) == (pytest.approx(25e-12 / 3), pytest.approx(75e-12))


# --- standing costs and aggregates


def test_every_power_a_chip_file_may_have_is_multiplied_with_something():
    assert set(POWERS) <= set(EXPOSURES)


def test_standing_costs_add_up_and_grow_with_time():
    of = {"static_core": Quantity(0.1, "mW", "silicon", "s"), "static_chip": Quantity(2.0, "mW", "silicon", "s")}
    chip, counts = chip_with(power=of), counters(("forward", "forward", "synops", 1, 0, 7))
    energy = price_energy(counts, chip, 0.5, 3, chips_used=2)
    assert energy.static_j == pytest.approx(0.5 * (3 * 0.1e-3 + 2 * 2e-3)) and energy.complete
    assert [t.name for t in energy.terms] == ["forward.synops", "power.static_core", "power.static_chip"]
    assert price_energy(counts, chip, 1.0, 3, chips_used=2).static_j == pytest.approx(2 * energy.static_j)
    unknown = price_energy(counts, chip, None, 3)
    assert unknown.static_j is None and set(unknown.unpriced) == {"static.core_seconds", "static.chip_seconds"}


def test_a_clock_costs_per_cycle_of_every_chip():
    of = {"clock": Quantity(0.00178, "mW", "silicon", "s")}  # mW per MHz
    chip = SimpleNamespace(power=of, clock={"frequency": Quantity(75.0, "MHz", "architectural", "s")})
    (found,) = standing_terms(chip, Use(seconds=2.0, cores=4, chips=3))
    assert (found.name, found.joules) == ("power.clock", pytest.approx(3 * 75 * 1.78e-6 * 2))
    assert unknown_standing(chip, 2.0, 4) == {"static.core_seconds": 8.0}  # a clock says nothing about leakage


def test_an_aggregate_is_the_total_of_its_phase_and_nothing_else():
    of = Price(26.0, "pJ", "silicon", "s", scope="aggregate")
    chip = chip_with(energy={"forward.synops": of}, power={})
    counts = counters(("forward", "forward", "synops", 1, 0, 7), ("forward", "forward", "spikes", 1, 0, 9))
    energy = price_energy(counts, chip, 1.0, 2)
    assert energy.total_j == energy.forward_j == pytest.approx(7 * 26e-12)
    assert (energy.complete, energy.unpriced, energy.static_j) == (True, {}, None)
    learning = counters(("forward", "forward", "synops", 1, 0, 7), ("update", "replay", "writes", 0, 0, 4))
    energy = price_energy(learning, chip, 1.0, 2)
    assert energy.total_j == pytest.approx(7 * 26e-12) and energy.unpriced == {"update.writes": 4}


def test_an_aggregate_power_is_the_whole_energy():
    chip = chip_with(energy={}, power={"static_chip": Quantity(65.0, "mW", "silicon", "s", scope="aggregate")})
    energy = price_energy(counters(("forward", "forward", "synops", 1, 0, 7)), chip, 2.0, 2)
    assert energy.total_j == energy.static_j == pytest.approx(0.13) and energy.complete
