"""Arrays of accounting: tables as lists of their entries, the products with them (integers, or charges in float), narrow copies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import kernel


class Fan(NamedTuple):
    """The entries of a table [X, Y] that are not 0, row by row: entries of row x are start[x] .. start[x + 1]."""

    start: np.ndarray  # [X + 1] int64
    target: np.ndarray  # [n] int64
    factor: np.ndarray  # [n] int64


def fan_of(table: np.ndarray) -> Fan:
    """Return the entries of a table [X, Y], integers."""
    source, target = np.nonzero(table)
    return Fan(np.searchsorted(source, np.arange(len(table) + 1)), target, np.ascontiguousarray(table[source, target]))


@kernel
def spread(values, fan, first, steps, out):
    """Add counts [M or 1, T or 1, X] times a table to `steps` steps of out [M, T, Y] from step `first` on; a 1 stands for all."""
    for m in range(len(out)):
        for i in range(steps):
            there = values[m if len(values) > 1 else 0, i if values.shape[1] > 1 else 0]
            for x in range(len(there)):
                if there[x]:
                    for n in range(fan.start[x], fan.start[x + 1]):
                        out[m, first + i, fan.target[n]] += fan.factor[n] * there[x]


@kernel
def narrowed(values, row):
    """Copy values [n] int64, none below 0, to row [n] of 32 or 64 bits; return whether all of them fit."""
    fits = True
    for n in range(len(values)):
        row[n] = values[n]
        fits &= row[n] == values[n]
    return fits


@kernel
def charge(values, fan, first, steps, price, out):
    """Add the same times a price to out [M, T, Y, 1], float64."""
    for m in range(len(out)):
        for i in range(steps):
            there = values[m if len(values) > 1 else 0, i if values.shape[1] > 1 else 0]
            for x in range(len(there)):
                if there[x]:
                    for n in range(fan.start[x], fan.start[x + 1]):
                        out[m, first + i, fan.target[n], 0] += fan.factor[n] * there[x] * price
