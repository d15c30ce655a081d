"""One step of the chip, phase by phase, and the loop over the steps of a sample (docs/semantics.md section 3, docs/neurons.md).

Arrays are global over cores: a core's memory is the part of them that belongs to its slices. Spikes cross the mesh in no time inside
a step and arrive in the next one; routing is static, so what they cost is counted afterwards, by `simulator.account`.
"""

from __future__ import annotations

from chipsim.kernels._jit import entry, inlined, inner
from chipsim.kernels.fixed import number, wide
from chipsim.learning.surrogate import gain_of, in_thresholds
from chipsim.neurons.contract import V
from chipsim.neurons.dispatch import sweep
from chipsim.simulator.deliver import deliver
from chipsim.simulator.scan import CLOCKED, gate, gate_all

STATE_CHANGED = 2  # of state.PREDICATES


@entry
def run(steps, circuit, wires, weights, inputs, work):
    """Run one sample forward; `inputs`: a SpikeLog of the input population alone (start: [T + 1])."""
    reset(work)
    for t in range(steps):
        deliver(t, wires, weights, work.spikes, work.lines)
        fire(t, steps, circuit, work.membranes, work.lines, work.activity)
        inject(t, circuit, inputs, work.spikes, work.activity.spikes)
        send(t, circuit, work.membranes.cells.payload, work.spikes, work.activity.spikes)
        remember(t, circuit, work.membranes, work.active, work.activity)
        read_out(t, circuit, work.membranes)


@inner
def reset(work):
    """Clear the state of all cores before a sample."""
    m, a = work.membranes, work.activity
    for numbers in (m.cells.payload, m.cells.potential, work.lines.ring):
        numbers[:] = 0
    work.lines.packed[:] = 0
    m.cells.state[:, :] = 0
    m.score[:, :] = 0
    m.best[:] = 0
    m.last[:] = 0
    m.until[:] = 0
    m.active[:] = False
    work.lines.ring_hits[:] = False
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
def inject(t, circuit, inputs, spikes, count):
    """Append the input spikes of step t to the spike log."""
    at = t * len(circuit.lo)
    end = spikes.start[at]
    for e in range(inputs.start[t], inputs.start[t + 1]):
        spikes.unit[end] = inputs.unit[e]
        spikes.value[end] = inputs.value[e]
        if len(count) > 0:
            count[t, circuit.group_of[inputs.unit[e]]] += 1
        end += 1
    spikes.start[at + 1] = end


@inlined
def fire(t, steps, circuit, m, lines, activity):
    """Update every compartment that is due; find who spikes, who is active and which updates count as active.

    In step 0 only biased populations act (docs/neurons.md section 1).
    """
    for p in range(1, len(circuit.lo)):
        if t > 0 or circuit.biased[p]:
            c = circuit.rules.constants
            k = (number(c[p, 0]), number(c[p, 1]), number(c[p, 2]), number(c[p, 3]), number(c[p, 4]), number(c[p, 5]))
            learns = circuit.learns and circuit.band[p] > 0 and t > 0
            first, last = circuit.first_slice[p], circuit.first_slice[p + 1]
            everyone = (circuit.lo[p], circuit.hi[p])
            if circuit.lazy[p] or (learns and circuit.scan != CLOCKED):
                find_due(everyone, lines.touched, m.cells.payload, m.due)
            whole = not circuit.lazy[p] and circuit.predicate != STATE_CHANGED  # no slice counts while it is updated
            for s in range(first, first + 1 if whole else last):
                span = everyone if whole else (circuit.slice_lo[s], circuit.slice_hi[s])
                activity.busy[t, s] = advance(t, p, span, k, circuit, m, lines)
            for s in range(first, last):
                span = (circuit.slice_lo[s], circuit.slice_hi[s])
                if whole:
                    activity.busy[t, s] = busy(span, circuit.predicate, lines.touched, m.cells.payload)
                if learns and circuit.scan == CLOCKED:
                    gate_all(span, circuit.band[p], m.cells.potential, m.active)
                    activity.checks[t, s] = span[1] - span[0]
                elif learns:
                    gate(t, steps, p, s, circuit, m, activity)
    if len(m.trace) > 0:
        record(t, m.cells.state, m.trace)


@inner
def find_due(span, touched, payload, due):
    """Mark the compartments at which something arrives, or that spiked in the step before."""
    for n in range(span[0], span[1]):
        due[n] = touched[n] or payload[n] != 0


@inner
def busy(span, predicate, touched, payload):
    """Return how many updates of a slice count as active, all of which took place."""
    count = 0
    for n in range(span[0], span[1]):
        count += touched[n] if predicate == 1 else payload[n] != 0
    return count


@inlined
def advance(t, p, span, k, circuit, m, lines):
    """Update the compartments in `span`, all at once or, with lazy decay, one by one those that are due.

    k: constants of the population. Returns how many V changed; with lazy decay how many updates took place, all of which count as active.
    """
    n, end, moved, count, powers, modes = span[0], span[1], 0, 0, circuit.rules.powers, circuit.rules.modes
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
        moved += sweep(circuit.kind[p], n, after, t, words, lines.total, m.cells, modes)
        n = after
    return count if circuit.lazy[p] else moved


@inner
def record(t, state, trace):
    """Keep V and the second variable of every compartment."""
    for n in range(state.shape[1]):
        trace[t, 0, n] = state[0, n]
        trace[t, 1, n] = state[1, n]


@inner
def send(t, circuit, payload, spikes, count):
    """Append the spikes of all populations but the input to the spike log: their packets arrive in step t + 1."""
    populations = len(circuit.lo)
    for p in range(1, populations):
        end = spikes.start[t * populations + p]
        for n in range(circuit.lo[p], circuit.hi[p]):
            if payload[n] != 0:
                spikes.unit[end] = n
                spikes.value[end] = payload[n]
                if len(count) > 0:
                    count[t, circuit.group_of[n]] += 1
                end += 1
        spikes.start[t * populations + p + 1] = end


@inner
def remember(t, circuit, m, active, activity):
    """Append the active events to the active log, with the surrogate derivative g(V); count own spikes that are logged beside."""
    if not circuit.learns:
        return
    populations = len(circuit.lo)
    active.start[t * populations + 1] = active.start[t * populations]
    for p in range(1, populations):
        end, own = active.start[t * populations + p], circuit.resets[p] and circuit.learns and t > 0
        for n in range(circuit.lo[p], circuit.hi[p]):
            if m.active[n]:
                u = in_thresholds(wide(m.cells.potential[n]), circuit.theta[p])
                code, gain = gain_of(u, circuit.edge[p], circuit.lut, circuit.shape)
                active.unit[end] = n
                active.code[end] = code
                active.gain[end] = gain
                activity.active[t, circuit.group_of[n]] += 1
                if m.cells.payload[n] == 0 and not circuit.push:
                    activity.marks[t, circuit.group_of[n]] += 1
                end += 1
            elif own and m.cells.payload[n] != 0:
                activity.resets[t, circuit.group_of[n]] += 1
        active.start[t * populations + p + 1] = end


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
