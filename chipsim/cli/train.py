"""`chipsim train` and `chipsim evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chipsim.cli import flags
from chipsim.cli.frame import Answer, header
from chipsim.errors import Problem, raise_all


def train(
    model: flags.ModelName = flags.MODEL,
    chip: flags.ChipName = flags.CHIP,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Learning rule; the model's own unless given.", metavar="NAME|FILE.py:CLASS")
    ] = None,
    numerics: flags.Numerics = "fixed",
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bits.", metavar="N")] = 1,
    passes: Annotated[
        int | None, typer.Option("--passes", help="Sweeps over the data; the model's own unless given.", metavar="N")
    ] = None,
    samples: Annotated[int | None, typer.Option("--samples", help="Use only so many training samples.", metavar="N")] = None,
    threads: flags.Threads = None,
    init: Annotated[str | None, typer.Option("--init", help="Start from the weights of a finished run.", metavar="RUN")] = None,
    out: Annotated[
        str | None, typer.Option("--out", help="Run folder; a new one under runs/ unless given.", metavar="DIR")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run folder.")] = False,
    what_if: flags.WhatIf = False,
    changes: flags.Set = None,
    data_dir: flags.DataDir = None,
    quiet: flags.Quiet = False,
) -> Answer:
    """Train on the simulated chip and say what it cost."""
    problems = flags.numerics_problems(numerics)
    problems += flags.count_problems(0, seed=seed) + flags.count_problems(1, passes=passes, samples=samples, threads=threads)
    problems += [] if init is None or (Path(init) / "weights.npz").is_file() else [missing_run("--init", init)]
    with flags.data_folder(data_dir):
        network, description = flags.load(model, chip, changes, what_if, problems)
        from chipsim import api
        from chipsim.cli.progress import Progress
        from chipsim.report.result import train_text

        progress = Progress(quiet)
        try:
            run = api.train(
                network, description, rule=rule, numerics=numerics, seed=seed, passes=passes, samples=samples, threads=threads,
                init=init, out=f"runs/{network.name}-{description.name}-{{n}}" if out is None else out, force=force, what_if=what_if,
                progress=progress,
            )  # fmt: skip
        finally:
            progress.stop()
    return Answer(run.summary, train_text(run.summary))


def missing_run(key: str, path: str) -> Problem:
    """Return the problem of a run folder that is not one."""
    return Problem(
        "command line", key, path, "it is the folder of a finished run, with a file weights.npz", "chipsim train makes one"
    )


def evaluate(
    run: Annotated[str, typer.Argument(help="Folder of a finished run.", metavar="RUN")],
    threads: flags.Threads = None,
    data_dir: flags.DataDir = None,
) -> Answer:
    """Test accuracy and inference cost of a finished run."""
    problems = flags.count_problems(1, threads=threads)
    problems += [] if (Path(run) / "weights.npz").is_file() else [missing_run("RUN", run)]
    raise_all(problems)
    with flags.data_folder(data_dir):
        from chipsim import training
        from chipsim.report.result import evaluate_text

        facts = training.evaluate(Path(run), threads=threads)
    return Answer({**header("evaluate"), **facts}, evaluate_text(facts))
