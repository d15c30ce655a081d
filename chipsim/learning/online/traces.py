"""Traces and synapse states of online rules: decay, impulses, and the lists of what is not zero (docs/online.md sections 1 and 2)."""

from __future__ import annotations

from chipsim.kernels._jit import by_number, inner
from chipsim.kernels.fixed import decay_as, scaled, wide
from chipsim.kernels.random import random_word
from chipsim.learning.online.state import STATE_DECAYS, TRACE_DECAYS, TRACE_UPDATES

STOCHASTIC = 3


def _chance_fixed(x, rounding, stream, entry, step, address):
    """Return 12 random bits for a decay that rounds stochastically, else 0."""
    if rounding != STOCHASTIC:
        return 0
    return random_word(address[0], stream, entry, step, address[1], address[2]) & 4095


def _chance_float(x, rounding, stream, entry, step, address):
    return 0


def _at_most_fixed(x, top):
    """Saturate an unsigned value."""
    return min(x, top)


def _at_most_float(x, top):
    return x


chance = by_number(_chance_fixed, _chance_float)
at_most = by_number(_at_most_fixed, _at_most_float)


@inner
def start(walk):
    """Clear the state before a sample."""
    walk.pre[:, :] = 0
    walk.current[:, :] = 0
    walk.post[:, :] = 0
    walk.synapse[:, :] = 0
    walk.count[:] = 0


@inner
def faded(x, a, q, entry, step, field, address):
    """Return the value of field a after one decay with the word of q."""
    return decay_as(
        x, wide(field.word[a, q]), field.rounding[a], chance(x, field.rounding[a], field.stream[a], entry, step, address)
    )


@inner
def advance_pre(t, k, circuit, wires, setup, walk, spikes, address):
    """Bring the pre traces of projection k from index t to t + 1, and list the neurons with a trace that is not zero."""
    source, first = circuit.pre[k], setup.first[k]
    at = t * len(circuit.lo) + source
    for a in range(len(walk.pre)):
        if not setup.read[a, k]:
            continue
        staged = setup.current.word[a, k] != 0
        for v in range(walk.count[k]):
            i = walk.live[first + v]
            n, changed = first + i, 0
            if walk.pre[a, n] != 0:
                walk.pre[a, n] = faded(wide(walk.pre[a, n]), a, k, n, t + 1, setup.pre, address)
                changed += 1
            if walk.current[a, n] != 0:
                entry = walk.pre.shape[1] + n
                walk.current[a, n] = faded(wide(walk.current[a, n]), a, k, entry, t + 1, setup.current, address)
                changed += 1
            count_copies(TRACE_DECAYS, changed, t, k, i, circuit, wires, walk)
        for r in range(spikes.start[at], spikes.start[at + 1]):
            i = spikes.unit[r] - circuit.lo[source]
            n, more = first + i, scaled(wide(setup.pre.impulse[a]), spikes.value[r])
            if staged:
                walk.current[a, n] = at_most(wide(walk.current[a, n]) + more, setup.pre.top[a])
            else:
                walk.pre[a, n] = at_most(wide(walk.pre[a, n]) + more, setup.pre.top[a])
            count_copies(TRACE_UPDATES, 1, t, k, i, circuit, wires, walk)
        if staged:
            pass_on(t, k, a, circuit, wires, setup, walk)
    list_live(first, circuit.hi[source] - circuit.lo[source], k, walk)


@inner
def pass_on(t, k, a, circuit, wires, setup, walk):
    """Add the first stage of field a of projection k to the second."""
    first, source = setup.first[k], circuit.pre[k]
    for i in range(circuit.hi[source] - circuit.lo[source]):
        n = first + i
        if walk.current[a, n] != 0:
            walk.pre[a, n] = at_most(wide(walk.pre[a, n]) + wide(walk.current[a, n]), setup.pre.top[a])
            count_copies(TRACE_UPDATES, 1, t, k, i, circuit, wires, walk)


@inner
def count_copies(row, amount, t, k, i, circuit, wires, walk):
    """Count what happens to a trace of neuron i: every core with synapses of i in projection k keeps a copy."""
    low, high = circuit.first_slice[circuit.post[k]], circuit.first_slice[circuit.post[k] + 1]
    mark = circuit.rows[k] + i * (high - low) - low
    for s in range(low, high):
        if not wires.listed[k] or circuit.row_words[mark + s] > 0:
            walk.counts[row, t, s] += amount


@inner
def list_live(first, size, k, walk):
    """List the presynaptic neurons of projection k that have a trace."""
    count = 0
    for i in range(size):
        for a in range(len(walk.pre)):
            if walk.pre[a, first + i] != 0 or walk.current[a, first + i] != 0:
                walk.live[first + count] = i
                count += 1
                break
    walk.count[k] = count


@inner
def advance_post(t, p, circuit, setup, walk, spikes, address):
    """Bring the post traces of population p from index t to t + 1."""
    at = t * len(circuit.lo) + p
    for b in range(len(walk.post)):
        for n in range(circuit.lo[p], circuit.hi[p]):
            if walk.post[b, n] != 0:
                walk.post[b, n] = faded(wide(walk.post[b, n]), b, p, n, t + 1, setup.post, address)
                walk.counts[TRACE_DECAYS, t, circuit.slice_of[n]] += 1
        if setup.post.impulse[b] != 0:
            for r in range(spikes.start[at], spikes.start[at + 1]):
                n = spikes.unit[r]
                total = wide(walk.post[b, n]) + wide(setup.post.impulse[b])
                walk.post[b, n] = at_most(total, setup.post.top[b])
                walk.counts[TRACE_UPDATES, t, circuit.slice_of[n]] += 1


@inner
def decay_synapses(t, k, circuit, wires, setup, walk, address):
    """Decay every synapse state of projection k that is not zero."""
    source, target = circuit.pre[k], circuit.post[k]
    lo, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
    for c in range(len(walk.synapse)):
        if not setup.kept[c, k]:
            continue
        for i in range(circuit.hi[source] - circuit.lo[source]):
            if wires.listed[k]:
                row = wires.first_row[k] + i
                for x in range(wires.list_start[row], wires.list_start[row + 1]):
                    changed = decay_one(c, wires.list_weight[x], k, t, setup, walk, address)
                    walk.counts[STATE_DECAYS, t, circuit.slice_of[lo + wires.list_post[x]]] += changed
            else:
                row = circuit.offset[k] + i * width - lo
                for s in range(circuit.first_slice[target], circuit.first_slice[target + 1]):
                    changed = 0
                    for n in range(row + circuit.slice_lo[s], row + circuit.slice_hi[s]):
                        changed += decay_one(c, n, k, t, setup, walk, address)
                    walk.counts[STATE_DECAYS, t, s] += changed


@inner
def decay_one(c, n, k, t, setup, walk, address):
    """Decay state c of synapse n unless it is zero; return 1 if it was touched, else 0."""
    if walk.synapse[c, n] == 0:
        return 0
    walk.synapse[c, n] = faded(wide(walk.synapse[c, n]), c, k, n, t + 1, setup.synapse, address)
    return 1
