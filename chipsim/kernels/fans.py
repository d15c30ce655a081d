"""Arrays of accounting: products with tables that are lists of their entries (bookings.Fan), and narrow copies."""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import inner, kernel, prefetch

AHEAD = 20  # events


@kernel
def spread(values, fan, first, steps, price, out):
    """Add counts [M or 1, T or 1, X] times a table times a price to `steps` steps of out [M, T, Y] from step `first` on.

    A 1 stands for all. With the price 1 and an out of integers everything is an integer.
    """
    whole, each = len(fan.rows) > 0, one_each(fan)
    for m in range(len(out)):
        for i in range(steps):
            there = values[m if len(values) > 1 else 0, i if values.shape[1] > 1 else 0]
            into = out[m, first + i]
            if each:
                for x in range(len(there)):
                    into[fan.target[x]] += fan.factor[x] * there[x] * price
                continue
            for x in range(len(there)):
                if there[x] and whole:
                    for y in range(len(into)):
                        into[y] += np.int64(fan.rows[x, y]) * there[x] * price
                elif there[x]:
                    for n in range(fan.start[x], fan.start[x + 1]):
                        into[fan.target[n]] += fan.factor[n] * there[x] * price


@inner
def one_each(fan):
    """Return whether every row of a table holds one entry."""
    if len(fan.target) == 0 or len(fan.target) != len(fan.start) - 1:
        return False
    for x in range(len(fan.start)):
        if fan.start[x] != x:
            return False
    return True


@kernel
def spread_events(events, samples, fan, first, steps, out, step):
    """Add the rows of a table that events name to `steps` steps of out [M or 1, T, Y] from step `first` on, integers.

    events: (which, start): rows in the order of samples and steps, those of step i of sample m at start[m * T + i] .. start[m * T + i + 1].
    out: of 1 sample takes the sum over samples. step: [Y] int32 of zeros, where the rows of one step are added up.
    """
    which, start = events
    whole, each, of_sample = len(fan.rows) > 0, one_each(fan), (len(start) - 1) // samples
    for m in range(samples):
        for i in range(steps):
            into, span = out[m if len(out) > 1 else 0, first + i], (start[m * of_sample + i], start[m * of_sample + i + 1])
            if whole:
                add_rows(which, span, fan.rows, step)
                for y in range(len(into)):
                    into[y] += step[y]
                step[:] = 0
            elif each:
                for e in range(span[0], span[1]):
                    into[fan.target[which[e]]] += fan.factor[which[e]]
            else:
                for e in range(span[0], span[1]):
                    for n in range(fan.start[which[e]], fan.start[which[e] + 1]):
                        into[fan.target[n]] += fan.factor[n]


@inner
def add_rows(which, span, rows, step):
    """Add the rows that the events in `span` name; fewer than 2^23 events."""
    for e in range(span[0], span[1]):
        if e + AHEAD < len(which):
            prefetch(rows[which[e + AHEAD]], 0, rows.shape[1])
        row = rows[which[e]]
        for y in range(len(row)):
            step[y] += np.int32(row[y])


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
