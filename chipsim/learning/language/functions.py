"""What a hook may call. These are their meanings for real numbers: a hook called by hand in Python computes with them.

On the chip the same calls work on integers (chipsim.learning.online.functions): `times` and `rshift` then round halves up.
"""

from __future__ import annotations

NAMES = {
    "times": 2,
    "rshift": 2,
    "where": 3,
    "clip": 3,
    "sgn": 1,
    "abs": 1,
    "min": 2,
    "max": 2,
}  # and how many arguments they take


def times(a, b):
    """Return a * b in the format of b: on the chip the product is shifted right by the fraction bits of a."""
    return a * b


def rshift(v, s):
    """Return v 2^-s; s is a whole number written out."""
    return v * 2.0**-s


def where(condition, a, b):
    """Return a where the condition holds, else b. Both are evaluated, so it always costs the same."""
    return a if condition else b


def clip(v, low, high):
    """Return v brought into low .. high."""
    return min(max(v, low), high)


def sgn(v):
    """Return -1, 0 or 1."""
    return (v > 0) - (v < 0)
