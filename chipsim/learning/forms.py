"""The other form of the weight gradient and the other transport of errors (docs/semantics.md section 5).

    form A   dW_ij += ds_j[t] x_i[t]           at active events, x_i[t+1] = alpha_j x_i[t] + s_i[t]: equal to form B, sum s_i[t] delta_j[t]
    push     Lam_i <- alpha_j Lam_i + sum_j w_ij ds_j[t]              equal to what a gather pulls, sum_j w_ij delta_j[t]

ds_j is the error of an active event times its surrogate derivative; at the readout the injected error. Traces decay forward in time alone:
form A walks the logs a second time, forward. Source: Perez-Nieves & Goodman 2021, arXiv 2105.08810, equations 9 to 12, and the
interchange of their sums.
"""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import TRACE_FRACTION, charge, decay, rescale, saturate, to_error, wide
from chipsim.state import PUSH_DECAYS, PUSH_WORDS, WALK_ADDS, WALK_DECAYS, WALK_ROWS, WALK_UPDATES, WALK_WORDS


@inner
def forget_sources(circuit, f):
    """Clear ds of the neurons listed."""
    for s in range(len(circuit.slice_lo)):
        for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + f.count[s]):
            f.ds[f.source[x]] = 0
        f.count[s] = 0


@inner
def list_source(n, ds, circuit, f):
    """Enter a neuron with its ds, if that is not zero, into the list of its slice."""
    if ds != 0:
        s = circuit.slice_of[n]
        f.ds[n] = ds
        f.source[circuit.slice_lo[s] + f.count[s]] = n
        f.count[s] += 1


@inner
def forget_deltas(circuit, e):
    """Clear every delta: with form A and push only ds is used."""
    for s in range(len(circuit.slice_lo)):
        for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + e.count[s]):
            e.delta[e.live[x]] = 0


@inner
def push_all(t, circuit, wires, weights, active, work):
    """Send ds of step t to the presynaptic homes; there it arrives in step t - 1 and gives the errors of its active events."""
    f, a, populations = work.forms, work.activity, len(circuit.lo)
    for k in range(len(circuit.pre)):
        source = circuit.pre[k]
        if source > 0:
            if wires.listed[k]:
                push_lists(t, k, circuit, weights, f, a)
            else:
                push_rows(t, k, circuit, weights, f, a)
            arrive(t, k, circuit, f, a)
    for p in range(1, populations):
        for r in range(active.start[(t - 1) * populations + p], active.start[(t - 1) * populations + p + 1]):
            n = active.unit[r]
            total = wide(work.errors.eps[n]) * 0
            for k in range(len(circuit.pre)):
                if circuit.pre[k] == p:
                    total += wide(f.pushed[f.first[k] + n - circuit.lo[p]])
            work.errors.eps[n] = total


@inner
def push_rows(t, k, circuit, weights, f, a):
    """Sum w_ij ds_j for all i of dense projection k; every j sends a packet to each slice of i, which reads a row of the copy."""
    source, target = circuit.pre[k], circuit.post[k]
    width, lo, first = circuit.hi[target] - circuit.lo[target], circuit.lo[source], f.first[k]
    low, high = circuit.first_slice[source], circuit.first_slice[source + 1]
    for s in range(circuit.first_slice[target], circuit.first_slice[target + 1]):
        for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + f.count[s]):
            j = f.source[x] - circuit.lo[target]
            ds = wide(f.ds[f.source[x]])
            for h in range(low, high):
                a.pushed[t, s, h] += 1
                a.forms[PUSH_WORDS, t - 1, h] += circuit.copies.words[circuit.copies.rows[k] + j * (high - low) + h - low]
                a.gather_adds[t - 1, h] += circuit.slice_hi[h] - circuit.slice_lo[h]
                for i in range(circuit.slice_lo[h] - lo, circuit.slice_hi[h] - lo):
                    f.sums[first + i] += wide(weights[circuit.offset[k] + i * width + j]) * ds


@inner
def push_lists(t, k, circuit, weights, f, a):
    """As `push_rows`, for a projection whose synapses are listed."""
    source, target, c = circuit.pre[k], circuit.post[k], circuit.copies
    low, slices = circuit.first_slice[source], circuit.first_slice[source + 1] - circuit.first_slice[source]
    for s in range(circuit.first_slice[target], circuit.first_slice[target + 1]):
        for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + f.count[s]):
            j, before = f.source[x] - circuit.lo[target], -1
            ds = wide(f.ds[f.source[x]])
            for y in range(c.start[c.first[k] + j], c.start[c.first[k] + j + 1]):
                h = circuit.slice_of[circuit.lo[source] + c.pre[y]]
                if h != before:  # presynaptic neurons ascend
                    a.pushed[t, s, h] += 1
                    a.forms[PUSH_WORDS, t - 1, h] += c.words[c.rows[k] + j * slices + h - low]
                    before = h
                a.gather_adds[t - 1, h] += 1
                f.sums[f.first[k] + c.pre[y]] += wide(weights[c.weight[y]]) * ds


