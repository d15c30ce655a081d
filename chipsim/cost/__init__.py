"""Counters x prices: what a run cost in energy and time. Pure functions; a new price list never needs a second run."""

from chipsim.cost.energy import Energy, price_energy
from chipsim.cost.time import LinkLoads, Time, price_time

__all__ = ["Energy", "LinkLoads", "Time", "price_energy", "price_time"]
