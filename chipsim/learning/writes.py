"""How a gradient accumulator becomes a new stored weight: optimiser, then write policy (docs/semantics.md section 6).

    stochastic  dw = (acc + r) >> S with r uniform in [0, 2^S): unbiased, one random word per synapse written
    nearest     dw = acc / 2^S rounded, halves up: updates below half a weight LSB are lost
    one-lsb     dw = sign(acc) with probability min(1, |acc| 2^-S), one random word: the mean of stochastic below one LSB (ReckOn)
    sign        dw = sign(acc / 2^S rounded): one LSB, and none where nearest would write none
    residue     e += acc; dw = e >> S; e keeps the low S bits: nothing is lost, nothing is drawn
    master      M -= acc / 2^(S - x) rounded, M a weight with x more bits; w = M / 2^x rounded

S is the shift of the write: fraction of what is written + learning-rate shift - fraction of the weight; 0 <= S <= 32. The optimiser
makes acc out of the accumulator: itself (sgd), its sign, or a velocity (momentum).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import entry, inner, kernel
from chipsim.kernels.compact import append
from chipsim.kernels.fixed import clip_symmetric, decay, one_lsb, rescale, round_stochastic, saturate, split, wide
from chipsim.kernels.lane_kinds import ones, zeros_like
from chipsim.kernels.lane_math import bits
from chipsim.kernels.lanes import LANES, load, load_part, put, store, take
from chipsim.kernels.random import WEIGHT_WRITE, random_word
from chipsim.learning.policies import OPTIMISERS, POLICIES

STOCHASTIC, ONE_LSB, SIGN, RESIDUE, MASTER = (POLICIES[p].code for p in ("stochastic", "one-lsb", "sign", "residue", "master"))
SIGNED, MOMENTUM = OPTIMISERS["sign"].code, OPTIMISERS["momentum"].code


class How(NamedTuple):
    """What a write needs to know, and the state that lasts from sample to sample. Arrays that are not needed have length 0."""

    shift: np.ndarray  # [K] int64 shift S of each projection
    top: int  # largest weight
    policy: int  # code of `POLICIES`
    extra: int  # bits that a master weight has below the weight's LSB
    finest: int  # largest master weight, top 2^extra
    state: np.ndarray  # [W] int64 residues or master weights
    optimiser: int  # code of `OPTIMISERS`
    momentum: int  # decay word of the velocities, in 1/4096
    bits: int  # of an accumulator and of a velocity
    velocity: np.ndarray  # [W] int64
    moving: np.ndarray  # [rows] bool: a velocity of this row on this slice is not zero


@inner
def draws(policy):
    """Return whether a write policy takes a random word for each synapse."""
    return policy == STOCHASTIC or policy == ONE_LSB


@entry
def write_weights(circuit, wires, weights, gradient, how, address, work):
    """Write the weights of all dirty rows, and of those with a velocity, and clear their accumulators.

    how: see `How`; address: (seed, sample, pass) of the random words. Visits, evaluations, draws, writes and updates of an optimiser
    with state go to `work.activity`.
    """
    write_rows_of(circuit, wires, weights, gradient, how, address, work)


@inner
def write_rows_of(circuit, wires, weights, gradient, how, address, work):
    """As `write_weights`, for kernels."""
    a, dirty = work.activity, work.errors.dirty
    clear_update_counts(a)
    for k in range(len(circuit.pre)):
        source, target = circuit.pre[k], circuit.post[k]
        first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
        low, slices = circuit.first_slice[target], circuit.first_slice[target + 1] - circuit.first_slice[target]
        for i in range(circuit.hi[source] - circuit.lo[source]):
            for s in range(low, low + slices):
                mark = circuit.rows[k] + i * slices + s - low
                if dirty[mark] or how.moving[mark]:
                    dirty[mark] = False
                    if wires.listed[k]:
                        row, ends = wires.first_row[k] + i, (circuit.slice_lo[s] - first, circuit.slice_hi[s] - first)
                        found = write_list(row, ends, k, wires, weights, gradient, how, address)
                    else:
                        row = circuit.offset[k] + i * width - first
                        span = (row + circuit.slice_lo[s], row + circuit.slice_hi[s])
                        found = write_row(span, k, weights, gradient, how, address, work.errors)
                    evaluations, writes, how.moving[mark] = found[0], found[1], found[2] > 0
                    if circuit.push and source > 0:
                        a.copied[s, circuit.slice_of[circuit.lo[source] + i]] += writes
                    a.visits[0, s] += circuit.row_words[mark]
                    a.evaluations[0, s] += evaluations
                    a.writes[0, s] += writes
                    a.draws[0, s] += evaluations if draws(how.policy) else 0
                    a.optimised[0, s] += evaluations if how.optimiser == MOMENTUM else 0


@inner
def write_row(span, k, weights, gradient, how, address, e):
    """Write the synapses of a dense row that have an accumulator or a velocity; return their number, words changed, velocities left.

    e: the errors, whose memory holds a list of them.
    """
    ids, evaluations, writes, moving = e.live, 0, 0, 0
    for i in range(span[0], span[1], LANES):
        n = min(LANES, span[1] - i)
        found = bits(load_part(gradient, i, n) != 0)
        if how.optimiser == MOMENTUM:
            found |= bits(load_part(how.velocity, i, n) != 0)
        evaluations = append(found, i, ids, evaluations)
    if how.optimiser != MOMENTUM and how.policy != RESIDUE and how.policy != MASTER:
        return evaluations, write_together(evaluations, k, weights, gradient, how, address, e), 0
    for x in range(evaluations):
        writes += write_one(ids[x], k, weights, gradient, how, address)
        moving += moves(ids[x], how)
    return evaluations, writes, moving


@inner
def write_together(count, k, weights, gradient, how, address, e):
    """Write the weights of a list of synapses, 16 at a time, and clear their accumulators; return how many words changed.

    For optimisers and policies without a state.
    """
    ids, acc, before, writes = e.live, e.picked[0], e.picked[1], 0
    for x in range(count):
        n = take(ids, x)
        put(acc, x, take(gradient, n))
        put(before, x, take(weights, n))
        put(gradient, n, 0)
    for i in range(0, count, LANES):
        n, step, old = min(LANES, count - i), wide(load(acc, i)), wide(load(before, i))
        if how.optimiser == SIGNED:
            step = clip_symmetric(step, wide(1))
        word = (
            random_word(address[0], WEIGHT_WRITE, load(ids, i), 0, address[1], address[2])
            if draws(how.policy)
            else zeros_like(step)
        )
        new = clip_symmetric(old - plain_stride(step, how.shift[k], how.policy, word), wide(how.top))
        store(before, i, new)
        writes += ones(bits(new != old) & ((1 << n) - 1))
    for x in range(count):
        put(weights, take(ids, x), take(before, x))
    return writes


@inner
def write_list(row, ends, k, wires, weights, gradient, how, address):
    """As `write_row`, for the part of a list of synapses whose targets lie in ends[0] .. ends[1] - 1 (a slice)."""
    evaluations, writes, moving = 0, 0, 0
    for x in range(wires.list_start[row], wires.list_start[row + 1]):
        n = wires.list_weight[x]
        if ends[0] <= wires.list_post[x] < ends[1] and (gradient[n] != 0 or moves(n, how)):
            evaluations += 1
            writes += write_one(n, k, weights, gradient, how, address)
            moving += moves(n, how)
    return evaluations, writes, moving


@inner
def moves(n, how):
    """Return whether synapse n has a velocity."""
    return how.optimiser == MOMENTUM and how.velocity[n] != 0


@inner
def write_one(n, k, weights, gradient, how, address):
    """Write weight n of projection k and clear its accumulator; return whether the stored word changed."""
    acc = wide(gradient[n])
    gradient[n] = 0
    if how.optimiser == MOMENTUM:
        acc = saturate(decay(how.velocity[n], wide(how.momentum)) + acc, how.bits)
        how.velocity[n] = acc
    elif how.optimiser == SIGNED:
        acc = clip_symmetric(acc, wide(1))
    return change(n, acc, 0, k, weights, how, address)


@inner
def change(n, acc, step, k, weights, how, address):
    """Move weight n of projection k by an accumulator (or a delta); step: part of the address of the random word."""
    before, shift = wide(weights[n]), how.shift[k]
    if how.policy == MASTER:
        after = refine(n, acc, shift, how)
    else:
        word = random_word(address[0], WEIGHT_WRITE, n, step, address[1], address[2]) if draws(how.policy) else 0
        after = clip_symmetric(before - stride(n, acc, shift, how, word), wide(how.top))
    if after != before:
        weights[n] = after
    return after != before


@inner
def stride(n, acc, shift, how, word):
    """Return dw of a policy without a master weight; a residue is kept."""
    if how.policy == RESIDUE:
        whole, how.state[n] = split(how.state[n] + acc, shift)
        return whole
    return plain_stride(acc, shift, how.policy, word)


@inner
def plain_stride(acc, shift, policy, word):
    """Return dw of a policy without a state; numbers or vectors."""
    if policy == STOCHASTIC:
        return round_stochastic(acc, shift, word)
    if policy == ONE_LSB:
        return one_lsb(acc, shift, word)
    dw = rescale(acc, shift)
    return clip_symmetric(dw, wide(1)) if policy == SIGN else dw


@inner
def refine(n, acc, shift, how):
    """Move master weight n and return the weight it rounds to. Where the master is finer than acc, acc is shifted left: no overflow."""
    less = shift - how.extra
    step = rescale(clip_symmetric(acc, wide(2 * how.finest + 1)) if less < 0 else acc, less)
    how.state[n] = clip_symmetric(how.state[n] - step, wide(how.finest))
    return rescale(how.state[n], how.extra)


@kernel
def clear_update_counts(a):
    """Start the counts of an update."""
    for counts in (a.visits, a.evaluations, a.draws, a.writes, a.optimised, a.copied, a.followed):
        counts[:, :] = 0
    a.updated[0] = 1
