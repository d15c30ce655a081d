"""One number of a chip description: its value, its unit, how sure it is, and who says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

# Factor either way where a source gives no range, 90 % interval. Recommendations, not findings: they are the same for every chip.
FACTORS = {"silicon": 1.15, "pre-silicon": 1.5, "synthesis": 1.5, "assumed": 3.0, "architectural": 1.0}
RECALLED_FACTOR = 3.0

# dimension -> unit -> how many of the unit chipsim computes in (the one with factor 1)
UNITS = {
    "energy": {"pJ": 1.0, "fJ": 1e-3, "nJ": 1e3, "uJ": 1e6, "mJ": 1e9, "J": 1e12},
    "time": {"ns": 1.0, "ps": 1e-3, "us": 1e3, "ms": 1e6, "s": 1e9},
    "power": {"mW": 1.0, "nW": 1e-6, "uW": 1e-3, "W": 1e3},
    "count": {"count": 1.0},
    "bits": {"bit": 1.0},
    "energy per bit": {"pJ/bit": 1.0, "fJ/bit": 1e-3, "nJ/bit": 1e3},
    "frequency": {"MHz": 1.0, "Hz": 1e-6, "kHz": 1e-3, "GHz": 1e3},
    "power per frequency": {"mW/MHz": 1.0, "nW/MHz": 1e-6, "uW/MHz": 1e-3},
    "area": {"mm2": 1.0, "um2": 1e-6},
    "area per bit": {"um2/bit": 1.0},
}
CYCLE = "cycle"  # a time in periods of the chip's clock; becomes ns when the file is read


@dataclass(frozen=True)
class Quantity:
    """A number with its provenance.

    value, unit: in the unit chipsim computes in (the first of each line of `UNITS`), whatever unit the file used.
    lo, hi: published range. Only `lo`: the source states a minimum. Only `hi`: a maximum. Neither: one figure without a range.
    basis: a key of `FACTORS` or "derived"; `inputs` is the basis of the numbers that a derived one was made from.
    scope: "incremental" (one more event) or "aggregate" (an average with static power inside); empty for limits and widths.
    point: operating point where it is not that of the chip's price list.
    """

    value: float
    unit: str
    basis: str
    source: str
    lo: float | None = None
    hi: float | None = None
    scope: str = ""
    seen: str = ""
    note: str = ""
    inputs: str = ""
    point: str = ""

    @property
    def rests_on(self) -> str:
        """Its basis; of a derived number that of its inputs, an assumption where they are not named."""
        return (self.inputs or "assumed") if self.basis == "derived" else self.basis

    @property
    def factor(self) -> float:
        """Spread either way where no range is given."""
        return max(FACTORS[self.rests_on], RECALLED_FACTOR if self.seen == "recalled" else 1.0)

    @property
    def low(self) -> float:
        """Lower end: as published, else `value` divided by the factor of its basis."""
        return self.value / self.factor if self.lo is None else self.lo

    @property
    def high(self) -> float:
        """Upper end: as published, else `value` times the factor of its basis."""
        return self.value * self.factor if self.hi is None else self.hi


class Part(NamedTuple):
    """One term of a price made of others: so many of an entry (bits, operations, or a price that was borrowed), at least and at most.

    entry: its name, under which all prices made of it share it: "memory.KIND.read", "operation.NAME" or "phase.event".
    """

    entry: str
    least: float
    most: float
    price: Quantity


@dataclass(frozen=True)
class Price(Quantity):
    """What one event costs, in pJ or ns.

    included_in: "phase.event" whose price already holds this one: a documented zero.
    same_as: "phase.event" whose price was borrowed.
    parts: what it was worked out of, if it was: the value is the sum of `most` x price; it varies as they do.
    """

    included_in: str = ""
    same_as: str = ""
    parts: tuple[Part, ...] = ()

    def borrowed(self, name: str, times: float, basis: str, source: str, note: str) -> Price:
        """Return this price as that of another event; an assumed loan spreads like an assumption, without a published range.

        Any other loan is the same number: it is as uncertain as its lender, in the same way.
        """
        scaled = [None if basis == "assumed" or end is None else end * times for end in (self.lo, self.hi)]
        loan = replace(self, value=self.value * times, lo=scaled[0], hi=scaled[1], basis=basis, source=source, note=note)
        parts = () if basis == "assumed" else (Part(name, times, times, self),)
        return replace(loan, inputs=self.inputs or self.basis, seen="", same_as=name, parts=parts)
