"""Frozen, validated descriptions: pydantic underneath, errors in chipsim's own words (object, key, value, limit), all at once."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from chipsim.errors import ConfigError, Problem


class Description(BaseModel):
    """Base of everything a user describes: unknown keys are refused, nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=True)


D = TypeVar("D", bound=BaseModel)


class Several(ValueError):
    """Errors of several models that together describe one object. errors: pydantic's; known: all keys the object may have."""

    def __init__(self, errors: list[ValidationError], known: list[str]):
        super().__init__("several errors")
        self.errors, self.known = errors, known


def read(kind: type[D], table: dict[str, Any], name: str) -> D:
    """Build a description from a table; `name` is the object named in errors.

    Raises:
        ConfigError: with one problem per wrong, missing or unknown key.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise ConfigError(problems_of(error, kind, name)) from None


def problems_of(error: ValidationError, kind: type[BaseModel], name: str) -> list[Problem]:
    """Return one Problem per wrong, missing or unknown key of `kind`."""
    found = []
    for each in error.errors():
        inner = each.get("ctx", {}).get("error")
        if isinstance(inner, Several):
            parts = [one for e in inner.errors for one in e.errors()]
            found += [as_problem({**one, "loc": (*each["loc"], *one["loc"])}, kind, name, inner.known) for one in parts]
        else:
            found.append(as_problem(each, kind, name))
    return found


def as_problem(error: dict[str, Any], kind: type[BaseModel], name: str, known: Sequence[str] = ()) -> Problem:
    """Turn one pydantic error into a Problem; `known`: the keys allowed there, by default those of the model at that place."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    key = ".".join(str(part) for part in path) or "(whole)"
    if error["type"] == "extra_forbidden":
        known = sorted(known or known_keys(kind, path[:-1]))
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
