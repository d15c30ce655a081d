"""Write policies: how a gradient accumulator becomes a new stored weight (docs/semantics.md section 6).

    stochastic  dw = (acc + r) >> S with r uniform in [0, 2^S): unbiased, one random word per synapse written
    nearest     dw = acc / 2^S rounded, halves up: updates below half a weight LSB are lost
    one-lsb     dw = sign(acc) with probability min(1, |acc| 2^-S), one random word: the mean of stochastic below one LSB (ReckOn)
    sign        dw = sign(acc / 2^S rounded): one LSB, and none where nearest would write none

S is the shift of the write: fraction of delta + learning-rate shift - fraction of the weight; 0 <= S <= 32.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import clip_symmetric, one_lsb, rescale, round_stochastic, wide
from chipsim.kernels.random import WEIGHT_WRITE, random_word

POLICIES = {"stochastic": 0, "nearest": 1, "one-lsb": 2, "sign": 3}
STOCHASTIC, ONE_LSB, SIGN = 0, 2, 3
MOST_SHIFT = 32  # bits of one random word: a larger shift could not be rounded without bias


@kernel
def draws(policy):
    """Return whether a write policy takes a random word for each synapse."""
    return policy == STOCHASTIC or policy == ONE_LSB


@kernel
def write_weights(circuit, wires, weights, gradient, how, address, work):
    """Write the weights of all dirty rows and clear their accumulators.

    how: ([K] int64 shift S of each projection, largest weight, code of `POLICIES`);
    address: (seed, sample, pass) of the random words. Visits, evaluations, draws and writes go to `work.activity`.
    """
    a, dirty = work.activity, work.errors.dirty
    clear_update_counts(a)
    for k in range(len(circuit.pre)):
        source, target = circuit.pre[k], circuit.post[k]
        first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
        low, slices = circuit.first_slice[target], circuit.first_slice[target + 1] - circuit.first_slice[target]
        one = (how[0][k], how[1], how[2])
        for i in range(circuit.hi[source] - circuit.lo[source]):
            for s in range(low, low + slices):
                mark = circuit.rows[k] + i * slices + s - low
                if dirty[mark]:
                    dirty[mark] = False
                    if wires.listed[k]:
                        row, ends = wires.first_row[k] + i, (circuit.slice_lo[s] - first, circuit.slice_hi[s] - first)
                        evaluations, writes = write_list(row, ends, wires, weights, gradient, one, address)
                    else:
                        row = circuit.offset[k] + i * width - first
                        span = (row + circuit.slice_lo[s], row + circuit.slice_hi[s])
                        evaluations, writes = write_row(span, weights, gradient, one, address)
                    if circuit.push and source > 0:
                        a.copied[s, circuit.slice_of[circuit.lo[source] + i]] += writes
                    a.visits[0, s] += circuit.row_words[mark]
                    a.evaluations[0, s] += evaluations
                    a.writes[0, s] += writes
                    a.draws[0, s] += evaluations if draws(how[2]) else 0


@kernel
def write_row(span, weights, gradient, how, address):
    """Write the synapses of a dense row whose accumulators are not zero; return how many those are and how many words changed."""
    evaluations, writes = 0, 0
    for n in range(span[0], span[1]):
        if gradient[n] != 0:
            evaluations += 1
            writes += write_one(n, weights, gradient, how, address)
    return evaluations, writes


@kernel
def write_list(row, ends, wires, weights, gradient, how, address):
    """As `write_row`, for the part of a list of synapses whose targets lie in ends[0] .. ends[1] - 1 (a slice)."""
    evaluations, writes = 0, 0
    for x in range(wires.list_start[row], wires.list_start[row + 1]):
        n = wires.list_weight[x]
        if ends[0] <= wires.list_post[x] < ends[1] and gradient[n] != 0:
            evaluations += 1
            writes += write_one(n, weights, gradient, how, address)
    return evaluations, writes


@kernel
def write_one(n, weights, gradient, how, address):
    """Write weight n and clear its accumulator; return whether the stored word changed. how: shift, largest weight, policy."""
    acc = wide(gradient[n])
    gradient[n] = 0
    return change(n, acc, 0, weights, how, address)


@kernel
def change(n, acc, step, weights, how, address):
    """Move weight n by an accumulator (or a delta); step: part of the address of the random word."""
    shift, top, policy = how[0], how[1], how[2]
    word = random_word(address[0], WEIGHT_WRITE, n, step, address[1], address[2]) if draws(policy) else 0
    if policy == STOCHASTIC:
        dw = round_stochastic(acc, shift, word)
    elif policy == ONE_LSB:
        dw = one_lsb(acc, shift, word)
    else:
        dw = rescale(acc, shift)
        dw = min(max(dw, -1), 1) if policy == SIGN else dw
    before = wide(weights[n])
    after = clip_symmetric(before - dw, top)
    if after != before:
        weights[n] = after
    return after != before


@kernel
def clear_update_counts(a):
    """Start the counts of an update."""
    for counts in (a.visits, a.evaluations, a.draws, a.writes, a.optimised, a.copied):
        counts[:, :] = 0
    a.updated[0] = 1
