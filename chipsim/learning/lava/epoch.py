"""What learning projections do in one step (docs/lava-learning.md section 3): take its spikes and, at the end of an epoch, learn."""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.learning.lava.synapses import change
from chipsim.learning.lava.traces import commit, post_spikes, pre_spikes, replay

EPOCH_DRAWS = 5  # decay and impulse of both sides, and the rounding of what is written


@inner
def forget(learning):
    """Clear traces, tags, delays and counts before a sample."""
    memory, counts = learning.memory, learning.counts
    for side in (memory.x, memory.y):
        side.values[:, :] = 0
        side.times[:] = 0
    memory.seen[:] = -1
    memory.tag[:] = 0
    memory.delay[:] = 0
    memory.lowest_count[:] = 0
    for counted in (counts.visits, counts.evaluations, counts.terms, counts.draws, counts.writes, counts.traces):
        counted[:, :] = 0


@inner
def learn(t, circuit, weights, spikes, learning):
    """Learn from the spikes of step t, at every learning projection."""
    program, memory, populations = learning.program, learning.memory, len(circuit.lo)
    for q in range(len(program.pre)):
        length = program.length[q]
        now = t % length + 1
        pre, post = t * populations + program.pre[q], t * populations + program.post[q]
        pre_spikes(t, q, now, (spikes.start[pre], spikes.start[pre + 1]), spikes, program, memory)
        span = (spikes.start[post], spikes.start[post + 1])
        post_spikes(t, q, now, span, spikes, learning.draws.y_impulse, circuit.slice_of, learning)
        if now == length:
            end_epoch(t, q, circuit, weights, learning)
    if len(learning.history.x) > 0:
        keep_traces(t, learning)
    if len(learning.history.synapse) > 0:
        keep_synapses(t, weights, learning)


@inner
def end_epoch(t, q, circuit, weights, learning):
    """Update traces and synapses of projection q after step t, the last of an epoch."""
    program, memory, draws, length = learning.program, learning.memory, learning.draws, learning.program.length[q]
    at, epoch, post = 2 * (t + 1), (t + 1) // length, program.post[q]
    u = program.period[q] > 0 and epoch % program.period[q] == 0
    x = (program.side[q, 0], program.side[q, 0] + program.size[q, 0])
    y = (program.side[q, 1], program.side[q, 1] + program.size[q, 1])
    constants = (program.whole[q], program.part[q], program.keep[q])
    live = replay(x, length, 0, constants, (draws.x_decay[q, at], draws.x_impulse[q, at]), memory.x)
    replay(y, length, 2, constants, (draws.y_decay[q, at], draws.y_impulse[q, at]), memory.y)
    chance = draws.write[epoch]
    raise_lowest(t, q, u, chance, circuit.slice_of, weights, learning)
    for s in range(circuit.first_slice[post], circuit.first_slice[post + 1]):
        span = (circuit.slice_lo[s] - program.unit[q, 1], circuit.slice_hi[s] - program.unit[q, 1])
        update_slice(t, q, s, span, u, chance, weights, learning)
        learning.counts.draws[t, s] += EPOCH_DRAWS
        learning.counts.traces[t, s] += live * program.read[q, 0]
        for n in range(y[0] + span[0], y[0] + span[1]):
            if memory.y.live[n]:
                learning.counts.traces[t, s] += program.read[q, 1]
    commit(x, length, memory.x, False)
    commit(y, length, memory.y, program.given[q])


@inner
def row_is_due(q, j, u, learning):
    """Return whether all synapses of presynaptic neuron j are visited: u, or it spiked and a term depends on x0."""
    program = learning.program
    return u or (program.when[q, 0] and learning.memory.x.times[program.side[q, 0] + j] > 0)


@inner
def update_slice(t, q, s, span, u, chance, weights, learning):
    """Visit the synapses of slice s at which something depends on a spike or on u; span: its postsynaptic neurons."""
    program, memory, counts = learning.program, learning.memory, learning.counts
    spiked, found, terms, writes, rows = memory.spiked, 0, 0, 0, 0
    if program.when[q, 1]:
        for i in range(span[0], span[1]):
            if memory.y.times[program.side[q, 1] + i] > 0:
                spiked[found] = i
                found += 1
    for j in range(program.size[q, 0]):
        whole = row_is_due(q, j, u, learning)
        rows += whole
        for n in range(span[1] - span[0] if whole else found):
            evaluated, changed = change(q, j, span[0] + n if whole else spiked[n], u, chance, weights, learning)
            terms += evaluated
            writes += changed
    single, width = program.size[q, 0] - rows, span[1] - span[0]
    counts.visits[t, s] += rows * program.words[q, s] + single * min(found, program.words[q, s])
    counts.evaluations[t, s] += rows * width + single * found
    counts.terms[t, s] += terms
    counts.writes[t, s] += writes


@inner
def raise_lowest(t, q, u, chance, slice_of, weights, learning):
    """Visit the synapses whose tag is -257 and that nothing else makes due: at the end of an epoch most become -256."""
    program, memory, counts = learning.program, learning.memory, learning.counts
    count, first = memory.lowest_count[q], program.synapse[q]
    memory.lowest_count[q] = 0
    for n in range(count):  # those that stay are put back below n
        j, i = memory.lowest[first + n] // program.size[q, 1], memory.lowest[first + n] % program.size[q, 1]
        by_post = program.when[q, 1] and memory.y.times[program.side[q, 1] + i] > 0
        if not (by_post or row_is_due(q, j, u, learning)):
            evaluated, changed = change(q, j, i, u, chance, weights, learning)
            s = slice_of[program.unit[q, 1] + i]
            counts.visits[t, s] += 1
            counts.evaluations[t, s] += 1
            counts.writes[t, s] += changed


@inner
def keep_traces(t, learning):
    """Record all traces after step t."""
    history, x, y = learning.history, learning.memory.x.values, learning.memory.y.values
    for n in range(x.shape[1]):
        for v in range(2):
            history.x[t, v, n] = x[v, n]
    for n in range(y.shape[1]):
        for v in range(3):
            history.y[t, v, n] = y[v, n]


@inner
def keep_synapses(t, weights, learning):
    """Record weights, tags and delays of all learning projections after step t."""
    program, memory, history = learning.program, learning.memory, learning.history
    for q in range(len(program.pre)):
        first, w = program.synapse[q], program.weight[q]
        for n in range(program.size[q, 0] * program.size[q, 1]):
            history.synapse[t, 0, first + n] = weights[w + n]
            history.synapse[t, 1, first + n] = memory.tag[first + n]
            history.synapse[t, 2, first + n] = memory.delay[first + n]
