"""Vectors of sixteen numbers against numpy: the same kernel with the JIT on and off, and the same numbers by other means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipsim.kernels._jit import kernel
from chipsim.kernels.compact import append, walk
from chipsim.kernels.fixed import saturate, scaled, wide
from chipsim.kernels.lane_kinds import addend, as_double, as_int32, as_int64, as_uint64, ids_from, low_bit, ones, zeros_like
from chipsim.kernels.lane_math import bits, pick, total
from chipsim.kernels.lanes import LANES, load, load_part, put, store, store_half, store_part, take
from chipsim.kernels.random import random_word
from chipsim.kernels.rows import Matrix, add_row, clear, mark, product, sum_rows
from chipsim.state import SLACK, SpikeLog

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]
NUMBERS = (np.int16, np.int32, np.int64, np.float32, np.float64)


@kernel
def calculate(x, y, n, out):
    a, b = load(x, 1), load_part(y, 2, n)
    store(out, 0, a + b)
    store(out, 16, a - b * 3)
    store(out, 32, pick(a > b, a, -b))
    store(out, 48, abs(a) + zeros_like(a))
    store_part(out, 64, a, n)
    store_half(out, 80, b)
    put(out, 96, take(x, 3))
    masks = bits(a < b), bits((a <= b) & (a != 0)), bits((a >= b) | (b == 0))
    return masks[0], masks[1], masks[2], total(addend(a))


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("n", [0, 1, 7, 16])
def test_operators_and_memory(kind, n):
    draw = np.random.default_rng([NUMBERS.index(kind), n])
    x, y, out = draw.integers(-9, 9, 20).astype(kind), draw.integers(-9, 9, 20).astype(kind), np.full(100, 77, dtype=kind)
    a, b = x[1:17], np.where(np.arange(16) < n, y[2:18], 0).astype(kind)
    expected = np.full(100, 77, dtype=kind)
    for at, part in enumerate((a + b, a - b * 3, np.where(a > b, a, -b), abs(a))):
        expected[16 * at : 16 * at + 16] = part
    expected[64 : 64 + n], expected[80:88], expected[96] = a[:n], b[:8], x[3]
    masks = (a < b, (a <= b) & (a != 0), (a >= b) | (b == 0))
    found = calculate(x, y, n, out)
    assert [found[k] for k in range(3)] == [sum(1 << k for k in np.flatnonzero(m).tolist()) for m in masks]
    assert found[3] == a.sum() and np.array_equal(out, expected)


@kernel
def convert(x, out, word):
    a = load(x, 0)
    store(out, 0, as_int64(as_int32(a)) >> 2)
    store(out, 16, as_int64(as_double(a) * 0.5))
    store(out, 32, as_int64(as_uint64(abs(as_int64(a))) >> np.uint64(1)))
    store(out, 48, as_int64(a < 0) + ids_from(word))
    return low_bit(word), ones(word)


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64])
def test_conversions(kind):
    x, out = np.arange(-8, 8).astype(kind), np.zeros(64, dtype=np.int64)
    assert convert(x, out, 40) == (3, 2)
    wide_x = x.astype(np.int64)
    parts = (wide_x >> 2, np.trunc(wide_x * 0.5), abs(wide_x) >> 1, (wide_x < 0) + 40 + np.arange(16))
    assert np.array_equal(out, np.concatenate(parts))


@kernel
def words(out, one):
    store(out, 0, random_word(7, 1, ids_from(100), 3, 2, 5))
    for n in range(LANES):
        one[n] = random_word(7, 1, 100 + n, 3, 2, 5)


def test_random_words_of_a_vector_are_those_of_its_addresses():
    out, one = np.zeros(16, dtype=np.int64), np.zeros(16, dtype=np.int64)
    words(out, one)
    assert np.array_equal(out, one) and len(set(out.tolist())) == 16


@kernel
def listed(mask, base, ids, other):
    return append(mask, base, ids, 1), walk(mask, base, other, 1)


@given(st.integers(0, 2**16 - 1), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_lists_of_bits(mask, base):
    wanted = [base + k for k in range(16) if mask >> k & 1]
    ids, other = np.full((2, 17 + SLACK), -1, dtype=np.int64)
    assert listed(mask, base, ids, other) == (1 + len(wanted),) * 2
    assert ids[1 : 1 + len(wanted)].tolist() == other[1 : 1 + len(wanted)].tolist() == wanted
    assert (other[1 + len(wanted) :] == -1).all() and (ids[17 + SLACK - 8 :] == -1).all()


@kernel
def on_rows(numbers, width, unit, value, start, row, out):
    m, log, span = Matrix(numbers, 2, width, 5), SpikeLog(unit, value, start), (start[0], start[1])
    sum_rows(out, 1, m, log, span, False, 0)
    sum_rows(out, 1 + width, m, log, span, True, 0)
    add_row(m, log, span, row, 3, 20)
    clear(out, 0, 1)
    return product(m, 1, row, 3)


@kernel
def marked(flags):
    mark(flags, 1, 18, True)


@pytest.mark.parametrize("width", [1, 5, 16, 17, 63, 64, 100, 128, 129, 200, 272])
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_rows_of_a_matrix(kind, width):
    draw = np.random.default_rng(width)
    numbers = draw.integers(-100, 100, 2 + 6 * width + 3).astype(kind)
    row, out = draw.integers(-(2**19), 2**19, width + 5).astype(kind), np.full(2 + 2 * width, 9).astype(kind)
    unit, value = np.array([5, 7, 7, 10]), np.array([1, 2, -1, 3]).astype(kind)
    matrix, delta = numbers[2 : 2 + 6 * width].reshape(6, width).copy(), row[3 : 3 + width]
    rows, after = matrix[unit - 5], matrix.copy()
    for i, v in zip(unit - 5, value, strict=True):
        after[i] = after[i] + delta * (v if kind is np.float64 else 1)
        after[i] = after[i] if kind is np.float64 else np.clip(after[i], -(2**19), 2**19 - 1)
    found = on_rows(numbers, width, unit, value, np.array([0, 4]), row, out)
    assert np.array_equal(out, np.concatenate([[0], rows.sum(axis=0), (rows * value[:, None]).sum(axis=0), [9]]))
    assert np.array_equal(numbers[2 : 2 + 6 * width], after.ravel()) and found == (after[1] * delta).sum()


def test_a_row_of_truth_values():
    flags = np.zeros(20, dtype=np.bool_)
    marked(flags)
    assert flags.tolist() == [False] + [True] * 17 + [False] * 2


@kernel
def held(x, out, top):
    store(out, 0, saturate(wide(load(x, 0)), top))
    return scaled(x[0], x[1])


def test_arithmetic_takes_vectors():
    x, out = np.arange(-80, 80, 10), np.zeros(16, dtype=np.int64)
    assert held(x, out, 6) == -80 and out.tolist() == np.clip(x, -32, 31).tolist()
