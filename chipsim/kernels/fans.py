"""Arrays of accounting: products with tables that are lists of their entries (bookings.Fan), and narrow copies."""

from __future__ import annotations

from chipsim.kernels._jit import kernel


@kernel
def spread(values, fan, first, steps, price, out):
    """Add counts [M or 1, T or 1, X] times a table times a price to `steps` steps of out [M, T, Y] from step `first` on.

    A 1 stands for all. With the price 1 and an out of integers everything is an integer.
    """
    for m in range(len(out)):
        for i in range(steps):
            there = values[m if len(values) > 1 else 0, i if values.shape[1] > 1 else 0]
            for x in range(len(there)):
                if there[x]:
                    for n in range(fan.start[x], fan.start[x + 1]):
                        out[m, first + i, fan.target[n]] += fan.factor[n] * there[x] * price


@kernel
def narrowed(values, most, row):
    """Copy values [n] int64, none below 0, to row [n] of integers up to `most`; return whether all of them fit."""
    fits = True
    for n in range(len(values)):
        if values[n] <= most:
            row[n] = values[n]
        else:
            fits = False
    return fits
