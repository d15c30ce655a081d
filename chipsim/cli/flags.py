"""Flags that several verbs share, and the checks that name a wrong one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipsim.errors import CapacityError, ChipsimError, ConfigError, Problem

if TYPE_CHECKING:
    from chipsim.hardware import Chip
    from chipsim.network import Network

MODEL = "digits"
CHIP = "loihi1-ssgd"
NUMERICS = ("fixed", "float", "float32", "float64")

ModelName = Annotated[str, typer.Argument(help="A name in models/ or a .toml file.", metavar="MODEL")]
ChipName = Annotated[str, typer.Option("--chip", help="A name in hw_configs/ or a .toml file.", metavar="NAME|FILE")]
Numerics = Annotated[str, typer.Option("--numerics", help=f"Arithmetic: {', '.join(NUMERICS)}.", metavar="NAME")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", help="Threads; the same bits with any number; unless given the processors there are.", metavar="N"),
]
WhatIf = Annotated[
    bool, typer.Option("--what-if", help="Add the assumed learning extension to a chip that lacks what the rule needs.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change one number: a dotted key of the model, or of the chip after 'chip.'. Repeatable.",
        metavar="KEY=VALUE",
    ),
]
DataDir = Annotated[
    str | None, typer.Option("--data-dir", help="Folder with one sub-folder per data set; also CHIPSIM_DATA.", metavar="DIR")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


def numerics_problems(numerics: str) -> list[Problem]:
    """Return what is wrong with --numerics."""
    return (
        [] if numerics in NUMERICS else [Problem("command line", "--numerics", numerics, f"it is one of {', '.join(NUMERICS)}")]
    )


def count_problems(least: int, **counts: int | None) -> list[Problem]:
    """Return one problem per flag below `least`; None means not given."""
    return [
        Problem("command line", f"--{name}", count, f"a whole number of at least {least} is needed")
        for name, count in counts.items()
        if count is not None and count < least
    ]


def load(model: str, chip: str, changes: list[str] | None, what_if: bool, problems: list[Problem]) -> tuple[Network, Chip]:
    """Return the network and the chip with the changes of --set applied.

    Raises:
        ConfigError: with `problems`, and every problem of the changes, the model and the chip.
    """
    from chipsim import catalog
    from chipsim.hardware import load_chip
    from chipsim.network import load_model

    overrides = gather(problems, lambda: catalog.parse_set(changes or [])) or {}
    of_chip = {key.removeprefix("chip."): value for key, value in overrides.items() if key.startswith("chip.")}
    of_model = {key: value for key, value in overrides.items() if not key.startswith("chip.")}
    network = gather(problems, lambda: load_model(model, of_model))
    description = gather(problems, lambda: load_chip(chip, of_chip, what_if=what_if))
    if problems:
        raise ConfigError(problems)
    return network, description


def gather(problems: list[Problem], action: Callable[[], Any]) -> Any:
    """Return the result of an action, or None after adding the problems of its error; a CapacityError is raised at once."""
    try:
        return action()
    except CapacityError:
        raise
    except ChipsimError as error:
        problems.extend(error.problems)
        return None


@contextlib.contextmanager
def data_folder(flag: str | None) -> Iterator[None]:
    """Let --data-dir stand for CHIPSIM_DATA while a verb runs.

    Raises:
        ConfigError: it is not a folder.
    """
    if flag is None:
        yield
        return
    from chipsim import catalog

    variable = catalog.DATA_VARIABLE
    before = os.environ.get(variable)
    os.environ[variable] = str(catalog.data_root(flag))
    try:
        yield
    finally:
        os.environ.pop(variable)
        if before is not None:
            os.environ[variable] = before
