"""The two loops whose rates bound an event-driven step: rows added into an accumulator, an accumulator added onto rows."""

from __future__ import annotations

from chipsim.kernels._jit import kernel


@kernel
def gather_add(rows, order, total):
    """Add rows [N, H] in the given order, four at a time, into total [H]; a multiple of four."""
    for e in range(0, len(order), 4):
        a, b, c, d = rows[order[e]], rows[order[e + 1]], rows[order[e + 2]], rows[order[e + 3]]
        for j in range(len(total)):
            total[j] += (a[j] + b[j]) + (c[j] + d[j])


@kernel
def scatter_add(rows, order, total):
    """Add total [H] onto rows [N, H] in the given order."""
    for e in range(len(order)):
        row = rows[order[e]]
        for j in range(len(total)):
            row[j] += total[j]
