"""Delivery: the spikes of step t - 1 through their synapses into the accumulators of step t (docs/neurons.md section 4)."""

from __future__ import annotations

from chipsim.kernels._jit import inlined, inner
from chipsim.kernels.fixed import settle, weigh, wide
from chipsim.kernels.lanes import LANES, load_part, store_part
from chipsim.kernels.rows import Matrix, clear, mark, sum_rows
from chipsim.simulator.packed import deliver_packed


@inlined
def deliver(t, wires, weights, spikes, lines):
    """Fill `lines.total` with what arrives at every neuron in step t, and `lines.touched` with whether anything does."""
    for p in range(wires.populations):
        lines.filled[p] = min(lines.filled[p], 1)
    for k in range(len(wires.pre)):
        span = sent(t, k, wires, spikes)
        if wires.packed_bits[k] > 0:
            deliver_packed(t, k, span, wires, spikes, lines)
        else:
            deliver_plain(t, k, span, wires, weights, spikes, lines)
    clear_rest(wires, lines)


@inlined
def deliver_plain(t, k, span, wires, weights, spikes, lines):
    """Add what the spikes in `span` of the log send through projection k, whose weights may change, and what its delay lines hold."""
    some = span[1] > span[0]
    if some:
        if wires.listed[k]:
            lines.sums[: wires.width[k] * max(wires.depth[k], 1)] = 0
            add_lists(k, span, wires, weights, spikes, lines)
        else:
            matrix = Matrix(weights, wires.offset[k], wires.width[k], wires.first_pre[k])
            out, to = (lines.total, wires.first[k]) if wires.direct[k] else (lines.sums, 0)
            sum_rows(out, to, matrix, spikes, span, wires.graded[k], wires.product_wrap[k])
    if wires.depth[k] > 0:
        if some:
            delay(t, k, wires, lines)
        take_due(t, k, wires, lines)
    elif some and wires.direct[k]:
        mark(lines.touched, wires.first[k], wires.first[k] + wires.width[k], True)
        lines.filled[wires.post[k]] = 2
    elif some:
        arrive(k, wires, lines)


@inner
def sent(t, k, wires, spikes):
    """Return which spikes of the log projection k carries in step t: those of step t - 1; none in step 0."""
    at = max(t - 1, 0) * wires.populations + wires.pre[k]
    return spikes.start[at], spikes.start[at + min(t, 1)]


@inner
def clear_rest(wires, lines):
    """Forget what arrived in an earlier step where nothing arrives in this one."""
    for k in range(len(wires.pre)):
        if lines.filled[wires.post[k]] == 1:
            forget(k, wires, lines)


@inner
def forget(k, wires, lines):
    """Forget what arrived in an earlier step at the population onto which projection k leads."""
    first, end = wires.first[k], wires.first[k] + wires.width[k]
    clear(lines.total, first, end)
    mark(lines.touched, first, end, False)
    lines.filled[wires.post[k]] = 0


@inner
def begin(k, wires, lines):
    """Make sure that nothing of an earlier step is left where something is added to."""
    if lines.filled[wires.post[k]] == 1:
        forget(k, wires, lines)
    lines.filled[wires.post[k]] = 2


@inner
def add_lists(k, span, wires, weights, spikes, lines):
    """Add the listed weights of projection k for the spikes in `span` of the log: one sum per target and delay, in `lines.sums`."""
    depth, graded, bits = max(wires.depth[k], 1), wires.graded[k], wires.product_wrap[k]
    lines.hits[: wires.width[k] * depth] = False
    for e in range(span[0], span[1]):
        row, value = wires.first_row[k] + spikes.unit[e] - wires.first_pre[k], wide(spikes.value[e])
        for x in range(wires.list_start[row], wires.list_start[row + 1]):
            slot = wires.list_post[x] * depth + wires.list_delay[x]
            lines.sums[slot] += weigh(value, weights[wires.list_weight[x]], graded, bits)
            lines.hits[slot] = True


@inner
def arrive(k, wires, lines):
    """Add the scaled sums of a projection without delays to what arrives now."""
    begin(k, wires, lines)
    first, width = wires.first[k], wires.width[k]
    exponent, before, after = wires.exponent[k], wires.sum_wrap[k], wires.end_wrap[k]
    if wires.listed[k]:
        for j in range(width):
            if lines.hits[j]:
                lines.total[first + j] += settle(wide(lines.sums[j]), exponent, before, after)
                lines.touched[first + j] = True
        return
    mark(lines.touched, first, first + width, True)
    for j in range(0, width, LANES):
        n, at = min(LANES, width - j), first + j
        sums = settle(wide(load_part(lines.sums, j, n)), exponent, before, after)
        store_part(lines.total, at, load_part(lines.total, at, n) + sums, n)


@inner
def delay(t, k, wires, lines):
    """Put the scaled sums of a projection with delays into its delay lines: delay d is due at t + d."""
    depth, exponent, before, after = wires.depth[k], wires.exponent[k], wires.sum_wrap[k], wires.end_wrap[k]
    for j in range(wires.width[k]):
        for d in range(depth):
            if lines.hits[j * depth + d]:
                slot = wires.ring[k] + j * depth + (t + d) % depth
                lines.ring[slot] += settle(wide(lines.sums[j * depth + d]), exponent, before, after)
                lines.ring_hits[slot] = True


@inner
def take_due(t, k, wires, lines):
    """Take what the delay lines of a projection hold for step t."""
    begin(k, wires, lines)
    first, depth = wires.first[k], wires.depth[k]
    for j in range(wires.width[k]):
        slot = wires.ring[k] + j * depth + t % depth
        if lines.ring_hits[slot]:
            lines.total[first + j] += settle(wide(lines.ring[slot]), 0, 0, wires.end_wrap[k])
            lines.touched[first + j] = True
            lines.ring[slot] = 0
            lines.ring_hits[slot] = False
