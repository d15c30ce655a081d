"""Models from TOML: a file of `models/` by name, or any file by path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chipsim import catalog
from chipsim.errors import ConfigError, Problem
from chipsim.network.description import Network
from chipsim.schema import read


def as_network(model: Network | str | Path) -> Network:
    """Return a network, or load the model of that name or path.

    Raises:
        ConfigError: it is neither, or there is no such model.
    """
    if not isinstance(model, (Network, str, Path)):
        raise ConfigError(Problem("run", "model", model, "a Network, a name or a path is required"))
    return model if isinstance(model, Network) else load_model(model)


def load_model(name_or_path: str | Path, overrides: dict[str, Any] | None = None) -> Network:
    """Return the model called `name_or_path` (a name in `models/` or a path); `overrides`: {dotted key: value}.

    Raises:
        ConfigError: no such model, a syntax error, or wrong keys and values, all of them at once.
    """
    path = catalog.find("models", name_or_path)
    table = catalog.read_toml(path)
    if overrides:
        table = catalog.apply_overrides(table, overrides)
    table.setdefault("name", path.stem)
    return read(Network, table, f'model "{path.stem}"')
