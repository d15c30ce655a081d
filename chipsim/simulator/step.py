"""One step of the chip, phase by phase, and the loop over the steps of a sample (docs/semantics.md section 3).

Arrays are global over cores: a core's memory is the part of them that belongs to its slices. Spikes cross the mesh in no time inside
a step and arrive in the next one; routing is static, so what they cost is counted afterwards, by `simulator.account`.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import weigh, wide
from chipsim.learning.surrogate import gain_of
from chipsim.neurons.dispatch import update


@kernel
def run(steps, circuit, weights, inputs, work):
    """Run one sample forward; `inputs`: a SpikeLog of the input population alone (start: [T + 1])."""
    reset(circuit, work)
    inject(0, circuit, inputs, work.spikes, work.activity)
    close(0, circuit, work)
    for t in range(1, steps):
        deliver(t, circuit, weights, work.spikes, work.membranes)
        fire(t, circuit, work.membranes, work.activity)
        inject(t, circuit, inputs, work.spikes, work.activity)
        send(t, circuit, work.membranes, work.spikes, work.activity)
        remember(t, circuit, work.membranes, work.active, work.activity)
        read_out(t, circuit, work.membranes)


@kernel
def reset(circuit, work):
    """Clear the state of all cores before a sample."""
    m, a = work.membranes, work.activity
    m.v[:] = 0
    m.spiked[:] = False
    m.score[:] = 0
    m.best[:] = 0
    for counts in (a.spikes, a.active, a.marks, a.busy):
        counts[:] = 0
    if len(m.trace) > 0:
        m.trace[0, :] = 0
    work.spikes.start[0] = 0
    work.active.start[0] = 0


@kernel
def close(t, circuit, work):
    """End step 0, in which no hidden neuron spikes or is active."""
    populations = len(circuit.lo)
    for p in range(1, populations):
        work.spikes.start[t * populations + p + 1] = work.spikes.start[t * populations + p]
    for p in range(populations):
        work.active.start[t * populations + p + 1] = 0


@kernel
def inject(t, circuit, inputs, spikes, activity):
    """Append the input spikes of step t to the spike log."""
    at = t * len(circuit.lo)
    end = spikes.start[at]
    for e in range(inputs.start[t], inputs.start[t + 1]):
        spikes.unit[end] = inputs.unit[e]
        spikes.value[end] = inputs.value[e]
        activity.spikes[t, circuit.slice_of[inputs.unit[e]]] += 1
        end += 1
    spikes.start[at + 1] = end


@kernel
def deliver(t, circuit, weights, spikes, m):
    """Add the weight row of every spike of step t - 1 to the accumulators of its targets."""
    m.total[:] = 0
    m.arrivals[:] = 0
    for k in range(len(circuit.pre)):
        source, target = circuit.pre[k], circuit.post[k]
        first, width = circuit.lo[target], circuit.hi[target] - circuit.lo[target]
        at = (t - 1) * len(circuit.lo) + source
        m.arrivals[target] += spikes.start[at + 1] - spikes.start[at]
        for e in range(spikes.start[at], spikes.start[at + 1]):
            row = circuit.offset[k] + (spikes.unit[e] - circuit.lo[source]) * width
            value, up = spikes.value[e], circuit.up[k]
            for j in range(width):
                m.total[first + j] += weigh(weights[row + j], value, up)


@kernel
def fire(t, circuit, m, activity):
    """Update every compartment; find who spikes, who is active and which updates count as active."""
    for p in range(1, len(circuit.lo)):
        kind, word, theta, bits, band = circuit.kind[p], circuit.decay[p], circuit.theta[p], circuit.v_bits[p], circuit.band[p]
        for n in range(circuit.lo[p], circuit.hi[p]):
            before = wide(m.v[n])
            v = update(kind, before, wide(m.total[n]), m.spiked[n], word, theta, bits)
            m.v[n] = v
            m.spiked[n] = circuit.fires[p] and v > theta
            m.active[n] = circuit.learns and abs(v - theta) < band
            if circuit.predicate == 0:
                touched = m.spiked[n]
            elif circuit.predicate == 1:
                touched = m.arrivals[p] > 0
            else:
                touched = v != before
            if touched:
                activity.busy[t, circuit.slice_of[n]] += 1
            if len(m.trace) > 0:
                m.trace[t, n] = v


@kernel
def send(t, circuit, m, spikes, activity):
    """Append the spikes of the hidden populations to the spike log: their packets arrive in step t + 1."""
    populations = len(circuit.lo)
    for p in range(1, populations):
        end = spikes.start[t * populations + p]
        for n in range(circuit.lo[p], circuit.hi[p]):
            if m.spiked[n]:
                spikes.unit[end] = n
                spikes.value[end] = 1
                activity.spikes[t, circuit.slice_of[n]] += 1
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
                code, gain = gain_of(wide(m.v[n]) - circuit.theta[p], circuit.band[p], circuit.lut, circuit.box)
                active.unit[end] = n
                active.code[end] = code
                active.gain[end] = gain
                activity.active[t, circuit.slice_of[n]] += 1
                if not m.spiked[n]:
                    activity.marks[t, circuit.slice_of[n]] += 1
                end += 1
        active.start[t * populations + p + 1] = end


@kernel
def read_out(t, circuit, m):
    """Follow the sum and the maximum over time of every class; out[0] = 0 counts, ties go to the first step."""
    first = circuit.lo[-1]
    for c in range(len(m.best)):
        v = wide(m.v[first + c])
        m.score[c, 0] += v
        if v > m.score[c, 1]:
            m.score[c, 1] = v
            m.best[c] = t
