"""Surrogate derivatives g(V) inside the active band |V - theta| < half_width; d = |V - theta|, all in thresholds.

    paper     g = 1 / (100 d + 1)^2     Perez-Nieves & Goodman 2021, section 4
    box       g = 1
    triangle  g = 1 - d / half_width    Bellec et al. 2018, arXiv 1803.09574 (there with a factor of 0.3); half_width must be finite

Each is one formula and one line in `SURROGATES`; the order there is the code by which kernels know it. Fixed point reads a table of 32
entries with 8 fraction bits at the middle of each interval of d; the table index is what the active log stores.
"""

from __future__ import annotations

import math

import numpy as np

from chipsim.kernels._jit import by_code, by_number, inner
from chipsim.kernels.fixed import GAIN_BITS

ENTRIES = 32
SHARPNESS = 100.0


def paper(d, half_width):
    """Return g; d: number or array of distances; a rule without a band meets those beyond half_width too."""
    return 1 / (SHARPNESS * d + 1) ** 2


def box(d, half_width):
    """Return g; d as in `paper`."""
    return d * 0 + (d < half_width)


def triangle(d, half_width):
    """Return g; d as in `paper`."""
    return (1 - d / half_width) * (d < half_width)


SURROGATES = {"paper": paper, "box": box, "triangle": triangle}
CODES = {name: code for code, name in enumerate(SURROGATES)}
shape_of = by_code({CODES[name]: inner(formula) for name, formula in SURROGATES.items()}, "d, half_width")


def table(name: str, half_width: float) -> np.ndarray:
    """Return the [32] int64 table of a surrogate over 0 <= d < half_width (infinite: of the box, the same everywhere)."""
    width = half_width if math.isfinite(half_width) else 1.0
    middle = (np.arange(ENTRIES) + 0.5) / ENTRIES * width
    return np.rint((1 << GAIN_BITS) * SURROGATES[name](middle, width)).astype(np.int64)


def _gain_fixed(u, band, lut, shape):
    """Return (table index, g) of an active neuron with u = V - theta; band: half_width, both as `in_thresholds` gives them."""
    code = (abs(u) * ENTRIES) // band
    return code, np.int64(lut[code])


def _gain_float(u, edge, lut, shape):
    """As in fixed point; edge: half_width."""
    return np.int64(0), shape_of(shape, abs(u), edge)


def _in_thresholds_fixed(u, theta):
    """Return a potential as `gain_of` takes it: in thresholds in float, in units of V, as the band, in fixed point."""
    return u


def _in_thresholds_float(u, theta):
    return u / theta


gain_of = by_number(_gain_fixed, _gain_float)
in_thresholds = by_number(_in_thresholds_fixed, _in_thresholds_float)
