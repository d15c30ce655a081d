"""Terms: what one price adds to the energy of a run, and what is known about that price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chipsim.hardware import Quantity

PJ = 1e-12  # J
MW = 1e-3  # W
NOT_STATED = "not stated"


class Term(NamedTuple):
    """amount x price. name: "phase.event" or "power.name"; phase: forward, backward, update or static.

    amount: events, or exposure in seconds; unit: J of one event (W) at a price of 1.
    """

    name: str
    phase: str
    amount: float
    unit: float
    price: Quantity

    @property
    def joules(self) -> float:
        """Nominal energy in J."""
        return self.amount * self.price.value * self.unit

    @property
    def ends(self) -> tuple[float, float]:
        """Energy in J with the price at its lower and at its upper end."""
        return self.amount * self.price.low * self.unit, self.amount * self.price.high * self.unit


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
