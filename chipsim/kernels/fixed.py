"""Fixed-point arithmetic: the only place that shifts, rounds, clips or wraps (docs/semantics.md section 2).

Every function here is written twice, for integers and for floats, and bound to one name: in float numerics nothing is rounded,
saturated or shifted, so the same kernel runs unchanged. Each takes plain numbers and vectors (kernels.lanes): choices are made by `pick`.
"""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import by_number, kernel
from chipsim.kernels.lane_kinds import as_double, as_int64, low_bit, zeros_like
from chipsim.kernels.lane_math import pick

DECAY_BITS = 12  # a decay word is a fraction in 1/4096 (Davies et al. 2018, Loihi)
GAIN_BITS = 8  # fraction bits of a surrogate derivative
TRACE_BITS, TRACE_FRACTION = 12, 8  # a presynaptic trace of replay: unsigned, a spike adds 1
CONV_BITS = 24  # width at which a convolution wraps (lava-nc)
ROUNDINGS = {"toward-zero": 0, "nearest": 1, "floor": 2, "stochastic": 3}
OVERFLOWS = {"saturate": 0, "wrap": 1}


def _wide_fixed(x):
    """Widen a stored integer to 64 bits before any arithmetic (compiled and interpreted code then agree)."""
    return as_int64(x)


def _wide_float(x):
    return x


def _number_float(x):
    return as_double(x)


def _decay_fixed(x, word):
    """Multiply by word / 4096, rounding toward zero: sign(x) * ((|x| * word) >> 12). A bare shift would round negatives down."""
    size = (abs(x) * word) >> DECAY_BITS
    return pick(x < 0, -size, size)


def _decay_float(x, word):
    return x * word


def _decay_as_fixed(x, word, rounding, chance):
    """Multiply by word / 4096 in one of `ROUNDINGS`; chance: 12 random bits, used by `stochastic` alone."""
    if rounding == 0:
        return decay(x, word)
    if rounding == 1:
        half = np.int64(1) << np.int64(DECAY_BITS - 1)
        size = (abs(x) * word + half) >> DECAY_BITS
        return pick(x < 0, -size, size)
    if rounding == 3:
        return (x * word + chance) >> DECAY_BITS
    return (x * word) >> DECAY_BITS


def _decay_as_float(x, word, rounding, chance):
    return x * word


def _wrap_fixed(x, bits):
    """Keep the low `bits` bits, read as two's complement."""
    half = np.int64(1) << np.int64(bits - 1)
    return ((x + half) & ((np.int64(1) << np.int64(bits)) - np.int64(1))) - half


def _as_it_is(x, bits):
    return x


def _fold_fixed(x, bits):
    """Bring x back into (-2^(bits-1), 2^(bits-1)] by one turn, not more: how Lava's LIF wraps its current."""
    half = np.int64(1) << np.int64(bits - 1)
    turn = half + half
    return pick(x > half, x - turn, pick(x <= -half, x + turn, x))


def _clip_fixed(x, bits):
    """Clip to [-(2^(bits-1) - 1), 2^(bits-1) - 1], the symmetric range of Loihi's voltage."""
    top = (np.int64(1) << np.int64(bits - 1)) - np.int64(1)
    return pick(x > top, top, pick(x < -top, -top, x))


def _settle_fixed(x, exponent, before, after):
    """Scale the sum of one projection by 2^exponent; a right shift floors the sum. before, after: widths it wraps at, 0: none."""
    x = scale(wrap(x, before) if before > 0 else x, exponent)
    if after == CONV_BITS:  # lava-nc's convolution converts a sum beyond 32 bits to nothing
        x = pick(wrap(x, 32) != x, zeros_like(x), x)
    return wrap(x, after) if after > 0 else x


def _settle_float(x, exponent, before, after):
    return scale(x, exponent)


def _scale_fixed(x, exponent):
    """Multiply by 2^exponent; a right shift floors."""
    return x << np.int64(exponent) if exponent > 0 else x >> np.int64(-exponent)


def _scale_float(x, exponent):
    return x if exponent == 0 else x * 2.0**exponent


def _saturate_fixed(x, bits):
    """Clip to the two's complement range of `bits` bits."""
    top = np.int64(1) << np.int64(bits - 1)
    return pick(x >= top, top - 1, pick(x < -top, -top, x))


