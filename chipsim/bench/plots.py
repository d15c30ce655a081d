"""Pictures of what `chipsim bench` found: bars of a case, shares of the roofline, lines of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator

from chipsim.bench.text import figure as number
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
        made[f"sweep-{facts['sweep']['over']}.png"] = growth([(facts["sweep"], facts)])
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
        heading(axes[0], "CPU time of a step (ms): forward, then backward")
        bars(axes[0], names, [[one["time"][p]["cpu_ms"] for one in subjects] for p in ("forward", "backward")])
    heading(axes[-1], "Memory of a step (MB, input excluded)")
    bars(axes[-1], names if not timed else [""] * len(names), [[one["memory_mb"] or 0.0 for one in subjects]])
    return figure


def chip(case: dict[str, Any], facts: dict[str, Any]) -> Figure:
    """Return the steps per second of workload B by subject."""
    names = [one["name"] for one in case["subjects"]]
    figure, span = sheet(9, 1.3 + BAR_IN * len(names), case["name"], about(facts, case))
    (axes,) = panels(figure, span, 1, left=2.3)
    heading(axes, "Steps per second of wall time")
    bars(axes, names, [[one["steps_per_s"] for one in case["subjects"]]])
    axes.set_xscale("log")
    rates = [one["steps_per_s"] for one in case["subjects"]]
    axes.set_xlim(min(rates) / 5, 3 * max(rates))
    return figure


def rules(case: dict[str, Any], facts: dict[str, Any]) -> Figure:
    """Return the samples per second of every rule."""
    names = [one["rule"] for one in case["rules"]]
    note = f"{case['name']}; {about(facts, case | {'rounds': case['rules'][0]['runs']})}"
    figure, span = sheet(9, 1.3 + BAR_IN * len(names), "Learning rules on the chip", note)
    (axes,) = panels(figure, span, 1, left=1.6)
    heading(axes, "Samples per second of wall time")
    bars(axes, names, [[one["samples_per_s"] for one in case["rules"]]])
    return figure


def bars(axes: Axes, names: list[str], parts: list[list[float]]) -> None:
    """Draw one horizontal bar per name, its parts one after the other, with its total behind it."""
    ends = [0.0] * len(names)
    for values, colour in zip(parts, (BLUE, ORANGE), strict=False):
        axes.barh(range(len(names)), values, left=ends, height=0.64, color=colour, edgecolor="white")
        ends = [a + b for a, b in zip(ends, values, strict=True)]
    for y, end in enumerate(ends):
        axes.annotate(number(end, 3), (end, y), xytext=(5, 0), textcoords="offset points", va="center", size=8.5, color=INK)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.16 * max(ends) or 1.0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)


def growth(sweeps: list[tuple[dict[str, Any], dict[str, Any]]]) -> Figure:
    """Return cost over what was varied, in powers of ten, one panel per sweep; sweeps: (sweep, the facts it stands in)."""
    across = min(2, len(sweeps))  # panels side by side
    rows = [sweeps[n : n + across] for n in range(0, len(sweeps), across)]
    title = f"How cost grows with {', '.join(sweep['over'] for sweep, _ in sweeps)}"
    figure, (bottom, top) = sheet(3 + 5 * across, 3.8 * len(rows), title, about(sweeps[0][1], sweeps[0][0]["cases"][0]))
    names = list(dict.fromkeys(name for sweep, _ in sweeps for point in sweep["points"] for name in point["values"]))
    each = (top - bottom) / len(rows)
    for n, row in enumerate(rows):
        made = panels(figure, (top - (n + 1) * each, top - n * each), across)
        for axes, (sweep, _) in zip(made, row, strict=False):
            lines(axes, sweep, names)
        for axes in made[len(row) :]:
            axes.remove()
    known = {text.get_label(): text for axes in figure.axes for text in axes.get_lines()}
    figure.legend(
        known.values(),
        known,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        loc="upper right",
        bbox_to_anchor=(0.985, 0.995),
        ncols=2,
    )
    return figure


def lines(axes: Axes, sweep: dict[str, Any], names: list[str]) -> None:
    """Draw the cost of every subject over what a sweep varied; its place in `names` gives colour and marker."""
    heading(axes, sweep["unit"])
    for n, name in enumerate(names):
        known = [(point["x"], point["values"][name]) for point in sweep["points"] if name in point["values"]]
        style = {"color": SERIES[n % len(SERIES)], "marker": MARKERS[n % len(MARKERS)], "linewidth": 1.8, "markersize": 5}
        if known:
            axes.plot(*zip(*known, strict=True), label=name, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([point["x"] for point in sweep["points"]], [f"{point['x']:g}" for point in sweep["points"]])
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.minorticks_off()
    axes.set_xlabel(sweep["over"], color=GREY, size=9.5)
