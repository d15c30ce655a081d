"""Chip files to chips: base chips, extensions and overrides are merged table by table, then built and checked as one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chipsim import catalog
from chipsim.errors import ConfigError, Problem
from chipsim.hardware.build import REPLAY, build
from chipsim.hardware.chip import Chip
from chipsim.hardware.tables import meant

WHAT_IF = "ssgd-extension"
DEPTH = {  # table -> depth at which its numbers stand
    "mesh": 1, "limits": 1, "width": 1, "power": 1, "clock": 1, "operation": 1, "area": 1, "arithmetic": 1, "learning": 1, "link": 1,
    "memory": 2, "energy": 2, "time": 2,
}  # fmt: skip
LISTS = ("capabilities", "unknown", "assumptions")


def load_chip(name_or_path: str | Path, overrides: dict[str, object] | None = None, what_if: bool = False) -> Chip:
    """Return the chip of a name in hw_configs/ or of a TOML file.

    overrides: dotted keys, for example {"energy.forward.synops.value": 20.0}.
    what_if: add the assumed extension that replay needs if the chip lacks a part of it.

    Raises:
        ConfigError: with every problem of the description, or naming the file that is not there.
    """
    path = catalog.find("hw_configs", name_or_path).resolve()
    return build_chip(read_chain(path, ()), path.stem, overrides, what_if)


def as_chip(chip: Chip | str | Path, what_if: bool = False) -> Chip:
    """Return a chip, or load the one of that name or path; `what_if` adds the assumed extension if it is lacking.

    Raises:
        ConfigError: it is neither, or there is no such chip.
    """
    if not isinstance(chip, (Chip, str, Path)):
        raise ConfigError(Problem("run", "chip", chip, "a Chip, a name or a path is required"))
    if not isinstance(chip, Chip):
        return load_chip(chip, what_if=what_if)
    return chip.with_extension() if what_if else chip


def build_chip(table: Mapping[str, Any], name: str, overrides: dict[str, object] | None = None, what_if: bool = False) -> Chip:
    """Return the chip of merged tables, for example those of `Chip.table`; arguments as in `load_chip`."""
    merged = copy.deepcopy(dict(table))
    if what_if and not has(merged, REPLAY):
        merged, name = add_what_if(merged, read_extension(WHAT_IF), WHAT_IF), f"{name}+{WHAT_IF}"
    return build(catalog.apply_overrides(merged, overrides) if overrides else merged, name)


def has(table: Mapping[str, Any], capabilities: tuple[str, ...]) -> bool:
    """Return whether tables list all of some capabilities."""
    listed = table.get("capabilities", ())
    return isinstance(listed, (list, tuple)) and all(c in listed for c in capabilities)


def extend_chip(chip: Chip, extension: str | Mapping[str, Any]) -> Chip:
    """Return the chip plus an extension (name, path or tables); the chip itself if it has all that the extension gives."""
    added = read_extension(extension) if isinstance(extension, str) else dict(extension)
    if not chip.missing(tuple(added.get("capabilities", ()))):
        return chip
    label = extension if isinstance(extension, str) else str(added.get("title", "own tables"))
    return build(add_what_if(copy.deepcopy(dict(chip.table)), added, label), f"{chip.name}+{label}")


def read_chain(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """Return the tables of a chip file over those of its base chips, with its extension filled in."""
    if path in seen:
        chain = " -> ".join(p.stem for p in (*seen, path))
        raise ConfigError(Problem(f'chip "{seen[0].stem}"', "extends", path.stem, f"a chip cannot extend itself: {chain}"))
    table = dict(catalog.read_toml(path))
    base, extension = table.pop("extends", None), table.pop("extension", None)
    for key, name in (("extends", base), ("extension", extension)):
        if name is not None and not isinstance(name, str):
            raise ConfigError(Problem(f'chip "{path.stem}"', key, name, "it is the name or the path of a file"))
    if base is not None:
        table = merge(read_chain(catalog.find("hw_configs", beside(path, base)).resolve(), (*seen, path)), table)
    return table if extension is None else fill(table, read_extension(extension, path))


def beside(path: Path, name: str) -> str | Path:
    """Return a relative path to a TOML file as seen from the file that names it, any other name as it is."""
    return path.parent / name if name.endswith(".toml") else name


def read_extension(name: str, path: Path | None = None) -> dict[str, Any]:
    """Return the tables of an extension: a name in hw_configs/extensions/, or the path of a file (relative to `path`)."""
    if name.endswith(".toml"):
        return dict(catalog.read_toml(Path(beside(path, name) if path else name)))
    known = {p.stem: p for p in sorted((Path(catalog.roots("hw_configs")) / "extensions").glob("*.toml"))}
    if name not in known:
        owner = f'chip "{path.stem}"' if path else "what-if"
        raise ConfigError(Problem(owner, "extension", name, f"the extensions are: {', '.join(known)}", meant(name, known)))
    return dict(catalog.read_toml(known[name]))


def fill(table: dict[str, Any], extension: dict[str, Any]) -> dict[str, Any]:
    """Return the tables plus what they leave open and the extension has; a chip's own numbers always win."""
    merged = merge({k: v for k, v in extension.items() if k not in ("title", "description")}, table)
    return {**merged, **joined(table, extension)}


def add_what_if(table: dict[str, Any], extension: dict[str, Any], label: str) -> dict[str, Any]:
    """Return the tables with an extension that the chip does not have, and the sentence that says so.

    Beside a price that is an average no other may stand: the energies of the extension then stay out, which is said too.
    """
    assumed = [f'what-if: the chip does not have the extension "{label}"']
    if any(isinstance(n, dict) and n.get("scope") == "aggregate" for rows in sections(table, "energy") for n in rows.values()):
        assumed.append(f'what-if: the energy of the chip is an average, so what "{label}" does has no price')
        extension = {key: value for key, value in extension.items() if key != "energy"}
    filled = fill(table, extension)
    said = {"assumptions": assumed}
    return {**said, **filled, **joined(filled, said)}


def sections(table: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the inner tables of a table of tables; what is no table is left for the checks to tell."""
    inner = table.get(name)
    return [rows for rows in inner.values() if isinstance(rows, dict)] if isinstance(inner, dict) else []


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return two descriptions in one: a number of `above` replaces that of `below` as a whole, lists are joined."""
    merged = {**below, **above}
    for key, depth in DEPTH.items():
        if key in below and key in above:
            merged[key] = overlay(below[key], above[key], depth)
    return {**merged, **joined(below, above)}


def joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, list]:
    """Return the lists of two descriptions one after the other, without repeats."""
    pairs = {key: (first.get(key), second.get(key)) for key in LISTS}
    both = {key: (a, b) for key, (a, b) in pairs.items() if isinstance(a, list) and isinstance(b, list)}
    return {key: [*a, *(item for item in b if item not in a)] for key, (a, b) in both.items()}


def overlay(below: Any, above: Any, depth: int) -> Any:
    """Return `above` over `below`, table by table down to the depth at which numbers stand."""
    if depth == 0 or not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **above, **{key: overlay(below[key], above[key], depth - 1) for key in below if key in above}}
