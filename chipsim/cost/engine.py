"""What the learning engine of a chip adds to the bill: a table of skipped work, lanes, and the fixed time of an epoch.

chipsim's rules visit, read and write only what is active (`visit = "active"`, `read = "gated"`, `write = "changed"`). What an engine that
does more would do beyond that is counted in events of its own and charged here, at the price of what was not skipped:

    visit = "all"                    visits_skipped take the time of visits; with read = "always" their energy too
    visit = "presynaptic", "post..." some of them would be visited, nobody counts which: an event without a price
    write = "always"                 writes_skipped cost what writes cost, also if the price of an evaluation holds it

Where a lumped price of an evaluation holds the visit (Loihi), it says nothing of a synapse that is visited and not evaluated. That is
open, evaluations_skipped, unless the chip file says what it takes; this price is charged only if `visit` asks for it.

A price in the chip file wins. What the engine does not do is neither charged nor missing. Source: ReckOn's released RTL, which reads every
weight in a learning step and writes few (docs/semantics.md section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chipsim.hardware import Chip, Price

VISITS, SYNAPSES, WRITES = "update.visits_skipped", "update.evaluations_skipped", "update.writes_skipped"
LUMP = "update.evaluations"
LIKE = {VISITS: "update.visits", SYNAPSES: LUMP, WRITES: "update.writes"}  # skipped work -> what it is like
EPOCHS = "update.epochs"
IN_LANES = (VISITS, SYNAPSES, "update.visits", LUMP)  # synapses that lanes work on side by side


def lumped(chip: Chip, section: str) -> bool:
    """Return whether the price of an evaluation holds the visit, so that a visit has none of its own."""
    visits = getattr(chip, section).get("update.visits")
    return visits is not None and visits.included_in == LUMP


def does(chip: Chip, event: str, section: str) -> bool:
    """Return whether the engine of a chip spends energy or time ("energy", "time") on skipped work."""
    if event == WRITES:
        return chip.engine.write == "always"
    visited = chip.engine.visit != "active" and (section == "time" or chip.engine.read == "always")
    return visited and (event == VISITS or lumped(chip, section) or SYNAPSES in getattr(chip, section))


def idle_events(chip: Chip, section: str) -> frozenset[str]:
    """Return the events that were counted and that the engine never does: neither charged nor missing."""
    prices = getattr(chip, section)
    idle = {event for event in LIKE if (event not in prices or event == SYNAPSES) and not does(chip, event, section)}
    no_epoch = EPOCHS not in prices and (section == "energy" or chip.engine.epoch is None)
    return frozenset(idle | {EPOCHS} if no_epoch else idle)


def engine_prices(chip: Chip, section: str) -> Mapping[str, Price]:
    """Return the prices of a section, "energy" or "time", with those that follow from the engine of the chip."""
    prices, engine = dict(getattr(chip, section)), chip.engine
    prices |= {event: price for event in (VISITS, WRITES) if event not in prices and (price := skipped(chip, event, section))}
    if engine.visit != "all" or not does(chip, SYNAPSES, section):
        prices.pop(SYNAPSES, None)
    if section == "time":
        if engine.epoch is not None and EPOCHS not in prices:
            prices[EPOCHS] = Price(**vars(engine.epoch))
        if engine.lanes is not None:
            prices |= {event: shared(prices[event], engine.lanes.value) for event in IN_LANES if event in prices}
    return prices


def skipped(chip: Chip, event: str, section: str) -> Price | None:
    """Return the price of skipped words or writes that the file does not price; None: the engine skips them, or it is not known."""
    prices, like = getattr(chip, section), LIKE[event]
    known = prices.get(like)
    if known is None or not does(chip, event, section):
        return None
    if event == VISITS and chip.engine.visit != "all":
        return None  # which of them it visits, nobody counts
    if event == VISITS and known.included_in:  # a lumped price holds the visits of evaluated synapses only
        return replace(known, included_in=SYNAPSES) if known.included_in == LUMP and SYNAPSES in prices else None
    return known if known.included_in else replace(known, same_as=like)


def shared(price: Price, lanes: float) -> Price:
    """Return the time of one synapse or word where so many are worked on at once."""
    lo, hi = (None if end is None else end / lanes for end in (price.lo, price.hi))
    return replace(price, value=price.value / lanes, lo=lo, hi=hi)
