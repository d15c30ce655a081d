"""A chip as text: every number with its unit, range, basis and source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chipsim.counters import PHASES
from chipsim.errors import ConfigError
from chipsim.hardware.chip import Chip
from chipsim.hardware.components import named
from chipsim.hardware.load import load_chip
from chipsim.hardware.quantity import Price, Quantity
from chipsim.hardware.tables import PRICED
from chipsim.hardware.work import BY_RULE, OF_THE_ENGINE


def one_line(path: str | Path) -> str:
    """Return a chip file in one line: name, cores, style, how many events have an energy and a time, title; or that it is wrong."""
    path = Path(path)
    try:
        chip = load_chip(path)
    except ConfigError as error:
        return f"{path.stem:<17} cannot be read, {len(error.problems)} problem(s): chipsim chips {path.stem}"
    cores, known = chip.limit("cores"), f"{len(chip.energy)} energies, {len(chip.time)} times"
    return f"{path.stem:<17} {cores:>4} core{' ' if cores == 1 else 's'}  {chip.style:<9}  {known:<23}  {chip.title}"


def chip_lines(chip: Chip) -> list[str]:
    """Return a page about a chip: what it is, every number with its source, what is not known, what is assumed."""
    lines = [f"{chip.name}: {chip.title}"]
    lines += [chip.description] * bool(chip.description)
    exact = f"; cycles: the exact formula of {chip.cycles}" if chip.cycles else ""
    lines += [f"operating point: {chip.point}", f"capabilities: {', '.join(chip.capabilities) or 'none'}",
              f"active update: {chip.active_update}; core time: {chip.core_time}; network time: {chip.network_time}; axons: {chip.axons}",
              f"style: {chip.style}{exact}", arithmetic_line(chip), engine_line(chip),
              "ranges in brackets: as published, or the default spread of the basis (~)"]  # fmt: skip
    for title, table in (("mesh", chip.layout), ("limits", chip.limits), ("width", chip.widths)):
        lines += ["", f"[{title}]", *rows(table, spread=False)]
    for title, table in (("memory", chip.memory), ("operation", chip.operation)):
        lines += ["", f"[{title}]", *rows(table)] if chip.style == "component" else []
    for title, prices in (("energy", chip.energy), ("time", chip.time)):
        for phase in PHASES:
            lines += ["", f"[{title}.{phase}]", *price_rows(title, prices, phase, late(chip, title))]
    barrier = {f"{tiles} tiles" if tiles > 1 else "1 tile": q for tiles, q in chip.barrier_points}
    learning = {name: q for name, q in (("lanes", chip.engine.lanes), ("epoch", chip.engine.epoch)) if q}
    sections = {
        "power": chip.power,
        "clock": chip.clock,
        "link": chip.link,
        "barrier": barrier,
        "learning": learning,
        "area": chip.area,
    }
    for title, table in sections.items():
        lines += ["", f"[{title}]", *(rows(table) or ["  not known"])] if table or title in ("power", "barrier") else []
    for title, sentences in (("not published", chip.unknown), ("assumptions", chip.assumptions)):
        lines += ["", f"{title}:", *(f"  - {s}" for s in sentences or ("none named",))]
    return lines


def late(chip: Chip, section: str) -> frozenset[str]:
    """Return the events of which the price will follow from the rule of a run."""
    return BY_RULE - named(chip.table) if section == "energy" and chip.style == "component" else frozenset()


def engine_line(chip: Chip) -> str:
    """Return what the learning engine visits, reads and writes."""
    e = chip.engine
    overlap = "while the step is computed" if e.overlap == "with_spiking" else "after the step"
    return f"learning engine: visits {e.visit}, reads {e.read}, writes {e.write} words, {overlap}; source: {e.source}"


def arithmetic_line(chip: Chip) -> str:
    """Return how the chip rounds and overflows."""
    a = chip.arithmetic
    lazy = f" over at most {a.decay_table} steps" if a.decay == "lazy" else ""
    return f"arithmetic: v {a.overflow_v}s, u {a.overflow_u}s; decays are rounded {a.rounding} and {a.decay}{lazy}; source: {a.source}"


def rows(table: Mapping[str, Quantity], spread: bool = True) -> list[str]:
    """Return one line per number of a table."""
    return [row(name, quantity, spread) for name, quantity in table.items()]


def price_rows(section: str, prices: Mapping[str, Price], phase: str, late: frozenset[str] = frozenset()) -> list[str]:
    """Return one line per event of a phase, those without a price included; late: those priced when the rule is known."""
    names = [n for n in PRICED if n.startswith(f"{phase}.") and not (section == "time" and n.endswith(".barriers"))]
    events = [name.partition(".")[2] for name in names]
    rule, absent = (
        "worked out of memory and operations when the rule is known",
        "no price: counted and listed, never taken as zero",
    )
    missing = (
        dict.fromkeys(names, absent)
        | dict.fromkeys(late, rule)
        | dict.fromkeys(OF_THE_ENGINE, "charged only where the engine does it")
    )
    return [row(e, prices[n]) if n in prices else f"  {e:<22} {missing[n]}" for e, n in zip(events, names, strict=True)]


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
