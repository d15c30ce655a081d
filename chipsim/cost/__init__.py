"""Counters x prices: what a run cost in energy and time. Pure functions; a new price list never needs a second run."""

from chipsim.cost.energy import Energy, price_energy
from chipsim.cost.terms import Term
from chipsim.cost.time import LinkLoads, Time, price_time
from chipsim.cost.timespread import Subset, TimeUncertainty, spread_time
from chipsim.cost.uncertainty import Draws, Interval, Uncertainty

__all__ = [
    "Draws", "Energy", "Interval", "LinkLoads", "Subset", "Term", "Time", "TimeUncertainty", "Uncertainty", "price_energy",
    "price_time", "spread_time",
]  # fmt: skip
