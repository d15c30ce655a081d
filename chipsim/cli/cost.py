"""`chipsim cost`: what a finished run would have cost at the prices of another chip, without running again."""

from __future__ import annotations

from typing import Annotated

import typer

from chipsim.cli import flags
from chipsim.cli.frame import Answer, header
from chipsim.errors import Problem, raise_all


def cost(
    run: Annotated[str, typer.Argument(help="Folder of a finished run.", metavar="RUN")],
    chip: Annotated[
        str | None,
        typer.Option("--chip", help="A name in hw_configs/ or a .toml file; the run's own unless given.", metavar="NAME|FILE"),
    ] = None,
    breakdown: Annotated[
        str | None, typer.Option("--breakdown", help="Rows of the energy: core, phase, unit or population.", metavar="BY")
    ] = None,
    strict_prices: Annotated[
        bool, typer.Option("--strict-prices", help="An event without a price is an error (exit code 2).")
    ] = False,
) -> Answer:
    """Price a finished run for another chip, without running again."""
    from chipsim.hardware import load_chip
    from chipsim.report.cost import cost_text
    from chipsim.training.finished import finished
    from chipsim.training.reprice import reprice, require_breakdown

    problems: list[Problem] = []
    if breakdown is not None:
        flags.gather(problems, lambda: require_breakdown(breakdown))
    other = None if chip is None else flags.gather(problems, lambda: load_chip(chip))
    stored = flags.gather(problems, lambda: finished(run))
    raise_all(problems)
    found = reprice(stored, other, strict=strict_prices)
    facts = {**header("cost"), **found.summary}
    if breakdown is not None:
        facts["breakdown"] = {"by": breakdown, "rows": found.breakdown(breakdown)}
    return Answer(facts, cost_text(facts))
