"""One step of the chip, phase by phase, and the loop over the steps of a sample (docs/semantics.md section 3, docs/neurons.md).

Arrays are global over cores: a core's memory is the part of them that belongs to its slices. Spikes cross the mesh in no time inside
a step and arrive in the next one; routing is static, so what they cost is counted afterwards, by `simulator.account`.
"""

from __future__ import annotations

from chipsim.kernels._jit import entry, inlined, inner
from chipsim.kernels.compact import append
from chipsim.kernels.fixed import number, wide
from chipsim.kernels.lane_kinds import ones, zeros_like
from chipsim.kernels.lane_math import bits
from chipsim.kernels.lanes import LANES, load_part, put, store_part, take
from chipsim.learning.surrogate import gains
from chipsim.neurons.contract import V
from chipsim.neurons.dispatch import Lists, Step, sweep
from chipsim.simulator.deliver import deliver
from chipsim.simulator.scan import CLOCKED, gate

STATE_CHANGED = 2  # of state.PREDICATES


@entry
def run(steps, circuit, wires, weights, inputs, work):
    """Run one sample forward; `inputs`: a SpikeLog of the input population alone (start: [T + 1])."""
    forward_one(steps, circuit, wires, weights, inputs, work)


@inner
def forward_one(steps, circuit, wires, weights, inputs, work):
    """As `run`, for kernels."""
    reset(work)
    for t in range(steps):
        deliver(t, wires, weights, work.spikes, work.lines)
        inject(t, circuit, inputs, work.spikes, work.activity.spikes)
        fire(t, steps, circuit, work)
        send(t, circuit, work.membranes.cells.payload, work.spikes, work.activity.spikes)
        remember(t, circuit, work.membranes, work.spikes, work.active, work.activity)
        read_out(t, circuit, work.membranes)


@inner
def reset(work):
    """Clear the state of all cores before a sample."""
    m, a = work.membranes, work.activity
    for numbers in (m.cells.payload, m.cells.potential, work.lines.ring):
        numbers[:] = 0
    m.cells.state[:, :] = 0
    m.score[:, :] = 0
    m.best[:] = 0
    m.last[:] = 0
    m.until[:] = 0
    m.active[:] = False
    work.lines.ring_hits[:] = False
    work.lines.packed[:] = 0
    work.spikes.start[0] = 0
    work.active.start[0] = 0
    clear_counts(a)


@inner
def clear_counts(a):
    """Start the counts of a sample, those of learning included: nothing of the sample before may stay."""
    for counts in (a.spikes, a.active, a.marks, a.resets, a.checks, a.lookups, a.busy):
        counts[:, :] = 0
    for counts in (a.decays, a.live, a.injected, a.row_adds, a.gather_adds):
        counts[:, :] = 0
    for counts in (a.visits, a.evaluations, a.draws, a.writes, a.optimised, a.followed, a.copied):
        counts[:, :] = 0
    a.updated[0] = 0


@inner
def count_groups(t, p, begin, end, unit, circuit, count):
    """Count the entries begin .. end - 1 of a log, all of population p, for the groups of their neurons in step t."""
    if len(count) == 0:  # accounting takes them from the log
        return
    if circuit.sole[p] >= 0:
        count[t, circuit.sole[p]] += end - begin
    else:
        for e in range(begin, end):
            count[t, circuit.group_of[unit[e]]] += 1


@inner
def inject(t, circuit, inputs, spikes, count):
    """Append the input spikes of step t to the spike log."""
    at = t * len(circuit.lo)
    begin, first, last = spikes.start[at], inputs.start[t], inputs.start[t + 1]
    for e in range(first, last, LANES):
        n, to = min(LANES, last - e), begin + e - first
        store_part(spikes.unit, to, load_part(inputs.unit, e, n), n)
        store_part(spikes.value, to, load_part(inputs.value, e, n), n)
    end = begin + last - first
    count_groups(t, 0, begin, end, spikes.unit, circuit, count)
    spikes.start[at + 1] = end


@inlined
def fire(t, steps, circuit, work):
    """Update every compartment that is due; list who spikes and who is active, find which updates count as active.

    In step 0 only biased populations act (docs/neurons.md section 1).
    """
    at, m, spikes, active, activity = t * len(circuit.lo), work.membranes, work.spikes, work.active, work.activity
    active.start[at + 1] = active.start[at]
    for p in range(1, len(circuit.lo)):
        ends = (spikes.start[at + p], active.start[at + p])
        if t > 0 or circuit.biased[p]:
            c = circuit.rules.constants
            k = (number(c[p, 0]), number(c[p, 1]), number(c[p, 2]), number(c[p, 3]), number(c[p, 4]), number(c[p, 5]))
            learns = circuit.learns and circuit.band[p] > 0 and t > 0
            band = circuit.band[p] if learns and circuit.scan == CLOCKED else zeros_like(circuit.band[p])
            lists = Lists(spikes.unit, active.unit, band)
            first, last = circuit.first_slice[p], circuit.first_slice[p + 1]
            everyone = (circuit.lo[p], circuit.hi[p])
            if circuit.lazy[p] or (learns and circuit.scan != CLOCKED):
                find_due(everyone, work.lines.touched, m.cells.payload, m.due)
            whole = not circuit.lazy[p] and circuit.predicate != STATE_CHANGED  # no slice counts while it is updated
            for s in range(first, first + 1 if whole else last):
                span = everyone if whole else (circuit.slice_lo[s], circuit.slice_hi[s])
                activity.busy[t, s], ends = advance(t, p, span, k, circuit, work, lists, ends)
            for s in range(first, last):
                span = (circuit.slice_lo[s], circuit.slice_hi[s])
                if whole:
                    activity.busy[t, s] = busy(span, circuit.predicate, work.lines.touched, m.cells.payload)
                if learns and circuit.scan == CLOCKED:
                    activity.checks[t, s] = span[1] - span[0]
                elif learns:
                    gate(t, steps, p, s, circuit, m, activity)
                    ends = (ends[0], list_active(span, m.active, active.unit, ends[1]))
        spikes.start[at + p + 1], active.start[at + p + 1] = ends
    if len(m.trace) > 0:
        record(t, m.cells.state, m.trace)


