"""A chip as text: every number with its unit, range, basis and source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chipsim import catalog
from chipsim.counters import ENGINE, PHASES
from chipsim.hardware.chip import Chip
from chipsim.hardware.quantity import Price, Quantity
from chipsim.hardware.tables import PRICED


def one_line(path: str | Path) -> str:
    """Return "name  title" of a chip file; reads the title only and checks nothing else."""
    path = Path(path)
    return f"{path.stem:<16} {catalog.read_toml(path).get('title', '(no title)')}"


def chip_lines(chip: Chip) -> list[str]:
    """Return a page about a chip: what it is, every number with its source, what is not known, what is assumed."""
    lines = [f"{chip.name}: {chip.title}"]
    lines += [chip.description] * bool(chip.description)
    lines += [f"operating point: {chip.point}", f"capabilities: {', '.join(chip.capabilities) or 'none'}",
              f"active update: {chip.active_update}; core time: {chip.core_time}; network time: {chip.network_time}; axons: {chip.axons}",
              arithmetic_line(chip),
              "ranges in brackets: as published, or the default spread of the basis (~)"]  # fmt: skip
    for title, table in (("mesh", chip.layout), ("limits", chip.limits), ("width", chip.widths)):
        lines += ["", f"[{title}]", *rows(table, spread=False)]
    for title, prices in (("energy", chip.energy), ("time", chip.time)):
        for phase in PHASES:
            lines += ["", f"[{title}.{phase}]", *price_rows(title, prices, phase)]
    barrier = {f"{tiles} tiles" if tiles > 1 else "1 tile": q for tiles, q in chip.barrier_points}
    for title, table in (("power", chip.power), ("barrier", barrier)):
        lines += ["", f"[{title}]", *(rows(table) or ["  not known"])]
    for title, sentences in (("not published", chip.unknown), ("assumptions", chip.assumptions)):
        lines += ["", f"{title}:", *(f"  - {s}" for s in sentences or ("none named",))]
    return lines


def arithmetic_line(chip: Chip) -> str:
    """Return how the chip rounds and overflows."""
    a = chip.arithmetic
    lazy = f" over at most {a.decay_table} steps" if a.decay == "lazy" else ""
    return f"arithmetic: v {a.overflow_v}s, u {a.overflow_u}s; decays are rounded {a.rounding} and {a.decay}{lazy}; source: {a.source}"


def rows(table: Mapping[str, Quantity], spread: bool = True) -> list[str]:
    """Return one line per number of a table."""
    return [row(name, quantity, spread) for name, quantity in table.items()]


def price_rows(section: str, prices: Mapping[str, Price], phase: str) -> list[str]:
    """Return one line per event of a phase, those without a price included."""
    names = [n for n in PRICED if n.startswith(f"{phase}.") and not (section == "time" and n.endswith(".barriers"))]
    events = [name.partition(".")[2] for name in names]
    absent = dict.fromkeys(ENGINE, "as the learning engine says: skipped work is charged only where it is done")
    unknown = "no price: counted and listed, never taken as zero"
    return [
        row(e, prices[n]) if n in prices else f"  {e:<22} {absent.get(e, unknown)}" for e, n in zip(events, names, strict=True)
    ]


def row(name: str, quantity: Quantity, spread: bool = True) -> str:
    """Return one number as a line: name, value, unit, range, basis, source, how it was seen, note."""
    included, same_as = getattr(quantity, "included_in", ""), getattr(quantity, "same_as", "")
    if included:
        text, details = f"  {name:<22} included in {included}", [quantity.source, quantity.note]
    else:
        text = f"  {name:<22} {quantity.value:>10.10g} {quantity.unit:<5} {span(quantity) if spread else '':<18} {quantity.basis}"
        point = quantity.point and f"at {quantity.point}"
        details = [same_as and f"like {same_as}", quantity.source, quantity.seen, point, quantity.note]
    return "; ".join([text, *(d for d in details if d)])


def span(quantity: Quantity) -> str:
    """Return the range in brackets; ~ marks an end that is a default spread and not published."""
    low = f"{'~' if quantity.lo is None else ''}{quantity.low:.3g}"
    high = f"{'~' if quantity.hi is None else ''}{quantity.high:.3g}"
    return f"[{low}, {high}]"
