"""Delivery through packed synapses: target and weight in one word, sum and number of what was added in one accumulator.

A row of 100 synapses lies in 7 cache lines, anywhere in memory: rows are asked for a few spikes before they are walked. What is due
is taken from the accumulators and clears them; an accumulator that is not 0 was reached by a spike (compiler.packing says why).
"""

from __future__ import annotations

from chipsim.kernels._jit import inner, prefetch
from chipsim.kernels.fixed import one_more, settle, target_in, weight_in, wide, wrap

AHEAD = 3  # spikes


@inner
def deliver_packed(t, k, span, wires, spikes, lines):
    """Add the spikes in `span` of the log to the accumulators of projection k, and what is due in step t to what arrives."""
    width, depth, first = wires.width[k], max(wires.depth[k], 1), wires.packed_first[k]
    sums = lines.packed[first : first + width * depth]
    now = (t % depth) * width
    if span[1] > span[0]:
        add_packed(k, span, now, wires, spikes, sums)
    if span[1] > span[0] or depth > 1:
        arrive_packed(k, sums[now : now + width], wires, lines)


@inner
def add_packed(k, span, now, wires, spikes, sums):
    """Add the rows of the spikes in `span`; `now`: where the accumulators of delay 0 begin in those of all delays, a ring."""
    bits, one = wires.packed_bits[k], one_more(wires.packed_bits[k], wires.packed_sum[k])
    first = wires.first_row[k] - wires.first_pre[k]
    for e in range(span[0], span[1]):
        if e + AHEAD < span[1]:
            ahead = first + spikes.unit[e + AHEAD]
            prefetch(wires.packed, wires.list_start[ahead], wires.list_start[ahead + 1])
        at = first + spikes.unit[e]
        row = wires.packed[wires.list_start[at] : wires.list_start[at + 1]]
        if now == 0:
            for x in range(len(row)):
                sums[target_in(row[x], bits)] += weight_in(row[x], bits) + one
        else:
            for x in range(len(row)):
                slot = now + wide(target_in(row[x], bits))
                sums[slot if slot < len(sums) else slot - len(sums)] += weight_in(row[x], bits) + one


@inner
def arrive_packed(k, sums, wires, lines):
    """Add the scaled sums of projection k to what arrives now, and clear them."""
    first, end, post, below = wires.first[k], wires.first[k] + wires.width[k], wires.post[k], wires.packed_sum[k]
    exponent, before, after = wires.exponent[k], wires.sum_wrap[k], wires.end_wrap[k]
    total, touched = lines.total[first:end], lines.touched[first:end]
    if lines.filled[post] == 2:
        for j in range(len(sums)):
            found = wide(sums[j])
            total[j] += settle(wrap(found, below), exponent, before, after)
            touched[j] |= found != 0
            sums[j] = 0
    else:
        for j in range(len(sums)):
            found = wide(sums[j])
            total[j] = settle(wrap(found, below), exponent, before, after)
            touched[j] = found != 0
            sums[j] = 0
    lines.filled[post] = 2
