"""Fixed-point arithmetic: the only place that shifts, rounds, clips or wraps (docs/semantics.md section 2).

Every function here is written twice, for integers and for floats, and bound to one name: in float numerics nothing is rounded,
saturated or shifted, so the same kernel runs unchanged.
"""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import by_number, kernel

DECAY_BITS = 12  # a decay word is a fraction in 1/4096 (Davies et al. 2018, Loihi)


def _wide_fixed(x):
    """Widen a stored integer to 64 bits before any arithmetic (compiled and interpreted code then agree)."""
    return np.int64(x)


def _wide_float(x):
    return x


def _decay_fixed(x, word):
    """Multiply by word / 4096, rounding toward zero: sign(x) * ((|x| * word) >> 12). A bare shift would round negatives down."""
    if x < 0:
        return -((-x * word) >> DECAY_BITS)
    return (x * word) >> DECAY_BITS


def _decay_float(x, word):
    return x * word


def _saturate_fixed(x, bits):
    """Clip to the two's complement range of `bits` bits."""
    top = np.int64(1) << np.int64(bits - 1)
    if x >= top:
        return top - 1
    if x < -top:
        return -top
    return x


def _saturate_float(x, bits):
    return x


def _rescale_fixed(x, shift):
    """Shift right by `shift` bits, rounding halves up; a negative shift is a left shift."""
    if shift > 0:
        return (x + (np.int64(1) << np.int64(shift - 1))) >> np.int64(shift)
    return x << np.int64(-shift)


def _rescale_float(x, shift):
    return x


def _weigh_fixed(weight, value, shift):
    """Weight times a binary event, brought to the scale of the membrane by a left shift."""
    return np.int64(weight) << np.int64(shift)


def _weigh_float(weight, value, shift):
    return weight * value


def _scaled_fixed(x, value):
    """A backward value times the binary event it belongs to."""
    return np.int64(x)


def _scaled_float(x, value):
    return x * value


wide = by_number(_wide_fixed, _wide_float)
decay = by_number(_decay_fixed, _decay_float)
saturate = by_number(_saturate_fixed, _saturate_float)
rescale = by_number(_rescale_fixed, _rescale_float)
weigh = by_number(_weigh_fixed, _weigh_float)
scaled = by_number(_scaled_fixed, _scaled_float)


@kernel
def clip_symmetric(x, top):
    """Clip to [-top, top], so that the negative of every stored weight exists."""
    if x > top:
        return top
    if x < -top:
        return -top
    return x


@kernel
def round_stochastic(x, shift, word):
    """Shift right by `shift` bits, rounding up with probability equal to the lost fraction; `word`: 32 random bits, shift <= 32."""
    if shift == 0:
        return x
    return (x + (word & ((np.int64(1) << np.int64(shift)) - np.int64(1)))) >> np.int64(shift)
