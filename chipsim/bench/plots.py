"""Pictures of what `chipsim bench` found: bars of a case, shares of the roofline, lines of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chipsim.report.style import BLUE, DPI, FAINT, GREY, INK, MARKERS, ORANGE, SERIES, heading, panels, sheet

BAR_IN = 0.3  # height of a bar


def pictures(facts: dict[str, Any], folder: Path) -> list[str]:
    """Write the pictures of all topics; return their names."""
    made: dict[str, Figure] = {}
    for topic in ("training", "memory"):
        for n, case in enumerate(facts[topic]["cases"] if topic in facts else (), start=1):
            if case["subjects"]:
                made[f"{topic}-{n}.png"] = step(case, facts)
    for n, case in enumerate(facts["chip"]["cases"] if "chip" in facts else (), start=1):
        if case["subjects"]:
            made[f"chip-{n}.png"] = chip(case, facts)
    for case in facts["rules"]["cases"] if "rules" in facts else ():
        if case["rules"]:
            made["rules.png"] = rules(case, facts)
    if "sweep" in facts and len(facts["sweep"]["points"]) > 1:
        made[f"sweep-{facts['sweep']['over']}.png"] = lines(facts["sweep"], facts)
    for name, figure in made.items():
        figure.savefig(folder / name, dpi=DPI)
    return list(made)


def about(facts: dict[str, Any], case: dict[str, Any]) -> str:
    """Return what it was measured on."""
    return (
        f"{facts['machine']['cpu']}, load average {case['load_average_before'][0]:g} before; medians of {case['rounds']} rounds"
    )


def names_of(case: dict[str, Any]) -> list[str]:
    """Return the names of the subjects."""
    return [f"chipsim {one['name']}" if one["kind"] == "chipsim" else one["name"] for one in case["subjects"]]


def step(case: dict[str, Any], facts: dict[str, Any]) -> Figure:
    """Return time, forward and backward, and memory of a training step by subject."""
    subjects, names = case["subjects"], names_of(case)
    timed = "time" in subjects[0]
    figure, span = sheet(11, 1.3 + BAR_IN * len(names), case["workload"]["name"], about(facts, case))
    axes = panels(figure, span, 1 + timed, left=2.3, gap=1.1)
    if timed:
        heading(axes[0], "CPU time of a step (ms)")
        phases = {p: [one["time"][p]["cpu_ms"] for one in subjects] for p in ("forward", "backward")}
        bars(axes[0], names, phases)
    heading(axes[-1], "Memory of a step (MB, input excluded)")
    bars(axes[-1], names if not timed else [""] * len(names), {"": [one["memory_mb"] or 0.0 for one in subjects]})
    return figure


def chip(case: dict[str, Any], facts: dict[str, Any]) -> Figure:
    """Return the steps per second of workload B by subject."""
    names = [one["name"] for one in case["subjects"]]
    figure, span = sheet(9, 1.3 + BAR_IN * len(names), case["name"], about(facts, case))
    (axes,) = panels(figure, span, 1, left=2.3)
    heading(axes, "Steps per second of wall time")
    bars(axes, names, {"": [one["steps_per_s"] for one in case["subjects"]]})
    axes.set_xscale("log")
    return figure


def rules(case: dict[str, Any], facts: dict[str, Any]) -> Figure:
    """Return the samples per second of every rule."""
    names = [one["rule"] for one in case["rules"]]
    figure, span = sheet(9, 1.3 + BAR_IN * len(names), case["name"], about(facts, case | {"rounds": case["rules"][0]["runs"]}))
    (axes,) = panels(figure, span, 1, left=1.6)
    heading(axes, "Samples per second of wall time")
    bars(axes, names, {"": [one["samples_per_s"] for one in case["rules"]]})
    return figure


def bars(axes: Axes, names: list[str], parts: dict[str, list[float]]) -> None:
    """Draw one horizontal bar per name, stacked by part, with its total behind it."""
    ends = [0.0] * len(names)
    for (part, values), colour in zip(parts.items(), (BLUE, ORANGE), strict=False):
        axes.barh(range(len(names)), values, left=ends, height=0.64, color=colour, edgecolor="white", label=part or None)
        ends = [a + b for a, b in zip(ends, values, strict=True)]
    for y, end in enumerate(ends):
        axes.annotate(f"{end:,.3g}", (end, y), xytext=(5, 0), textcoords="offset points", va="center", size=8.5, color=INK)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.16 * max(ends) or 1.0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    if len(parts) > 1:
        axes.legend(frameon=False, fontsize=8.5, labelcolor=INK, loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=2)


def lines(facts: dict[str, Any], whole: dict[str, Any]) -> Figure:
    """Return cost over what was varied, both in powers of ten."""
    figure, span = sheet(8, 3.8, f"How cost grows with {facts['over']}", about(whole, facts["cases"][0]))
    (axes,) = panels(figure, span, 1)
    heading(axes, facts["unit"])
    names = dict.fromkeys(name for point in facts["points"] for name in point["values"])
    for n, name in enumerate(names):
        known = [(point["x"], point["values"][name]) for point in facts["points"] if name in point["values"]]
        style = {"color": SERIES[n % len(SERIES)], "marker": MARKERS[n % len(MARKERS)], "linewidth": 1.8, "markersize": 5}
        axes.plot([x for x, _ in known], [y for _, y in known], label=name, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([point["x"] for point in facts["points"]], [f"{point['x']:g}" for point in facts["points"]])
    axes.minorticks_off()
    axes.set_xlabel(facts["over"], color=GREY, size=9.5)
    axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)
    return figure
