"""Counter-based random bits: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC 2011).

A word is addressed by (seed, stream) and (synapse, step, sample, pass), so neither order nor threads nor placement change it.
All arithmetic is uint64 on 32-bit values: products of two words fit, so nothing ever wraps.
"""

from __future__ import annotations

import numpy as np

import chipsim.kernels.lane_math  # noqa: F401  operators of vectors
from chipsim.kernels._jit import kernel
from chipsim.kernels.lane_kinds import as_int64, as_uint64, zeros_like

# Streams: stochastic rounding of weight writes, and of the decay of potential, current and adaptive threshold (addressed by neuron).
WEIGHT_WRITE, DECAY_V, DECAY_U, DECAY_ADAPTATION = 1, 2, 3, 4

MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
MULTIPLY_0 = np.uint64(0xD2511F53)
MULTIPLY_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)


@kernel
def philox(counter_0, counter_1, counter_2, counter_3, key_0, key_1):
    """Return the four 32-bit output words of one block (uint64 values below 2^32); of 16 blocks if counter_0 is a vector."""
    c0 = as_uint64(counter_0)
    nothing = zeros_like(c0)
    c1, c2, c3 = nothing + np.uint64(counter_1), nothing + np.uint64(counter_2), nothing + np.uint64(counter_3)
    k0, k1 = np.uint64(key_0), np.uint64(key_1)
    for _ in range(10):
        low = MULTIPLY_0 * c0
        high = MULTIPLY_1 * c2
        c0, c1, c2, c3 = (high >> HALF) ^ c1 ^ k0, high & MASK, (low >> HALF) ^ c3 ^ k1, low & MASK
        k0 = (k0 + WEYL_0) & MASK
        k1 = (k1 + WEYL_1) & MASK
    return c0, c1, c2, c3


@kernel
def random_word(seed, stream, synapse, step, sample, run):
    """Return 32 random bits as int64; `run` is the pass over the data. synapse: a number, or a vector of 16, then as many words."""
    return as_int64(philox(synapse, step, sample, run, seed, stream)[0])
