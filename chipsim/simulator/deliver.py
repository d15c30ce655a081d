"""Delivery: the spikes of step t - 1 through their synapses into the accumulators of step t (docs/neurons.md section 4)."""

from __future__ import annotations

from chipsim.kernels._jit import inlined, inner
from chipsim.kernels.fixed import settle, weigh, wide
from chipsim.kernels.lanes import LANES, load_part, store_part
from chipsim.kernels.rows import Matrix, clear, mark, sum_rows


@inlined
def deliver(t, wires, weights, spikes, lines):
    """Fill `lines.total` with what arrives at every neuron in step t, and `lines.touched` with whether anything does."""
    clear(lines.total, 0, len(lines.total))
    mark(lines.touched, 0, len(lines.touched), False)
    if t == 0:
        return
    for k in range(len(wires.pre)):
        at = (t - 1) * wires.populations + wires.pre[k]
        span = (spikes.start[at], spikes.start[at + 1])
        if span[1] > span[0]:
            if wires.listed[k]:
                lines.sums[: wires.width[k] * max(wires.depth[k], 1)] = 0
                add_lists(k, span, wires, weights, spikes, lines)
            else:
                matrix = Matrix(weights, wires.offset[k], wires.width[k], wires.first_pre[k])
                out, to = (lines.total, wires.first[k]) if wires.direct[k] else (lines.sums, 0)
                sum_rows(out, to, matrix, spikes, span, wires.graded[k], wires.product_wrap[k])
        if wires.depth[k] > 0:
            if span[1] > span[0]:
                delay(t, k, wires, lines)
            take_due(t, k, wires, lines)
        elif wires.direct[k]:
            mark(lines.touched, wires.first[k], wires.first[k] + wires.width[k], span[1] > span[0])
        elif span[1] > span[0]:
            arrive(k, wires, lines)


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
    first, depth = wires.first[k], wires.depth[k]
    for j in range(wires.width[k]):
        slot = wires.ring[k] + j * depth + t % depth
        if lines.ring_hits[slot]:
            lines.total[first + j] += settle(wide(lines.ring[slot]), 0, 0, wires.end_wrap[k])
            lines.touched[first + j] = True
            lines.ring[slot] = 0
            lines.ring_hits[slot] = False
