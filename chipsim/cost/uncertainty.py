"""How sure an energy is: interval of 5 to 95 %, ratios inside a trial, which prices matter and what they rest on (docs/cost.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chipsim.cost.draws import TRIALS, edge, price_draws
from chipsim.cost.engine import LIKE
from chipsim.cost.gaps import LEARNING, NO_GAPS, Gaps
from chipsim.cost.terms import Term, shares

LARGEST = 5  # terms that every report prints


class Interval(NamedTuple):
    """A nominal value and the ends of its 90 % interval. The nominal value may lie outside, if it rests on published limits."""

    nominal: float
    p05: float
    p95: float

    @classmethod
    def of(cls, nominal: float, draws: np.ndarray) -> Interval:
        """Return the interval of [TRIALS] values."""
        low, high = np.quantile(draws, (0.05, 0.95))
        return cls(float(nominal), float(low), float(high))

    def within(self, low: float, high: float) -> Interval:
        """Return it with its ends cut at a lowest and a highest value."""
        return Interval(self.nominal, min(max(self.p05, low), high), max(min(self.p95, high), low))

    def times(self, factor: float) -> Interval:
        """Return it in another unit."""
        return Interval(*(end * factor for end in self))


@dataclass(frozen=True)
class Draws:
    """A quantity as its nominal value and [TRIALS] values, one per trial. Arithmetic stays inside a trial."""

    nominal: float
    values: np.ndarray = field(repr=False)

    @property
    def interval(self) -> Interval:
        """Nominal value with its 90 % interval."""
        return Interval.of(self.nominal, self.values)

    def __add__(self, other: Draws) -> Draws:
        return Draws(self.nominal + other.nominal, self.values + other.values)

    def __mul__(self, other: Draws | float) -> Draws:
        if isinstance(other, Draws):
            return Draws(self.nominal * other.nominal, self.values * other.values)
        return Draws(self.nominal * other, self.values * other)

    def __truediv__(self, other: Draws) -> Draws:
        """Return the ratio; common factors of both cancel. Raises ZeroDivisionError if the other is 0."""
        if not other.nominal or not other.values.all():
            raise ZeroDivisionError("a ratio to nothing")
        return Draws(self.nominal / other.nominal, self.values / other.values)


@dataclass(frozen=True)
class Uncertainty:
    """What the prices of an energy leave open. Made by `uncertainty_of`, reached as `Energy.uncertainty`.

    total, phases: J, 90 % interval; a phase without energy is not there. learning_to_inference: (backward + update) / forward,
    without static energy; None without either, and `unknown` says why where a phase has no price.
    gaps: what the phases lack. sensitivity: {term: d ln E / d ln price}, its share of the total, the largest first.
    largest: the `LARGEST` largest terms. one_sided: {term: side} where the nominal price is no middle.
    mixed_points: {operating point that is not the chip's: terms}. draws: {phase or "total": values in J}.
    """

    total: Interval
    phases: dict[str, Interval]
    learning_to_inference: Interval | None
    shares_by_basis: dict[str, float]
    shares_by_seen: dict[str, float]
    sensitivity: dict[str, float]
    largest: tuple[Term, ...]
    one_sided: dict[str, str]
    mixed_points: dict[str, list[str]]
    unknown: dict[str, str]
    gaps: Gaps
    draws: dict[str, Draws] = field(repr=False, compare=False)

    def summary(self, samples: int) -> dict[str, Any]:
        """Return what `chipsim train --json` says of it, energies in J per sample."""
        return {
            "trials": TRIALS, "p05": self.total.p05 / samples, "p95": self.total.p95 / samples,
            "phases": {phase: row.times(1 / samples)._asdict() for phase, row in self.phases.items()},
            "learning_to_inference": self.gaps.ratio_row(self.learning_to_inference), "unknown": self.unknown,
            "shares_by_basis": self.shares_by_basis, "shares_by_seen": self.shares_by_seen,
            "largest_terms": [term_row(term, self.sensitivity[term.name], samples) for term in self.largest],
            "sensitivity": self.sensitivity, "one_sided": self.one_sided, "mixed_points": self.mixed_points,
        }  # fmt: skip


def uncertainty_of(terms: Sequence[Term], point: str, gaps: Gaps = NO_GAPS) -> Uncertainty:
    """Return the uncertainty of a sum of terms; point: operating point of the chip's price list; gaps: what the sum lacks."""
    terms = [term for term in terms if term.joules or term.ends[1]]
    of_phase = {phase: [t for t in terms if t.phase == phase] for phase in dict.fromkeys(t.phase for t in terms)}
    phases = {phase: drawn(mine, point) for phase, mine in of_phase.items()}
    total = sum(phases.values(), Draws(0.0, np.zeros(TRIALS)))
    ratio, why = learning_ratio(phases, gaps)
    order = sorted(terms, key=lambda term: -term.joules)
    other = {term.name: term.price.point for term in order if term.price.point and term.price.point != point}
    return Uncertainty(
        total=inside(total, terms), phases={phase: inside(phases[phase], mine) for phase, mine in of_phase.items()},
        learning_to_inference=ratio,
        shares_by_basis=shares(terms, "rests_on"), shares_by_seen=shares(terms, "seen"),
        sensitivity={term.name: term.joules / total.nominal for term in order} if total.nominal else {},
        largest=tuple(order[:LARGEST]) if total.nominal else (), one_sided=one_sided(order),
        mixed_points={at: [name for name, found in other.items() if found == at] for at in dict.fromkeys(other.values())},
        unknown={} if why is None else {"learning_to_inference": why}, gaps=gaps,
        draws={**phases, "total": total},
    )  # fmt: skip


def drawn(terms: Sequence[Term], point: str) -> Draws:
    """Return the sum of some terms in every trial, in J."""
    values = np.zeros(TRIALS)
    for term in terms:
        lasting = term.lasting.values if term.lasting else 1.0
        values += term.amount * term.unit * price_draws(term.price, LIKE.get(term.name, term.name), point) * lasting
    return Draws(sum(term.joules for term in terms), values)


def inside(found: Draws, terms: Sequence[Term]) -> Interval:
    """Return the interval of a sum of terms, cut at its corners: beyond them lies only the chance of a finite number of trials."""
    low, high = (sum(term.ends[end] for term in terms) for end in (0, 1))
    return found.interval.within(low, high)


def learning_ratio(phases: dict[str, Draws], gaps: Gaps) -> tuple[Interval | None, str | None]:
    """Return learning over inference, all that learning adds divided by the forward phase, or why there is none.

    Without learning, or without a forward phase, there is neither. A phase that counted something and has no price is not zero.
    """
    learning = [phases[phase] for phase in LEARNING if phase in phases]
    if not learning and not set(LEARNING) & (gaps.unknown | gaps.held):
        return None, None
    why = gaps.why_undivided()
    if why or "forward" not in phases or not phases["forward"].nominal:
        return None, why
    if not phases["forward"].values.all():
        return None, "inference may cost nothing: the range of its prices begins at 0"
    return (sum(learning[1:], learning[0]) / phases["forward"]).interval, None


def one_sided(terms: Sequence[Term]) -> dict[str, str]:
    """Return {term: side} of the prices whose nominal value is no middle.

    "minimum", "maximum": the source states only that. "lower end", "upper end": it states a range, and the value is that end.
    """
    found = {}
    for term in terms:
        lo, hi = term.price.lo is not None, term.price.hi is not None
        side = "minimum" if lo and not hi else "maximum" if hi and not lo else edge(term.price)
        if side:
            found[term.name] = side
    return found


def term_row(term: Term, share: float, samples: int) -> dict[str, Any]:
    """Return a term as a row of a report: J per sample, share, price and source."""
    price, (low, high) = term.price, term.ends
    return {
        "term": term.name, "share": share, "j_per_sample": term.joules / samples, "low": low / samples, "high": high / samples,
        "price": price.value, "unit": price.unit, "basis": price.basis, "seen": price.seen, "source": price.source,
    }  # fmt: skip
