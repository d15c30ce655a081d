"""Random prices for the Monte Carlo of docs/cost.md section 3: 1,000 values of each price, the same ones in every run.

A value is found by address (source, operating point, name of the price), never drawn in order: two runs, two rules or two chips that
use one price use the same 1,000 values of it, so that what they have in common cancels in their ratio.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from chipsim.hardware import Price, Quantity
from chipsim.hardware.quantity import Part

TRIALS = 1000
SEED = 5
COMMON, OWN = 2.0, 1.0  # weight of what all prices of a source share, and of what a price has of its own: half of that
TWO_SIDED, ONE_SIDED = NormalDist().inv_cdf(0.95), NormalDist().inv_cdf(0.975)  # where the ends of the 90 % interval lie


def price_draws(price: Quantity, name: str, point: str) -> np.ndarray:
    """Return [TRIALS] values of a price, in its unit.

    Log-normal on either side of the nominal value, `low` and `high` being its 5 and 95 % points. If the nominal value is itself an
    end (a published minimum or maximum), nothing lies beyond it: half a normal distribution, whose 95 % point is the other end. A
    published range with both ends is a 90 % interval also where the nominal value is one of them; the median is its middle then.
    Below an end of 0, where no logarithm exists, it is linear. A price made of others is their sum
    in every trial. name: "phase.event" or "power.name"; point: operating point of the chip.
    """
    value, low, high = price.value, price.low, price.high
    if low == high:
        return np.full(TRIALS, value)
    if getattr(price, "parts", ()):
        return value * sum_of_parts(price, name, point)
    rank = ranks("time" if price.unit == "ns" else "energy", price.source, price.point or point, name)
    if edge(price):
        value = (low * high) ** 0.5 if low > 0 else (low + high) / 2
    elif value == low:
        return reach(value, high, half_normal()[rank] / ONE_SIDED)
    elif value == high:
        return reach(value, low, half_normal()[TRIALS - 1 - rank] / ONE_SIDED)
    x = scores()[rank] / TWO_SIDED
    found = np.where(x < 0, reach(value, low, np.abs(x)), reach(value, high, np.abs(x)))
    least = price.lo if price.hi is None and price.lo is not None else 0.0  # a published minimum or maximum is a wall
    most = price.hi if price.lo is None and price.hi is not None else np.inf
    return np.clip(found, least, most)


def sum_of_parts(price: Price, name: str, point: str) -> np.ndarray:
    """Return [TRIALS] sums of the parts of a price, in shares of its nominal value.

    Every figure has the same values in all prices made of it. How much work an event is between the least and the most lies anywhere
    between them, the same for all parts of an event.
    """
    ranged = any(part.least < part.most for part in price.parts)
    share = (order(f"work|{name}") + 0.5) / TRIALS if ranged else 0.0
    found = np.zeros(TRIALS)
    for part in price.parts:
        found += (part.most - (part.most - part.least) * share) * price_draws(part.price, figure_of(part), point)
    return found / sum(part.most * part.price.value for part in price.parts)


def figure_of(part: Part) -> str:
    """Return the name under which a part is drawn.

    Memories and operations of which a source gives one figure (10 pJ per access for all of them, say) are one number, drawn once:
    the same value, range and basis. A price that was borrowed is drawn as its lender.
    """
    if not part.entry.startswith(("memory.", "operation.")):
        return part.entry
    price = part.price
    return f"{price.value:.9g} {price.unit}, {price.lo} to {price.hi}, {price.basis} of {price.rests_on}"


def edge(price: Quantity) -> str:
    """Return "lower end" or "upper end" if the nominal value is an end of a range with two, of figures or of the work of an event."""
    if any(part.least < part.most for part in getattr(price, "parts", ())):
        return "upper end"
    if price.lo is None or price.hi is None or price.lo == price.hi or price.value not in (price.lo, price.hi):
        return ""
    return "lower end" if price.value == price.lo else "upper end"


def reach(value: float, end: float, x: np.ndarray) -> np.ndarray:
    """Return what lies a share x of the way from a value to an end, and beyond it for x > 1: geometric, linear if one of them is 0."""
    if value > 0 and end > 0:
        return value * (end / value) ** x
    return np.maximum(value + (end - value) * x, 0.0)


@lru_cache(maxsize=4096)
def ranks(kind: str, source: str, point: str, name: str) -> np.ndarray:
    """Return [TRIALS] int: the place of every trial's value among all values of this price; the same for the same arguments.

    Prices of one source and operating point share a factor: a weight of two on a number of theirs, of one on a number of this price.
    """
    shared = scores()[order(f"{kind}|{source}|{point}")]
    own = scores()[order(f"{kind}|{source}|{point}|{name}")]
    return np.argsort(np.argsort(COMMON * shared + OWN * own))


def order(address: str) -> np.ndarray:
    """Return a permutation [TRIALS] that depends on the address alone."""
    seed = int.from_bytes(hashlib.sha256(f"{SEED}|{address}".encode()).digest()[:8], "little")
    return np.argsort(np.random.default_rng(seed).random(TRIALS))


@lru_cache(maxsize=1)
def scores() -> np.ndarray:
    """Return [TRIALS] ascending values of a standard normal distribution, one from the middle of each of as many equal shares."""
    return np.array([NormalDist().inv_cdf((n + 0.5) / TRIALS) for n in range(TRIALS)])


@lru_cache(maxsize=1)
def half_normal() -> np.ndarray:
    """Return [TRIALS] ascending values of the absolute value of a standard normal, likewise."""
    return np.array([NormalDist().inv_cdf(0.5 + (n + 0.5) / (2 * TRIALS)) for n in range(TRIALS)])
