"""Prices made of others: what they are made of is drawn once per trial, and prices that share it move together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_components import table  # noqa: F401
from test_cost import chip_with, random_counters

import chipsim as cs
from chipsim.cost import price_energy
from chipsim.cost.draws import edge, figure_of, price_draws
from chipsim.cost.engine import engine_prices
from chipsim.hardware import Price, build_chip
from chipsim.hardware.components import price_of
from chipsim.hardware.quantity import Part, Quantity

POINT = "45 nm"


def draws_of(chip, event):
    return price_draws(chip.energy[event], event, chip.point)


def test_the_same_bits_cost_the_same_in_every_phase():
    for name in ("generic-45nm", "generic-7nm"):
        chip = cs.load_chip(name)
        words = [draws_of(chip, event) for event in ("forward.words_read", "backward.words_read", "update.visits")]
        assert set(words[0] / words[1]) == set(words[0] / words[2]) == {1.0} and len(set(words[0])) > 900


def test_a_price_is_the_sum_of_its_parts_in_every_trial(table):  # noqa: F811
    table["operation"]["add"] |= {"value": 4.0, "source": "who measured", "basis": "silicon", "seen": "read in source"}
    chip = build_chip(table, "mine")
    read, write, add = (
        price_draws(entry, figure_of(Part(name, 1, 1, entry)), chip.point)
        for name, entry in (
            ("memory.neurons.read", chip.memory["neurons.read"]),
            ("memory.neurons.write", chip.memory["neurons.write"]),
            ("operation.add", chip.operation["add"]),
        )
    )
    assert draws_of(chip, "forward.synops") == pytest.approx(24 * read + 24 * write + add)
    assert len({entry.entry for entry in chip.energy["forward.synops"].parts}) == 3


def test_entries_that_state_one_figure_are_one_number():
    one = Quantity(0.15625, "pJ/bit", "derived", "s", inputs="assumed")
    names = {figure_of(Part(name, 1, 1, one)) for name in ("memory.logs.read", "memory.errors.write")}
    assert len(names) == 1
    for other in (
        dataclasses.replace(one, value=0.2),
        dataclasses.replace(one, hi=1.0),
        dataclasses.replace(one, inputs="silicon"),
    ):
        assert figure_of(Part("memory.logs.read", 1, 1, other)) not in names
    assert figure_of(Part("forward.packets", 1, 1, one)) == "forward.packets"


def test_learning_over_inference_keeps_only_what_is_not_shared():
    chip = cs.load_chip("generic-45nm")
    loose = {event: dataclasses.replace(price, parts=()) for event, price in chip.energy.items()}
    found, apart = (
        price_energy(random_counters(), c, None, 3).uncertainty.learning_to_inference
        for c in (chip, dataclasses.replace(chip, energy=loose))
    )
    assert found.nominal == pytest.approx(apart.nominal)
    assert found.p95 / found.p05 < 1.3 < 1.5 < apart.p95 / apart.p05


def test_corners_hold_the_sum_of_parts():
    chip = cs.load_chip("generic-45nm")
    energy = price_energy(random_counters(), chip, None, 3)
    found = energy.uncertainty
    assert energy.low_j <= found.total.p05 < energy.total_j < found.total.p95 <= energy.high_j


def test_work_that_is_a_range_lies_anywhere_in_it():
    exact = Quantity(2.0, "pJ", "architectural", "s")
    of = price_of([Part("operation.add", 10, 30, exact), Part("operation.shift", 5, 5, exact)], "why")
    values = price_draws(of, "backward.rules_active", POINT)
    assert (of.value, of.low, of.high) == (70, 30, 70)
    assert values.min() == pytest.approx(30, abs=0.1) and values.max() == pytest.approx(70, abs=0.1)
    assert np.mean(values) == pytest.approx(50)
    assert edge(of) == "upper end"  # reports say so


def test_a_loan_is_its_lender_unless_it_is_an_assumption():
    lender = Price(10.0, "pJ", "pre-silicon", "s", lo=10.0, scope="incremental")
    same = lender.borrowed("forward.packets", 2.0, "pre-silicon", "the same circuit", "")
    twice = same.borrowed("backward.packets", 3.0, "pre-silicon", "the same again", "")
    values = price_draws(lender, "forward.packets", POINT)
    assert price_draws(same, "backward.packets", POINT) == pytest.approx(2 * values)
    assert price_draws(twice, "update.packets", POINT) == pytest.approx(6 * values)
    guess = lender.borrowed("forward.packets", 2.0, "assumed", "a guess", "")
    assert guess.parts == () and np.quantile(price_draws(guess, "backward.packets", POINT), (0.05, 0.95)) == pytest.approx(
        [20 / 3, 60], rel=5e-3
    )


def test_a_loan_of_a_price_that_was_worked_out_is_a_number_of_its_own(table):  # noqa: F811
    table["energy"] = {"backward": {"mark_packets": {"as": "forward.packets_in", "basis": "assumed", "source": "a loan"}}}
    chip = build_chip(table, "mine")
    assert chip.energy["forward.packets_in"].parts and chip.energy["backward.mark_packets"].parts == ()


def test_lanes_share_a_price_that_was_borrowed():
    lender = Price(8.0, "ns", "silicon", "s")
    engine = dataclasses.replace(cs.load_chip("toy").engine, lanes=Quantity(4.0, "count", "architectural", "s"))
    borrowed = lender.borrowed("forward.synops", 1.0, "silicon", "the same unit", "")
    chip = chip_with("toy", time={"forward.synops": lender, "update.visits": borrowed}, engine=engine)
    visit = engine_prices(chip, "time")["update.visits"]
    assert price_draws(visit, "update.visits", POINT) == pytest.approx(price_draws(lender, "forward.synops", POINT) / 4)
