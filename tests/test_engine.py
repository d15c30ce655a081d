"""The learning engine of a chip in time: lanes share the work at synapses, an engine that overlaps hides behind the step."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from chipsim import catalog
from chipsim.cost import price_time
from chipsim.counters import EVENTS, HOST, ROW, Counters
from chipsim.hardware import build_chip


def lanes(number: int) -> dict:
    return {"value": number, "unit": "count", "basis": "assumed", "source": "test"}


def toy(**engine: object):
    """Return the toy chip with a learning engine."""
    table = copy.deepcopy(catalog.read_toml(catalog.find("hw_configs", "toy")))
    return build_chip({**table, "learning": {"source": "test", **engine}} if engine else table, "mine")


@pytest.fixture
def counts() -> Counters:
    """Return two forward steps on two cores in which synapses learn on the way: short of the step, then longer than it."""
    found = np.zeros((1, len(EVENTS), 2, 3), dtype=np.int64)
    found[0, ROW["forward", "forward", "synops"], :, 0] = 500, 100  # 1 ns each
    for event, first, second in (("visits", 10, 40), ("evaluations", 2, 3), ("writes", 1, 2)):  # 1, 100 and 1 ns each
        found[0, ROW["update", "forward", event], :, 1] = first, second
    return Counters(found, np.array([0, 1, HOST]))


def test_learning_comes_after_the_step_or_hides_behind_it(counts):
    first, second = 10 + 200 + 1, 40 + 300 + 2
    plain, after = price_time(counts, toy(), 1), price_time(counts, toy(overlap="none"), 1)
    meanwhile = price_time(counts, toy(overlap="with_spiking"), 1)
    assert plain == after
    assert after.forward_s == meanwhile.forward_s == pytest.approx(600e-9)
    assert after.update_s == pytest.approx((first + second) * 1e-9)
    assert meanwhile.update_s == pytest.approx((second - 100) * 1e-9)  # the first step is longer than what is learned in it


def test_lanes_share_visits_and_evaluations_but_not_writes(counts):
    chip = toy(lanes=lanes(4))
    assert price_time(counts, chip, 1).update_s == pytest.approx(((10 + 200) / 4 + 1 + (40 + 300) / 4 + 2) * 1e-9)
    assert (
        chip.time["update.evaluations"].note == "in 4 lanes"
        and chip.time["backward.evaluations"] == toy().time["backward.evaluations"]
    )
    assert build_chip(chip.table, "mine") == chip  # shared once, however often it is built
    assert toy(lanes=lanes(1)).time == toy().time
    assert chip.energy == toy().energy
