"""The weight update on the chip: what its kernels need, the state it starts with, and the learning rates it can carry out."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import DECAY_ONE
from chipsim.errors import Problem
from chipsim.learning.policies import OPTIMISERS, most_shift, policy_of
from chipsim.learning.writes import How
from chipsim.network import Schedule


def start_update(image: ChipImage, weights: np.ndarray, schedule: Schedule) -> How:
    """Return the update of `schedule` before the first sample, with shifts of 0: residues and velocities of 0, masters from `weights`.

    Arrays per synapse [W] int64 are made only if they are needed.
    """
    chosen, learning, form = policy_of(image.network.learning), image.network.learning, image.formats
    extra = chosen.number - learning.weight_bits if chosen.name == "master" else 0
    state = np.zeros(len(weights) if chosen.name == "residue" else 0, dtype=np.int64)
    if chosen.name == "master":
        state = weights.astype(np.int64) * 2**extra
    optimiser = OPTIMISERS[schedule.optimiser]
    return How(
        np.zeros(len(image.plan.synapses), dtype=np.int64), form.top, chosen.code, extra, form.top * 2**extra, state,
        optimiser.code, min(DECAY_ONE - 1, round(DECAY_ONE * schedule.momentum)), form.widths.gradient_accumulator,
        np.zeros(len(weights) * optimiser.words, dtype=np.int64), np.zeros(len(image.circuit.row_words), dtype=np.bool_),
    )  # fmt: skip


def write_shift(image: ChipImage, schedule: Schedule, k: int, s: int) -> int:
    """Return S, the right shift of a write to projection k at learning rate 2^-s; the sign of a gradient has no fraction."""
    whole = image.formats.gradient_fraction[k] if schedule.optimiser == "sign" else 0
    return image.formats.write_shift(k, s) - whole


def largest_shift(image: ChipImage, schedule: Schedule) -> int:
    """Return the largest S."""
    return most_shift(image.network.learning, schedule.optimiser, image.formats.widths.gradient_accumulator)


def write_shifts(image: ChipImage, schedule: Schedule, run: int) -> np.ndarray:
    """Return [K] int64 shifts in pass `run`: one more (half the rate) every `halve_every` passes, up to the largest."""
    later = run // schedule.halve_every if schedule.halve_every else 0
    shifts = [write_shift(image, schedule, k, s + later) for k, s in enumerate(schedule.shifts)]
    return np.minimum(np.array(shifts, dtype=np.int64), largest_shift(image, schedule))


def shift_problems(image: ChipImage, schedule: Schedule) -> list[Problem]:
    """Return which learning rates would need a left shift, or more bits than a random word or a residue has, to be written."""
    found, most = [], largest_shift(image, schedule)
    policy = policy_of(image.network.learning).name
    for k, (projection, s) in enumerate(zip(image.network.projections, schedule.shifts, strict=True)):
        least = -write_shift(image, schedule, k, 0)
        if not least <= s <= least + most:
            limit = f"the write to {projection.post} shifts by s + {-least} bits, which must be 0 to {most}"
            if most < 32:
                limit += f" (write {policy}, optimiser {schedule.optimiser})"
            hint = f"give s from {least} to {least + most}"
            found.append(Problem(f'network "{image.network.name}"', f"schedule.fixed.shifts[{k}]", s, limit, hint))
    return found
