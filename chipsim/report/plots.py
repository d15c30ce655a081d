"""Three pictures of a run over its passes and phases: learning curve, activity, energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chipsim.report.style import (
    BLUE,
    DPI,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    SKY,
    about,
    empty,
    heading,
    lines,
    panels,
    pass_axis,
    pretty,
    sheet,
)
from chipsim.report.units import PREFIXES, counted, percent, prefix_of, without_price

PHASES = ("forward", "backward", "update", "static")
UNITS = {"synapses": BLUE, "neurons": ORANGE, "network": GREEN, "logs": SKY, "learning": PINK, "static": "#9aa1ad"}
LABEL_IN = 1.15  # room for the names behind the lines


def learning(run: Any) -> Figure:
    """Return loss (left) and train and test accuracy (right) over the passes."""
    note = f"{about(run)}; {counted(run.summary['samples']['train'], 'training sample')} per pass. *train: while learning, during the pass"
    figure, span = sheet(10, 3.6, "Loss and accuracy over the passes", note)
    loss, accuracy = panels(figure, span, 2, right=LABEL_IN, gap=LABEL_IN + 0.75)
    heading(loss, "Training loss (cross-entropy, nat)")
    losses = over_passes(run.metrics, {"loss": lambda row: row.get("loss")})
    curve(loss, losses, (0, None), ".3f")
    heading(accuracy, "Accuracy (%)")
    keys = {"test": "test_accuracy", "train*": "train_accuracy"}
    wanted = {name: lambda row, key=key: in_percent(row.get(key)) for name, key in keys.items()}
    series = over_passes(run.metrics, wanted)
    least = min((y for _, ys in series.values() for y in ys), default=0)
    curve(accuracy, series, (max(0, 10 * ((least - 5) // 10)), 100), ".1f")
    return figure


def activity(run: Any) -> Figure:
    """Return the spike fraction (left) and the active fraction (right) of each population over the passes."""
    note = f"{about(run)}; shares of all neurons x steps, mean over the training samples of a pass"
    figure, span = sheet(10, 3.6, "Spike and active fractions over the passes", note)
    titles = {"spike_fraction": "Spikes (% of neurons x steps)", "active_fraction": "Active for learning (% of neurons x steps)"}
    names = list(dict.fromkeys(name for row in run.metrics for name in row.get("activity") or {}))
    for axes, (key, title) in zip(
        panels(figure, span, 2, right=LABEL_IN + 0.15, gap=LABEL_IN + 0.9), titles.items(), strict=True
    ):
        heading(axes, title)
        wanted = {n: lambda row, n=n, key=key: in_percent(((row.get("activity") or {}).get(n) or {}).get(key)) for n in names}
        curve(axes, over_passes(run.metrics, wanted), (0, None), ".3g", names)
    return figure


def in_percent(fraction: float | None) -> float | None:
    """Return a fraction in percent; None stays None."""
    return None if fraction is None else 100 * fraction


def over_passes(metrics: list[Mapping[str, Any]], wanted: Mapping[str, Any]) -> dict[str, tuple[list[int], list[float]]]:
    """Return {name: (passes, values)} of what was measured; a name without any value is left out."""
    found = {}
    for name, value in wanted.items():
        points = [(row["pass"], value(row)) for row in metrics if value(row) is not None]
        if points:
            found[name] = ([x for x, _ in points], [y for _, y in points])
    return found


def curve(axes: Axes, series: dict[str, tuple[list[int], list[float]]], limits: tuple[float | None, float | None], form: str,
          names: list[str] | None = None) -> None:  # fmt: skip
    """Draw lines over passes; limits: of y, None: from the values; names: decide the colours, so that panels can share them."""
    if not series:
        empty(axes, "not measured in this run")
        return
    values = [y for _, ys in series.values() for y in ys]
    pass_axis(axes, sorted({x for xs, _ in series.values() for x in xs}))
    low, high = limits
    axes.set_ylim(min(values) if low is None else low, (1.12 * max(values) or 1.0) if high is None else high)
    lines(axes, series, form, names or list(series))


def energy(run: Any) -> Figure:
    """Return the energy per training sample by phase, each bar split by unit of the chip."""
    samples = run.counters.samples
    bars = by_phase(run.energy, samples)
    figure, span = sheet(
        10,
        3.4,
        "Energy per training sample by phase and unit",
        f"{about(run)}. {worth(run, samples)}",
        unpriced_text(run, samples),
    )
    (axes,) = panels(figure, span, 1, left=1.05, right=1.9)
    if run.energy.total_j is None or not bars:
        empty(axes, f"No event of this run has a price on {run.summary['chip']}: the energy is unknown.")
        return figure
    totals = {phase: sum(row.values()) for phase, row in bars.items()}
    power = prefix_of(max(totals.values()))
    draw_bars(axes, bars, 10.0**power)
    unit = PREFIXES[power].replace("u", "µ") + "J"
    axes.set_xlabel(f"{unit} per sample", color=GREY, size=9.5)
    whole = sum(totals.values())
    for y, total in enumerate(totals.values()):
        text = f"{pretty(total, 'J')}  ({percent(total / whole)})" if whole else "0"
        place = {
            "xytext": (8, 0),
            "textcoords": "offset points",
            "va": "center",
            "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1},
        }
        axes.annotate(text, (total / 10.0**power, y), size=9.5, color=INK, **place)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=len(UNITS), frameon=False, fontsize=9, labelcolor=INK,
                handlelength=1.0, handleheight=1.0, columnspacing=1.6, borderaxespad=0.4)  # fmt: skip
    return figure


def draw_bars(axes: Axes, bars: dict[str, dict[str, float]], scale: float) -> None:
    """Draw one horizontal bar per phase, stacked by unit; energies in J are divided by `scale`."""
    ends = dict.fromkeys(bars, 0.0)
    for unit in sorted({u for row in bars.values() for u in row}, key=lambda u: [*UNITS, u].index(u)):
        values = [row.get(unit, 0.0) / scale for row in bars.values()]
        look = {"height": 0.62, "color": UNITS.get(unit, INK), "edgecolor": "white", "linewidth": 0.8}
        axes.barh(list(range(len(bars))), values, left=list(ends.values()), label=unit, **look)
        ends = {phase: end + value for (phase, end), value in zip(ends.items(), values, strict=True)}
    axes.set_yticks(list(range(len(bars))), list(bars))
    axes.tick_params(axis="y", labelsize=10.5, labelcolor=INK)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, 1.02 * max(ends.values()) or 1.0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)


def by_phase(energy: Any, samples: int) -> dict[str, dict[str, float]]:
    """Return {phase: {unit: J per sample}}, phases in order, units without energy left out; static is a phase of its own."""
    found: dict[str, dict[str, float]] = {phase: {} for phase in PHASES}
    for unit, row in (energy.by_unit or {}).items():
        for phase, joule in row.items():
            place = found.setdefault("static" if unit == "static" else phase, {})
            if joule:
                place[unit] = place.get(unit, 0.0) + joule / samples
    return {phase: row for phase, row in found.items() if row}


def worth(run: Any, samples: int) -> str:
    """Return the total with its interval and the share that rests on assumptions."""
    e = run.energy
    if e.total_j is None:
        return "Total unknown."
    text = f"Total {pretty(e.total_j / samples, 'J')} per sample"
    if e.low_j is not None and e.high_j is not None:
        text += f", between {pretty(e.low_j / samples, 'J')} and {pretty(e.high_j / samples, 'J')}"
    return f"{text}; {percent(e.assumed_share)} rests on assumed prices." if e.assumed_share is not None else f"{text}."


def unpriced_text(run: Any, samples: int) -> str:
    """Return which events have no price and are left out, with their counts per sample."""
    if not run.energy.unpriced:
        return ""
    return f"Left out, no price on this chip (events per sample): {without_price(run.energy.unpriced, samples)}."


__all__ = ["DPI", "activity", "energy", "learning"]
