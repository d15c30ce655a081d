"""From merged tables to a Chip: read every number, check every rule, raise all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.errors import raise_all
from chipsim.hardware.chip import Chip, Mesh
from chipsim.hardware.quantity import Quantity
from chipsim.hardware.rules import check_points, check_recalled, check_scopes, resolve
from chipsim.hardware.tables import Header, Number, Point, Report, check_charged, read_number, read_prices

MESH = ("tiles_x", "tiles_y", "cores_per_tile", "host_tile")
LIMITS = ("compartments_per_core", "axons_in_per_core", "axons_out_per_core", "synapse_words_per_core", "sram_bits_per_core")
LEARNING_LIMITS = ("log_words_per_core", "learning_bits_per_core")
WIDTHS = ("weight", "membrane", "decay", "synapse_delay", "synapse_tag", "synapse_word", "synapse_list_header", "axon_entry",
          "compartment_state")  # fmt: skip
LEARNING_WIDTHS = ("log_word", "delta", "gradient_accumulator", "partial_error", "softmax_table")
USED_WIDTHS = ("current",)  # membrane's unless given
SHOWN_WIDTHS = ("threshold", "delay", "tag", "trace", "learning_accumulator", "spike_message")  # for information
OPTIONAL_WIDTHS = LEARNING_WIDTHS + USED_WIDTHS + SHOWN_WIDTHS
WIDTH_RANGE = {  # what the kernels can hold; decay words and the softmax table have one width in this version
    "weight": (2, 16), "membrane": (10, 40), "current": (10, 40), "decay": (12, 12), "synapse_word": (1, 4096), "delta": (4, 24),
    "gradient_accumulator": (8, 48), "partial_error": (8, 62), "softmax_table": (16, 16), "log_word": (1, 4096),
}  # fmt: skip
POWERS = ("static_core",)
REPLAY = ("active-flag", "logs", "graded-errors", "replay")  # with one of these a chip states the learning limits and widths
SECTIONS = ("mesh", "limits", "width", "energy", "time", "power", "barrier")

Numbers = dict[str, tuple[Number, Quantity]]


def build(table: Mapping[str, Any], name: str) -> Chip:
    """Return the chip of a complete set of tables.

    Raises:
        ConfigError: with every problem found.
    """
    report = Report(name)
    tables = {key: table.get(key, {}) for key in SECTIONS}
    header = report.read(Header, "", {k: v for k, v in table.items() if k not in SECTIONS})
    learns = bool(header) and any(c in header.capabilities for c in REPLAY)
    numbers = {
        "mesh": read_numbers(report, "mesh", tables["mesh"], MESH),
        "limits": read_numbers(report, "limits", tables["limits"], LIMITS + learns * LEARNING_LIMITS, LEARNING_LIMITS),
        "width": read_numbers(report, "width", tables["width"], WIDTHS + learns * LEARNING_WIDTHS, OPTIONAL_WIDTHS),
        "power": read_numbers(report, "power", tables["power"], (), POWERS),
    }
    mesh = read_mesh(report, numbers["mesh"])
    numbers["barrier"] = read_barrier(report, tables["barrier"], mesh)
    prices = {section: read_prices(report, section, tables[section]) for section in ("energy", "time")}
    mixed = check_rules(report, header, {**numbers, **prices})
    resolved = {section: resolve(report, section, rows) for section, rows in prices.items()}
    raise_all(report.problems)
    quantities = {section: {key: q for key, (_, q) in rows.items()} for section, rows in numbers.items()}
    quantities["limits"]["cores"] = Quantity(mesh.cores, "count", "derived", "tiles_x * tiles_y * cores_per_tile of [mesh]")
    return Chip(
        name=name, title=header.title, description=header.description, point=header.point, mesh=mesh, layout=quantities["mesh"],
        limits=quantities["limits"], widths=quantities["width"], capabilities=tuple(header.capabilities),
        active_update=header.active_update, core_time=header.core_time, network_time=header.network_time,
        axons=header.axons, arithmetic=header.arithmetic,
        energy=resolved["energy"], time=resolved["time"], power=quantities["power"],
        barrier_points=tuple((point.tiles, q) for point, q in numbers["barrier"].values()),
        unknown=tuple(header.unknown), assumptions=(*header.assumptions, *mixed), table=table,
    )  # fmt: skip


def dimension_of(section: str, name: str) -> str:
    """Return the dimension of a number in [mesh], [limits], [width] or [power]."""
    if section == "power":
        return "power"
    return "bits" if section == "width" or name.endswith("_bits_per_core") else "count"


def read_numbers(report: Report, section: str, table: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Numbers:
    """Return {name: (as written, quantity)} of one table of numbers; note unknown names and missing ones."""
    if not isinstance(table, dict):
        report.add(section, table, "it is a table of numbers")
        return {}
    allowed = tuple(dict.fromkeys(required + optional))
    report.known(section, table, allowed, "the numbers here are")
    for name in required:
        if name not in table:
            report.add(f"{section}.{name}", "(nothing)", "this number is required", "with value, unit, basis and source")
    numbers: Numbers = {}
    for name in (n for n in allowed if n in table):
        key = f"{section}.{name}"
        read = read_number(report, key, table[name], dimension_of(section, name))
        if read is not None:
            numbers[name] = read
            if section == "power":
                check_charged(report, key, read[0])
            low, high = WIDTH_RANGE.get(name, (0, 1 << 40)) if section == "width" else (0, 1 << 40)
            if section != "power" and not low <= read[1].value <= high:
                limit = f"this version computes with {low} bits" if low == high else f"it must be from {low} to {high}"
                report.add(f"{key}.value", read[1].value, limit)
    return numbers


def read_mesh(report: Report, numbers: Numbers) -> Mesh | None:
    """Return the mesh, or None with its problems noted."""
    sizes = {name: int(quantity.value) for name, (_, quantity) in numbers.items()}
    if len(sizes) < len(MESH):
        return None
    for name in MESH[:3]:
        if sizes[name] < 1:
            report.add(f"mesh.{name}.value", sizes[name], "it must be at least 1")
    mesh = Mesh(**sizes)
    if mesh.tiles > 0 and mesh.host_tile >= mesh.tiles:
        report.add("mesh.host_tile.value", mesh.host_tile, f"the tiles are numbered 0 to {mesh.tiles - 1}")
    return mesh


def read_barrier(report: Report, table: Any, mesh: Mesh | None) -> dict[str, tuple[Point, Quantity]]:
    """Return the points of the barrier's time by key; several must cover 1 tile to the whole mesh, one holds for any number."""
    points = table.get("points", []) if isinstance(table, dict) else None
    if not isinstance(points, list):
        report.add("barrier", table, "it is a list of points, each with tiles and a time", "write [[barrier.points]]")
        return {}
    report.known("barrier", table, ("points",), "the keys here are")
    read = {f"points[{n}]": read_number(report, f"barrier.points[{n}]", p, "time", Point) for n, p in enumerate(points)}
    known = {key: point for key, point in read.items() if point is not None}
    for key, (point, _) in known.items():
        check_charged(report, f"barrier.{key}", point)
    tiles = [point.tiles for point, _ in known.values()]
    if len(known) == len(points) and tiles:
        if any(b <= a for a, b in zip([0, *tiles], tiles, strict=False)):
            report.add("barrier.points", tiles, "the tiles must ascend, from 1")
        elif len(tiles) > 1 and mesh is not None and (tiles[0] != 1 or tiles[-1] < mesh.tiles):
            report.add("barrier.points", tiles, f"several points must cover 1 to {mesh.tiles} tiles")
    return known


def check_rules(report: Report, header: Header | None, sections: Mapping[str, Mapping[str, tuple]]) -> list[str]:
    """Check scopes, operating points and recalled figures; return a sentence for each operating point that is mixed in."""
    written = {f"{section}.{key}": row[0] for section, rows in sections.items() for key, row in rows.items()}

    def of(*names: str) -> dict:
        return {key: table for key, table in written.items() if key.partition(".")[0] in names}

    check_scopes(report, of("energy", "power"))
    check_scopes(report, of("time", "barrier"))
    if header is None:
        return []
    check_recalled(report, header.allow_recalled, written)
    return check_points(report, header.point, of("energy", "time", "power", "barrier"))
