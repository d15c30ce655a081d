"""Frozen, validated descriptions: pydantic underneath, errors in chipsim's own words (object, key, value, limit), all at once."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from chipsim.errors import ConfigError, Problem


class Description(BaseModel):
    """Base of everything a user describes: unknown keys are refused, nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=True)


D = TypeVar("D", bound=BaseModel)


def read(kind: type[D], table: dict[str, Any], name: str) -> D:
    """Build a description from a table; `name` is the object named in errors.

    Raises:
        ConfigError: with one problem per wrong, missing or unknown key.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise ConfigError([as_problem(e, kind, name) for e in error.errors()]) from None


def as_problem(error: dict[str, Any], kind: type[BaseModel], name: str) -> Problem:
    """Turn one pydantic error into a Problem."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    key = ".".join(str(part) for part in path) or "(whole)"
    if error["type"] == "extra_forbidden":
        known = sorted(known_keys(kind, path[:-1]))
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else ""
        return Problem(name, key, error["input"], f"there is no such key; known: {', '.join(known)}", hint)
    if error["type"] == "missing":
        return Problem(name, key, "(nothing)", "this key is required")
    message = error["msg"].removeprefix("Value error, ")
    return Problem(name, key, error.get("input"), message[0].lower() + message[1:])


def known_keys(kind: type[BaseModel], path: tuple) -> list[str]:
    """Return the keys allowed at `path` inside `kind` (empty if the path leaves pydantic models)."""
    for part in path:
        if isinstance(part, int):
            continue
        field = kind.model_fields.get(part)
        inner = field and next((a for a in unfold(field.annotation) if isinstance(a, type) and issubclass(a, BaseModel)), None)
        if not inner:
            return []
        kind = inner
    return list(kind.model_fields)


def unfold(annotation: Any) -> list[Any]:
    """Return an annotation and everything inside its brackets."""
    found = [annotation]
    for inner in getattr(annotation, "__args__", ()):
        found += unfold(inner)
    return found
