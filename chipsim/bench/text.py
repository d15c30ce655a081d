"""The facts of `chipsim bench` as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PHASES = ("forward", "backward", "total")


def text(facts: dict[str, Any]) -> list[object]:
    """Return a table per case and the sentences around it."""
    machine, load = facts["machine"], ", ".join(f"{x:g}" for x in facts["load_average"])
    parts: list[object] = [
        f"{machine['cpu']}, {machine['cpus']} CPUs, Python {machine['python']}; load average at the start: {load}",
        "",
    ]
    for topic in ("training", "memory"):
        for case in facts[topic]["cases"] if topic in facts else ():
            parts += training(case, topic)
        parts += [f"skipped: {one['name']}: {one['reason']}" for one in (facts[topic]["skipped"] if topic in facts else ())]
    for topic, make in (("chip", "chip"), ("rules", "rules"), ("sweep", "sweep")):
        if topic in facts:
            from chipsim.bench import text_more

            parts += getattr(text_more, make)(facts[topic])
    if not facts["ok"]:
        parts.append("equality FAILED: nothing was timed after it")
    return parts


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> object:
    """Return a rich table: the first column to the left, the others to the right."""
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for n, name in enumerate(columns):
        made.add_column(name, justify="right" if n else "left", no_wrap=n > 0)
    for row in rows:
        made.add_row(*row)
    return made


def equality(rows: Sequence[dict[str, Any]]) -> list[object]:
    """Return one line if all holds, else a table of what failed."""
    failed = [row for row in rows if not row["ok"]]
    if not failed:
        return [f"equality: {len(rows)} comparisons, all ok"]
    shown = [[row["name"], figure(row["expected"]), figure(row["got"]), row["unit"], row["source"]] for row in failed]
    return [table("equality FAILED", ("what", "expected", "got", "unit", "source"), shown)]


def training(case: dict[str, Any], topic: str) -> list[object]:
    """Return the tables of one case of a training step."""
    parts: list[object] = [*equality(case["equality"])]
    if case["subjects"]:
        timed = "time" in case["subjects"][0]
        columns = ["subject", "CPU ms", "forward", "backward", "min", "wall ms", "ratio", "fwd", "bwd"] if timed else ["subject"]
        made = table(case["workload"]["name"], [*columns, "memory MB", "ratio"], [row(one, timed) for one in case["subjects"]])
        parts = [made, "", *parts]
        parts += roofline(case["subjects"][0])
        if timed:
            parts.append(f"load average {case['load_average_before'][0]:g} before, {case['load_average_after'][0]:g} after; "
                         f"ratio: CPU time over that of chipsim {case['subjects'][0]['name']}")  # fmt: skip
    parts += [f"absent: {one['name']}: {one['reason']}" for one in case["absent"]]
    return [*parts, ""]


def row(one: dict[str, Any], timed: bool) -> list[str]:
    """Return the row of a subject."""
    name = f"chipsim {one['name']}" if one["kind"] == "chipsim" else one["name"]
    memory = [figure(one["memory_mb"], 3) + ("" if one["peak_comparable"] else "*"), times(one["memory_ratio"])]
    if not timed:
        return [name, *memory]
    t, ratio = one["time"], one["ratio"]
    spent = [
        figure(t["total"]["cpu_ms"], 4),
        *(figure(t[p]["cpu_ms"], 4) for p in PHASES[:2]),
        figure(t["total"]["cpu_ms_min"], 4),
    ]
    return [name, *spent, figure(t["total"]["wall_ms"], 4), *(times(ratio[p]) for p in ("total", *PHASES[:2])), *memory]


def roofline(base: dict[str, Any]) -> list[object]:
    """Return how near ours comes to the roofline."""
    found = base.get("roofline")
    if found is None:
        return []
    rate = found["rates_per_s"]
    shares = ", ".join(
        f"{p} {found[p]['share']:.0%} (best {found[p]['share_best']:.0%}) of {found[p]['limit_ms']:.3g} ms" for p in PHASES[:2]
    )
    return [
        f"roofline of chipsim {base['name']}: {shares}; {rate['add'] / 1e9:.3g} and {rate['rmw'] / 1e9:.3g} G additions per s"
    ]


def figure(value: Any, digits: int = 6) -> str:
    """Return a number, or an interval, in so many digits; a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return " .. ".join(figure(end, digits) for end in value)
    return f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def times(value: float | None) -> str:
    """Return a ratio."""
    return "-" if value is None else f"{value:.3g}x"
