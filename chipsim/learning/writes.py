"""Write policies: how a gradient accumulator becomes a new stored weight (docs/semantics.md section 6).

    stochastic  dw = (acc + r) >> S with r uniform in [0, 2^S): unbiased, one random word per synapse written
    nearest     dw = acc / 2^S rounded, halves up: updates below half a weight LSB are lost

S is the shift of the write: fraction of delta + learning-rate shift - fraction of the weight; 0 <= S <= 32.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import clip_symmetric, rescale, round_stochastic, wide
from chipsim.kernels.random import WEIGHT_WRITE, random_word

POLICIES = {"stochastic": 0, "nearest": 1}
MOST_SHIFT = 32  # bits of one random word: a larger shift could not be rounded without bias


@kernel
def write_weights(circuit, weights, gradient, shifts, top, policy, address, work):
    """Write the weights of all dirty rows and clear their accumulators.

    shifts: [K] int64 shift S of each projection; top: largest weight; policy: code of `POLICIES`;
    address: (seed, sample, pass) of the random words. Visits, evaluations, draws and writes go to `work.activity`.
    """
    a, dirty = work.activity, work.errors.dirty
    clear_update_counts(a)
    for k in range(len(circuit.pre)):
        source, target = circuit.pre[k], circuit.post[k]
        first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
        low, slices = circuit.first_slice[target], circuit.first_slice[target + 1] - circuit.first_slice[target]
        for i in range(circuit.hi[source] - circuit.lo[source]):
            row = circuit.offset[k] + i * width - first
            for s in range(low, low + slices):
                mark = circuit.rows[k] + i * slices + s - low
                if dirty[mark]:
                    dirty[mark] = False
                    a.visits[s] += circuit.row_words[s]
                    span = (row + circuit.slice_lo[s], row + circuit.slice_hi[s])
                    evaluations, writes = write_row(span, weights, gradient, shifts[k], top, policy, address)
                    a.evaluations[s] += evaluations
                    a.writes[s] += writes
                    a.draws[s] += evaluations if policy == 0 else 0


@kernel
def write_row(span, weights, gradient, shift, top, policy, address):
    """Write the synapses of a row whose accumulators are not zero; return how many were evaluated and how many words changed."""
    seed, sample, run = address[0], address[1], address[2]
    evaluations, writes = 0, 0
    for n in range(span[0], span[1]):
        acc = wide(gradient[n])
        if acc != 0:
            evaluations += 1
            if policy == 0:
                dw = round_stochastic(acc, shift, random_word(seed, WEIGHT_WRITE, n, 0, sample, run))
            else:
                dw = rescale(acc, shift)
            before = wide(weights[n])
            after = clip_symmetric(before - dw, top)
            if after != before:
                weights[n] = after
                writes += 1
            gradient[n] = 0
    return evaluations, writes


@kernel
def clear_update_counts(a):
    """Start the counts of an update."""
    for counts in (a.visits, a.evaluations, a.draws, a.writes, a.optimised):
        counts[:] = 0
    a.updated[0] = 1
