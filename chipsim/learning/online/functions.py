"""What a hook may call, as compiled code: written for integers and for floats, chosen by type (docs/rules.md)."""

from __future__ import annotations

from chipsim.kernels._jit import by_number, inner
from chipsim.kernels.fixed import rescale


def _times_fixed(a, b, fraction):
    """Return a * b in the format of b; `fraction`: fraction bits of a."""
    return rescale(a * b, fraction)


def _times_float(a, b, fraction):
    return a * b


def _rshift_fixed(v, s):
    """Return v 2^-s, halves rounded up."""
    return rescale(v, s)


def _rshift_float(v, s):
    return v * 2.0**-s


times = by_number(_times_fixed, _times_float)
rshift = by_number(_rshift_fixed, _rshift_float)


@inner
def where(condition, a, b):
    """Return a where the condition holds, else b."""
    return a if condition else b


@inner
def clip(v, low, high):
    """Return v brought into low .. high."""
    return min(max(v, low), high)


@inner
def sgn(v):
    """Return -1, 0 or 1."""
    return v * 0 + (v > 0) - (v < 0)
