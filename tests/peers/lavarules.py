"""Learning rules drawn at random, as strings, and what lava-nc reads from a string."""

from __future__ import annotations

import random

TRACES, SYNAPSE = ("x1", "x2", "y1", "y2", "y3"), ("w", "d", "t")


def scale(rng: random.Random) -> str:
    """Return a scale whose product with two others can still be stored."""
    m, e = rng.choice((1, 1, 2, 3, 5, 7)), rng.randint(-3, 4)
    return rng.choice((str(m), f"2^{e}", f"{m}*2^{e}", f"(-{m}*2^{e})", f"(+{m})"))


def constant(rng: random.Random) -> int:
    return rng.choice((0, 1, rng.randint(1, 20), rng.randint(1, 300), 128, 512))


def summed(rng: random.Random, variable: str) -> str:
    """Return a variable and a constant in brackets, in either order and with all signs."""
    c, sign = constant(rng), rng.choice("+-")
    if rng.random() < 0.6:
        return f"({rng.choice(('', '', '+', '-'))}{variable}{sign}{c})"
    return f"({rng.choice(('', '+', '-'))}{c}{sign}{variable})"


def factor(rng: random.Random, floats: bool) -> str:
    kind = rng.random()
    variable = rng.choice(TRACES * 2 + SYNAPSE * 3 + (() if floats else ("x0", "y0")))
    if kind < 0.15:
        chosen = rng.choice(SYNAPSE)
        return rng.choice((f"sgn({chosen})", f"sgn(+{chosen}-{constant(rng)})", f"sgn(-{constant(rng)}+{chosen})"))
    if kind < 0.4:
        return summed(rng, variable)
    if kind < 0.5 and variable not in ("x0", "y0"):
        return rng.choice((f"({variable})", f"(+{variable})"))
    return variable


def product(rng: random.Random, k: int, floats: bool) -> str:
    """Return a product of up to four factors, now and then of ten, besides scales and its dependency."""
    dependency = rng.choice(("x0", "x0", "y0", "y0", f"u{k}"))
    rest = [factor(rng, floats) for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 4)) if rng.random() < 0.96 else 10)]
    before = [f for f in rest if f not in ("x0", "y0")]
    cut = rng.randint(0, len(before)) if rng.random() < 0.3 else 0
    parts = before[:cut] + [dependency] + [f for f in rest if f not in before[:cut]]
    for _ in range(rng.choice((0, 1, 1, 2))):
        parts.insert(rng.randint(0, len(parts)), scale(rng))
    return "*".join(parts)


def rule(rng: random.Random, k: int, floats: bool = False) -> str:
    """Return a rule string; k: of its u_k. floats: one that Lava's float model takes too."""
    text = rng.choice(("", "", "-", "+")) + product(rng, k, floats)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        text += rng.choice(("+", "-", " + ", " - ")) + product(rng, k, floats)
    return text


def read_by_lava(text: str) -> list[tuple]:
    """Return (dependency, mantissa, exponent, ((variable, constant, sign), ...)) of every product that Lava makes of a string.

    Raises:
        Exception: Lava rejects it, in whatever way.
    """
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule

    products = Loihi2FLearningRule(dw=text, rng_seed=1).dw.products
    return [
        (p.dependency, p.s_mantissa, p.s_exp - 7, tuple((f.state_var, f.const or 0, bool(f.is_sgn)) for f in p.factors))
        for p in products
    ]