@inner
def arrive(t, k, circuit, f, a):
    """Decay the pushed errors of projection k and add what has arrived."""
    lo, bits = circuit.lo[circuit.pre[k]], circuit.delta_bits[circuit.pre[k]]
    for i in range(circuit.hi[circuit.pre[k]] - lo):
        n = f.first[k] + i
        if f.pushed[n] != 0:
            a.forms[PUSH_DECAYS, t - 1, circuit.slice_of[lo + i]] += 1
        if f.pushed[n] != 0 or f.sums[n] != 0:
            more = to_error(wide(f.sums[n]), circuit.back[k], circuit.unit[k])
            f.pushed[n] = saturate(decay(wide(f.pushed[n]), circuit.keep[k]) + more, bits)
            f.sums[n] = 0


@inner
def walk_sources(t, circuit, active, e, f):
    """List ds of step t again: of the records of the active log, and of the classes."""
    forget_sources(circuit, f)
    for r in range(active.start[t * len(circuit.lo)], active.start[(t + 1) * len(circuit.lo)]):
        list_source(active.unit[r], wide(active.ds[r]), circuit, f)
    for c in range(len(e.due)):
        if len(e.losses) > 0:
            list_source(circuit.lo[-1] + c, wide(e.losses[t, c]), circuit, f)
        elif e.due[c] == t or e.due[c] < 0:
            list_source(circuit.lo[-1] + c, wide(e.inject[c]), circuit, f)


@inner
def walk_traces(t, k, circuit, spikes, f, a):
    """Decay the traces of projection k and add the spikes of step t - 1; a core holds a trace of every axon that ends on it."""
    source = circuit.pre[k]
    low, high = circuit.first_slice[circuit.post[k]], circuit.first_slice[circuit.post[k] + 1]
    for i in range(circuit.hi[source] - circuit.lo[source]):
        if f.trace[f.first[k] + i] != 0:
            f.trace[f.first[k] + i] = decay(wide(f.trace[f.first[k] + i]), circuit.keep[k])
            count_axons(WALK_DECAYS, t, k, i, low, high, circuit, a)
    at = (t - 1) * len(circuit.lo) + source
    for r in range(spikes.start[at], spikes.start[at + 1]):
        i = spikes.unit[r] - circuit.lo[source]
        f.trace[f.first[k] + i] = charge(wide(f.trace[f.first[k] + i]), spikes.value[r])
        count_axons(WALK_UPDATES, t, k, i, low, high, circuit, a)


@inner
def count_axons(event, t, k, i, low, high, circuit, a):
    """Count an event at every slice low .. high - 1 at which an axon of neuron i, projection k, ends."""
    for s in range(low, high):
        if circuit.row_words[circuit.rows[k] + i * (high - low) + s - low] > 0:
            a.forms[event, t, s] += 1


@inner
def walk_rows(t, k, circuit, gradient, e, f, a):
    """Form A, dense projection k: rows with a trace meet the events of step t on their slice."""
    source, target = circuit.pre[k], circuit.post[k]
    first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    low, high = circuit.first_slice[target], circuit.first_slice[target + 1]
    for i in range(circuit.hi[source] - circuit.lo[source]):
        trace, row = wide(f.trace[f.first[k] + i]), circuit.offset[k] + i * width - first
        for s in range(low, high):
            if trace != 0 and f.count[s] > 0:
                mark = circuit.rows[k] + i * (high - low) + s - low
                e.dirty[mark] = True
                a.forms[WALK_ROWS, t, s] += 1
                a.forms[WALK_WORDS, t, s] += circuit.row_words[mark]
                a.forms[WALK_ADDS, t, s] += f.count[s]
                for x in range(circuit.slice_lo[s], circuit.slice_lo[s] + f.count[s]):
                    j = f.source[x]
                    total = wide(gradient[row + j]) + rescale(wide(f.ds[j]) * trace, TRACE_FRACTION)
                    gradient[row + j] = saturate(total, circuit.acc_bits)


@inner
def walk_lists(t, k, circuit, wires, gradient, e, f, a):
    """As `walk_rows`, for a projection whose synapses are listed."""
    source, target = circuit.pre[k], circuit.post[k]
    first, low, high = circuit.lo[target], circuit.first_slice[target], circuit.first_slice[target + 1]
    for i in range(circuit.hi[source] - circuit.lo[source]):
        trace, marks = wide(f.trace[f.first[k] + i]), circuit.rows[k] + i * (high - low) - low
        if trace == 0:
            continue
        for s in range(low, high):
            if f.count[s] > 0 and circuit.row_words[marks + s] > 0:
                a.forms[WALK_ROWS, t, s] += 1
                a.forms[WALK_WORDS, t, s] += circuit.row_words[marks + s]
        for x in range(wires.list_start[wires.first_row[k] + i], wires.list_start[wires.first_row[k] + i + 1]):
            j, n = first + wires.list_post[x], wires.list_weight[x]
            if f.ds[j] != 0:
                s = circuit.slice_of[j]
                e.dirty[marks + s] = True
                a.forms[WALK_ADDS, t, s] += 1
                gradient[n] = saturate(wide(gradient[n]) + rescale(wide(f.ds[j]) * trace, TRACE_FRACTION), circuit.acc_bits)
