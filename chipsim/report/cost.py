"""The answer of `chipsim cost` as text, verdict first: energy and time at the prices of a chip, then where the energy went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.report.result import closing_lines, energy_lines, phase_table
from chipsim.report.units import percent, si

PARTS = ("forward", "backward", "update", "static")


def cost_text(facts: Mapping[str, Any]) -> list[object]:
    """Return the parts (strings and rich tables) of the result; `facts` is the object of --json."""
    total, time = facts["energy_j_per_sample"]["total"], facts["time_s_per_sample"]["total"]
    complete = "" if facts["energy_complete"] else " of what has a price"
    bound = "" if facts["time_complete"] and facts["time_exact"] else "at least "
    spent = "an unknown time" if time is None else f"{bound}{si(time, 's')}"
    energy = "an unknown energy" if total is None else f"{si(total, 'J')}{complete}"
    verdict = f"{energy} and {spent} per sample at the prices of {facts['chip']}"
    where = "the same chip" if facts["chip"] == facts["run_chip"] else facts["run_chip"]
    about = f"{facts['model']}, {facts['rule']}, {facts['numerics']}, seed {facts['seed']}, trained on {where}"
    parts = [verdict, about, "", phase_table({**facts, "time_complete": not bound}), "", *energy_lines(facts)]
    parts += bound_lines(facts)
    if "breakdown" in facts:
        parts += ["", *breakdown_parts(facts["breakdown"], total)]
    return [*parts, *closing_lines(facts)]


def bound_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return both bounds of a time that is not known exactly."""
    ends = facts.get("time_bounds_s_per_sample")
    return [f"time between {si(ends['low']['total'], 's')} and {si(ends['high']['total'], 's')} per sample"] if ends else []


def breakdown_parts(breakdown: Mapping[str, Any], total: float | None) -> list[object]:
    """Return the rows of a breakdown as a rich table."""
    from rich.table import Table

    by, rows = breakdown["by"], breakdown["rows"]
    if not rows:
        return [f"no breakdown by {by}: nothing that happened has a price"]
    shown = [] if by == "phase" else [part for part in PARTS if any(row.get(f"{part}_j") for row in rows)]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(by)
    for name in ("energy", "share", *shown):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        parts = (si(row[f"{part}_j"], "J") if f"{part}_j" in row else "" for part in shown)
        table.add_row(str(row[by]), si(row["energy_j"], "J"), percent(row["energy_j"] / total if total else 0.0), *parts)
    return [table]
