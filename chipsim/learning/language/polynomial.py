"""Tracing a hook with symbols: the polynomial of its arguments that it computes, without rounding.

Variables stand for what stored numbers stand for (q 2^-frac), so `times(a, b)` is a b and `rshift(v, s)` is v 2^-s.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NoReturn


class NoPolynomial(Exception):
    """A hook computes something that is no sum of products; the message says what."""


class Polynomial:
    """terms: {factors in alphabetic order, with repetition: coefficient that is not 0}."""

    def __init__(self, terms: dict[tuple[str, ...], Fraction]):
        self.terms = {factors: c for factors, c in terms.items() if c}

    def __mul__(self, other):
        found: dict[tuple[str, ...], Fraction] = {}
        for a, c in self.terms.items():
            for b, d in polynomial(other).terms.items():
                factors = tuple(sorted((*a, *b)))
                found[factors] = found.get(factors, Fraction(0)) + c * d
        return Polynomial(found)

    def __add__(self, other):
        other = polynomial(other).terms
        return Polynomial({k: self.terms.get(k, Fraction(0)) + other.get(k, Fraction(0)) for k in {**self.terms, **other}})

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + polynomial(other) * -1

    def __rsub__(self, other):
        return polynomial(other) - self

    __rmul__, __radd__ = __mul__, __add__

    def refuse_comparison(self, *_) -> NoReturn:
        """Refuse a branch."""
        raise NoPolynomial("a comparison or condition: a Lava rule has no branches")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __bool__ = refuse_comparison
    __hash__ = None


def polynomial(value: object) -> Polynomial:
    """Return a number of a hook as a polynomial."""
    return value if isinstance(value, Polynomial) else Polynomial({(): Fraction(value)})


def symbol(name: str) -> Polynomial:
    """Return a variable."""
    return Polynomial({(name,): Fraction(1)})


def refused(what: str):
    """Return a function of the language that no sum of products can express."""

    def call(*_) -> NoReturn:
        raise NoPolynomial(f"{what}: a Lava rule is a sum of products of traces, weight and tag")

    return call


FUNCTIONS = {
    "times": lambda a, b, fraction: polynomial(a) * b,
    "rshift": lambda v, s: polynomial(v) * Fraction(1, 1 << s),
    **{name: refused(name) for name in ("where", "clip", "sgn", "abs", "min", "max")},
}
