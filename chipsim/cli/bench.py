"""`chipsim bench`: equality first, then time beside other simulators and beside the roofline, memory, and how cost grows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chipsim.cli import flags
from chipsim.cli.frame import Answer, header, plain
from chipsim.errors import ConfigError, Problem

Topic = Annotated[str | None, typer.Argument(help="training, chip, rules or memory; none: all.", metavar="[TOPIC]")]
Peers = Annotated[bool, typer.Option("--peers", help="Measure the installed peers too; those that are absent are named.")]
Pythons = Annotated[
    list[str] | None,
    typer.Option("--python", help="Another Python to look for peers in; also CHIPSIM_PEERS. Repeatable.", metavar="PATH"),
]
Rounds = Annotated[int | None, typer.Option("--rounds", help="Interleaved rounds; 7 unless given.", metavar="N")]
Hidden = Annotated[list[int] | None, typer.Option("--hidden", help="Size of the hidden layers. Repeatable.", metavar="N")]
Threads = Annotated[
    int | None, typer.Option("--threads", help="Threads of our further rows of a training step; 2 unless given.", metavar="N")
]
Quick = Annotated[bool, typer.Option("--quick", help="Small sizes: a smoke test of seconds, no figures to quote.")]
Sweep = Annotated[
    str | None,
    typer.Option("--sweep", help="How cost grows: hidden, activity, steps, batch, neurons, fan-out or cores.", metavar="OVER"),
]
Out = Annotated[str | None, typer.Option("--out", help="Folder to write bench.json and plots to.", metavar="DIR")]


def bench(
    topic: Topic = None,
    peers: Peers = False,
    python: Pythons = None,
    rounds: Rounds = None,
    hidden: Hidden = None,
    threads: Threads = None,
    quick: Quick = False,
    sweep: Sweep = None,
    out: Out = None,
    data_dir: flags.DataDir = None,
    quiet: flags.Quiet = False,
) -> Answer:
    """Benchmarks: equality first, then time, roofline, memory."""
    from chipsim import catalog
    from chipsim.bench.run import options, run
    from chipsim.bench.text import text
    from chipsim.cli.progress import Progress

    with flags.data_folder(data_dir):
        chosen = options(topic, peers, python or (), rounds, hidden or (), quick, sweep, catalog.data_root(data_dir), threads)
        folder = None if out is None else writable(out)
        progress = Progress(quiet)
        try:
            facts = {**header("bench"), **run(chosen, progress)}
        finally:
            progress.stop()
    facts["files"] = [] if folder is None else written(folder, facts)
    return Answer(facts, text(facts), exit_code=0 if facts["ok"] else 4)


def writable(out: str) -> Path:
    """Return the folder of --out, made now, so that a wrong one is found before hours of measuring.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(Problem("command line", "--out", out, f"it must be a folder: {error.strerror}")) from None
    return Path(out)


def written(folder: Path, facts: dict) -> list[str]:
    """Write bench.json and the plots; return their names."""
    import json

    from chipsim.bench.plots import pictures

    names = pictures(facts, folder)
    (folder / "bench.json").write_text(json.dumps(plain(facts), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return ["bench.json", *names]
