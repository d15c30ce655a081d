"""Numbers as people read them: three digits and a prefix that fits."""

from __future__ import annotations

import math
from collections.abc import Mapping

PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def prefix_of(value: float, least: int = -18) -> int:
    """Return the power of ten (a multiple of 3, at least `least`) that leaves 1 to 999 before the decimal point."""
    if value == 0 or not math.isfinite(value):
        return max(0, least)
    power = math.floor(math.log10(float(f"{abs(value):.2e}")))  # rounded first: 999.9 becomes 1.00 k
    return min(max(3 * math.floor(power / 3), least), max(PREFIXES))


def digits(value: float) -> str:
    """Return a number with three significant digits, never in exponential notation below 1e6: 0.123, 1.23, 12.3, 123, 1,234."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    rounded = float(f"{value:.2e}") if abs(value) < 1000 else value
    places = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{min(places, 6)}f}"


def si(value: float | None, unit: str) -> str:
    """Return a quantity with a prefix: 1.23 uJ, 45.6 ns, 12 kbit; "unknown" for None."""
    if value is None:
        return "unknown"
    least = 0 if unit in ("bit", "") else -18
    power = prefix_of(value, least)
    number = f"{value:.0f}" if unit == "bit" and power == 0 else digits(value / 10.0**power)
    return f"{number} {PREFIXES[power]}{unit}".rstrip()


def percent(value: float | None) -> str:
    """Return a fraction in percent: 95.8 %, 0.42 %, 3.4e-05 %."""
    if value is None or not math.isfinite(value):
        return "unknown"
    hundred = 100 * value
    if 0 < abs(hundred) < 0.01:
        return f"{hundred:.1e} %"
    return f"{hundred:.1f} %" if abs(hundred) >= 1 or hundred == 0 else f"{hundred:.2f} %"


def number(value: float) -> str:
    """Return a count: whole numbers with thousands separators, means with three digits."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else digits(value)


def without_price(unpriced: Mapping[str, float], samples: int) -> str:
    """Return what is left out, the most frequent first; standing costs stand there in seconds or cycles, 0 where the time is unknown."""
    rows = sorted(unpriced.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {number(n / samples) if n else 'for an unknown time'}" for name, n in rows)


def counted(n: int, word: str) -> str:
    """Return a count with its word: 1 pass, 2 passes, 3 cores."""
    plural = "es" if word.endswith("s") else "s"
    return f"{n:,} {word}{'' if n == 1 else plural}"
