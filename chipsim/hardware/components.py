"""Prices worked out of memories and operations: bits moved x pJ per bit + operations x pJ per operation (`work`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chipsim.counters import PHASES
from chipsim.hardware.quantity import FACTORS, Part, Price, Quantity
from chipsim.hardware.work import Bits, Rows, Within, Work

SEEN = ("", "read in source", "transcribed by third party", "recalled")  # from the surest to the least sure
ALIKE = {"current": "membrane"}  # a width that stands for another where the chip does not state it


def named(table: Mapping[str, Any]) -> frozenset[str]:
    """Return the events ("phase.event") of which a file says the energy, be it as a number, a loan or an inclusion."""
    energy = table.get("energy", {})
    phases = {phase: energy.get(phase) for phase in PHASES} if isinstance(energy, dict) else {}
    return frozenset(f"{phase}.{event}" for phase, rows in phases.items() if isinstance(rows, dict) for event in rows)


def worked_out(
    rows: Rows, widths: Mapping[str, Quantity], memory: Mapping[str, Quantity], operation: Mapping[str, Quantity],
    taken: frozenset[str],
) -> dict[str, Price]:  # fmt: skip
    """Return the prices of those events that the file leaves open (those it names are `taken`) and of which all parts are known.

    widths in bits, memory in pJ per bit by "kind.read" and "kind.write", operation in pJ. What one part of has no price, a width
    included, has none itself.
    """
    prices = {}
    for event, row in rows.items():
        if event not in taken and isinstance(row, Work):
            parts = parts_of(row, widths, memory, operation)
            if parts:
                prices[event] = price_of(parts, row.why)
    for event, row in rows.items():
        if event not in taken and isinstance(row, Within) and (row.event in prices or row.event in taken):
            prices[event] = Price(0.0, "pJ", "architectural", row.why, included_in=row.event)
    return prices


def parts_of(work: Work, widths: Mapping, memory: Mapping, operation: Mapping) -> list[Part] | None:
    """Return the terms of one event's price, or None if one of them is not known."""
    parts = []
    for where, bits in work.moves.items():
        span, price = span_of(bits, widths), memory.get(where)
        if span is None or price is None:
            return None
        parts.append(Part(f"memory.{where}", *span, price))
    for what, times in work.does.items():
        if operation.get(what) is None:
            return None
        span = times if isinstance(times, tuple) else (times, times)
        parts.append(Part(f"operation.{what}", *span, operation[what]))
    return parts


def span_of(bits: Bits, widths: Mapping[str, Quantity]) -> tuple[int, int] | None:
    """Return least and most bits; None if the chip does not state the width."""
    if isinstance(bits, tuple):
        return bits
    if isinstance(bits, int):
        return bits, bits
    width = widths.get(bits) or widths.get(ALIKE.get(bits, ""))
    return None if width is None else (int(width.value), int(width.value))


def text_of(part: Part) -> str:
    """Return a part as text: how many bits of which memory, or which operations."""
    section, _, name = part.entry.partition(".")
    times = str(part.most) if part.least == part.most else f"{part.least} to {part.most}"
    return f"{times} bit of {name}" if section == "memory" else f"{times} {name}"


def price_of(parts: list[Part], why: str) -> Price:
    """Return the price of an event: nominal with as much work as there can be, low and high with the ends of counts and prices."""
    priced = [part.price for part in parts]
    points = {price.point for price in priced}
    return Price(
        value=sum(part.most * part.price.value for part in parts), unit="pJ", basis="derived",
        source="; ".join(dict.fromkeys(price.source for price in priced)),
        lo=sum(part.least * part.price.low for part in parts), hi=sum(part.most * part.price.high for part in parts),
        scope="incremental", seen=max((price.seen for price in priced), key=SEEN.index),
        note=" + ".join(text_of(part) for part in parts) + f": {why}",
        inputs=weakest(priced), point=points.pop() if len(points) == 1 else "", parts=tuple(parts),
    )  # fmt: skip


def weakest(prices: Iterable[Quantity]) -> str:
    """Return the least sure basis of some numbers."""
    return max((price.rests_on for price in prices), key=FACTORS.__getitem__)
