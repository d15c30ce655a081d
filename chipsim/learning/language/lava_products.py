"""Products of a Lava rule string: coefficients as m 2^e, within what Lava's fixed-point model computes.

Source: lava-nc 0.10.0, magma/core/learning/symbolic_equation.py and product_series.py.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

TRACE_BITS, SYNAPSE_BITS, PRODUCT_BITS, MANTISSA_BITS = 7, 9, 15, 4
MANTISSA, EXPONENTS = 7, (-7, 8)
MOST_PRODUCTS = 3  # that one coefficient is split into
ORDER = ("x1", "x2", "y1", "y2", "y3", "w", "t")


class Variable(NamedTuple):
    """A variable of Lava. It holds a whole number q, which stands for (q - offset) 2^-frac; means: fields whose product that is."""

    name: str
    frac: int
    offset: int
    means: tuple[str, ...]


def products(scale: Fraction, dependency: str, parts: list[Variable]) -> list[str] | str:
    """Return the products that make a term, or why there are none."""
    bits = sum(TRACE_BITS if v.name[:1] in ("x", "y") else SYNAPSE_BITS for v in parts) + MANTISSA_BITS
    scale *= 2 ** max(0, bits - PRODUCT_BITS)  # Lava shifts a wide product right and does not undo it
    names = sorted(parts, key=lambda v: ORDER.index(v.name) if v.name else 0)
    factors = [f"({v.name}-{v.offset})" if v.offset else v.name for v in names]
    found, rest = [], scale
    while rest:
        m, e = chunk(rest)
        if m is None or e < EXPONENTS[0] or e > EXPONENTS[1] or len(found) == MOST_PRODUCTS:
            limit = f"at most {MOST_PRODUCTS} numbers m 2^e, m up to {MANTISSA}, e from {EXPONENTS[0]} to {EXPONENTS[1]}"
            return (
                f"its coefficient for Lava's integers is {scale}, no sum of {limit}: change it, rate, weight_frac or signal_frac"
            )
        rest -= m * Fraction(2) ** e
        size = "*".join([*([str(abs(m))] if abs(m) != 1 else []), *([f"2^{e}"] if e else [])])
        found.append(("-" if m < 0 else "") + "*".join([*([size] if size else []), dependency, *factors]))
    return found


def chunk(scale: Fraction) -> tuple[int | None, int]:
    """Return the leading three binary digits of a number as m 2^e, m odd or e as large as Lava takes it; None: not binary."""
    n, d = abs(scale.numerator), scale.denominator
    if d & (d - 1):
        return None, 0
    cut = max(0, n.bit_length() - 3)
    m, e = n >> cut, cut - (d.bit_length() - 1)
    while m % 2 == 0:
        m, e = m // 2, e + 1
    while e > EXPONENTS[1] and 2 * m <= MANTISSA:
        m, e = 2 * m, e - 1
    return (m if scale > 0 else -m), e


def nearest(share: float) -> float:
    """Return the m 2^e nearest to a share from 0 to 1."""
    return min((m * 2.0**e for m in range(1, MANTISSA + 1) for e in range(EXPONENTS[0], 1)), key=lambda v: abs(v - share))


def joined(texts: list[str]) -> str:
    """Return products as one sum."""
    return " ".join([texts[0], *(f"- {text[1:]}" if text.startswith("-") else f"+ {text}" for text in texts[1:])])
