"""Where the time went, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.report.units import percent

WORDS = {
    "send": "sending", "receive": "receiving", "learn": "learning", "network": "the network", "barrier": "barriers",
    "cycles": "cycles of the chip's own formula",
}  # fmt: skip


def part_lines(breakdown: Mapping[str, Any]) -> list[str]:
    """Return what the steps waited for, the largest share first, the slowest core, and how long cores were idle."""
    whole: dict[str, float] = {}
    for row in (breakdown.get("shares") or {}).values():
        for part, share in row.items():
            whole[part] = whole.get(part, 0.0) + share
    if not whole:
        return []
    named = [f"{WORDS[part]} {percent(share)}" for part, share in sorted(whole.items(), key=lambda row: -row[1])]
    core, idle = next(iter(breakdown["critical_cores"].items()), None), breakdown["idle"]
    several = core is not None and len(breakdown["critical_cores"]) > 1
    slowest = f"; core {core[0]} is the slowest in {percent(core[1])} of the steps" if several else ""
    mean = f"; cores idle {percent(sum(idle.values()) / len(idle))} of it" if idle else ""
    return [f"time goes to {', '.join(named)}{slowest}{mean}"]
