"""`apply = "inplace"`: form B writes the weight at once, without accumulators (docs/semantics.md section 6). This is not SSGD.

In replay step t all errors are gathered first; then every logged spike (i, t-1) moves the weights of its row by the deltas that are not
zero. Errors of earlier steps are gathered through the rows as they then are.
"""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import wide
from chipsim.learning.ssgd import due
from chipsim.learning.writes import change, draws


@inner
def write_rows(t, k, circuit, weights, how, address, work):
    """Write the rows of dense projection k; how: see `learning.writes.How`."""
    e, a, spikes = work.errors, work.activity, work.spikes
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
                a.visits[t, s] += circuit.row_words[circuit.rows[k] + i * (high - low) + s - low]
                a.evaluations[t, s] += count
                a.draws[t, s] += count if draws(how.policy) else 0
            for x in range(begin, begin + count):
                j = e.live[x]
                a.writes[t, s] += change(row + j, wide(e.delta[j]), t, k, weights, how, address)


@inner
def write_lists(t, k, circuit, wires, weights, how, address, work):
    """As `write_rows`, for a projection whose synapses are listed."""
    e, a, spikes = work.errors, work.activity, work.spikes
    source, first, low = circuit.pre[k], circuit.lo[circuit.post[k]], circuit.first_slice[circuit.post[k]]
    slices = circuit.first_slice[circuit.post[k] + 1] - low
    at = (t - 1) * len(circuit.lo) + source
    for r in range(spikes.start[at], spikes.start[at + 1]):
        i = spikes.unit[r] - circuit.lo[source]
        read = -1  # slice whose part of the row was written last: targets ascend
        for x in range(wires.list_start[wires.first_row[k] + i], wires.list_start[wires.first_row[k] + i + 1]):
            j = first + wires.list_post[x]
            delta = due(t, x, j, wires, e)
            if delta != 0:
                s = circuit.slice_of[j]
                if s != read:
                    a.visits[t, s] += circuit.row_words[circuit.rows[k] + i * slices + s - low]
                    read = s
                a.evaluations[t, s] += 1
                a.draws[t, s] += 1 if draws(how.policy) else 0
                a.writes[t, s] += change(wires.list_weight[x], wide(delta), t, k, weights, how, address)
