"""One step of the chip, phase by phase, and the loop over the steps of a sample (docs/semantics.md section 3, docs/neurons.md).

Arrays are global over cores: a core's memory is the part of them that belongs to its slices. Spikes cross the mesh in no time inside
a step and arrive in the next one; routing is static, so what they cost is counted afterwards, by `simulator.account`.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import number, wide
from chipsim.learning.surrogate import gain_of
from chipsim.neurons.arithmetic import Now
from chipsim.neurons.contract import V
from chipsim.neurons.dispatch import update
from chipsim.simulator.deliver import deliver
from chipsim.simulator.scan import gate


@kernel
def run(steps, circuit, wires, weights, inputs, work):
    """Run one sample forward; `inputs`: a SpikeLog of the input population alone (start: [T + 1])."""
    reset(work)
    for t in range(steps):
        deliver(t, wires, weights, work.spikes, work.membranes, work.lines)
        fire(t, steps, circuit, work.membranes, work.activity)
        inject(t, circuit, inputs, work.spikes, work.activity)
        send(t, circuit, work.membranes, work.spikes, work.activity)
        remember(t, circuit, work.membranes, work.active, work.activity)
        read_out(t, circuit, work.membranes)


@kernel
def reset(work):
    """Clear the state of all cores before a sample."""
    m, a = work.membranes, work.activity
    for numbers in (m.cells.payload, m.potential, work.lines.ring):
        numbers[:] = 0
    m.cells.state[:, :] = 0
    m.score[:, :] = 0
    m.best[:] = 0
    m.last[:] = 0
    m.until[:] = 0
    m.active[:] = False
    work.lines.ring_hits[:] = False
    for counts in (a.spikes, a.active, a.marks, a.checks, a.lookups, a.busy):
        counts[:, :] = 0
    work.spikes.start[0] = 0
    work.active.start[0] = 0


@kernel
def inject(t, circuit, inputs, spikes, activity):
    """Append the input spikes of step t to the spike log."""
    at = t * len(circuit.lo)
    end = spikes.start[at]
    for e in range(inputs.start[t], inputs.start[t + 1]):
        spikes.unit[end] = inputs.unit[e]
        spikes.value[end] = inputs.value[e]
        activity.spikes[t, circuit.group_of[inputs.unit[e]]] += 1
        end += 1
    spikes.start[at + 1] = end


@kernel
def fire(t, steps, circuit, m, activity):
    """Update every compartment that is due; find who spikes, who is active and which updates count as active.

    In step 0 only biased populations act (docs/neurons.md section 1).
    """
    for p in range(1, len(circuit.lo)):
        if t > 0 or circuit.biased[p]:
            advance(t, p, circuit, m, activity)
            if circuit.learns and circuit.band[p] > 0:
                gate(t, steps, p, circuit, m, activity)
    if len(m.trace) > 0:
        m.trace[t, :, :] = m.cells.state[:2, :]


@kernel
def advance(t, p, circuit, m, activity):
    """Update the compartments of population p; on a chip with lazy decay only those that are due."""
    kind, lazy, predicate, rules, modes = circuit.kind[p], circuit.lazy[p], circuit.predicate, circuit.rules, circuit.rules.modes
    state, payload, c = m.cells.state, m.cells.payload, rules.constants
    seed, sample, run_ = m.cells.address[0], m.cells.address[1], m.cells.address[2]
    for n in range(circuit.lo[p], circuit.hi[p]):
        m.due[n] = m.touched[n] or payload[n] != 0
        if lazy and not m.due[n]:
            continue
        first, second = c[p, 0], c[p, 1]
        if lazy and t - m.last[n] > 1:
            first, second = rules.powers[p, 0, min(t - m.last[n], modes.entries)], rules.powers[p, 1, min(t - m.last[n], modes.entries)]
        k = (number(first), number(second), number(c[p, 2]), number(c[p, 3]), number(c[p, 4]), number(c[p, 5]))
        before = (number(state[0, n]), number(state[1, n]), number(state[2, n]))
        now = Now(n, t, seed, sample, run_)
        after, sent, m.potential[n] = update(kind, before, number(m.total[n]), number(payload[n]), k, now, modes)
        state[0, n], state[1, n], state[2, n], payload[n] = after[0], after[1], after[2], sent
        m.last[n] = t
        busy = m.touched[n] if predicate == 1 else (sent != 0 if predicate == 0 else after[0] != before[0])
        if lazy or busy:
            activity.busy[t, circuit.slice_of[n]] += 1


@kernel
def send(t, circuit, m, spikes, activity):
    """Append the spikes of all populations but the input to the spike log: their packets arrive in step t + 1."""
    populations = len(circuit.lo)
    for p in range(1, populations):
        end = spikes.start[t * populations + p]
        for n in range(circuit.lo[p], circuit.hi[p]):
            if m.cells.payload[n] != 0:
                spikes.unit[end] = n
                spikes.value[end] = m.cells.payload[n]
                activity.spikes[t, circuit.group_of[n]] += 1
                end += 1
        spikes.start[t * populations + p + 1] = end


@kernel
def remember(t, circuit, m, active, activity):
    """Append the active events to the active log, with the surrogate derivative g(V)."""
    populations = len(circuit.lo)
    active.start[t * populations + 1] = active.start[t * populations]
    for p in range(1, populations):
        end = active.start[t * populations + p]
        for n in range(circuit.lo[p], circuit.hi[p]):
            if m.active[n]:
                code, gain = gain_of(wide(m.potential[n]), circuit.band[p], circuit.lut, circuit.box)
                active.unit[end] = n
                active.code[end] = code
                active.gain[end] = gain
                activity.active[t, circuit.group_of[n]] += 1
                if m.cells.payload[n] == 0:
                    activity.marks[t, circuit.group_of[n]] += 1
                end += 1
        active.start[t * populations + p + 1] = end


@kernel
def read_out(t, circuit, m):
    """Follow the sum and the maximum over time of every class; out[0] = 0 counts, ties go to the first step."""
    first = circuit.lo[-1]
    for c in range(circuit.classes):
        v = wide(m.cells.state[V, first + c])
        m.score[c, 0] += v
        if v > m.score[c, 1]:
            m.score[c, 1] = v
            m.best[c] = t
