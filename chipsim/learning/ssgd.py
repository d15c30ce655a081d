"""ssgd-replay: exact sparse backpropagation through time by store and replay, as local rules that active neurons trigger.

Replay step t = T-1 .. 1 (docs/semantics.md section 5; Perez-Nieves & Goodman 2021, arXiv 2105.08810; form B, gather, apply after):

    delta_j <- adjoint of the neuron model     delta-lif: alpha delta_j + ds_j, ds_j = g(V_j) (eps_j + reg_j) at active events;
                                               at the readout the injected error takes the place of ds
    dW_ij   += delta_j                         for every logged spike (i, t-1), over the synapses with delta_j != 0
    eps_i   <- sum_j w_ij delta_j              for every logged active event (i, t-1): the error of the next replay step, summed over
                                               all projections that leave i

A synapse of delay d takes the delta of step t + d. delta is the derivative of the loss with respect to what arrives at a neuron
(loihi-lif: mu). Only logged events and non-zero deltas are touched. Truncating g outside the band is the only approximation; resets are
detached. `simulator.replay` runs these steps.
"""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import saturate, scaled, to_error, wide


@inner
def evaluate(t, circuit, active, e):
    """Give every active event of step t its error and its gain."""
    populations = len(circuit.lo)
    for p in range(1, populations):
        bits = circuit.delta_bits[p]
        for r in range(active.start[t * populations + p], active.start[t * populations + p + 1]):
            n = active.unit[r]
            e.eps[n] = saturate(wide(e.eps[n]), bits)
            e.error[n] = wide(e.eps[n]) + wide(e.reg[n])
            e.gain[n] = active.gain[r]


@inner
def inject(t, circuit, e, a):
    """Give the readout the errors of the loss that are due."""
    first = circuit.lo[-1]
    if len(e.losses) > 0:
        for c in range(len(e.due)):
            e.inject[c] = e.losses[t, c]
    for c in range(len(e.due)):
        if e.due[c] == t or e.due[c] < 0:
            e.error[first + c] = e.inject[c]
            e.gain[first + c] = 1
            a.injected[t, circuit.slice_of[first + c]] += 1


@inner
def clear_errors(t, circuit, active, e):
    """Forget the errors of the neurons that are active in step t: new ones are on their way."""
    for r in range(active.start[t * len(circuit.lo)], active.start[(t + 1) * len(circuit.lo)]):
        e.eps[active.unit[r]] = 0


@inner
def due(t, x, j, wires, e):
    """Return the delta that a spike of step t - 1 meets over synapse x onto neuron j: that of the step in which it arrives."""
    d = wires.list_delay[x]
    return e.delta[j] if d == 0 else e.past[(t + d) % len(e.past), j]


@inner
def add_rows(t, k, circuit, gradient, spikes, e, a):
    """Form B, dense projection k: every logged spike of step t - 1 adds the row of deltas to its gradient accumulators."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    low, high = circuit.first_slice[target], circuit.first_slice[target + 1]
    at = (t - 1) * len(circuit.lo) + source
    for r in range(spikes.start[at], spikes.start[at + 1]):
        i = spikes.unit[r] - circuit.lo[source]
        row = circuit.offset[k] + i * width - first
        for s in range(low, high):
            begin, count = circuit.slice_lo[s], e.count[s]
            if count > 0:
                e.dirty[circuit.rows[k] + i * (high - low) + s - low] = True
            for x in range(begin, begin + count):
                j = e.live[x]
                total = wide(gradient[row + j]) + scaled(e.delta[j], spikes.value[r])
                gradient[row + j] = saturate(total, circuit.acc_bits)
    for s in range(low, high):
        a.row_adds[t, s] += e.count[s] * (spikes.start[at + 1] - spikes.start[at])


@inner
def gather_rows(t, k, circuit, weights, active, e, a):
    """Every logged active event of step t - 1 pulls its error through its weight row of dense projection k."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    low, high = circuit.first_slice[target], circuit.first_slice[target + 1]
    at = (t - 1) * len(circuit.lo) + source
    for r in range(active.start[at], active.start[at + 1]):
        n = active.unit[r]
        row = circuit.offset[k] + (n - circuit.lo[source]) * width - first
        total = wide(e.delta[n]) * 0
        for s in range(low, high):
            for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + e.count[s]):
                j = e.live[x]
                total += wide(weights[row + j]) * wide(e.delta[j])
        e.eps[n] += to_error(total, circuit.back[k], circuit.unit[k])
    for s in range(low, high):
        a.gather_adds[t, s] += e.count[s] * (active.start[at + 1] - active.start[at])


@inner
def add_lists(t, k, circuit, wires, gradient, spikes, e, a):
    """As `add_rows`, for a projection whose synapses are listed."""
    source, target = circuit.pre[k], circuit.post[k]
    first, low = circuit.lo[target], circuit.first_slice[target]
    slices = circuit.first_slice[target + 1] - low
    at = (t - 1) * len(circuit.lo) + source
    for r in range(spikes.start[at], spikes.start[at + 1]):
        i = spikes.unit[r] - circuit.lo[source]
        for x in range(wires.list_start[wires.first_row[k] + i], wires.list_start[wires.first_row[k] + i + 1]):
            j, n = first + wires.list_post[x], wires.list_weight[x]
            delta = due(t, x, j, wires, e)
            if delta != 0:
                s = circuit.slice_of[j]
                e.dirty[circuit.rows[k] + i * slices + s - low] = True
                a.row_adds[t, s] += 1
                gradient[n] = saturate(wide(gradient[n]) + scaled(delta, spikes.value[r]), circuit.acc_bits)


@inner
def gather_lists(t, k, circuit, wires, weights, active, e, a):
    """As `gather_rows`, for a projection whose synapses are listed."""
    source, first = circuit.pre[k], circuit.lo[circuit.post[k]]
    at = (t - 1) * len(circuit.lo) + source
    for r in range(active.start[at], active.start[at + 1]):
        n = active.unit[r]
        row = wires.first_row[k] + n - circuit.lo[source]
        total = wide(e.delta[n]) * 0
        for x in range(wires.list_start[row], wires.list_start[row + 1]):
            j = first + wires.list_post[x]
            delta = due(t, x, j, wires, e)
            if delta != 0:
                a.gather_adds[t, circuit.slice_of[j]] += 1
                total += wide(weights[wires.list_weight[x]]) * wide(delta)
        e.eps[n] += to_error(total, circuit.back[k], circuit.unit[k])
