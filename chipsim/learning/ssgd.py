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
from chipsim.kernels.lane_kinds import low_bit
from chipsim.kernels.lane_math import bits
from chipsim.kernels.lanes import LANES, load_part
from chipsim.kernels.rows import Matrix, add_row, product

SPARSE = 8  # a delta out of a list costs as much as so many out of a row


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
def is_dense(p, circuit, count):
    """Return whether so many deltas of population p are not 0 that rows walk over all of them instead of over their list."""
    live = 0
    for s in range(circuit.first_slice[p], circuit.first_slice[p + 1]):
        live += count[s]
    return live * SPARSE > circuit.hi[p] - circuit.lo[p]


@inner
def list_live(first, end, e):
    """List the neurons first .. end, those of a slice, with a delta that is not 0."""
    at = first
    for i in range(first, end, LANES):
        left = bits(load_part(e.delta, i, min(LANES, end - i)) != 0)
        while left:
            e.live[at] = i + low_bit(left)
            at += 1
            left &= left - 1


@inner
def add_rows(t, k, circuit, gradient, spikes, e, a):
    """Form B, dense projection k: every logged spike of step t - 1 adds the row of deltas to its gradient accumulators."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    low, high = circuit.first_slice[target], circuit.first_slice[target + 1]
    at = (t - 1) * len(circuit.lo) + source
    span = (spikes.start[at], spikes.start[at + 1])
    if is_dense(target, circuit, e.count):
        add_row(Matrix(gradient, circuit.offset[k], width, circuit.lo[source]), spikes, span, e.delta, first, circuit.acc_bits)
    else:
        add_live(span, k, circuit, gradient, spikes, e)
    for r in range(span[0], span[1]):
        i = spikes.unit[r] - circuit.lo[source]
        for s in range(low, high):
            if e.count[s] > 0:
                e.dirty[circuit.rows[k] + i * (high - low) + s - low] = True
    for s in range(low, high):
        a.row_adds[t, s] += e.count[s] * (span[1] - span[0])


@inner
def add_live(span, k, circuit, gradient, spikes, e):
    """Add the listed deltas to the gradient rows of the spikes in `span` of the log."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    for r in range(span[0], span[1]):
        row = circuit.offset[k] + (spikes.unit[r] - circuit.lo[source]) * width - first
        for s in range(circuit.first_slice[target], circuit.first_slice[target + 1]):
            for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + e.count[s]):
                j = e.live[x]
                total = wide(gradient[row + j]) + scaled(e.delta[j], spikes.value[r])
                gradient[row + j] = saturate(total, circuit.acc_bits)


@inner
def gather_rows(t, k, circuit, weights, active, e, a):
    """Every logged active event of step t - 1 pulls its error through its weight row of dense projection k."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    low, high = circuit.first_slice[target], circuit.first_slice[target + 1]
    dense = is_dense(target, circuit, e.count)
    at = (t - 1) * len(circuit.lo) + source
    for r in range(active.start[at], active.start[at + 1]):
        n = active.unit[r]
        row = circuit.offset[k] + (n - circuit.lo[source]) * width
        total = wide(e.delta[n]) * 0
        if dense:
            total = product(Matrix(weights, circuit.offset[k], width, 0), n - circuit.lo[source], e.delta, first)
        else:
            for s in range(low, high):
                for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + e.count[s]):
                    j = e.live[x]
                    total += wide(weights[row + j - first]) * wide(e.delta[j])
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
