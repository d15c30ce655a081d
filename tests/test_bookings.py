"""Counts as products: every way of reading them gives what the plain matrix product gives."""

from __future__ import annotations

import numpy as np
import pytest

from chipsim.bookings import Booked, Booking, Happened, fan_of, joined, rows_of
from chipsim.counters import EVENTS, Counters
from chipsim.kernels.fans import narrowed
from chipsim.simulator.engine import Block
from chipsim.state import Activity

pytestmark = pytest.mark.kernel
M, T, K = 3, 5, 4


def drawn(seed: int) -> tuple[Booked, np.ndarray]:
    """Return random products, some with a 1 that stands for all, and their counts [M, E, T, K] by whole arrays."""
    dice, booked = np.random.default_rng(seed), Booked(M, T, np.array([2, 5, 9, -1]))
    expected = np.zeros((M, len(EVENTS), T, K), dtype=np.int64)
    for _ in range(12):
        samples, steps, width = dice.choice([1, M]), dice.choice([1, 3]), int(dice.integers(1, 6))
        first, number = int(dice.integers(0, 3)), int(steps if steps > 1 else dice.integers(1, 3))
        values = dice.integers(-2, 3, (samples, steps, width))
        table, row = dice.integers(-1, 3, (width, K)), int(dice.integers(0, 5))
        booked.bookings.append(Booking(row, values, fan_of(table), first, number))
        expected[:, row, first : first + number] += np.broadcast_to(values @ table, (M, number, K))
    return booked, expected


@pytest.mark.parametrize("seed", range(8))
def test_counts_sums_events_and_charges_are_those_of_whole_arrays(seed):
    booked, expected = drawn(seed)
    assert np.array_equal(booked.counters().counts, expected)
    assert np.array_equal(booked.sums.counts, expected.sum(axis=0)) and booked.sums.samples == M
    assert np.array_equal(booked.of_sample(1).counts[0], expected[1])
    assert all(np.array_equal(booked.of_event(row), expected[:, row]) for row in range(6))
    prices = {0: np.array([1.5, 2.0]), 3: np.array([0.25, 8.0])}
    ns = sum(expected[:, row, :, :, None] * price for row, price in prices.items())
    found = booked.charged(prices)
    assert (found is None and not ns.any()) or np.allclose(found, ns, rtol=1e-15, atol=0)
    assert booked.charged({90: np.ones(1)}) is None
    again = Booked.of(Counters(expected, booked.cores, M))
    assert np.array_equal(again.counters().counts, expected) and again.samples == M


@pytest.mark.parametrize("kind", ["lists", "one each", "rows"])
def test_events_one_by_one_count_as_their_sums_do(kind):
    dice, groups = np.random.default_rng(3), 9
    values = dice.integers(0, 3, (M, T, groups))
    table = dice.integers(0, 256, (groups, K)).astype(np.uint8)
    if kind == "one each":
        table = np.eye(K, dtype=np.uint8)[dice.integers(0, K, groups)] * table
    fan = rows_of(table) if kind == "rows" else fan_of(table * (table % 3 > 0) if kind == "lists" else table)
    table = table * (table % 3 > 0) if kind == "lists" else table
    samples = [
        Happened(
            np.repeat(np.tile(np.arange(groups), T), v.ravel()).astype(np.int32),
            np.append(0, v.sum(axis=1).cumsum()),
            (1, T, groups),
        )
        for v in values
    ]
    booked = Booked(M, T, np.array([2, 5, 9, -1]))
    booked.bookings = [Booking(4, joined(samples), fan, 1, T - 1), Booking(2, values, fan, 0, T)]
    expected = np.zeros((M, len(EVENTS), T, K), dtype=np.int64)
    expected[:, 4, 1:], expected[:, 2] = (values @ table.astype(np.int64))[:, :-1], values @ table.astype(np.int64)
    assert np.array_equal(booked.counters().counts, expected)
    assert np.array_equal(booked.sums.counts, expected.sum(axis=0))
    assert np.array_equal(booked.of_sample(1).counts[0], expected[1]) and np.array_equal(booked.of_event(4), expected[:, 4])
    assert np.array_equal(booked.charged({4: np.array([0.7])})[..., 0], expected[:, 4] * 0.7)
    more = expected.sum(axis=0)
    booked.add_to(more)
    assert np.array_equal(more, 2 * expected.sum(axis=0))


def test_a_table_of_one_entry_per_row_may_hold_negative_ones_and_empty_rows():
    table = np.array([[-1, 0, 0, 0], [0, 0, 0, 0], [0, 0, -2, 0], [0, 0, 0, 7]])
    values, out = np.arange(8).reshape(1, 2, 4), np.zeros((1, 2, 4), dtype=np.int64)
    fan_of(table).spread(values, 0, 2, out)
    assert np.array_equal(out, values @ table) and fan_of(np.zeros((3, 2), dtype=np.int64)).empty


def test_a_block_holds_what_does_not_fit_into_32_bits():
    """The first samples in 32 bits, all of them in 64 from the one on that needs it."""
    block, counts = Block(), [7, 2**31 - 1, 2**31, 2**40]
    for count in counts:
        flat = np.zeros(len(Activity._fields), dtype=np.int64)
        flat[3] = count
        block.keep(Activity(*(flat[n : n + 1] for n in range(len(flat)))))
    assert block.take()[3][:, 0].tolist() == counts
    row, most = np.zeros(1, np.int32), 2**31 - 1
    assert narrowed(np.array([most]), most, row) and row[0] == most and not narrowed(np.array([2**31]), most, row)
