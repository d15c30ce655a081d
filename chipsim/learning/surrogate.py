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
from chipsim.kernels.lane_kinds import as_double, ids_from, zeros_like
from chipsim.kernels.lanes import LANES, load_part, store_part

ENTRIES = 32
SHARPNESS = 100.0


def paper(d, half_width):
    """Return g; d: number, vector (kernels.lanes) or array of distances; a rule without a band meets those beyond half_width too."""
    below = SHARPNESS * d + 1
    return 1 / (below * below)


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


def _gains_fixed(theta, band, begin, end, lut, shape, gain, code):
    """Turn V - theta in gain[begin:end] into derivatives, and write their table indices to code[begin:end].

    band: half width of the active band in units of V; in float half_width in thresholds, theta: the threshold.
    """
    for e in range(begin, end):
        code[e] = (abs(np.int64(gain[e])) * ENTRIES) // band
        gain[e] = lut[code[e]]


def _gains_float(theta, edge, begin, end, lut, shape, gain, code):
    for e in range(begin, end, LANES):
        n = min(LANES, end - e)
        d = as_double(abs(in_thresholds(load_part(gain, e, n), theta)))
        store_part(gain, e, shape_of(shape, d, np.float64(edge)), n)
        store_part(code, e, zeros_like(ids_from(0)), n)


def _in_thresholds_fixed(u, theta):
    """Return a potential as `gain_of` takes it: in thresholds in float, in units of V, as the band, in fixed point."""
    return u


def _in_thresholds_float(u, theta):
    return u / theta


gains = by_number(_gains_fixed, _gains_float)
in_thresholds = by_number(_in_thresholds_fixed, _in_thresholds_float)