@inner
def list_active(span, active, unit, end):
    """List the active compartments of a slice; return the new end of the list."""
    for i in range(span[0], span[1], LANES):
        end = append(bits(load_part(active, i, min(LANES, span[1] - i))), i, unit, end)
    return end


@inner
def find_due(span, touched, payload, due):
    """Mark the compartments at which something arrives, or that spiked in the step before."""
    for n in range(span[0], span[1]):
        due[n] = touched[n] or payload[n] != 0


@inner
def busy(span, predicate, touched, payload):
    """Return how many updates of a slice count as active, all of which took place."""
    count = 0
    for i in range(span[0], span[1], LANES):
        n = min(LANES, span[1] - i)
        count += ones(bits(load_part(touched, i, n)) if predicate == 1 else bits(load_part(payload, i, n) != 0))
    return count


@inlined
def advance(t, p, span, k, circuit, work, lists, ends):
    """Update the compartments in `span`, all at once or, with lazy decay, one by one those that are due.

    k: constants of the population. Returns how many V changed (with lazy decay how many updates took place, all of which count as
    active), and the new ends of the lists.
    """
    n, end, moved, count, powers, modes = span[0], span[1], 0, 0, circuit.rules.powers, circuit.rules.modes
    m, address = work.membranes, work.membranes.cells.address
    while n < end:  # one call of `sweep` for both ways, since it is pasted in here
        words, after = k, end
        if circuit.lazy[p]:
            after = n + 1
            if not m.due[n]:
                n = after
                continue
            if t - m.last[n] > 1:
                since = min(t - m.last[n], modes.entries)
                words = (number(powers[p, 0, since]), number(powers[p, 1, since]), k[2], k[3], k[4], k[5])
            m.last[n] = t
            count += 1
        step = Step(n, t, words, (address[0], address[1], address[2]), modes)
        found, ends = sweep(circuit.kind[p], after, step, work.lines.total, m.cells, lists, ends)
        moved, n = moved + found, after
    return count if circuit.lazy[p] else moved, ends


@inner
def record(t, state, trace):
    """Keep V and the second variable of every compartment."""
    for n in range(state.shape[1]):
        trace[t, 0, n] = state[0, n]
        trace[t, 1, n] = state[1, n]


@inner
def send(t, circuit, payload, spikes, count):
    """Complete the spikes of step t in the log of all populations but the input: their packets arrive in step t + 1."""
    for p in range(1, len(circuit.lo)):
        at = t * len(circuit.lo) + p
        begin, end = spikes.start[at], spikes.start[at + 1]
        for e in range(begin, end):
            put(spikes.value, e, take(payload, take(spikes.unit, e)))
        count_groups(t, p, begin, end, spikes.unit, circuit, count)


@inner
def remember(t, circuit, m, spikes, active, activity):
    """Complete the active events of step t with the surrogate derivative g(V); count own spikes that are logged beside."""
    for p in range(1, len(circuit.lo) if circuit.learns else 1):
        at = t * len(circuit.lo) + p
        begin, end = active.start[at], active.start[at + 1]
        for e in range(begin, end):
            put(active.gain, e, take(m.cells.potential, take(active.unit, e)))
        gains(circuit.theta[p], circuit.edge[p], begin, end, circuit.lut, circuit.shape, active.gain, active.code)
        count_groups(t, p, begin, end, active.unit, circuit, activity.active)
        if not circuit.push:
            count_silent(t, p, begin, end, active.unit, circuit, m.cells.payload, activity.marks)
        if circuit.resets[p] and circuit.learns and t > 0:
            count_passive(t, p, spikes.start[at], spikes.start[at + 1], spikes.unit, circuit, m, activity.resets)


@inner
def count_silent(t, p, begin, end, unit, circuit, payload, count):
    """Count the active events begin .. end - 1 of population p that are no spikes."""
    if circuit.sole[p] >= 0:
        silent = 0
        for e in range(begin, end):
            silent += take(payload, take(unit, e)) == 0
        count[t, circuit.sole[p]] += silent
    else:
        for e in range(begin, end):
            count[t, circuit.group_of[unit[e]]] += payload[unit[e]] == 0


@inner
def count_passive(t, p, begin, end, unit, circuit, m, count):
    """Count the spikes begin .. end - 1 of population p whose neuron is not active."""
    for e in range(begin, end):
        n = unit[e]
        is_active = abs(m.cells.potential[n]) < circuit.band[p] if circuit.scan == CLOCKED else m.active[n]
        count[t, circuit.group_of[n]] += not is_active


@inner
def read_out(t, circuit, m):
    """Follow the sum and the maximum over time of every class; out[0] = 0 counts, ties go to the first step."""
    first = circuit.lo[-1]
    for c in range(circuit.classes):
        v = wide(m.cells.state[V, first + c])
        m.score[c, 0] += v
        if v > m.score[c, 1]:
            m.score[c, 1] = v
            m.best[c] = t
