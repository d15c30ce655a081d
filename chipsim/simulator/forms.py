"""The replay of a sample in form A, with pushed errors, or both (docs/semantics.md section 5)."""

from __future__ import annotations

from chipsim.kernels._jit import entry, inner
from chipsim.kernels.fixed import wide
from chipsim.learning.forms import (
    forget_deltas,
    forget_sources,
    list_source,
    push_all,
    walk_lists,
    walk_rows,
    walk_sources,
    walk_traces,
)
from chipsim.learning.ssgd import add_lists, add_rows, clear_errors, evaluate, gather_lists, gather_rows, inject
from chipsim.neurons.dispatch import source_of
from chipsim.simulator.replay import sweep_all


@entry
def replay(steps, circuit, wires, weights, gradient, work):
    """Replay one sample and add its gradient to `gradient` ([W] number, scale of delta); call `start_backward` first."""
    e, f, a = work.errors, work.forms, work.activity
    a.pushed[:, :, :] = 0
    a.forms[:, :, :] = 0
    for values in (f.pushed, f.sums, f.trace):
        values[:] = 0
    for t in range(steps - 1, 0, -1):
        evaluate(t, circuit, work.active, e)
        inject(t, circuit, e, a)
        find_sources(t, circuit, work.active, e, f)
        sweep_all(t, circuit, work.spikes, e, a, True)
        clear_errors(t - 1, circuit, work.active, e)
        if circuit.push and t > 1:
            push_all(t, circuit, wires, weights, work.active, work)
        for k in range(len(circuit.pre)):
            meet_deltas(t, k, circuit, wires, weights, gradient, work)
        if circuit.form_a and circuit.push:
            forget_deltas(circuit, e)
    for t in range(1, steps if circuit.form_a else 1):
        walk(t, circuit, wires, gradient, work)
    forget_sources(circuit, f)


@inner
def meet_deltas(t, k, circuit, wires, weights, gradient, work):
    """Let the records of step t - 1 meet the deltas of projection k, as form and transport want."""
    e, a = work.errors, work.activity
    if not circuit.form_a:
        if wires.listed[k]:
            add_lists(t, k, circuit, wires, gradient, work.spikes, e, a)
        else:
            add_rows(t, k, circuit, gradient, work.spikes, e, a)
    if not circuit.push:
        if wires.listed[k]:
            gather_lists(t, k, circuit, wires, weights, work.active, e, a)
        else:
            gather_rows(t, k, circuit, weights, work.active, e, a)


@inner
def walk(t, circuit, wires, gradient, work):
    """Step t of the walk of form A: traces, then the events of the step."""
    e, f, a = work.errors, work.forms, work.activity
    walk_sources(t, circuit, work.active, e, f)
    for k in range(len(circuit.pre)):
        walk_traces(t, k, circuit, work.spikes, f, a)
        if wires.listed[k]:
            walk_lists(t, k, circuit, wires, gradient, e, f, a)
        else:
            walk_rows(t, k, circuit, gradient, e, f, a)


@inner
def find_sources(t, circuit, active, e, f):
    """List ds of the events of step t, which `evaluate` and `inject` have prepared; form A keeps it in the record of the event."""
    forget_sources(circuit, f)
    constants, populations = circuit.rules.constants, len(circuit.lo)
    for p in range(1, populations):
        k, bits = (
            (wide(constants[p, 0]), wide(constants[p, 1]), wide(constants[p, 2]), wide(constants[p, 3])),
            circuit.delta_bits[p],
        )
        for r in range(active.start[t * populations + p], active.start[t * populations + p + 1]):
            n = active.unit[r]
            ds = source_of(circuit.kind[p], wide(e.error[n]), wide(e.gain[n]), wide(e.second[n]), k, bits)
            list_source(n, ds, circuit, f)
            if circuit.form_a:
                active.ds[r] = ds
    for n in range(circuit.lo[-1], circuit.hi[-1]):
        if e.gain[n] != 0:
            list_source(n, wide(e.error[n]), circuit, f)
