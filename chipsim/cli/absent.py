"""Verbs of the promised command line that this version does not have: they say so and exit with 2."""

from __future__ import annotations

from collections.abc import Callable

import typer

from chipsim.cli.frame import complain, version
from chipsim.errors import ConfigError, Problem

ABSENT = ("compare", "sweep", "diff", "report", "trace", "export", "import")


def absent(name: str) -> Callable[[typer.Context], None]:
    """Return the command of a verb that is not built yet; it takes any flags and refuses."""

    def refuse(context: typer.Context) -> None:
        problem = Problem(
            "command line", "verb", name, f"version {version()} of chipsim does not have it yet", "chipsim --help lists the verbs"
        )
        raise typer.Exit(complain(ConfigError(problem), name, "--json" in context.args))

    refuse.__doc__ = f"Not in this version yet: {name}."
    return refuse
