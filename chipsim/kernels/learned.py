"""Fixed-point arithmetic of learning rules, as lava-nc 0.10.0 computes Loihi's (docs/lava-learning.md section 3).

The half of kernels/fixed.py that only learning needs: written twice, for integers and for floats, and bound to one name. In float
numerics nothing is rounded, saturated or shifted; what has one sign only keeps it.
"""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import by_number, kernel
from chipsim.kernels.fixed import wrap

LEARN_BITS = 7  # fraction bits of a weight, tag or delay while a learning rule adds to it (Loihi, as lava-nc computes it)
LEARN_LOW, LEARN_HIGH = -(2**15) - 1, 2**15 - 1  # where such a sum saturates
TRACE_TOP = 127


def _limit_fixed(x, low, high):
    """Clip to [low, high]."""
    return min(max(x, low), high)


def _limit_float(x, low, high):
    return x


def _halve_fixed(payload):
    """Return half a payload, halves to even, in 8 bits without a sign."""
    return ((payload >> np.int64(1)) + np.int64((payload & np.int64(3)) == np.int64(3))) & np.int64(255)


def _halve_float(payload):
    return payload / 2


def _bump_fixed(x, whole, part, chance):
    """Add an impulse to a trace; its fraction `part` (in 1/256) rounds up if `chance` (7 bits) is below it."""
    return limit(x + np.int64(whole) + np.int64(chance < part), np.int64(0), np.int64(TRACE_TOP))


def _bump_float(x, whole, part, chance):
    return x + whole


def _fade_fixed(x, keep, chance):
    """Multiply a trace by keep = exp(-1 / tau), rounding up if `chance` is below the lost fraction."""
    if x == 0:
        return np.int64(0)
    exact = keep * x
    floor = np.floor(exact)
    return np.int64(floor) + np.int64(chance < exact - floor)


def _fade_float(x, keep, chance):
    return x * keep


def _overlay_fixed(x, half, mode):
    """Return (trace x1, whether the spike counts) after half a payload: 1 overwrite, 2 add and saturate, 3 add, keep the overflow."""
    if mode == 1:
        return half, True
    total = (x + half) & np.int64(255)
    if mode == 2:
        return min(total, np.int64(TRACE_TOP)), True
    return (total - np.int64(TRACE_TOP), True) if total > TRACE_TOP else (total, False)


def _overlay_float(x, half, mode):
    return (half if mode == 1 else x + half), True


def _times_fixed(p, value, bits):
    """Multiply a product of 32 bits by a factor that saturates at `bits` bits and a sign."""
    most = np.int64(1) << np.int64(bits)
    return wrap(p * limit(value, -most, most - np.int64(1)), 32)


def _times_float(p, value, bits):
    return p * value


def _product_fixed(p, mantissa, exponent, shift):
    """Scale a product by mantissa * 2^exponent into the sum of a learning rule; `shift`: bits beyond 15, lost for good."""
    p = wrap(p * np.int64(mantissa), 32) >> np.int64(shift)
    return limit(wrap(p << np.int64(exponent + LEARN_BITS), 32), np.int64(LEARN_LOW), np.int64(LEARN_HIGH))


def _product_float(p, mantissa, exponent, shift):
    return p * mantissa * 2.0**exponent


def _gather_fixed(total, part):
    """Add a product to the sum of a learning rule, which saturates."""
    return limit(total + part, np.int64(LEARN_LOW), np.int64(LEARN_HIGH))


def _gather_float(total, part):
    return total + part


def _opened_fixed(x):
    """Return a synaptic variable with the fraction bits of a learning rule."""
    return x << np.int64(LEARN_BITS)


def _opened_float(x):
    return x


def _learned_fixed(total, low, high, chance):
    """Return the sum of a learning rule as it is stored in [low, high]; its fraction rounds up if `chance` is below it."""
    total = _signed(total, low, high)
    fraction = total & np.int64((1 << LEARN_BITS) - 1)
    return limit((total >> np.int64(LEARN_BITS)) + np.int64(chance * (1 << LEARN_BITS) < fraction), low, high)


def _learned_float(total, low, high, chance):
    return _signed(total, low, high)


@kernel
def _signed(x, low, high):
    """Keep the sign of what has only one."""
    if (low == 0 and x < 0) or (high == 0 and x > 0):
        return x * 0
    return x


limit = by_number(_limit_fixed, _limit_float)
halve = by_number(_halve_fixed, _halve_float)
bump = by_number(_bump_fixed, _bump_float)
fade = by_number(_fade_fixed, _fade_float)
overlay = by_number(_overlay_fixed, _overlay_float)
times = by_number(_times_fixed, _times_float)
product = by_number(_product_fixed, _product_float)
gather = by_number(_gather_fixed, _gather_float)
opened = by_number(_opened_fixed, _opened_float)
learned = by_number(_learned_fixed, _learned_float)
