"""The lexical half of the grammar: a rule string cut into products and factors, each with its column, and what a factor may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from chipsim.errors import Problem

INT = r"(?:0|[1-9][0-9]*)"
VARIABLE = "x1|x2|y1|y2|y3|w|d|t"
SCALE = re.compile(rf"(?:(?P<m>{INT})|(?P<mm>{INT})\*2\^(?P<me>[+-]?{INT})|2\^(?P<e>[+-]?{INT}))")
ONE = re.compile(rf"x0|y0|u[0-9]|{VARIABLE}|2\^[+-]?{INT}|{INT}|sgn\([^()]*\)|\([^()]*\)")
LARGEST = 2**30  # constants: far beyond the 9 bits at which a factor saturates; Lava adds them to weights in 32 bits


class Piece(NamedTuple):
    """Part of a rule string without spaces, and the column in which it begins, from 1."""

    text: str
    column: int


class Span(NamedTuple):
    """A product: characters that are no spaces, and their columns."""

    text: str
    columns: list[int]


class Refused(ValueError):
    """Why a piece cannot be read."""

    def __init__(self, piece: Piece, limit: str):
        super().__init__(limit)
        self.piece = piece


def terms_of(text: str, problems: list[Problem], name: str) -> Iterator[tuple[int, Span]]:
    """Yield (sign, product) of every product of a rule string; what is wrong between them goes to `problems`."""
    kept = [(c, n + 1) for n, c in enumerate(text) if c != " "]
    if not kept:
        problems.append(Problem(name, "column 1", text, "the rule is empty; leave the target out instead"))
        return
    letters, columns = "".join(c for c, _ in kept), [n for _, n in kept]
    depth, start, sign, cuts = 0, 0, 1, []
    for n, c in enumerate(letters):
        depth += (c == "(") - (c == ")")
        if depth < 0:
            problems.append(Problem(name, f"column {columns[n]}", c, "no bracket is open here"))
            return
        if c in "+-" and depth == 0 and (n == 0 or letters[n - 1] not in "^*"):
            cuts.append((sign, start, n))
            start, sign = n + 1, -1 if c == "-" else 1
    if depth:
        problems.append(Problem(name, f"column {columns[letters.rfind('(')]}", "(", "this bracket is never closed"))
        return
    cuts.append((sign, start, len(letters)))
    for number, (sign, begin, end) in enumerate(cuts):
        if begin < end:
            yield sign, Span(letters[begin:end], columns[begin:end])
        elif number or len(cuts) == 1:
            column = columns[min(begin, len(columns) - 1)]
            problems.append(Problem(name, f"column {column}", text, "a product is missing here: one sign stands before each"))


def pieces_of(span: Span) -> list[Piece]:
    """Cut a product at every * outside brackets."""
    found, depth, start = [], 0, 0
    for n, c in enumerate(span.text + "*"):
        depth += (c == "(") - (c == ")")
        if c == "*" and depth == 0:
            found.append(Piece(span.text[start:n], span.columns[min(start, len(span.columns) - 1)]))
            start = n + 1
    return found


def parse_factor(piece: Piece) -> tuple[str, tuple | int | None]:
    """Return (kind, value) of a factor: x0, y0 (None), u (k), scale (mantissa, exponent), factor (variable, constant, sign).

    A sum with a minus on its variable is `negated`: (3 - y1) is -(y1 - 3).

    Raises:
        Refused: it is no factor.
    """
    text = piece.text
    if text in ("x0", "y0"):
        return text, None
    if re.fullmatch("u[0-9]", text):
        return "u", int(text[1])
    if re.fullmatch(VARIABLE, text):
        return "factor", (text, 0, False)
    if SCALE.fullmatch(text):
        return "scale", scale(text)
    if re.fullmatch(r"sgn\(.*\)", text) and balanced(text[3:]):
        return "factor", (*inside_sign(piece, text[4:-1]), True)
    if text.startswith("(") and balanced(text):
        return inside_brackets(piece, text[1:-1])
    raise Refused(piece, reason(text))


def scale(text: str) -> tuple[int, int]:
    """Return mantissa and exponent of a scale."""
    found = SCALE.fullmatch(text)
    return int(found["m"] or found["mm"] or 1), int(found["me"] or found["e"] or 0)


def balanced(text: str) -> bool:
    """Return whether the bracket that opens `text` closes at its end."""
    depth = 0
    for n, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return n == len(text) - 1
    return False


def inside_brackets(piece: Piece, inside: str) -> tuple[str, tuple]:
    """Return kind and value of a factor in brackets."""
    sign, rest = (inside[0], inside[1:]) if inside[:1] in ("+", "-") else ("", inside)
    if SCALE.fullmatch(rest):
        mantissa, exponent = scale(rest)
        return "scale", (-mantissa if sign == "-" else mantissa, exponent)
    if re.fullmatch(VARIABLE, rest):
        if sign == "-":
            raise Refused(piece, "Lava loses the sign of a variable alone in brackets: put the minus before the product")
        return "factor", (rest, 0, False)
    if re.fullmatch("x0|y0|u[0-9]", rest):
        raise Refused(piece, "Lava drops a dependency in brackets: write it without them")
    variable, constant, negative = added(piece, inside, f"{VARIABLE}|x0|y0")
    return "negated" if negative else "factor", (variable, constant, False)


def inside_sign(piece: Piece, inside: str) -> tuple[str, int]:
    """Return variable and constant of a sgn(...)."""
    plain = inside[1:] if inside[:1] == "+" else inside
    if re.fullmatch("w|d|t", plain):
        return plain, 0
    if re.fullmatch("-(?:w|d|t)", inside):
        raise Refused(piece, "Lava loses this sign: put the minus before the product")
    variable, constant, negative = added(piece, inside, "w|d|t")
    if negative:
        raise Refused(piece, "the variable in sgn(...) must not be negative")
    return variable, constant


def added(piece: Piece, inside: str, variables: str) -> tuple[str, int, bool]:
    """Return (variable, constant, whether the variable has a minus) of a variable and a whole number, in either order.

    The constant is that of variable + constant, the minus taken out.
    """
    limit = f"brackets hold a scale, or a whole number and one of {variables.replace('|', ', ')}: one sum of two, no products"
    found = re.fullmatch(r"([+-]?)([^+-]+?)([+-])([^+-].*)", inside)
    if not found:
        raise Refused(piece, limit)
    sign, first, middle, second = found.groups()
    pair = [(-1 if sign == "-" else 1, first), (-1 if middle == "-" else 1, second)]
    if not re.fullmatch(variables, first):
        pair.reverse()
    (of_variable, variable), (of_constant, number) = pair
    if not re.fullmatch(variables, variable) or not SCALE.fullmatch(number):
        raise Refused(piece, limit)
    mantissa, exponent = scale(number)
    if exponent < 0:
        raise Refused(piece, "the constant must be whole: the fixed-point model would cut its fraction off the sum")
    if exponent > 30 or mantissa << exponent >= LARGEST:
        raise Refused(piece, "the constant must be below 2^30")
    return variable, (mantissa << exponent) * of_constant * of_variable, of_variable < 0


def reason(text: str) -> str:
    """Return why a piece is no factor."""
    parts = ONE.findall(text)
    checks = (
        (not text, "a factor is missing beside this *"),
        (
            text[:1] in ("+", "-"),
            "a sign after * begins a new product in Lava: put it before the product, or the number in brackets",
        ),
        (any(c.isspace() for c in text), "only spaces may stand between the parts of a rule"),
        ("." in text, "there are no decimals: write a scale as m*2^e"),
        ("/" in text, "there is no division: write a scale as m*2^-e"),
        (re.fullmatch("u[0-9]{2,}", text), "k of u_k is one digit: Lava reads the others as a factor"),
        (text == "u", "u needs its k: u0 is every epoch, u_k every 2^k epochs"),
        (re.fullmatch("0[0-9]+|2\\^[+-]?0[0-9]+", text), "numbers have no leading zeros"),
        (re.search(r"[^0-9]\^|[013-9]\^|[0-9]2\^", text), "only 2 has an exponent: a variable is repeated, x1*x1"),
        (len(parts) > 1 and "".join(parts) == text, f"a * is missing: {'*'.join(parts)}"),
    )
    known = "x0, y0, u0..u9, x1, x2, y1, y2, y3, w, d, t, sgn(...), a scale m*2^e, or a sum in brackets"
    return next((why for wrong, why in checks if wrong), f"a factor is one of {known}")
