"""Where the energy went: cells by core, unit, population or phase that sum to the total exactly, as floats are printed.

Sums of floats depend on their order. Cells are therefore rounded to the last place of the total, in whole numbers, and what that leaves
goes to the largest cell: any order of adding them up then gives the total itself.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np

from chipsim.cost.engine import engine_prices
from chipsim.cost.terms import PJ
from chipsim.counters import EVENTS, PHASES, Counters
from chipsim.hardware import Chip

STATIC = "static"
Key = TypeVar("Key", bound=Hashable)


def apportion(cells: Mapping[Key, float], total: float) -> dict[Key, float]:
    """Return the cells (at least 0, their sum the total up to rounding) such that they add up to `total` exactly in any order."""
    if not cells or not total:
        return dict.fromkeys(cells, 0.0)
    place = math.ulp(total)
    whole = {key: round(value / place) for key, value in cells.items()}
    largest = max(whole, key=whole.__getitem__)
    whole[largest] += round(total / place) - sum(whole.values())
    return {key: n * place for key, n in whole.items()}


def column_cells(counters: Counters, chip: Chip) -> dict[tuple[int, str], float]:
    """Return {(column of the counters, phase): J} of everything that has a price."""
    counts = counters.total().counts.sum(axis=1)  # [E, K]
    known = engine_prices(chip, "energy")
    prices = [known.get(f"{phase}.{event}") for phase, _, event in EVENTS]
    joules = counts * np.array([p.value * PJ if p else 0.0 for p in prices])[:, None]
    rows = {phase: np.array([p == phase for p, _, _ in EVENTS]) for phase in PHASES}
    sums = {phase: joules[mine].sum(axis=0).tolist() for phase, mine in rows.items()}
    return {(k, phase): sums[phase][k] for k in range(len(counters.cores)) for phase in PHASES}


def rows_of(cells: Mapping[tuple[Hashable, str], float], total: float, samples: int) -> dict[Hashable, dict[str, float]]:
    """Return {row: {phase: J per sample}} of cells {(row, phase): J of all samples}; together they are `total`, J per sample."""
    found: dict[Hashable, dict[str, float]] = {}
    for (row, phase), energy in apportion({key: j / samples for key, j in cells.items()}, total).items():
        found.setdefault(row, {})[phase] = energy
    return found
