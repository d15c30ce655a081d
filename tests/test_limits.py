"""Limits of a run: learning-rate shifts, log memory, sizes, widths; each refused in words before anything is lost."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.network import Network
from chipsim.training.update import write_shifts

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}


def small(**more):
    return cs.load_model("digits", {**SMALL, **more})


def quick(numerics="fixed", chip="toy", model=None, **more):
    return cs.train(model or small(), chip, numerics=numerics, **{"passes": 1, "samples": 60, **more})


@pytest.mark.parametrize("shift", [-16, 30])
def test_a_write_that_would_shift_left_or_beyond_a_random_word_is_refused(shift):
    model = small(
        **{"schedule.fixed.shifts": [8, 8, shift], "learning.delta_fraction": 14, "learning.readout_delta_fraction": 14}
    )
    with pytest.raises(cs.ConfigError, match=rf"schedule.fixed.shifts\[2\] = {shift}.*must be 0 to 32; give s from"):
        quick(model=model)


def test_halving_stops_at_the_bits_of_a_random_word():
    model = small(**{"schedule.fixed.halve_every": 1})
    run = quick(model=model, passes=70, samples=20)
    assert all(np.abs(w).mean() < 60 for w in run.stored.values()) and run.metrics[-1]["loss"] < run.metrics[0]["loss"]
    assert write_shifts(run.image, run.schedule, 0).max() < 32 and set(write_shifts(run.image, run.schedule, 1000)) == {32}


def test_calibration_stays_inside_what_can_be_written():
    run = quick(model=small(**{"schedule.fixed.calibrate": 1e-30}))
    assert set(write_shifts(run.image, run.schedule, 0)) == {32}
    run = quick(model=small(**{"schedule.fixed.calibrate": 1e6}), samples=5, data=None)
    assert set(write_shifts(run.image, run.schedule, 0)) == {0}


@pytest.mark.parametrize("numerics", ["fixed", "float32"])
def test_logs_are_held_against_their_memory_in_every_numerics(numerics):
    assert quick(numerics).summary["log_words"]["peak"] > 50
    with pytest.raises(cs.CapacityError, match="log words of sample"):
        quick(numerics, chip=cs.load_chip("toy", {"limits.log_words_per_core.value": 20}))


def test_one_class_after_the_cut_is_refused():
    with pytest.raises(cs.DataError, match=r"one class only \(\d\) in 1 samples"):
        quick(samples=1)


@pytest.mark.parametrize("size", [10**6, 10**9])
def test_a_network_that_cannot_fit_is_refused_before_a_weight_is_drawn(size, monkeypatch):
    monkeypatch.setattr(Network, "initial_weights", lambda *_: pytest.fail("a weight was drawn"))
    with pytest.raises(cs.CapacityError, match="hidden1"):
        quick(model=small(**{"population.hidden1.size": size}))


def test_a_network_one_synapse_row_too_wide_is_refused():
    chip = cs.load_chip("toy", {"limits.synapse_words_per_core.value": 63})
    with pytest.raises(
        cs.CapacityError, match='population "hidden1" .*synapse_words_per_core = 64, but core limit 63.*on core 0'
    ) as error:
        compile_network(small(), chip)
    assert error.value.exit_code == 3
    assert compile_network(small(**{"population.input.size": 63, "population.hidden2.size": 7}), chip).cores_used > 3


def test_a_weight_wider_than_the_chip_stores_is_a_capacity_error():
    with pytest.raises(cs.CapacityError, match="learning.weight_bits = 12.*at most"):
        quick(model=small(**{"learning.weight_bits": 12}))


def test_the_assumed_extension_shows_in_the_name():
    assert cs.load_chip("loihi1", what_if=True).name == "loihi1+ssgd-extension" != cs.load_chip("loihi1-ssgd", what_if=True).name


def test_counters_of_different_chips_do_not_add():
    one, two = quick(), quick(chip=cs.load_chip("toy", {"limits.compartments_per_core.value": 10}))
    with pytest.raises(cs.ConfigError, match="different cores"):
        one.counters + two.counters
    assert (one.counters + one.counters).samples == 120


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("gradient_accumulator", 64, "from 8 to 48"), ("membrane", 0, "from 8 to 40"), ("synapse_word", 0, "from 1 to"),
        ("softmax_table", 8, "computes with 16 bits"), ("decay", 10, "computes with 12 bits"),
    ],
)  # fmt: skip
def test_widths_the_kernels_cannot_hold_are_refused(name, value, text):
    with pytest.raises(cs.ConfigError, match=f"width.{name}.value = {value}.*{text}"):
        cs.load_chip("toy", {f"width.{name}.value": value})
