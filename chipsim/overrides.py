"""Changing single values of a description from outside: `--set schedule.passes=3` and the `overrides` argument in Python."""

from __future__ import annotations

import copy
import difflib
import sys
from collections.abc import Iterable

from chipsim.errors import ConfigError, Problem, raise_all

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt word, empty if nothing known is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def parse_set(assignments: Iterable[str]) -> dict[str, object]:
    """Return {dotted key: value} of `key=value` strings; a value is read as TOML and, failing that, taken as a plain string.

    Raises:
        ConfigError: naming every string without `=` or without a key, and every key given twice.
    """
    found: dict[str, object] = {}
    problems = []
    for text in assignments:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not all(part.strip() for part in key.split(".")):
            problems.append(Problem("command line", "--set", text, "it must read key=value", "for example schedule.passes=3"))
        elif key in found:
            problems.append(Problem("command line", "--set", text, f"{key} was already set to {found[key]!r}", "give it once"))
        else:
            found[key] = toml_value(value.strip())
    raise_all(problems)
    return found


def toml_value(text: str) -> object:
    """Return `text` read as one TOML value, or as it is if it is none (so that words need no quotes)."""
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text


def apply_overrides(table: dict, overrides: dict[str, object]) -> dict:
    """Return a copy of `table` with the values at the dotted keys of `overrides` replaced.

    A list of tables is entered by name: `population.hidden1.size` is the size of the population named hidden1; a list without
    names by position. A table or key that the file left at its default is added; whether there is such a key at all is checked
    where the description is read. What looks like a slip of an existing table is refused here.

    Raises:
        ConfigError: naming every key that leads nowhere, with what is there instead.
    """
    if not isinstance(overrides, dict):
        raise ConfigError(Problem("overrides", "form", type(overrides).__name__, "a dict of dotted keys and values is required"))
    result = copy.deepcopy(table)
    problems = []
    for key, value in overrides.items():
        try:
            set_at(result, key, value)
        except ConfigError as error:
            problems.extend(error.problems)
    raise_all(problems)
    return result


def set_at(table: dict, key: str, value: object) -> None:
    """Replace the value at one dotted key, in place."""
    *way, last = key.split(".")
    place: object = table
    for depth, part in enumerate(way):
        if isinstance(place, dict) and part not in place and not suggest(part, place):
            place[part] = {}  # a table that the file left at its defaults; whether there is such a one is checked by the reader
        place = children(place, key, value)
        if part not in place:
            raise unknown(key, value, ".".join(way[:depth]), part, place)
        place = place[part]
    known = children(place, key, value)
    if isinstance(known.get(last), (dict, list)) and not isinstance(value, (dict, list)):
        inside = ", ".join(children(known[last], key, value))
        raise ConfigError(Problem("overrides", key, value, f"{key} is a table", f"set one of its keys: {inside}"))
    if isinstance(place, dict):
        place[last] = copy.deepcopy(value)
    elif last in known:
        place[list(known).index(last)] = copy.deepcopy(value)
    else:
        raise unknown(key, value, ".".join(way), last, known)


def children(place: object, key: str, value: object) -> dict[str, object]:
    """Return what can be entered from `place` by one part of a dotted key."""
    if isinstance(place, dict):
        return place
    if isinstance(place, list):
        return {str(item.get("name", n) if isinstance(item, dict) else n): item for n, item in enumerate(place)}
    raise ConfigError(Problem("overrides", key, value, f"the part before its last dot is the value {place!r}, not a table"))


def unknown(key: str, value: object, where: str, part: str, known: Iterable[str]) -> ConfigError:
    """Return the error for a part of a dotted key that does not exist."""
    limit = f"there is no {part!r} in {where or 'the description'}; there is: {', '.join(known) or 'nothing'}"
    hint = suggest(part, known) or "an absent table is set as a whole, as in learning.regularisers={upper=0.1}"
    return ConfigError(Problem("overrides", key, value, limit, hint))
