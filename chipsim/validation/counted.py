"""Counts for a price list: totals given by hand, where no network of that size can be simulated, and the powers they lead to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chipsim.cost import price_energy
from chipsim.counters import HOST, ROW, Counters, empty
from chipsim.hardware import Chip, load_chip


def totals(events: Mapping[str, int]) -> Counters:
    """Return counters of one core and one step from {"phase.event": count}, booked where the event is counted in forward steps."""
    counters = empty(1, np.array([0, HOST]))
    for name, count in events.items():
        phase, event = name.split(".")
        counters.counts[0, ROW[phase, "forward", event], 0, 0] = count
    return counters


def milliwatts(counters: Counters, chip: Chip, seconds: float, cores: int = 1) -> float:
    """Return the mean power in mW of what was counted within `seconds`."""
    return price_energy(counters, chip, seconds, cores).total_j / seconds * 1e3


def with_average(chip: str, picojoules: float, source: str) -> Chip:
    """Return a chip whose only price is a published average per synaptic operation, which holds static and shared power already."""
    price = {"value": picojoules, "unit": "pJ", "basis": "silicon", "scope": "aggregate", "source": source,
             "seen": "transcribed by third party"}  # fmt: skip
    return load_chip(chip, {"energy": {"forward": {"synops": price}}, "power": {}})
