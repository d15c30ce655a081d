"""Finds and reads descriptions, chips in `hw_configs/` and networks in `models/`, in a checkout and an installed wheel alike."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from platformdirs import user_cache_path

from chipsim.errors import ConfigError, Problem
from chipsim.overrides import apply_overrides, parse_set, suggest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["apply_overrides", "data_root", "find", "names", "parse_set", "read_toml", "roots", "user_cache"]

PACKAGE = Path(__file__).resolve().parent
NOUNS = {"hw_configs": "chip", "models": "model"}
DATA_VARIABLE = "CHIPSIM_DATA"


def roots(kind: str) -> Path:
    """Return the folder that holds the `kind` ("hw_configs" or "models"): package data of a wheel, else beside the package."""
    packaged = PACKAGE / "_data" / kind
    return packaged if packaged.is_dir() else PACKAGE.parent / kind


def names(kind: str) -> list[str]:
    """Return the sorted names (file stems) of what ships."""
    return sorted(file.stem for file in roots(kind).glob("*.toml"))


def find(kind: str, name_or_path: str | Path) -> Path:
    """Return the file of a shipped name, or of a path: whatever ends in .toml or holds a slash is a path.

    Raises:
        ConfigError: if there is no such name or file; lists the known names.
    """
    if not isinstance(name_or_path, (str, Path)):
        raise ConfigError(Problem(NOUNS[kind], "name", name_or_path, "a name or a path is required"))
    text = os.fspath(name_or_path)
    path = Path(text).expanduser()
    known = names(kind)
    shipped = f"shipped: {', '.join(known)}"
    if path.suffix == ".toml" or len(path.parts) > 1:
        if path.is_file() and path.suffix == ".toml":
            return path
        limit = "a description is a .toml file" if path.exists() else "there is no such file"
        hint = f"did you mean the shipped {path.stem!r}?" if path.stem in known else shipped
        raise ConfigError(Problem(NOUNS[kind], "file", text, limit, hint))
    if text in known:
        return roots(kind) / f"{text}.toml"
    limit = f"it is neither a shipped name nor a .toml file; {shipped}"
    raise ConfigError(Problem(NOUNS[kind], "name", text, limit, suggest(text, known)))


def read_toml(path: str | Path) -> dict:
    """Return the table of a TOML file.

    Raises:
        ConfigError: if it cannot be read, is not UTF-8 or breaks the syntax of TOML (with line and column).
    """
    name = f'file "{path}"'
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(Problem(name, "path", str(path), f"it cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem(name, f"byte {error.start}", error.object[error.start], "TOML is UTF-8 text")) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(syntax_problem(name, text, str(error))) from None


def syntax_problem(name: str, text: str, message: str) -> Problem:
    """Return the Problem of a syntax error, with the line it is in."""
    what, _, where = message.partition(" (at ")
    line = re.match(r"line (\d+)", where)
    lines = text.splitlines() or [""]
    number = int(line[1]) if line else len(lines)
    found_there = lines[min(number, len(lines)) - 1].strip()
    return Problem(name, f"line {number}", found_there, f"this is not TOML: {what[0].lower()}{what[1:]}")


def data_root(flag: str | None = None) -> Path | None:
    """Return the folder of further data sets: `--data-dir`, else the environment's CHIPSIM_DATA, else None.

    Raises:
        ConfigError: if it is named but is not a folder.
    """
    source = "--data-dir" if flag else DATA_VARIABLE
    text = flag or os.environ.get(DATA_VARIABLE)
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ConfigError(Problem("data sets", source, text, "it must be a folder with one sub-folder per data set"))
    return path


def user_cache() -> Path:
    """Return the folder for what can be made again: compiled kernels, converted data."""
    return user_cache_path("chipsim")
