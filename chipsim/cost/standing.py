"""Standing costs: power that flows while a sample runs, whether anything happens or not. One table says what each is multiplied with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chipsim.cost.terms import MW, Term
from chipsim.hardware import Chip


class Use(NamedTuple):
    """What was in use, and how long."""

    seconds: float
    cores: int  # powered cores
    chips: int


class Standing(NamedTuple):
    """event: name of the exposure where it has no price. of: the exposure, in seconds times cores or chips, or millions of cycles."""

    event: str
    of: Callable[[Chip, Use], float]


EXPOSURES = {  # name in [power] -> what it is multiplied with
    "static_core": Standing("static.core_seconds", lambda chip, use: use.cores * use.seconds),
    "static_chip": Standing("static.chip_seconds", lambda chip, use: use.chips * use.seconds),
    "clock": Standing("static.clock_megacycles", lambda chip, use: use.chips * chip.clock["frequency"].value * use.seconds),
}
LEAKAGE = ("static_core", "static_chip")  # without either of them the static power of a chip is unknown


def standing_terms(chip: Chip, use: Use) -> list[Term]:
    """Return the standing costs of a chip as terms of its energy."""
    return [Term(f"power.{name}", "static", EXPOSURES[name].of(chip, use), MW, price) for name, price in chip.power.items()]


def unknown_standing(chip: Chip, time_s: float | None, cores: int) -> dict[str, float]:
    """Return {exposure: amount} of the standing costs that have no price (or no time); what did not run has none."""
    if not cores or time_s == 0:
        return {}
    names = [] if any(name in chip.power for name in LEAKAGE) else ["static_core"]
    found = {EXPOSURES[name].event: cores * (time_s or 0.0) for name in names}
    return found | ({EXPOSURES[name].event: 0.0 for name in chip.power} if time_s is None else {})
