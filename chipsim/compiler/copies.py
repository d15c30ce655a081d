"""Form A and pushed errors: what their kernels read, and the memory they take (docs/semantics.md section 5, docs/neurons.md section 6)."""

from __future__ import annotations

import numpy as np

from chipsim.compiler.plan import Plan, Slice
from chipsim.compiler.quantize import DECAY_ONE, Formats
from chipsim.compiler.wires import ints, offsets
from chipsim.kernels.fixed import TRACE_BITS
from chipsim.learning import forms, is_online
from chipsim.state import Copies

Cuts = dict[int, list[tuple[int, int]]]  # population -> its slices as (lo, hi)


def form_arrays(plan: Plan, form: Formats, slices: list[Slice], number: type) -> dict[str, object]:
    """Return the entries of the circuit that say in which form replay runs."""
    learning = plan.network.learning
    replayed = plan.learning and not is_online(learning.rule)
    push, one = replayed and learning.transport == "push", DECAY_ONE if form.fixed else 1.0
    decays = [
        form.decay[p] if q.model.variables and q.model.variables[0].rounding else one
        for p, q in enumerate(plan.network.population)
    ]
    return {
        "form_a": replayed and learning.form == "A", "push": push,
        "keep": np.array([decays[post] for _, post in plan.network.ends], dtype=number),
        "copies": copies_of(plan, slices) if push else Copies(*(ints([]) for _ in range(6))),
    }  # fmt: skip


def copies_of(plan: Plan, slices: list[Slice]) -> Copies:
    """Return the rows of the transposed copies of all projections that leave a hidden population."""
    words, rows, first, starts, at, row = [ints([])], [], [], [ints([0])], 0, 0
    columns: list[list[np.ndarray]] = [[ints([])], [ints([])]]
    for k, ((pre, _), base) in enumerate(zip(plan.network.ends, offsets(plan), strict=True)):
        rows.append(sum(len(w) for w in words))
        first.append(row)
        if pre == 0:
            continue
        kept = [plan.lists(k, s.lo, s.hi, back=True).stored for s in slices if s.population == pre]
        words.append(np.stack(kept, axis=1).ravel())
        synapses = plan.transposed[k]
        if synapses.listed:
            starts.append(synapses.starts[1:] + at)
            row, at = row + synapses.sizes[0], at + len(synapses.pre)
            columns[0].append(synapses.post)
            columns[1].append(synapses.weight + base)
    sources, weights = (ints(np.concatenate(column)) for column in columns)
    return Copies(ints(rows), ints(np.concatenate(words)), ints(first), ints(np.concatenate(starts)), sources, weights)


def form_bits(plan: Plan, p: int, lo: int, hi: int, cuts: Cuts) -> dict[str, int]:
    """Return the bits that form A and pushed errors add for neurons lo .. hi - 1 of population p; nothing under form B with gather.

    traces: one per incoming axon. transposed_weights: lists of the copy, and entries for the axons along which ds comes and goes.
    """
    learning, found = plan.network.learning, {}
    if not forms(learning):
        return found
    if learning.form == "A":
        found["traces"] = TRACE_BITS * sum(plan.lists(k, lo, hi).axons for k in plan.into(p))
    if learning.transport == "push":
        copies = [plan.lists(k, lo, hi, back=True) for k in plan.out_of(p)] if p else []
        leaving = sum(
            back_axons(plan, k, a, b, lo, hi)
            for k in plan.into(p)
            for a, b in cuts[plan.network.ends[k][0]]
            if plan.network.ends[k][0]
        )
        entries = sum(c.axons for c in copies) + leaving
        found["transposed_weights"] = sum(c.words for c in copies) * plan.width("synapse_word", 64) + entries * plan.width(
            "axon_entry", 20
        )
    return found


def back_axons(plan: Plan, k: int, a: int, b: int, lo: int, hi: int) -> int:
    """Return how many of the neurons lo .. hi - 1 have a synapse of projection k from one of the presynaptic neurons a .. b - 1."""
    return int((plan.lists(k, a, b, back=True).synapses[lo:hi] > 0).sum())


def error_words(plan: Plan, p: int, backward: int) -> tuple[int, int]:
    """Return the words of the width of delta, and of a partial error, that a hidden neuron of population p needs.

    backward: its backward variables. With form A and push delta itself is not kept. Pushed errors and their sums: one per projection.
    """
    learning, out = plan.network.learning, len(plan.out_of(p))
    kept = backward - (learning.form == "A" and learning.transport == "push")
    return (kept + out, out) if learning.transport == "push" else (kept, 1)


def pushed_synapses(plan: Plan, p: int, lo: int, hi: int) -> int:
    """Return the most synapses through which ds of one projection reaches one of the neurons lo .. hi - 1."""
    most = 0
    for k in plan.out_of(p) if p else ():
        s = plan.synapses[k]
        fan = np.bincount(s.pre, minlength=s.sizes[0])[lo:hi] if s.listed else ints([s.sizes[1]])
        most = max(most, int(fan.max(initial=0)))
    return most
