"""ssgd-replay: exact sparse backpropagation through time by store and replay, as local rules that active neurons trigger.

Replay step t = T-1 .. 1 (docs/semantics.md section 5; Perez-Nieves & Goodman 2021, arXiv 2105.08810; form B, gather, apply after):

    delta_j <- alpha delta_j + ds_j          ds_j = g(V_j) (eps_j + reg_j) at active events, the injected error at the readout
    dW_ij   += delta_j                       for every logged spike (i, t-1), over the j with delta_j != 0
    eps_i   <- sum_j w_ij delta_j            for every logged active event (i, t-1): the error of the next replay step

Only logged events and non-zero deltas are touched. Truncating g outside the band is the only approximation.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, rescale, saturate, scaled, wide
from chipsim.learning.surrogate import FRACTION


@kernel
def replay(steps, circuit, weights, gradient, work):
    """Replay one sample and add its gradient to `gradient` ([W] number, scale of delta); call `start_backward` first."""
    e, a = work.errors, work.activity
    for counts in (a.decays, a.live, a.injected):
        counts[:] = 0
    for update in (a.visits, a.evaluations, a.draws, a.writes, a.optimised, a.updated):
        update[:] = 0
    for t in range(steps - 1, 0, -1):
        leak(t, circuit, e, a)
        evaluate(t, circuit, work.active, e)
        inject(t, circuit, e, a)
        find_live(t, circuit, e, a)
        for k in range(len(circuit.pre)):
            add_rows(t - 1, k, circuit, gradient, work.spikes, e)
            gather(t - 1, k, circuit, weights, work.active, e)


@kernel
def leak(t, circuit, e, a):
    """Decay every delta that is not zero."""
    for p in range(1, len(circuit.lo)):
        word = circuit.decay[p]
        for n in range(circuit.lo[p], circuit.hi[p]):
            if e.delta[n] != 0:
                e.delta[n] = decay(wide(e.delta[n]), word)
                a.decays[t, circuit.slice_of[n]] += 1


@kernel
def evaluate(t, circuit, active, e):
    """Add ds to the delta of every active event of step t."""
    populations = len(circuit.lo)
    for p in range(1, populations):
        bits = circuit.delta_bits[p]
        for r in range(active.start[t * populations + p], active.start[t * populations + p + 1]):
            n = active.unit[r]
            error = saturate(wide(e.eps[n]) + wide(e.reg[n]), bits)
            e.delta[n] = saturate(wide(e.delta[n]) + rescale(error * active.gain[r], FRACTION), bits)


@kernel
def inject(t, circuit, e, a):
    """Add the loss error to the delta of the readout."""
    first, bits = circuit.lo[-1], circuit.delta_bits[-1]
    for c in range(len(e.due)):
        if e.due[c] == t or e.due[c] < 0:
            n = first + c
            e.delta[n] = saturate(wide(e.delta[n]) + wide(e.inject[c]), bits)
            a.injected[t, circuit.slice_of[n]] += 1


@kernel
def find_live(t, circuit, e, a):
    """List the non-zero deltas of every slice."""
    for s in range(1, len(circuit.slice_lo)):
        count = 0
        for n in range(circuit.slice_lo[s], circuit.slice_hi[s]):
            if e.delta[n] != 0:
                e.live[circuit.slice_lo[s] + count] = n
                count += 1
        e.count[s] = count
        a.live[t, s] = count


@kernel
def add_rows(t, k, circuit, gradient, spikes, e):
    """Form B: every logged spike of step t adds the row of deltas to its gradient accumulators."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    low, high = circuit.first_slice[target], circuit.first_slice[target + 1]
    at = t * len(circuit.lo) + source
    for r in range(spikes.start[at], spikes.start[at + 1]):
        i = spikes.unit[r] - circuit.lo[source]
        row = circuit.offset[k] + i * width - first
        for s in range(low, high):
            if e.count[s] > 0:
                e.dirty[circuit.rows[k] + i * (high - low) + s - low] = True
            for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + e.count[s]):
                j = e.live[x]
                total = wide(gradient[row + j]) + scaled(e.delta[j], spikes.value[r])
                gradient[row + j] = saturate(total, circuit.acc_bits)


@kernel
def gather(t, k, circuit, weights, active, e):
    """Every logged active event of step t pulls its error through its weight row."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    at = t * len(circuit.lo) + source
    for r in range(active.start[at], active.start[at + 1]):
        n = active.unit[r]
        row = circuit.offset[k] + (n - circuit.lo[source]) * width - first
        total = wide(e.delta[n]) * 0
        for s in range(circuit.first_slice[target], circuit.first_slice[target + 1]):
            for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + e.count[s]):
                j = e.live[x]
                total += wide(weights[row + j]) * wide(e.delta[j])
        e.eps[n] = saturate(rescale(total, circuit.back[k]), circuit.delta_bits[source])
