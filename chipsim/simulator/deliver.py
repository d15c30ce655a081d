"""Delivery: the spikes of step t - 1 through their synapses into the accumulators of step t (docs/neurons.md section 4)."""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import settle, weigh, wide


@kernel
def deliver(t, wires, weights, spikes, m, lines):
    """Fill `m.total` with what arrives at every neuron in step t, and `m.touched` with whether anything does."""
    m.total[:] = 0
    m.touched[:] = False
    if t == 0:
        return
    for k in range(len(wires.pre)):
        at = (t - 1) * wires.populations + wires.pre[k]
        span = (spikes.start[at], spikes.start[at + 1])
        if span[1] > span[0]:
            add_spikes(k, span, wires, weights, spikes, lines)
        if wires.depth[k] > 0:
            if span[1] > span[0]:
                delay(t, k, wires, lines)
            take_due(t, k, wires, m, lines)
        elif span[1] > span[0]:
            arrive(k, wires, m, lines)


@kernel
def add_spikes(k, span, wires, weights, spikes, lines):
    """Add the weights of projection k for the spikes in `span` of the log: one sum per target and delay, in `lines.sums`."""
    depth, width, graded, bits = max(wires.depth[k], 1), wires.width[k], wires.graded[k], wires.product_wrap[k]
    lines.sums[: width * depth] = 0
    lines.hits[: width * depth] = not wires.listed[k]
    for e in range(span[0], span[1]):
        i, value = spikes.unit[e] - wires.first_pre[k], wide(spikes.value[e])
        if wires.listed[k]:
            row = wires.first_row[k] + i
            for x in range(wires.list_start[row], wires.list_start[row + 1]):
                slot = wires.list_post[x] * depth + wires.list_delay[x]
                lines.sums[slot] += weigh(value, weights[wires.list_weight[x]], graded, bits)
                lines.hits[slot] = True
        else:
            row = wires.offset[k] + i * width
            for j in range(width):
                lines.sums[j] += weigh(value, weights[row + j], graded, bits)


@kernel
def arrive(k, wires, m, lines):
    """Add the scaled sums of a projection without delays to what arrives now."""
    first, exponent, before, after = wires.first[k], wires.exponent[k], wires.sum_wrap[k], wires.end_wrap[k]
    for j in range(wires.width[k]):
        if lines.hits[j]:
            m.total[first + j] += settle(wide(lines.sums[j]), exponent, before, after)
            m.touched[first + j] = True


@kernel
def delay(t, k, wires, lines):
    """Put the scaled sums of a projection with delays into its delay lines: delay d is due at t + d."""
    depth, exponent, before, after = wires.depth[k], wires.exponent[k], wires.sum_wrap[k], wires.end_wrap[k]
    for j in range(wires.width[k]):
        for d in range(depth):
            if lines.hits[j * depth + d]:
                slot = wires.ring[k] + j * depth + (t + d) % depth
                lines.ring[slot] += settle(wide(lines.sums[j * depth + d]), exponent, before, after)
                lines.ring_hits[slot] = True


@kernel
def take_due(t, k, wires, m, lines):
    """Take what the delay lines of a projection hold for step t."""
    first, depth = wires.first[k], wires.depth[k]
    for j in range(wires.width[k]):
        slot = wires.ring[k] + j * depth + t % depth
        if lines.ring_hits[slot]:
            m.total[first + j] += settle(wide(lines.ring[slot]), 0, 0, wires.end_wrap[k])
            m.touched[first + j] = True
            lines.ring[slot] = 0
            lines.ring_hits[slot] = False
