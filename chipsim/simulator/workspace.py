"""The memory of one sample, allocated once and used for sample after sample (chipsim.state says what each array is)."""

from __future__ import annotations

import numpy as np

from chipsim.state import (
    FORM_COUNTS,
    SLACK,
    VARIABLES,
    ActiveLog,
    Activity,
    Cells,
    Circuit,
    Errors,
    Forms,
    Lines,
    Membranes,
    SpikeLog,
    Wires,
    Workspace,
)


def workspace(circuit: Circuit, wires: Wires, steps: int, record: bool = False) -> Workspace:
    """Allocate the arrays of one sample of `steps` steps; `record` keeps the state variables of every step."""
    number = circuit.rules.constants.dtype
    populations, slices, neurons = len(circuit.lo), len(circuit.slice_lo), int(circuit.hi[-1])
    capacity, index, classes = steps * neurons + SLACK, steps * populations + 1, circuit.classes
    most = steps * (neurons - int(circuit.lo[1])) + SLACK  # active events
    widest = int((np.maximum(wires.depth, 1) * wires.width).max(initial=1))
    other = circuit.push or circuit.form_a
    fan = (circuit.hi - circuit.lo)[circuit.pre] * int(other)
    slots = int((wires.depth * wires.width).sum())

    def zeros(*shape: int, kind=number) -> np.ndarray:
        return np.zeros(shape, dtype=kind)

    def ints(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype=np.int64)

    def bools(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype=np.bool_)

    return Workspace(
        Membranes(
            Cells(zeros(VARIABLES, neurons), zeros(neurons), zeros(neurons), ints(3)),
            bools(neurons), bools(neurons), ints(neurons), ints(neurons),
            zeros(classes, 2), ints(classes), zeros(steps if record else 0, 2, neurons),
        ),
        Lines(zeros(neurons), bools(neurons), zeros(widest), bools(widest), zeros(slots), bools(slots)),
        SpikeLog(ints(capacity), zeros(capacity), ints(index)),
        ActiveLog(ints(most), zeros(most), ints(most), zeros(most if circuit.form_a else 0), ints(index)),
        Errors(zeros(neurons), zeros(neurons), zeros(int(circuit.ring.max(initial=0)), neurons),
               *(zeros(neurons) for _ in range(3)), bools(neurons), zeros(neurons), zeros(classes),
               zeros(steps if circuit.step_loss else 0, classes), ints(classes), ints(neurons + SLACK), zeros(2, neurons + SLACK),
               ints(slices), bools(len(circuit.row_words))),
        Forms(zeros(neurons), ints(neurons), ints(slices), np.cumsum(fan) - fan, *(zeros(int(fan.sum())) for _ in range(3))),
        activity_of(circuit, steps),
    )  # fmt: skip


def activity_of(circuit: Circuit, steps: int) -> Activity:
    """Allocate the activity of one sample: views of one flat array, which is their `base`, so that it is copied in one go."""
    slices, pushing = len(circuit.slice_lo), int(circuit.push)
    shapes = (
        [(steps, circuit.groups)] * 4
        + [(steps, slices)] * 8
        + [(steps if circuit.inplace else 1, slices)] * 6
        + [(1,), (pushing * steps, pushing * slices, pushing * slices)]
    )
    shapes += [(pushing * slices, pushing * slices), (FORM_COUNTS if pushing or circuit.form_a else 0, steps, slices)]
    shapes += [(circuit.rule_counts, steps, slices)]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    flat = np.zeros(ends[-1], dtype=np.int64)
    return Activity(*(flat[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)))
