"""`chipsim chips`, `models` and `datasets`: what is there, one line each, and everything about one of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipsim.cli import flags
from chipsim.cli.frame import Answer, header
from chipsim.errors import ConfigError, Problem

if TYPE_CHECKING:
    from chipsim.hardware import Chip

MAPPINGS = ("layout", "limits", "widths", "energy", "time", "power", "clock", "memory", "operation", "area", "link")  # of a chip
Name = Annotated[str | None, typer.Argument(help="Show everything about this one: a name or a .toml file.", metavar="NAME")]


def chips(name: Name = None, what_if: flags.WhatIf = False) -> Answer:
    """List the chips; with a NAME all numbers and sources."""
    from chipsim import catalog
    from chipsim.hardware import chip_lines, load_chip, one_line

    if name is not None:
        chip = load_chip(name, what_if=what_if)
        return Answer({**header("chips"), "chip": chip_facts(chip)}, ["\n".join(chip_lines(chip))])
    lines = {stem: one_line(catalog.find("hw_configs", stem)) for stem in catalog.names("hw_configs")}
    listed = [{"name": stem, "line": line, "path": catalog.find("hw_configs", stem)} for stem, line in lines.items()]
    return Answer({**header("chips"), "chips": listed}, list(lines.values()))


def chip_facts(chip: Chip) -> dict[str, Any]:
    """Return a chip as tables; every number with its low and high end."""
    facts: dict[str, Any] = {}
    for field in dataclasses.fields(chip):
        value = getattr(chip, field.name)
        if field.name == "table":  # the merged TOML tables: the same again
            continue
        if field.name == "barrier_points":
            facts[field.name] = [{"tiles": tiles, **quantity_facts(q)} for tiles, q in value]
        elif field.name in MAPPINGS:
            facts[field.name] = {key: quantity_facts(q) for key, q in value.items()}
        else:
            facts[field.name] = dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value
    return facts


def quantity_facts(quantity: Any) -> dict[str, Any]:
    """Return a number with its provenance; low and high are the ends of its interval, published or by the spread of its basis."""
    return {**dataclasses.asdict(quantity), "low": quantity.low, "high": quantity.high}


def models(name: Name = None) -> Answer:
    """List the models; with a NAME everything about it."""
    from chipsim import catalog

    if name is not None:
        return one_model(name)
    tables = {stem: catalog.read_toml(catalog.find("models", stem)) for stem in catalog.names("models")}
    listed = [
        {"name": stem, "title": table.get("title", ""), "path": catalog.find("models", stem)} for stem, table in tables.items()
    ]
    width = max((len(stem) for stem in tables), default=0)
    return Answer({**header("models"), "models": listed}, [f"{row['name']:{width}}  {row['title']}".rstrip() for row in listed])


def one_model(name: str) -> Answer:
    """Return everything about one model, defaults included."""
    from chipsim.compiler import Plan
    from chipsim.network import load_model
    from chipsim.report.fit import model_text

    network = load_model(name)
    facts, synapses = network.model_dump(mode="json"), sum(s.count for s in Plan(network, None, False).synapses)
    return Answer({**header("models"), "model": facts, "synapses": synapses}, model_text(facts, synapses))


def datasets(
    name: Annotated[str | None, typer.Argument(help="Show only this one.", metavar="NAME")] = None, data_dir: flags.DataDir = None
) -> Answer:
    """List the data sets and whether they are there."""
    from chipsim import catalog
    from chipsim.datasets import DATASETS

    if name is not None and name not in DATASETS:
        raise ConfigError(Problem("command line", "NAME", name, f"the data sets are: {', '.join(DATASETS)}"))
    with flags.data_folder(data_dir):
        root = catalog.data_root(data_dir)
        listed = [data_facts(key, DATASETS[key], root) for key in DATASETS if name in (None, key)]
    width = max(len(row["name"]) for row in listed)
    lines = [
        f"{row['name']:{width}}  {row['title']} ({'' if row['available'] else 'not here: '}{row['reason']})" for row in listed
    ]
    facts = {"datasets": listed} if name is None else {"dataset": listed[0]}
    return Answer({**header("datasets"), **facts}, lines)


def data_facts(name: str, entry: Any, root: Path | None) -> dict[str, Any]:
    """Return what is known about a data set without reading it."""
    available, reason = entry.available(root)
    known = {"title": entry.title, "units": entry.units, "classes": entry.classes, "bundled": entry.bundled}
    return {"name": name, **known, "available": available, "reason": reason}
