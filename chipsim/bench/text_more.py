"""The facts of the chip, of rules and of sweeps as tables."""

from __future__ import annotations

from typing import Any

from chipsim.bench.text import equality, figure, table, times


def chip(facts: dict[str, Any]) -> list[object]:
    """Return a table per network of workload B."""
    parts: list[object] = []
    for case in facts["cases"]:
        rows = [
            [one["name"], figure(one["steps_per_s"], 4), figure(one["steps_per_s_best"], 4), figure(one["steps_per_s_cpu"], 4),
             times(one["ratio"]), times(one["ratio_cpu"])]
            for one in case["subjects"]
        ]  # fmt: skip
        if rows:
            columns = ("subject", "steps/s", "best", "by CPU time", "ours over it", "by CPU time")
            parts += [table(case["name"], columns, rows), ""]
        parts += equality(case["equality"])
        if rows:
            parts.append(f"load average {case['load_average_before'][0]:g} before, {case['load_average_after'][0]:g} after")
        parts += [*(f"absent: {one['name']}: {one['reason']}" for one in case["absent"]), ""]
    return parts


def rules(facts: dict[str, Any]) -> list[object]:
    """Return the table of the learning rules."""
    parts: list[object] = []
    for case in facts["cases"]:
        rows = [
            [one["rule"], figure(one["samples_per_s"], 4), figure(one["samples_per_s_cpu"], 4), figure(one["active_per_sample"], 4),
             figure(one["ns_per_active"], 4), figure(one["learning_share"], 2)]
            for one in case["rules"]
        ]  # fmt: skip
        columns = ("rule", "samples/s", "by CPU time", "active events", "ns per active event", "learning")
        parts += [table(case["name"], columns, rows), "", *equality(case["equality"])]
        parts += [f"left out: {one['name']}: {one['reason']}" for one in case["absent"]]
    return [*parts, *(f"skipped: {one['name']}: {one['reason']}" for one in facts["skipped"]), ""]


def sweep(facts: dict[str, Any]) -> list[object]:
    """Return the table of a sweep: one row per size, one column per subject."""
    points = facts["points"]
    names = list(dict.fromkeys(name for point in points for name in point["values"]))
    rows = [[figure(point["x"]), *(figure(point["values"].get(name), 4) for name in names)] for point in points]
    failed = [row for case in facts["cases"] for row in case["equality"] if not row["ok"]]
    growth = [f"  {name}: grows as {facts['over']}^{p:.2f}" for name, p in facts["exponents"].items() if p is not None]
    return [table(facts["title"], (facts["over"], *names), rows), "", *growth, *(equality(failed) if failed else ())]
