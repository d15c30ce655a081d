"""What the learning engine of a chip adds to the bill: a table of skipped work, lanes, and the fixed time of an epoch.

chipsim's rules visit, read and write only what is active (`visit = "active"`, `read = "gated"`, `write = "changed"`). What an engine that
does more would do beyond that is counted in events of its own and charged here, at the price of what was not skipped:

    visit = "all"                    visits_skipped take the time of visits; with read = "always" their energy too
    visit = "presynaptic", "post..." some of them would be visited, nobody counts which: an event without a price
    write = "always"                 writes_skipped cost what writes cost

A price in the chip file wins. What the engine does not do is neither charged nor missing. Source: ReckOn's released RTL, which reads every
weight in a learning step and writes few (docs/semantics.md section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chipsim.hardware import Chip, Price

LIKE = {"update.visits_skipped": "update.visits", "update.writes_skipped": "update.writes"}  # skipped work -> what it is like
EPOCHS = "update.epochs"
IN_LANES = ("update.visits", "update.visits_skipped", "update.evaluations")  # synapses that lanes work on side by side


def does(chip: Chip, event: str, section: str) -> bool:
    """Return whether the engine of a chip spends energy or time ("energy", "time") on skipped work."""
    if event == "update.writes_skipped":
        return chip.engine.write == "always"
    return chip.engine.visit != "active" and (section == "time" or chip.engine.read == "always")


def idle_events(chip: Chip, section: str) -> frozenset[str]:
    """Return the events that were counted and that the engine never does: neither charged nor missing."""
    prices = getattr(chip, section)
    idle = {event for event in LIKE if event not in prices and not does(chip, event, section)}
    no_epoch = EPOCHS not in prices and (section == "energy" or chip.engine.epoch is None)
    return frozenset(idle | {EPOCHS} if no_epoch else idle)


def engine_prices(chip: Chip, section: str) -> Mapping[str, Price]:
    """Return the prices of a section, "energy" or "time", with those that follow from the engine of the chip."""
    prices, engine = dict(getattr(chip, section)), chip.engine
    for event, like in LIKE.items():
        known = prices.get(like)
        counted = event == "update.writes_skipped" or engine.visit == "all"
        if event not in prices and counted and does(chip, event, section) and known and not known.included_in:
            prices[event] = replace(known, same_as=like)  # a lumped price holds visits of evaluated synapses only
    if section == "time":
        if engine.epoch is not None and EPOCHS not in prices:
            prices[EPOCHS] = Price(**vars(engine.epoch))
        if engine.lanes is not None:
            prices |= {event: shared(prices[event], engine.lanes.value) for event in IN_LANES if event in prices}
    return prices


def shared(price: Price, lanes: float) -> Price:
    """Return the time of one synapse or word where so many are worked on at once."""
    lo, hi = (None if end is None else end / lanes for end in (price.lo, price.hi))
    return replace(price, value=price.value / lanes, lo=lo, hi=hi)
