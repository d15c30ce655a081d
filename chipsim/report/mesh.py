"""The chip seen from above: energy of each core on the mesh."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from chipsim.counters import HOST
from chipsim.report.style import FAINT, GREY, INK, RED, about, pretty, sheet, short
from chipsim.report.units import PREFIXES, counted, digits, prefix_of

GAP, PAD = 0.42, 0.08  # between tiles and around the cores of a tile, in widths of a core
NO_PRICE = "#e4e7ee"


class Plan(NamedTuple):
    """Where things are, in widths of a core; y grows upwards."""

    mesh: Any
    columns: int  # of cores inside a tile
    rows: int

    @property
    def pitch(self) -> tuple[float, float]:
        """Distance from tile to tile in x and y."""
        return self.columns + 2 * PAD + GAP, self.rows + 2 * PAD + GAP

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole mesh."""
        return self.pitch[0] * self.mesh.tiles_x - GAP, self.pitch[1] * self.mesh.tiles_y - GAP

    def tile(self, tile: int) -> tuple[float, float]:
        """Lower left corner of a tile."""
        x, y = divmod(tile, self.mesh.tiles_y)
        return x * self.pitch[0], y * self.pitch[1]

    def core(self, core: int) -> tuple[float, float]:
        """Lower left corner of a core; the first core of a tile is at its upper left."""
        x, y = self.tile(core // self.mesh.cores_per_tile)
        row, column = divmod(core % self.mesh.cores_per_tile, self.columns)
        return x + PAD + column, y + PAD + self.rows - 1 - row


def floorplan(run: Any) -> Figure:
    """Return the mesh with its tiles and cores, each core coloured by its energy per training sample."""
    mesh = run.chip.mesh
    columns = math.ceil(math.sqrt(mesh.cores_per_tile))
    plan = Plan(mesh, columns, math.ceil(mesh.cores_per_tile / columns))
    held = {m.core: m.populations for m in run.image.memory if m.core != HOST}
    samples = run.counters.samples
    joules = {core: j / samples for core, j in (run.energy.per_core_j or {}).items()} if run.energy.total_j is not None else {}
    cell = min(max(10.6 / plan.size[0], 0.42), 1.15)  # inches of a core
    width = max(8.0, plan.size[0] * cell + 1.9)
    figure, (bottom, top) = sheet(
        width, plan.size[1] * cell + 0.95, "Energy of each core per training sample", note(run, joules, held)
    )
    height = figure.get_size_inches()[1]
    box = (0.6 / width, bottom + 0.5 / height, plan.size[0] * cell / width, plan.size[1] * cell / height)
    axes = figure.add_axes(box)
    draw_mesh(axes, plan, cell)
    draw_cores(axes, plan, held, joules, cell)
    return figure


def note(run: Any, joules: dict[int, float], held: dict[int, Any]) -> str:
    """Return the sentence above the mesh."""
    mesh = run.chip.mesh
    used = f"{about(run)}. {len(held)} of {counted(mesh.cores, 'core')} used, {mesh.tiles_x} x {mesh.tiles_y} tiles"
    if not joules:
        return f"{used}. No event of this run has a price on this chip: the energy is unknown, the used cores are grey."
    host = joules.get(HOST, 0.0)
    outside = f" Host, not shown: {pretty(host, 'J')}." if host else ""
    left_out = f" {counted(len(run.energy.unpriced), 'kind')} of event without a price left out." if run.energy.unpriced else ""
    return f"{used}. Without static energy.{outside}{left_out}"


def draw_mesh(axes: Axes, plan: Plan, cell: float) -> None:
    """Draw the tiles, mark the host's, and number both directions."""
    wide, high = plan.size
    axes.set_xlim(0, wide)
    axes.set_ylim(0, high)
    axes.axis("off")
    for tile in range(plan.mesh.tiles_x * plan.mesh.tiles_y):
        x, y = plan.tile(tile)
        host = tile == plan.mesh.host_tile
        edge = {"edgecolor": RED, "linewidth": 1.8} if host else {"edgecolor": FAINT, "linewidth": 1.0}
        shape = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": "#f4f5f8", "clip_on": False}
        axes.add_patch(FancyBboxPatch((x, y), plan.columns + 2 * PAD, plan.rows + 2 * PAD, **shape, **edge))
        if host:
            above = y + plan.rows + 2 * PAD + 0.04
            axes.text(x + 0.02, above, "host enters here", size=text_size(cell, 8.5), color=RED, weight="bold", va="bottom")
    for x in range(plan.mesh.tiles_x):
        middle = x * plan.pitch[0] + plan.columns / 2 + PAD
        axes.annotate(
            f"x {x}", (middle, 0), xytext=(0, -8), textcoords="offset points", ha="center", va="top", size=8.5, color=GREY
        )
    for y in range(plan.mesh.tiles_y):
        middle = y * plan.pitch[1] + plan.rows / 2 + PAD
        axes.annotate(
            f"y {y}", (0, middle), xytext=(-8, 0), textcoords="offset points", ha="right", va="center", size=8.5, color=GREY
        )


def draw_cores(axes: Axes, plan: Plan, held: dict[int, Any], joules: dict[int, float], cell: float) -> None:
    """Draw every core: coloured, named and valued where it is used, empty where it is not."""
    most = max((joules.get(core, 0.0) for core in held), default=0.0)
    power = prefix_of(most)
    norm, colours = Normalize(0, most / 10.0**power or 1.0), colour_scale()
    for core in range(plan.mesh.cores):
        x, y = plan.core(core)
        value = joules.get(core, 0.0) / 10.0**power
        fill = "white" if core not in held else colours(norm(value)) if joules else NO_PRICE
        edge = {"edgecolor": "white", "linewidth": 1.2} if core in held else {"edgecolor": FAINT, "linewidth": 0.6}
        axes.add_patch(Rectangle((x + 0.03, y + 0.03), 0.94, 0.94, facecolor=fill, **edge))
        if core in held:
            write_core(
                axes, (x, y), core, held[core], digits(value) if joules else "", cell, dark=bool(joules) and norm(value) > 0.5
            )
    if joules:
        colour_bar(axes, plan, norm, colours, PREFIXES[power].replace("u", "µ") + "J per sample", cell)


def write_core(axes: Axes, corner: tuple[float, float], core: int, populations: Any, value: str, cell: float, dark: bool) -> None:
    """Write the populations of a core and its energy into it, and its number where there is room."""
    x, y = corner
    colour = "white" if dark else INK
    fits = int(72 * 0.9 * cell / (0.64 * text_size(cell, 8.5)))  # characters: bold letters are 0.64 of their height wide
    middle = y + (0.62 if value else 0.5)
    axes.text(
        x + 0.5,
        middle,
        short(", ".join(populations), fits),
        ha="center",
        va="center",
        size=text_size(cell, 8.5),
        color=colour,
        weight="bold",
    )
    axes.text(x + 0.5, y + 0.34, value, ha="center", va="center", size=text_size(cell, 8.5), color=colour)
    if cell >= 0.8:
        axes.text(x + 0.08, y + 0.9, f"core {core}", ha="left", va="top", size=6.5, color=colour, alpha=0.85)


def text_size(cell: float, most: float) -> float:
    """Return a font size in points that goes with cores of `cell` inches."""
    return min(most, 12 * cell)


def colour_scale() -> Colormap:
    """Return a scale from pale to dark blue that never is as pale as an unused core."""
    return LinearSegmentedColormap.from_list("energy", [colormaps["YlGnBu"](v) for v in (0.08, 0.3, 0.5, 0.7, 0.85, 1.0)])


def colour_bar(axes: Axes, plan: Plan, norm: Normalize, colours: Colormap, label: str, cell: float) -> None:
    """Draw the scale of colours to the right of the mesh."""
    from matplotlib.cm import ScalarMappable

    figure = axes.figure
    width, height = figure.get_size_inches()
    box = axes.get_position()
    tall = min(box.height, 3.2 / height)
    scale = figure.add_axes((box.x1 + 0.25 / width, box.y1 - tall, 0.16 / width, tall))
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=scale)
    bar.outline.set_visible(False)
    bar.set_label(label, color=GREY, size=9.5)
    scale.tick_params(length=0, labelsize=8.5, labelcolor=GREY)