def _rescale_fixed(x, shift):
    """Shift right by `shift` bits, rounding halves up; a negative shift is a left shift."""
    if shift > 0:
        return (x + (np.int64(1) << np.int64(shift - 1))) >> np.int64(shift)
    return x << np.int64(-shift)


def _rescale_float(x, shift):
    return x


def _portion_fixed(x, part, whole):
    """Return x * part / whole, rounded to the nearest, halves up; whole: a power of two (a threshold)."""
    return (x * part + whole // 2) >> low_bit(whole)


def _portion_float(x, part, whole):
    return x * part / whole


def _to_error_fixed(total, shift, unit):
    """Bring the sum of weights times deltas of one projection into the delta format of the presynaptic population."""
    return rescale(total, shift)


def _to_error_float(total, shift, unit):
    """As in fixed point; unit: what a stored weight is multiplied with to be in thresholds."""
    return total * unit


def _weigh_fixed(value, weight, graded, bits):
    """Weight times the payload of a spike (times 1 unless the projection is graded); bits: width a product wraps at, 0: none."""
    product = as_int64(weight) * value if graded else as_int64(weight)
    return wrap(product, bits) if bits > 0 else product


def _weigh_float(value, weight, graded, bits):
    return weight * value if graded else weight


def _scaled_fixed(x, value):
    """A backward value times the binary event it belongs to."""
    return as_int64(x)


def _scaled_float(x, value):
    return x * value


def _charge_fixed(x, value):
    """Add a spike to a presynaptic trace, which saturates."""
    return min(x + (np.int64(1) << np.int64(TRACE_FRACTION)), (np.int64(1) << np.int64(TRACE_BITS)) - np.int64(1))


def _charge_float(x, value):
    return x + value


wide = by_number(_wide_fixed, _wide_float)
number = by_number(_wide_fixed, _number_float)  # as `wide`, and floats in double precision
decay = by_number(_decay_fixed, _decay_float)
decay_as = by_number(_decay_as_fixed, _decay_as_float)
saturate = by_number(_saturate_fixed, _as_it_is)
wrap = by_number(_wrap_fixed, _as_it_is)
fold = by_number(_fold_fixed, _as_it_is)
clip = by_number(_clip_fixed, _as_it_is)
scale = by_number(_scale_fixed, _scale_float)
settle = by_number(_settle_fixed, _settle_float)
rescale = by_number(_rescale_fixed, _rescale_float)
weigh = by_number(_weigh_fixed, _weigh_float)
scaled = by_number(_scaled_fixed, _scaled_float)
charge = by_number(_charge_fixed, _charge_float)
portion = by_number(_portion_fixed, _portion_float)
to_error = by_number(_to_error_fixed, _to_error_float)


@kernel
def target_in(word, bits):
    """Return the accumulator that a packed synapse names, uint64; bits: those of its weight."""
    return np.uint64(word) >> np.uint64(bits)


@kernel
def weight_in(word, bits):
    """Return the weight of a packed synapse plus 2^(bits - 1)."""
    return np.int64(np.uint64(word) & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@kernel
def one_more(bits, below):
    """Return what a synapse adds to an accumulator beside `weight_in`: one to the count, which stands above `below` bits of sum."""
    return (np.int64(1) << np.int64(below)) - (np.int64(1) << np.int64(bits - 1))


@kernel
def clip_symmetric(x, top):
    """Clip to [-top, top], so that the negative of every stored weight exists."""
    return pick(x > top, top, pick(x < -top, -top, x))


@kernel
def round_stochastic(x, shift, word):
    """Shift right by `shift` bits, rounding up with probability equal to the lost fraction; `word`: 32 random bits, shift <= 32."""
    if shift == 0:
        return x
    return (x + (word & ((np.int64(1) << np.int64(shift)) - np.int64(1)))) >> np.int64(shift)


@kernel
def split(x, shift):
    """Return (x shifted right by `shift` bits, rounding down; the low bits that this loses, 0 .. 2^shift - 1)."""
    whole = x >> np.int64(shift)
    return whole, x - (whole << np.int64(shift))


@kernel
def one_lsb(x, shift, word):
    """Return the sign of x with probability min(1, |x| 2^-shift), else 0; `word`: 32 random bits, shift <= 32."""
    drawn = abs(x) > word & ((np.int64(1) << np.int64(shift)) - np.int64(1))
    return pick(drawn, clip_symmetric(x, np.int64(1)), zeros_like(x))
