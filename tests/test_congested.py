"""What a packet takes on a busy link: the keys of a chip file, and what the hottest link makes of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_cost import chip_with, counters, link_loads
from test_provenance import assumed, put, said

from chipsim import catalog
from chipsim.bookings import Booked
from chipsim.cost import Subset, price_time, spread_time
from chipsim.cost.bounds import bound_time
from chipsim.cost.draws import price_draws
from chipsim.counters import LinkLoads
from chipsim.hardware import Quantity, chip_lines, load_chip
from chipsim.hardware.load import build_chip

KEPT = {"congested_x": Quantity(3.0, "ns", "assumed", "a"), "congested_y": Quantity(0.5, "ns", "assumed", "b")}
FORWARD = ("forward", "forward", "synops", 1, 0, 1)  # 1 ns


@pytest.fixture
def toy():
    return catalog.read_toml(catalog.find("hw_configs", "toy"))


def congested(**changes):
    """Return the toy chip, on which a hop takes 1 ns and that of an error 2 ns, with times on busy links."""
    return chip_with(network_time="hottest_link", link=KEPT, **changes)


def test_a_chip_file_says_how_long(toy):
    chip = build_chip(put(toy, "link.congested_x", assumed(0.003, "us", lo=0.002, hi=0.004)), "mine")
    kept = chip.link["congested_x"]
    assert (kept.value, kept.low, kept.high, kept.unit) == (*(pytest.approx(ns) for ns in (3.0, 2.0, 4.0)), "ns")
    assert set(chip.link) == {"congested_x"}  # each for itself, and nothing that only a queue needs
    assert any("congested_x" in line and "[2, 4]" in line for line in chip_lines(chip))


@pytest.mark.parametrize("key, value, found, hint", [
    ("link.congested_x", assumed(0.0, "ns"), "link.congested_x.value = 0", "above 0"),
    ("link.congested_y", assumed(-1.0, "ns"), "link.congested_y.value = -1", "must not be negative"),
    ("link.congested_x", assumed(3.0, "pJ"), "link.congested_x.unit = 'pJ'", "'pJ' is a unit of energy"),
    ("link.congested_x", assumed(3.0, "ns", lo=4.0), "link.congested_x.lo = 4", "must not exceed"),
    ("link.congested_x", {**assumed(3.0, "ns"), "scope": None}, "link.congested_x.scope", "says its scope"),
    ("link.congested_x", {**assumed(3.0, "ns"), "basis": "silicon"}, "link.congested_x.seen", "how the source was seen"),
    ("link.congested_x", {**assumed(3.0, "ns"), "source": " "}, "link.congested_x.source", "needs a source"),
    ("link.congested_x", assumed(3.0, "ns", point="hot"), "link.congested_x.point = 'hot'", "mixed_point"),
    ("link.congested", assumed(3.0, "ns"), "link.congested =", 'did you mean "congested_'),
])  # fmt: skip
def test_a_wrong_one_is_refused(toy, key, value, found, hint):
    messages = said(put(toy, key, value))
    assert any(found in m and hint in m for m in messages), messages


@pytest.mark.parametrize("hop", [None, {"included_in": "forward.packets"}, assumed(0.0, "ns", note="made up")])
def test_it_takes_the_place_of_a_hop_that_has_a_time(toy, hop):
    table = put(put(toy, "time.forward.hops_y", hop), "link.congested_y", assumed(3.0, "ns"))
    if hop is None:
        del table["time"]["forward"]["hops_y"]
    messages = [m for m in said(table) if "link.congested_y = 3" in m]
    assert len(messages) == 1 and "time.forward.hops_y" in messages[0]


def test_a_wrong_hop_is_told_once(toy):
    table = put(put(toy, "time.forward.hops_x.unit", "pJ"), "link.congested_x", assumed(3.0, "ns"))
    assert not any("link.congested_x" in m for m in said(table))


def test_the_hottest_link_takes_it_by_hand():
    loads = link_loads(forward=[[0, 0], [24, 80], [5, 70]], marking=[[0, 0], [2, 0], [0, 0]], replay=[[0, 0], [0, 0], [3, 4]],
                       signals=[[0, 0], [1, 0], [0, 0]])  # fmt: skip
    time = price_time(counters(FORWARD), congested(), 1, loads)
    assert time.network == "hottest_link" and time.unpriced == ()
    assert time.forward_s == pytest.approx((24 * 3 + 70 * 0.5) * 1e-9)  # an x link in one step, a y link in the next
    marks, signal, errors = (
        2 * 3.0,
        1 * 6.0,
        3 * 6.0,
    )  # the hop of an error takes twice that of a spike, so it keeps a link twice as long
    assert time.backward_s == pytest.approx((marks + signal + errors) * 1e-9)


def test_copies_take_it_too():
    none, copies = np.zeros((1, 3, 2), dtype=np.int64), np.array([[[0, 0], [0, 0], [7, 4]]])
    loads = LinkLoads(("x", "y"), none, none, none, none, copies)
    found = [
        price_time(counters(FORWARD), chip, 1, loads).update_s for chip in (congested(), chip_with(network_time="hottest_link"))
    ]
    hop = load_chip("toy").time["update.hops_x"].value
    assert found == pytest.approx([7 * 3 * hop * 1e-9, 7 * hop * 1e-9]) and hop > 0


def test_what_has_no_time_stays_without_one():
    chip = chip_with("toy", "time.backward.error_hops_x", network_time="hottest_link", link=KEPT)
    entry = ("backward", "replay", "error_hops_x", 1, 0, 3)
    time = price_time(counters(FORWARD, entry), chip, 1, link_loads(replay=[[0, 0], [3, 0], [0, 0]]))
    assert time.unpriced == ("backward.error_hops_x",) and not time.backward_s


def test_no_other_network_time_takes_it():
    loads = link_loads(forward=[[0, 0], [24, 80], [29, 0]])
    for level in ("none", "queue"):  # without departures a queue falls back
        chip = dataclasses.replace(congested(), network_time=level)
        plain = dataclasses.replace(chip, link={})
        assert (price_time(counters(FORWARD), chip, 1, loads) == price_time(counters(FORWARD), plain, 1, loads)) == (
            level == "none"
        )


def test_bounds_hold_it():
    counted = counters(FORWARD, ("forward", "forward", "hops_x", 1, 0, 24))
    time = price_time(counted, congested(), 1, link_loads(forward=[[0, 0], [24, 0], [0, 0]]))
    bounds = bound_time(counted, congested(), 1)
    assert bounds.low["forward"] <= time.forward_s == pytest.approx(72e-9) and time.forward_s <= bounds.high["forward"]


def test_it_is_drawn_like_any_price():
    chip, counted = congested(), counters(FORWARD)
    subset = Subset(3, 2)
    loads = link_loads(forward=[[0, 0], [24, 0], [0, 0]], marking=[[0, 0], [2, 0], [0, 0]])
    subset.add(Booked.of(counted), loads)
    found = spread_time(subset, counted.cores, chip, 1, price_time(counted, chip, 1, loads))
    drawn = price_draws(KEPT["congested_x"], "link.congested_x", chip.point)
    assert found.draws["forward"].values == pytest.approx(24 * drawn * 1e-9)
    assert found.phases["forward"].p95 > 2 * found.phases["forward"].p05 and np.ptp(found.draws["backward"].values) > 0
