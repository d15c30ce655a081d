"""Surrogate derivatives g(V) inside the active band |V - theta| < half_width.

    paper: g = 1 / (100 |V - theta| + 1)^2       Perez-Nieves & Goodman 2021, section 4
    box:   g = 1

Fixed point reads a table of 32 entries with 8 fraction bits at the middle of each interval of |V - theta|; the table index is what
the active log stores.
"""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import by_number
from chipsim.kernels.fixed import GAIN_BITS

ENTRIES = 32
SHARPNESS = 100.0


def table(shape: str, half_width: float) -> np.ndarray:
    """Return the [32] int64 table of `shape` over 0 <= |V - theta| < half_width (threshold units)."""
    if shape == "box":
        return np.full(ENTRIES, 1 << GAIN_BITS, dtype=np.int64)
    middle = (np.arange(ENTRIES) + 0.5) / ENTRIES * half_width
    return np.rint((1 << GAIN_BITS) / (SHARPNESS * middle + 1.0) ** 2).astype(np.int64)


def _gain_fixed(u, band, lut, box):
    """Return (table index, g) of an active neuron with u = V - theta."""
    code = (abs(u) * ENTRIES) // band
    return code, np.int64(lut[code])


def _gain_float(u, edge, lut, box):
    """As in fixed point; edge: half width of the box in thresholds, infinite where the band has cut it already."""
    if box:
        return np.int64(0), abs(u) * 0 + (1 if abs(u) < edge else 0)
    return np.int64(0), 1 / (SHARPNESS * abs(u) + 1) ** 2


def _in_thresholds_fixed(u, theta):
    """Return a potential as `gain_of` takes it: in thresholds in float, in units of V, as the band, in fixed point."""
    return u


def _in_thresholds_float(u, theta):
    return u / theta


gain_of = by_number(_gain_fixed, _gain_float)
in_thresholds = by_number(_in_thresholds_fixed, _in_thresholds_float)
