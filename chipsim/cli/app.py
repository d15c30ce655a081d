"""The application: its verbs, and the one place where wrong usage ends."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from chipsim.cli.absent import ABSENT, absent
from chipsim.cli.bench import bench
from chipsim.cli.check import check
from chipsim.cli.cost import cost
from chipsim.cli.doctor import doctor
from chipsim.cli.frame import complain, verb, version
from chipsim.cli.lists import chips, datasets, models
from chipsim.cli.rules import rules
from chipsim.cli.train import evaluate, train
from chipsim.cli.validate import validate
from chipsim.errors import ConfigError, Problem

HELP = """Train spiking networks on simulated neuromorphic chips.

Bit for bit, with a count of every operation on every core, and what it cost in energy, time and memory.

Exit codes: 0 ok, 1 failed, 2 wrong usage or configuration, 3 does not fit the chip, 4 verification found a difference,
130 interrupted."""

app = typer.Typer(
    name="chipsim", help=HELP, epilog=f"Not in this version yet: {', '.join(ABSENT)}.",
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Options that stand before the verb."""
    if show_version:
        print(version())
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


root.__doc__ = HELP
for function in (train, check, evaluate, cost, chips, models, rules, datasets, validate, bench, doctor):
    app.command()(verb(function))
for name in ABSENT:
    app.command(
        name, hidden=True, add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
    )(absent(name))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return app(arguments, prog_name="chipsim", standalone_mode=False) or 0
    except typer.BadParameter.__base__ as error:  # the usage error of typer: wrong flags
        name = getattr(getattr(error, "ctx", None), "command_path", "chipsim")
        problem = Problem(
            "command line",
            "arguments",
            " ".join(arguments),
            first_small(error.format_message()),
            f"{name} --help lists the flags",
        )
        return complain(ConfigError(problem), name.removeprefix("chipsim").strip(), "--json" in arguments)


def first_small(message: str) -> str:
    """Return a message as the second half of a sentence: small first letter, no full stop."""
    message = " ".join(message.split()).rstrip(".")
    return message[:1].lower() + message[1:]
