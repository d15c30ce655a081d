"""The replay of a sample: all populations in lock-step, one step of time after another backward (docs/semantics.md section 5)."""

from __future__ import annotations

from chipsim.kernels._jit import entry, inner
from chipsim.kernels.fixed import wide
from chipsim.learning.inplace import write_lists, write_rows
from chipsim.learning.ssgd import (
    add_lists,
    add_rows,
    clear_errors,
    evaluate,
    gather_lists,
    gather_rows,
    inject,
    is_dense,
    list_live,
)
from chipsim.neurons.dispatch import sweep_back


@entry
def replay(steps, circuit, wires, weights, gradient, work):
    """Replay one sample and add its gradient to `gradient` ([W] number, scale of delta); call `start_backward` first."""
    replay_one(steps, circuit, wires, weights, gradient, work)


@inner
def replay_one(steps, circuit, wires, weights, gradient, work):
    """As `replay`, for kernels."""
    e, a = work.errors, work.activity
    e.past[:, :] = 0
    for t in range(steps - 1, 0, -1):
        step_back(t, circuit, work, False)
        for k in range(len(circuit.pre)):
            if wires.listed[k]:
                add_lists(t, k, circuit, wires, gradient, work.spikes, e, a)
                gather_lists(t, k, circuit, wires, weights, work.active, e, a)
            else:
                add_rows(t, k, circuit, gradient, work.spikes, e, a)
                gather_rows(t, k, circuit, weights, work.active, e, a)
        keep_deltas(t, e)


@entry
def replay_inplace(steps, circuit, wires, weights, how, address, work):
    """Replay one sample and write its weights on the way (fixed point); `how` and `address` as in `learning.writes`."""
    e, a = work.errors, work.activity
    e.past[:, :] = 0
    for t in range(steps - 1, 0, -1):
        step_back(t, circuit, work, True)
        for k in range(len(circuit.pre)):
            if wires.listed[k]:
                gather_lists(t, k, circuit, wires, weights, work.active, e, a)
            else:
                gather_rows(t, k, circuit, weights, work.active, e, a)
        for k in range(len(circuit.pre)):
            if wires.listed[k]:
                write_lists(t, k, circuit, wires, weights, how, address, work)
            else:
                write_rows(t, k, circuit, weights, how, address, work)
        keep_deltas(t, e)


@inner
def keep_deltas(t, e):
    """Enter the deltas of step t into the ring, for synapses with delays."""
    if len(e.past) > 0:
        for n in range(len(e.delta)):
            e.past[t % len(e.past), n] = e.delta[n]


@inner
def step_back(t, circuit, work, listed):
    """Replay step t of all neurons: what their events get, their backward variables, and room for the errors that come next.

    listed: non-zero deltas are listed even where the rows do not need it.
    """
    evaluate(t, circuit, work.active, work.errors)
    inject(t, circuit, work.errors, work.activity)
    sweep_all(t, circuit, work.spikes, work.errors, work.activity, listed)
    for s in range(len(circuit.slice_lo) if len(work.errors.past) > 0 else 0):
        meet_ring(t, s, circuit, work.errors, work.activity)
    clear_errors(t - 1, circuit, work.active, work.errors)


@inner
def meet_ring(t, s, circuit, e, a):
    """Count the deltas of slice s that rows of step t may meet after a delay beside those of the step itself."""
    for d in range(1, circuit.ring[s] + 1):
        for n in range(circuit.slice_lo[s], circuit.slice_hi[s]):
            a.live[t, s] += e.past[(t + d) % len(e.past), n] != 0


@inner
def sweep_all(t, circuit, spikes, e, a, listed):
    """Step all backward variables; list the non-zero deltas of every slice, of populations with many only if `listed`."""
    constants, populations = circuit.rules.constants, len(circuit.lo)
    for p in range(1, populations):
        log = range(spikes.start[t * populations + p], spikes.start[t * populations + p + 1])
        k = (wide(constants[p, 0]), wide(constants[p, 1]), wide(constants[p, 2]), wide(constants[p, 3]))
        if circuit.resets[p]:
            for r in log:
                e.fired[spikes.unit[r]] = True
        for s in range(circuit.first_slice[p], circuit.first_slice[p + 1]):
            decays, live = sweep_back(circuit.kind[p], circuit.slice_lo[s], circuit.slice_hi[s], k, circuit.delta_bits[p], e)
            a.decays[t, s] = decays
            a.live[t, s] = live
            e.count[s] = live
        if listed or not is_dense(p, circuit, e.count):
            for s in range(circuit.first_slice[p], circuit.first_slice[p + 1]):
                list_live(circuit.slice_lo[s], circuit.slice_hi[s], e)
        if circuit.resets[p]:
            for r in log:
                e.fired[spikes.unit[r]] = False
