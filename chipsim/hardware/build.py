"""From merged tables to a Chip: read every number, check every rule, raise all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.errors import raise_all
from chipsim.hardware.chip import Chip
from chipsim.hardware.components import named, worked_out
from chipsim.hardware.quantity import Quantity
from chipsim.hardware.rules import check_held, check_points, check_recalled, check_scopes, resolve
from chipsim.hardware.sections import (
    check_congested,
    check_formula,
    check_queue,
    read_barrier,
    read_components,
    read_engine,
    read_mesh,
    read_sizes,
)
from chipsim.hardware.tables import Header, Report, read_prices
from chipsim.hardware.work import COMMON

REPLAY = ("active-flag", "logs", "graded-errors", "replay")  # with one of these a chip states limits and widths of learning
SECTIONS = (
    "mesh", "limits", "width", "energy", "time", "power", "barrier", "clock", "memory", "operation", "area", "learning", "link",
)  # fmt: skip
CHARGED = ("energy", "power", "memory", "operation")  # what adds up to an energy: an aggregate stands beside none of it
AT_A_POINT = (*CHARGED, "time", "barrier", "clock", "learning", "link")


def build(table: Mapping[str, Any], name: str) -> Chip:
    """Return the chip of a complete set of tables.

    Raises:
        ConfigError: with every problem found.
    """
    report = Report(name)
    tables = {key: table.get(key, {}) for key in SECTIONS}
    header = report.read(Header, "", {k: v for k, v in table.items() if k not in SECTIONS})
    offered = header.capabilities if header else ()
    numbers = read_sizes(report, tables, any(c in offered for c in REPLAY), "logs" in offered)
    style = header.style if header else "lumped"
    numbers["memory"], numbers["operation"] = read_components(report, style, tables["memory"], tables["operation"])
    engine, numbers["learning"] = read_engine(report, tables["learning"])
    mesh = read_mesh(report, numbers["mesh"])
    if header:
        check_formula(report, header.cycles, numbers["clock"])
        check_queue(report, header.network_time, header.axons, header.core_time, numbers["link"])
    numbers["barrier"] = read_barrier(report, tables["barrier"], mesh)
    quantities = {section: {key: q for key, (_, q) in rows.items()} for section, rows in numbers.items()}
    report.powers = quantities["power"]
    prices = {section: read_prices(report, section, tables[section]) for section in ("energy", "time")}
    mixed = check_rules(report, header, {**numbers, **prices})
    component = style == "component"
    if component:
        check_held(report, prices["energy"], named(table))
    parts = {key: quantities[key] for key in ("width", "memory", "operation")}
    derived = worked_out(COMMON, *parts.values(), named(table)) if component else {}
    rows = {"energy": {**{key: (None, price) for key, price in derived.items()}, **prices["energy"]}, "time": prices["time"]}
    resolved = {section: resolve(report, section, each) for section, each in rows.items()}
    check_congested(report, numbers["link"], resolved["time"])
    raise_all(report.problems)
    quantities["limits"]["cores"] = Quantity(mesh.cores, "count", "derived", "tiles_x * tiles_y * cores_per_tile of [mesh]")
    return Chip(
        name=name, title=header.title, description=header.description, point=header.point, mesh=mesh, layout=quantities["mesh"],
        limits=quantities["limits"], widths=quantities["width"], capabilities=tuple(header.capabilities),
        active_update=header.active_update, core_time=header.core_time, network_time=header.network_time,
        axons=header.axons, style=style, cycles=header.cycles, arithmetic=header.arithmetic, engine=engine,
        energy=resolved["energy"], time=resolved["time"], power=quantities["power"], clock=quantities["clock"],
        memory=quantities["memory"], operation=quantities["operation"], area=quantities["area"], link=quantities["link"],
        barrier_points=tuple((point.tiles, q) for point, q in numbers["barrier"].values()),
        unknown=tuple(header.unknown), assumptions=(*header.assumptions, *mixed), table=table,
    )  # fmt: skip


def check_rules(report: Report, header: Header | None, sections: Mapping[str, Mapping[str, tuple]]) -> list[str]:
    """Check scopes, operating points and recalled figures; return a sentence for each operating point that is mixed in."""
    written = {f"{section}.{key}": row[0] for section, rows in sections.items() for key, row in rows.items()}

    def of(*names: str) -> dict:
        return {key: table for key, table in written.items() if key.partition(".")[0] in names}

    check_scopes(report, of(*CHARGED))
    check_scopes(report, of("time", "barrier"))
    if header is None:
        return []
    check_recalled(report, header.allow_recalled, written)
    return check_points(report, header.point, of(*AT_A_POINT))
