"""Kernels for all neuron models, made from the registry: `sweep` updates neighbouring compartments, `sweep_back` their adjoints.

The loop over compartments, 16 at a time, stands inside the choice of the model, once per model with the model's `update` pasted in:
choosing costs nothing per compartment, and LLVM drops what a model does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chipsim.kernels._jit import by_code, inlined, inner
from chipsim.kernels.compact import WORD, walk
from chipsim.kernels.fixed import number, wide
from chipsim.kernels.lane_kinds import as_stored, ids_from, ones, zeros_like
from chipsim.kernels.lane_math import bits, pick
from chipsim.kernels.lanes import LANES, load_part, store_part
from chipsim.neurons import CODES, model
from chipsim.neurons.arithmetic import Now
from chipsim.neurons.contract import SECOND, THIRD, V
from chipsim.state import Arithmetic


class Slots(NamedTuple):
    """The memory of n neighbouring compartments, in views of the arrays of all; [n] number each."""

    v: np.ndarray
    second: np.ndarray
    third: np.ndarray
    payload: np.ndarray
    potential: np.ndarray
    total: np.ndarray  # what arrives


class Step(NamedTuple):
    """What is the same for all compartments of a population in a step."""

    first: int  # id of the first compartment
    t: int
    k: tuple  # constants of the model
    address: tuple  # seed, sample, pass of the random words
    modes: Arithmetic


class Lists(NamedTuple):
    """Where the compartments that spike and those that are active are listed."""

    spikes: np.ndarray  # ids
    active: np.ndarray  # ids
    band: float  # an active one has |potential| < band; 0: none is listed


@inner
def enter(fired, active, first, lists, ends):
    """List the ids first + k for the bits k set in two words; return the new ends of the lists."""
    return walk(fired, first, lists.spikes, ends[0]), walk(active, first, lists.active, ends[1])


def loop(update: Callable) -> Callable:
    """Return the loop over compartments of one model.

    It lists those that spike and those that are active. It returns how many changed their V, and the new ends of the lists.
    """
    update = inlined(getattr(update, "py_func", update))

    def some(i, n, step, slots, lists):
        """Update n <= 16 compartments from i on; return how many changed their V, and bits of those that spike and are active."""
        now = Now(ids_from(step.first + i), step.t, step.address[0], step.address[1], step.address[2])
        before = (number(load_part(slots.v, i, n)), number(load_part(slots.second, i, n)), number(load_part(slots.third, i, n)))
        total, sent = number(load_part(slots.total, i, n)), number(load_part(slots.payload, i, n))
        after, sent, potential = update(before, total, sent, step.k, now, step.modes)
        potential = as_stored(potential, slots.potential)
        store_part(slots.third, i, after[THIRD], n)
        store_part(slots.second, i, after[SECOND], n)
        store_part(slots.v, i, after[V], n)
        store_part(slots.payload, i, sent, n)
        store_part(slots.potential, i, potential, n)
        mine = (1 << n) - 1
        fired, active = bits(sent != 0) & mine, bits(abs(potential) < lists.band) & mine
        return ones(bits(after[V] != before[V]) & mine), fired, active

    some = inner(some)

    def run(step, slots, lists, ends):
        moved, n, fired, active = 0, len(slots.v), 0, 0
        for i in range(0, n - LANES + 1, LANES):
            found = some(i, LANES, step, slots, lists)
            moved, fired, active = moved + found[0], fired | found[1] << (i % WORD), active | found[2] << (i % WORD)
            if i % WORD == WORD - LANES:
                ends = enter(fired, active, step.first + i - i % WORD, lists, ends)
                fired, active = 0, 0
        i = n - n % LANES
        if n % LANES:
            found = some(i, n % LANES, step, slots, lists)
            moved, fired, active = moved + found[0], fired | found[1] << (i % WORD), active | found[2] << (i % WORD)
        return moved, enter(fired, active, step.first + i - i % WORD, lists, ends)

    return inner(run)


loop_of = by_code({code: loop(model(name).update) for name, code in CODES.items()}, "step, slots, lists, ends")


@inlined
def sweep(code, end, step, total, cells, lists, ends):
    """Update the compartments from step.first to `end` of a population of model `code`; total: what arrives. See `loop`."""
    at, state = slice(step.first, end), cells.state
    slots = Slots(state[V, at], state[SECOND, at], state[THIRD, at], cells.payload[at], cells.potential[at], total[at])
    return loop_of(code, step, slots, lists, ends)


class BackSlots(NamedTuple):
    """The backward memory of n neighbouring compartments, in views of the arrays of all; [n] number each, fired [n] bool."""

    delta: np.ndarray
    second: np.ndarray
    error: np.ndarray
    gain: np.ndarray
    fired: np.ndarray


def back_loop(adjoint: Callable, both: bool) -> Callable:
    """Return the backward loop over compartments of one model; both: it has two backward variables.

    Only compartments with a backward variable that is not zero, and those with a gain, are touched; gains are used up. It returns how
    many variables were decayed and how many deltas are not zero now.
    """
    adjoint = inlined(getattr(adjoint, "py_func", adjoint))

    def some(i, n, k, width, slots):
        """Step n <= 16 compartments from i on; return how many variables decayed and how many deltas are not 0 now."""
        delta, gain, second = (
            wide(load_part(slots.delta, i, n)),
            wide(load_part(slots.gain, i, n)),
            wide(load_part(slots.second, i, n)),
        )
        decays, driven = bits(delta != 0), bits(gain != 0)
        more = bits(second != 0) if both else 0
        if decays | driven | more == 0:
            return 0, 0
        error = pick(gain != 0, wide(load_part(slots.error, i, n)), zeros_like(gain))
        after = adjoint((delta, second), error, gain, load_part(slots.fired, i, n), k, width)
        store_part(slots.delta, i, after[0], n)
        if both:
            store_part(slots.second, i, after[1], n)
        if driven:
            store_part(slots.gain, i, zeros_like(gain), n)
        return ones(decays) + ones(more), ones(bits(after[0] != 0))

    some = inner(some)

    def run(k, width, slots):
        decays, live, n = 0, 0, len(slots.delta)
        for i in range(0, n - LANES + 1, LANES):
            found = some(i, LANES, k, width, slots)
            decays, live = decays + found[0], live + found[1]
        if n % LANES:
            found = some(n - n % LANES, n % LANES, k, width, slots)
            decays, live = decays + found[0], live + found[1]
        return decays, live

    return inner(run)


TRAINED = {code: model(name) for name, code in CODES.items() if model(name).MODEL.adjoint}
back_loop_of = by_code({c: back_loop(m.adjoint, len(m.MODEL.adjoint) > 1) for c, m in TRAINED.items()}, "k, width, slots")


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
    return back_loop_of(code, k, bits, BackSlots(e.delta[at], e.second[at], e.error[at], e.gain[at], e.fired[at]))
