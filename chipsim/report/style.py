"""The look all pictures share: one sheet with a title and a sentence, quiet axes, colours safe for colour-blind readers."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chipsim.report.units import si

DPI = 150
INK, GREY, FAINT = "#1f2430", "#5d6472", "#d9dce3"
BLUE, ORANGE, GREEN, RED, PINK, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"  # Okabe and Ito 2008
SERIES = (BLUE, ORANGE, GREEN, PINK, RED, SKY, INK)
MARKERS = "osD^vPX"
TITLE_IN, LINE_IN = 0.42, 0.19  # height of the title and of one line of small text
CHARS_PER_IN = 15.3  # of small text


def sheet(width: float, body: float, title: str, note: str, foot: str = "") -> tuple[Figure, tuple[float, float]]:
    """Return a figure `width` inches wide with title, note and foot, and (bottom, top) of its body.

    body: height of the body in inches. bottom, top: fractions of the figure's height.
    """
    notes, feet = (textwrap.wrap(text, int((width - 0.6) * CHARS_PER_IN)) for text in (note, foot))
    above = 0.18 + TITLE_IN + LINE_IN * len(notes)
    below = 0.12 + LINE_IN * len(feet) if feet else 0.0
    height = above + body + below
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.text(0.3 / width, 1 - 0.18 / height, title, size=14, weight="bold", color=INK, va="top")
    figure.text(0.3 / width, 1 - (0.18 + TITLE_IN) / height, "\n".join(notes), size=9, color=GREY, va="top", linespacing=1.35)
    figure.text(0.3 / width, 0.1 / height, "\n".join(feet), size=8.5, color=GREY, va="bottom", linespacing=1.35)
    return figure, (below / height, 1 - above / height)


def panels(
    figure: Figure, span: tuple[float, float], count: int, left: float = 0.75, right: float = 0.3, gap: float = 1.0
) -> list[Axes]:
    """Return `count` axes side by side in the body of a sheet; left, right and gap in inches."""
    width, height = figure.get_size_inches()
    bottom, top = span[0] + 0.62 / height, span[1] - 0.5 / height
    each = (width - left - right - gap * (count - 1)) / count
    return [quiet(figure.add_axes(((left + n * (each + gap)) / width, bottom, each / width, top - bottom))) for n in range(count)]


def quiet(axes: Axes) -> Axes:
    """Take away what does not carry a number: box, tick marks, strong grid."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY, pad=5)
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def heading(axes: Axes, text: str) -> None:
    """Write what a panel shows, with its unit, above it."""
    axes.set_title(text, loc="left", size=10.5, color=INK, pad=10)


def pass_axis(axes: Axes, passes: Sequence[int]) -> None:
    """Let x run over passes, whole numbers only, with room on the right for the names of the lines."""
    first, last = (min(passes), max(passes)) if passes else (1, 1)
    margin = 0.5 if first == last else 0.03 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    step = next(s * 10**k for k in range(9) for s in (1, 2, 5) if last - first <= 8 * s * 10**k)
    axes.set_xticks([first, *(x for x in range(step, last + 1, step) if x - first >= step / 2)])
    axes.set_xlabel("pass", color=GREY, size=9.5)


def lines(axes: Axes, series: dict[str, tuple[list[int], list[float]]], form: str, order: Sequence[str]) -> None:
    """Draw named lines and write each name with its last value behind its end; call it after the limits of y are set.

    series: name -> (x, y). order: a name's place in it decides its colour and its marker.
    """
    ends = []
    for name, (x, y) in series.items():
        n, every = order.index(name), max(1, len(x) // 10)
        colour = SERIES[n % len(SERIES)]
        axes.plot(x, y, color=colour, linewidth=1.8, marker=MARKERS[n % len(MARKERS)], markersize=5 if len(x) > 1 else 8,
                  markevery=((len(x) - 1) % every, every), clip_on=False)  # fmt: skip
        ends.append((y[-1], f"{short(name, 10)} {y[-1]:{form}}", colour))
    low, high = axes.get_ylim()
    gap = 0.17 / (axes.get_position().height * axes.figure.get_size_inches()[1]) * (high - low)
    wanted = sorted(ends)
    for (_, text, colour), y in zip(wanted, spread([end[0] for end in wanted], gap), strict=True):
        axes.annotate(text, (1.0, (y - low) / (high - low)), xycoords="axes fraction", xytext=(6, 0), textcoords="offset points",
                      va="center", size=9, color=colour, weight="bold", annotation_clip=False)  # fmt: skip


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Return ascending values moved apart by at least `gap`, as little as possible, their mean kept."""
    groups: list[list[float]] = []  # [mean, members]
    for value in values:
        groups.append([value, 1])
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < gap * (groups[-1][1] + groups[-2][1]) / 2:
            (a, n), (b, m) = groups[-2:]
            groups[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    return [mean + gap * (k - (n - 1) / 2) for mean, n in groups for k in range(int(n))]


def empty(axes: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=10, color=GREY)


def short(name: str, most: int) -> str:
    """Return a name cut to `most` characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def pretty(value: float | None, unit: str) -> str:
    """Return a quantity with a Greek micro."""
    return si(value, unit).replace(" u", " µ")


def about(run: Any) -> str:
    """Return what was run on what, for the note of a picture."""
    s = run.summary
    return f"{s['model']} on {s['chip']}, {s['rule']}, {s['numerics']}, seed {s['seed']}"
