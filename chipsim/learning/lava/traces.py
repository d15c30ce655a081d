"""Traces and spike times of learning projections (docs/lava-learning.md section 3): within a step, and over the epoch that ends."""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import number
from chipsim.kernels.learned import bump, fade, halve, overlay

REGULAR, ADD_OVERFLOW = 0, 3


@inner
def pre_spikes(t, q, now, span, spikes, program, memory):
    """Take the presynaptic spikes of step t, `span` of the log; now: the step within the epoch, from 1."""
    x, mode, base = memory.x, program.graded[q], program.side[q, 0] - program.unit[q, 0]
    for e in range(span[0], span[1]):
        j, payload, counts = base + spikes.unit[e], number(spikes.value[e]), True
        again = x.times[j] > 0
        memory.seen[j] = t
        if mode == REGULAR:
            if again:
                x.values[0, j] = bump(number(x.values[0, j]), program.whole[q, 0], program.part[q, 0], 0)
        else:
            half = halve(payload if program.payloads[q] else payload * 0 + 1)
            x.values[0, j], counts = overlay(number(x.values[0, j]), half, mode)
        if counts:
            if again:
                x.values[1, j] = bump(number(x.values[1, j]), program.whole[q, 1], program.part[q, 1], 0)
            x.times[j] = now
    if mode == ADD_OVERFLOW:
        for j in range(program.side[q, 0], program.side[q, 0] + program.size[q, 0]):
            if memory.seen[j] != t and x.values[0, j] > 127:  # 128 = 255 - 127 overflows again, without a spike
                x.values[0, j], counts = overlay(number(x.values[0, j]), number(program.whole[q, 0]) * 0, mode)


@inner
def post_spikes(t, q, now, span, spikes, impulses, slice_of, learning):
    """Take the postsynaptic spikes of step t, or the traces that are given; a spike that repeats within the epoch draws a number."""
    program, y, given = learning.program, learning.memory.y, learning.program.given[q]
    base = program.side[q, 1] - program.unit[q, 1]
    for e in range(span[0], span[1]):
        i = base + spikes.unit[e]
        if y.times[i] > 0 and not given:
            learning.counts.draws[t, slice_of[spikes.unit[e]]] += 1
            for v in range(3):
                chance = impulses[q, 2 * t + 1]
                y.values[v, i] = bump(number(y.values[v, i]), program.whole[q, 2 + v], program.part[q, 2 + v], chance)
        y.times[i] = now
    if given:
        for v in range(3):
            for i in range(program.side[q, 1], program.side[q, 1] + program.size[q, 1]):
                y.values[v, i] = learning.memory.third[t, v, i]


@inner
def replay(span, length, first, constants, chances, side):
    """Write the past of the live neurons in `span`: decays and impulses of an epoch of `length` steps; return how many live.

    first: number of the first trace of the side among all; constants: (whole, part, keep) of the projection; chances: (decay,
    impulse), one of each for the whole epoch and all neurons.
    """
    whole, part, keep, count = constants[0], constants[1], constants[2], 0
    for n in range(span[0], span[1]):
        spike = side.times[n]
        side.live[n] = spike > 0
        for v in range(side.values.shape[0]):
            side.live[n] = side.live[n] or side.values[v, n] != 0
        if side.live[n]:
            count += 1
            for v in range(side.values.shape[0]):
                value = number(side.values[v, n])
                side.past[0, v, n] = value
                for k in range(1, length + 1):
                    value = fade(value, keep[first + v], chances[0])
                    if k == spike:
                        value = bump(value, whole[first + v], part[first + v], chances[1])
                    side.past[k, v, n] = value
    return count


@inner
def commit(span, length, side, given):
    """Take over the traces at the end of the epoch, unless they are given, and forget the spikes."""
    for n in range(span[0], span[1]):
        side.times[n] = 0
        if side.live[n] and not given:
            for v in range(side.values.shape[0]):
                side.values[v, n] = side.past[length, v, n]


@inner
def past_value(side, v, n, k, zero):
    """Return trace v of neuron n after k steps of the epoch; neurons that are not live have 0."""
    return number(side.past[k, v, n]) if side.live[n] else zero
