"""What a summary says of the time: per phase, whether it is whole, by which model it was worked out, and what a reader must know of it."""

from __future__ import annotations

from typing import Any

from chipsim.cost.cycles import LEARNS, why_no_cycles
from chipsim.cost.timeparts import time_breakdown
from chipsim.hardware import Chip
from chipsim.training.tally import Tally


def time_facts(tally: Tally) -> dict[str, Any]:
    """Return the keys of a summary that tell the time of everything a tally counted."""
    tally.close()
    time, image = tally.time, tally.image
    return {
        "time_s_per_sample": time.per_sample(tally.counters.samples), "time_complete": time.complete,
        "time_model": {"network": time.network, "cycles": time.cycles or None},
        "time_breakdown": time_breakdown(tally.subset, image.routes.cores, image.chip, image.tiles_used, time),
    }  # fmt: skip


def time_warnings(tally: Tally, chip: Chip) -> list[str]:
    """Return what a reader of the time of a tally must know; chip: whose prices it took."""
    return [*cycle_warnings(tally, chip), *bound_warnings(tally.time.unpriced)]


def bound_warnings(unpriced: tuple[str, ...]) -> list[str]:
    """Return that a time is a lower bound, if something took time that nobody knows."""
    return [f"the time is a lower bound, no time is known for: {', '.join(unpriced)}"] if unpriced else []


def cycle_warnings(tally: Tally, chip: Chip) -> list[str]:
    """Return what the exact cycle formula of a chip did not give, and why."""
    if chip.cycles is None:
        return []
    if not tally.time.cycles:
        why = why_no_cycles(chip.cycles, tally.layout, len(tally.counters.cores) - 1)
        return [f"{chip.name} has cycles = {chip.cycles}, but {why}: forward steps are added up from the times of events"]
    if tally.learned and LEARNS.get(chip.cycles) not in (None, tally.layout.rule):
        rule = tally.image.network.learning.rule
        return [f"the cycles of learning are those of event prices: the circuit of {chip.name} does not learn by {rule}"]
    return []
