"""Kernels for all neuron models, made from the registry: `sweep` updates neighbouring compartments, `sweep_back` their adjoints.

The loop over compartments stands inside the choice of the model, once per model with the model's `update` pasted in: choosing costs
nothing per compartment, and LLVM drops what a model does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import by_code, inlined, inner
from chipsim.kernels.fixed import number, wide
from chipsim.neurons import CODES, model
from chipsim.neurons.arithmetic import Now
from chipsim.neurons.contract import SECOND, THIRD, V


class Slots(NamedTuple):
    """The memory of n neighbouring compartments, in views of the arrays of all; [n] number each."""

    v: np.ndarray
    second: np.ndarray
    third: np.ndarray
    payload: np.ndarray
    potential: np.ndarray
    total: np.ndarray  # what arrives


def loop(update: Callable) -> Callable:
    """Return the loop over compartments of one model; it returns how many of them changed their V."""
    update = inlined(getattr(update, "py_func", update))

    def run(first, t, k, slots, address, modes):
        moved = 0
        for i in range(len(slots.v)):
            now = Now(first + i, t, address[0], address[1], address[2])
            before = (number(slots.v[i]), number(slots.second[i]), number(slots.third[i]))
            after, sent, potential = update(before, number(slots.total[i]), number(slots.payload[i]), k, now, modes)
            slots.third[i] = after[THIRD]  # last to first: LLVM then leaves out what the model does not change
            slots.second[i] = after[SECOND]
            slots.v[i] = after[V]
            slots.payload[i] = sent
            slots.potential[i] = potential
            moved += after[V] != before[V]
        return moved

    return inner(run)


loop_of = by_code({code: loop(model(name).update) for name, code in CODES.items()}, "first, t, k, slots, address, modes")


@inlined
def sweep(code, first, end, t, k, total, cells, modes):
    """Update the compartments first .. end of a population of model `code` with constants k; return how many changed their V."""
    at, state, address = slice(first, end), cells.state, cells.address
    slots = Slots(state[V, at], state[SECOND, at], state[THIRD, at], cells.payload[at], cells.potential[at], total[at])
    return loop_of(code, first, t, k, slots, (address[0], address[1], address[2]), modes)


class BackSlots(NamedTuple):
    """The backward memory of n neighbouring compartments, in views of the arrays of all; [n] number each, fired [n] bool."""

    delta: np.ndarray
    second: np.ndarray
    error: np.ndarray
    gain: np.ndarray
    fired: np.ndarray
    live: np.ndarray  # [n] int64: ids with delta != 0 after the step, ascending


def back_loop(adjoint: Callable, both: bool) -> Callable:
    """Return the backward loop over compartments of one model; both: it has two backward variables.

    Only compartments with a backward variable that is not zero, and those with a gain, are touched; gains are used up. It returns how
    many variables were decayed and how many deltas are not zero now.
    """
    adjoint = inlined(getattr(adjoint, "py_func", adjoint))

    def run(first, k, bits, slots):
        decays, live = 0, 0
        for i in range(len(slots.delta)):
            delta, gain, second = wide(slots.delta[i]), wide(slots.gain[i]), wide(slots.second[i])
            if delta != 0 or gain != 0 or (both and second != 0):
                decays += delta != 0
                if both:
                    decays += second != 0
                error = wide(slots.error[i]) if gain != 0 else gain
                after = adjoint((delta, second), error, gain, slots.fired[i], k, bits)
                slots.delta[i] = after[0]
                if both:
                    slots.second[i] = after[1]
                slots.gain[i] = 0
                if after[0] != 0:
                    slots.live[live] = first + i
                    live += 1
        return decays, live

    return inner(run)


TRAINED = {code: model(name) for name, code in CODES.items() if model(name).MODEL.adjoint}
back_loop_of = by_code({c: back_loop(m.adjoint, len(m.MODEL.adjoint) > 1) for c, m in TRAINED.items()}, "first, k, bits, slots")


def source_loop(adjoint: Callable) -> Callable:
    """Return ds of an active event of one model: what its adjoint makes of a delta of zero."""
    adjoint = inlined(getattr(adjoint, "py_func", adjoint))

    def run(error, gain, second, k, bits):
        return adjoint((second * 0, second), error, gain, False, k, bits)[0]

    return inner(run)


# a reset cuts delta between events: what such a neuron sends is no ds (network.trainable refuses it)
source_of = by_code({c: source_loop(m.adjoint) for c, m in TRAINED.items() if not m.MODEL.resets}, "error, gain, second, k, bits")


@inner
def sweep_back(code, first, end, k, bits, e):
    """Replay one step of the compartments first .. end (a slice); return how many variables were decayed, how many deltas live."""
    at = slice(first, end)
    return back_loop_of(
        code, first, k, bits, BackSlots(e.delta[at], e.second[at], e.error[at], e.gain[at], e.fired[at], e.live[at])
    )
