"""Rule strings of Lava, as dw = "2^-2*y0*x1 - 2^-1*x0*y1": sums of products, read strictly and printed in one form.

    rule   = ["+"|"-"] term { ("+"|"-") term }
    term   = factor { "*" factor }                 at least one of x0, y0, u_k; u_k not after x0 or y0
    factor = "x0" | "y0" | "u" digit | trace | syn | scale | "(" ["+"|"-"] scale ")" | "(" ["+"] (trace | syn) ")"
           | "(" ["+"|"-"] P ("+"|"-") Q ")" | "sgn(" ["+"] syn ")" | "sgn(" ["+"|"-"] P ("+"|"-") Q ")"
    P, Q   = one whole number and one of trace | syn | "x0" | "y0" (in sgn: one of syn), in either order
    trace  = x1 x2 y1 y2 y3      syn = w d t      scale = int | "2^" [sign] int | int "*2^" [sign] int

Spaces are ignored. What lava-nc 0.10.0 rejects is refused, and so is what it accepts but reads as something else.
Source: lava-nc 0.10.0, magma/core/learning/symbolic_equation.py and product_series.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chipsim.errors import ConfigError, Problem, raise_all
from chipsim.learning.lava.pieces import Piece, Refused, parse_factor, pieces_of, terms_of

TRACES = ("x1", "x2", "y1", "y2", "y3")
SYNAPSE = ("w", "t", "d")
MANTISSAS, EXPONENTS = (-8, 7), (-7, 8)


class Factor(NamedTuple):
    """v + constant, or its sign; v is a trace, w, d, t, or x0 or y0 as 0 or 1."""

    variable: str
    constant: int = 0
    sign: bool = False  # sgn(v + constant)


class Term(NamedTuple):
    """mantissa * 2^exponent * dependency * factors; the dependency decides where and when the term is evaluated at all."""

    dependency: str  # x0: at a presynaptic spike, y0: at a postsynaptic one, u: every 2^decimate epochs
    decimate: int | None  # k of u_k
    mantissa: int
    exponent: int
    factors: tuple[Factor, ...] = ()


def parse(text: str, name: str = "rule") -> tuple[Term, ...]:
    """Return the terms of a rule string; `name` is the object named in errors.

    Raises:
        ConfigError: one problem, with its column, for everything that Lava would reject or misread.
    """
    if not isinstance(text, str):
        raise ConfigError(Problem(name, "form", text, "a rule is a string such as '2^-2*y0*x1 - x0*y1'"))
    terms, problems = [], []
    for sign, span in terms_of(text, problems, name):
        found = len(problems)
        term = parse_term(sign, pieces_of(span), lambda piece, limit: problems.append(problem(name, piece, limit)))
        if len(problems) == found and term:
            terms.append(term)
    used = sorted({term.decimate for term in terms if term.decimate is not None})
    if len(used) > 1:
        limit = "all terms must use the same u_k"
        problems.append(Problem(name, "u_k", ", ".join(f"u{k}" for k in used), limit))
    raise_all(problems)
    return tuple(terms)


def problem(name: str, piece: Piece, limit: str) -> Problem:
    """Return the Problem of a piece of a rule string."""
    return Problem(name, f"column {piece.column}", piece.text, limit)


def parse_term(sign: int, pieces: list[Piece], refuse: Callable[[Piece, str], None]) -> Term | None:
    """Return the term that the product of `pieces` makes; tell `refuse` what is wrong."""
    mantissa, exponent, dependency, decimate, factors, wrong = sign, 0, "", None, [], False
    for piece in pieces:
        try:
            kind, value = parse_factor(piece)
        except Refused as error:
            refuse(error.piece, str(error))
            wrong = True
            continue
        if kind == "scale":
            mantissa, exponent = mantissa * value[0], exponent + value[1]
        elif kind in ("factor", "negated"):
            factors.append(Factor(*value))
            mantissa = -mantissa if kind == "negated" else mantissa
        elif kind == "u":
            if dependency in ("x0", "y0") or decimate not in (None, value):
                refuse(piece, "u_k cannot stand beside an earlier x0, y0 or another u_k: it would be lost")
                wrong = True
            dependency, decimate = dependency or "u", value
        elif dependency:
            factors.append(Factor(kind))
        else:
            dependency = kind
    if not dependency and not wrong:
        refuse(whole(pieces), "a product needs a dependency: x0, y0 or u_k")
    elif not wrong:
        return scaled(Term(dependency, decimate, mantissa, exponent, tuple(factors)), whole(pieces), refuse)
    return None


def whole(pieces: list[Piece]) -> Piece:
    """Return the product that pieces make, at the place where it begins."""
    return Piece("*".join(piece.text for piece in pieces), pieces[0].column)


def scaled(term: Term, piece: Piece, refuse: Callable[[Piece, str], None]) -> Term | None:
    """Return a term with its scale as Lava stores it: even mantissas beyond 7 become larger exponents."""
    m, e = term.mantissa, term.exponent
    while abs(m) > 7 and m % 2 == 0 and e < EXPONENTS[1]:
        m, e = m // 2, e + 1
    if not MANTISSAS[0] <= m <= MANTISSAS[1]:
        refuse(piece, f"its scale is {m} * 2^{e}: the mantissa must be within {MANTISSAS[0]}..{MANTISSAS[1]}")
    elif not EXPONENTS[0] <= e <= EXPONENTS[1]:
        refuse(piece, f"its scale is {m} * 2^{e}: the exponent must be within {EXPONENTS[0]}..{EXPONENTS[1]}")
    else:
        return term._replace(mantissa=m, exponent=e)
    return None


def show(terms: tuple[Term, ...]) -> str:
    """Return the rule string of terms in canonical form, which `parse` and Lava read back as the same terms."""
    parts = []
    for n, term in enumerate(terms):
        sign = "-" if term.mantissa < 0 else "+" if n else ""
        parts.append(f"{sign} {show_term(term)}" if n else sign + show_term(term))
    return " ".join(parts)


def show_term(term: Term) -> str:
    """Return a term without its sign."""
    size, scale = abs(term.mantissa), []
    if size != 1:
        scale.append(str(size))
    if term.exponent:
        scale.append(f"2^{term.exponent}")
    dependency = f"u{term.decimate}" if term.dependency == "u" else term.dependency
    return "*".join([*scale, dependency, *(show_factor(factor) for factor in term.factors)])


def show_factor(factor: Factor) -> str:
    """Return a factor as it is written."""
    inside = f"{factor.variable}{factor.constant:+d}" if factor.constant else factor.variable
    if factor.sign:
        return f"sgn({inside})"
    return f"({inside})" if factor.constant else inside
