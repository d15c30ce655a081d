"""The random streams of lava-nc 0.10.0's fixed-point learning engine: what makes its rounding repeatable bit for bit.

One number per draw, shared by all neurons and synapses of a connection. Draw 0 is made at construction; then every
step draws twice from each trace stream, after the spikes of the presynaptic and after those of the postsynaptic
neurons, and every learning epoch once from the write stream, before it uses it. Steps count from 1, as in Lava. All are
NumPy's default_rng (PCG64); NumPy 1.26 and 2.x draw the same.
"""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import numpy as np

from chipsim.errors import Problem, raise_all

SEEDS = 2**32
IMPULSE_RANGE = 128  # 2 ** bits of a trace
WRITE_SEED = 2  # fixed in Lava: whatever the rule's seed, so all connections round their weights alike


class LavaStreams(NamedTuple):
    """All draws of one learning connection."""

    x_decay: np.ndarray  # [2 steps + 1] float64 in [0, 1): rounding of a decayed pre trace
    x_impulse: np.ndarray  # [2 steps + 1] int64, 0..127: rounding of a pre impulse
    y_decay: np.ndarray  # [2 steps + 1] float64: likewise for the post traces
    y_impulse: np.ndarray  # [2 steps + 1] int64
    write: np.ndarray  # [epochs + 1] float64: rounding of weights, delays and tags; entry 0 is never used


def lava_streams(seed: int, steps: int, epochs: int) -> LavaStreams:
    """Return the draws of a connection whose rule has `rng_seed` = seed, for so many steps and learning epochs.

    Raises:
        ConfigError: seed is no integer in 0 .. 2^32 - 1, or steps or epochs none of at least 0; all problems at once.
    """
    problems = []
    for key, value, most in (("rng_seed", seed, SEEDS - 1), ("steps", steps, None), ("epochs", epochs, None)):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or value < 0 or (most is not None and value > most):
            limit = "it must be an integer of at least 0" if most is None else f"it must be an integer in 0..{most}"
            problems.append(Problem("random streams of Lava", key, value, limit))
    raise_all(problems)
    seed, draws = int(seed), 2 * int(steps) + 1
    return LavaStreams(
        np.random.default_rng(seed).random(draws),
        np.random.default_rng(seed + 1).integers(0, IMPULSE_RANGE, draws, dtype=np.int64),
        np.random.default_rng(seed + 2).random(draws),
        np.random.default_rng(seed + 3).integers(0, IMPULSE_RANGE, draws, dtype=np.int64),
        np.random.default_rng(WRITE_SEED).random(int(epochs) + 1),
    )


def post_spike(step: int) -> int:
    """Return the index into `y_impulse` that the postsynaptic spikes of a step use; steps from 1."""
    return 2 * step - 1


def learning(step: int) -> int:
    """Return the index into all four trace streams that the learning phase at the end of a step uses; steps from 1."""
    return 2 * step


def write(epoch: int) -> int:
    """Return the index into the write stream that a learning epoch uses; epochs from 1: step / length of an epoch."""
    return epoch
