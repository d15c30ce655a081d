"""Terms: what one price adds to the energy of a run, and what is known about that price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from chipsim.hardware import Quantity

PJ = 1e-12  # J
MW = 1e-3  # W
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Lasting:
    """How long standing costs last, in shares of the nominal time: with all times at their low end, at their high end, in every trial."""

    low: float
    high: float
    values: np.ndarray = field(repr=False, compare=False)  # [TRIALS]


class Term(NamedTuple):
    """amount x price. name: "phase.event" or "power.name"; phase: forward, backward, update or static.

    amount: events, or exposure in seconds; unit: J of one event (W) at a price of 1. lasting: what is not known of
    the exposure; None: it is taken as exact.
    """

    name: str
    phase: str
    amount: float
    unit: float
    price: Quantity
    lasting: Lasting | None = None

    @property
    def joules(self) -> float:
        """Nominal energy in J."""
        return self.amount * self.price.value * self.unit

    @property
    def ends(self) -> tuple[float, float]:
        """Energy in J with the price, and the time it lasts, at the lower and at the upper end."""
        least, most = (self.lasting.low, self.lasting.high) if self.lasting else (1.0, 1.0)
        return self.amount * self.price.low * self.unit * least, self.amount * self.price.high * self.unit * most


def shares(terms: Iterable[Term], key: str) -> dict[str, float]:
    """Return {what the price rests on, or where it was seen: share of the energy}, the largest first; empty if there is no energy.

    key: an attribute of a price, `rests_on` or `seen`.
    """
    found: dict[str, float] = {}
    for term in terms:
        name = getattr(term.price, key) or NOT_STATED
        found[name] = found.get(name, 0.0) + term.joules
    total = sum(found.values())
    return {name: joules / total for name, joules in sorted(found.items(), key=lambda item: -item[1]) if joules} if total else {}
