"""Rows of dense matrices: sums of weight rows for a list of spikes, products with a row of deltas, rows added to gradients.

Matrices lie in one array, row i of `width` numbers from `first + i * width` on. Vectors of 16 columns stay in registers over a whole list
of spikes, eight of them at a time, then four, two, one and a part (reference: register tiles of Goto & van de Geijn 2008).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import saturate, scaled, weigh, wide
from chipsim.kernels.lane_kinds import addend, zeros_like
from chipsim.kernels.lane_math import total
from chipsim.kernels.lanes import LANES, load, load_part, store, store_part


class Matrix(NamedTuple):
    """A dense matrix inside an array of many."""

    numbers: np.ndarray  # [W]
    first: int  # where row 0 begins
    width: int  # of a row
    lo: int  # id of the neuron of row 0


def tile_of_eight(term: Callable) -> Callable:
    """Return a kernel that sums 128 columns, from column j on, of the rows of some events."""

    @inner
    def tile(j, out, to, m, log, span, bits):
        nothing = zeros_like(term(load(m.numbers, m.first), log.value[span[0]], bits))
        a, b, c, d, e, f, g, h = nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing
        for r in range(span[0], span[1]):
            at, value = m.first + (log.unit[r] - m.lo) * m.width + j, log.value[r]
            a = a + term(load(m.numbers, at), value, bits)
            b = b + term(load(m.numbers, at + LANES), value, bits)
            c = c + term(load(m.numbers, at + 2 * LANES), value, bits)
            d = d + term(load(m.numbers, at + 3 * LANES), value, bits)
            e = e + term(load(m.numbers, at + 4 * LANES), value, bits)
            f = f + term(load(m.numbers, at + 5 * LANES), value, bits)
            g = g + term(load(m.numbers, at + 6 * LANES), value, bits)
            h = h + term(load(m.numbers, at + 7 * LANES), value, bits)
        store(out, to + j, a)
        store(out, to + j + LANES, b)
        store(out, to + j + 2 * LANES, c)
        store(out, to + j + 3 * LANES, d)
        store(out, to + j + 4 * LANES, e)
        store(out, to + j + 5 * LANES, f)
        store(out, to + j + 6 * LANES, g)
        store(out, to + j + 7 * LANES, h)

    return tile


def tile_of_four(term: Callable) -> Callable:
    """As `tile_of_eight`, 64 columns."""

    @inner
    def tile(j, out, to, m, log, span, bits):
        nothing = zeros_like(term(load(m.numbers, m.first), log.value[span[0]], bits))
        a, b, c, d = nothing, nothing, nothing, nothing
        for r in range(span[0], span[1]):
            at, value = m.first + (log.unit[r] - m.lo) * m.width + j, log.value[r]
            a = a + term(load(m.numbers, at), value, bits)
            b = b + term(load(m.numbers, at + LANES), value, bits)
            c = c + term(load(m.numbers, at + 2 * LANES), value, bits)
            d = d + term(load(m.numbers, at + 3 * LANES), value, bits)
        store(out, to + j, a)
        store(out, to + j + LANES, b)
        store(out, to + j + 2 * LANES, c)
        store(out, to + j + 3 * LANES, d)

    return tile


def tile_of_one(term: Callable) -> Callable:
    """As `tile_of_eight`, up to 16 columns."""

    @inner
    def tile(j, out, to, m, log, span, bits):
        n = min(LANES, m.width - j)
        sums = zeros_like(term(load_part(m.numbers, m.first, 0), log.value[span[0]], bits))
        for r in range(span[0], span[1]):
            at = m.first + (log.unit[r] - m.lo) * m.width + j
            sums = sums + term(load_part(m.numbers, at, n), log.value[r], bits)
        store_part(out, to + j, sums, n)

    return tile


def summing(term: Callable) -> Callable:
    """Return a kernel that sums the rows of a matrix for some events; term(x, value, bits): what 16 numbers of a row add."""
    of_eight, of_four, of_one = tile_of_eight(term), tile_of_four(term), tile_of_one(term)

    @inner
    def sums(out, to, m, log, span, bits):
        j = 0
        while j + 8 * LANES <= m.width:
            of_eight(j, out, to, m, log, span, bits)
            j += 8 * LANES
        if j + 4 * LANES <= m.width:
            of_four(j, out, to, m, log, span, bits)
            j += 4 * LANES
        while j < m.width:
            of_one(j, out, to, m, log, span, bits)
            j += LANES

    return sums


@inner
def plain(x, value, bits):
    """A plain spike adds the weights."""
    return addend(x)


@inner
def weighed(x, value, bits):
    """A graded spike adds the weights times its payload."""
    return weigh(wide(value), x, True, bits)


sum_plain, sum_graded = summing(plain), summing(weighed)


@inner
def sum_rows(out, to, m, log, span, graded, bits):
    """Write the sum of the rows of the events in `span` of a log, at least one, to out[to : to + width].

    graded: rows are multiplied with payloads. bits: width at which products wrap, 0: none. Whole numbers of up to 16 bits are added in 32.
    """
    if graded or bits > 0:
        sum_graded(out, to, m, log, span, bits)
    else:
        sum_plain(out, to, m, log, span, 0)


@inner
def add_row(m, log, span, row, first, bits):
    """Add row[first : first + width], times the value of the event, to a row of the matrix for each event in `span` of a log.

    bits: width of the accumulators.
    """
    whole = m.width - m.width % LANES
    for r in range(span[0], span[1]):
        at, value = m.first + (log.unit[r] - m.lo) * m.width, log.value[r]
        for j in range(0, whole, LANES):
            sums = wide(load(m.numbers, at + j)) + scaled(load(row, first + j), value)
            store(m.numbers, at + j, saturate(sums, bits))
        if whole < m.width:
            n = m.width - whole
            sums = wide(load_part(m.numbers, at + whole, n)) + scaled(load_part(row, first + whole, n), value)
            store_part(m.numbers, at + whole, saturate(sums, bits), n)


@inner
def product(m, i, row, first):
    """Return the sum of products of row i of the matrix with row[first : first + width]."""
    whole, at = m.width - m.width % LANES, m.first + i * m.width
    sums = wide(load_part(m.numbers, at + whole, m.width - whole)) * wide(load_part(row, first + whole, m.width - whole))
    other = zeros_like(sums)
    for j in range(0, whole - LANES, 2 * LANES):
        sums = sums + wide(load(m.numbers, at + j)) * wide(load(row, first + j))
        other = other + wide(load(m.numbers, at + j + LANES)) * wide(load(row, first + j + LANES))
    if whole % (2 * LANES):
        sums = sums + wide(load(m.numbers, at + whole - LANES)) * wide(load(row, first + whole - LANES))
    return total(sums + other)


@inner
def clear(array, first, end):
    """Write zeros to array[first:end]."""
    nothing = zeros_like(load_part(array, first, 0))
    for i in range(first, end - LANES + 1, LANES):
        store(array, i, nothing)
    left = (end - first) % LANES
    store_part(array, end - left, nothing, left)


@inner
def mark(array, first, end, value):
    """Write a truth value to array[first:end]."""
    values = zeros_like(load_part(array, first, 0)) | value
    for i in range(first, end - LANES + 1, LANES):
        store(array, i, values)
    left = (end - first) % LANES
    store_part(array, end - left, values, left)
