"""The memory of one sample: allocated once, used for sample after sample."""

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


def workspace(circuit: Circuit, wires: Wires, steps: int, record: bool = False, scattered: bool = False) -> Workspace:
    """Allocate the arrays of one sample of `steps` steps; `record` keeps the state variables of every step.

    scattered: spikes are not counted per group of neurons.
    """
    number = circuit.rules.constants.dtype
    populations, slices, neurons = len(circuit.lo), len(circuit.slice_lo), int(circuit.hi[-1])
    capacity, index, classes = steps * neurons + SLACK, steps * populations + 1, circuit.classes
    most = steps * (neurons - int(circuit.lo[1])) + SLACK  # active events
    widest = int((np.maximum(wires.depth, 1) * wires.width)[wires.packed_bits == 0].max(initial=1))
    other = circuit.push or circuit.form_a
    fan = (circuit.hi - circuit.lo)[circuit.pre] * int(other)
    slots = int((wires.depth * wires.width).sum())
    sums = int((np.maximum(wires.depth, 1) * wires.width)[wires.packed_bits > 0].sum())

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
        Lines(ints(populations), zeros(neurons), bools(neurons), zeros(widest), bools(widest), zeros(slots), bools(slots),
              zeros(sums, kind=np.int32)),
        SpikeLog(ints(capacity), zeros(capacity), ints(index)),
        ActiveLog(ints(most), zeros(most), ints(most), zeros(most if circuit.form_a else 0), ints(index)),
        Errors(zeros(neurons), zeros(neurons), zeros(int(circuit.ring.max(initial=0)), neurons),
               *(zeros(neurons) for _ in range(3)), bools(neurons), zeros(neurons), zeros(classes),
               zeros(steps if circuit.step_loss else 0, classes), ints(classes), ints(neurons + SLACK), zeros(2, neurons + SLACK),
               ints(slices), bools(len(circuit.row_words))),
        Forms(zeros(neurons), ints(neurons), ints(slices), np.cumsum(fan) - fan, *(zeros(int(fan.sum())) for _ in range(3))),
        activity_of(circuit, steps, scattered),
    )  # fmt: skip


def activity_of(circuit: Circuit, steps: int, scattered: bool = False) -> Activity:
    """Allocate the activity of one sample: views of one flat array, which is their `base`, so that it is copied in one go.

    What follows from learning has no steps where nothing learns.
    """
    slices, pushing, learned = len(circuit.slice_lo), int(circuit.push), steps * int(circuit.learns)
    shapes = [(steps * int(not scattered), circuit.groups)] + [(learned, circuit.groups)] * 3
    shapes += [(learned, slices)] * 2 + [(steps, slices)] + [(learned, slices)] * 5
    shapes += [(learned if circuit.inplace else int(circuit.learns), slices)] * 6
    shapes += [(1,), (pushing * steps, pushing * slices, pushing * slices)]
    shapes += [(pushing * slices, pushing * slices), (FORM_COUNTS if pushing or circuit.form_a else 0, steps, slices)]
    shapes += [(circuit.rule_counts, learned, slices)]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    flat = np.zeros(ends[-1], dtype=np.int64)
    return Activity(*(flat[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)))
