"""Progress on stderr: a bar in a terminal, plain lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import sys
import time
from typing import Any

from chipsim.cli import interrupt

SHARE = 0.1  # of the work between two plain lines
PAUSE_S = 5.0  # at least, between two plain lines


class Progress:
    """What the trainer reports to: `start` a piece of work, `update` it with what is done so far, `stop` it."""

    def __init__(self, quiet: bool = False, stream: Any = None):
        self.stream = sys.stderr if stream is None else stream
        self.quiet = quiet
        self.terminal = self.stream.isatty()
        self.bar: Any = None
        self.total, self.text, self.began, self.said, self.said_s = 0, "", 0.0, 0.0, 0.0
        self.last = ""  # line of finished work, held back because the trainer may add its result to it

    def start(self, total: int, text: str) -> None:
        """Begin a piece of work of `total` samples."""
        self.stop()
        self.total, self.text, self.began, self.said, self.said_s = total, text, time.monotonic(), 0.0, 0.0
        if self.quiet:
            return
        if self.terminal:
            self.bar = bar(self.stream, fleeting=total <= 1)
            self.bar.add_task(text, total=total, rate="")
            self.bar.start()
        elif total <= 1:
            print(text, file=self.stream, flush=True)

    def update(self, done: int, text: str = "") -> None:
        """Say that `done` samples are finished; `text` replaces the description. An interrupt that was dropped is raised here."""
        interrupt.check()
        self.text = text or self.text
        if self.quiet or not self.total:
            return
        seconds = time.monotonic() - self.began
        rate = done / seconds if seconds > 0 else 0.0
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=done, description=self.text, rate=f"{rate:,.0f}/s")
        elif done >= self.total:
            self.last = self.line(done, seconds, rate)
        elif done / self.total >= self.said + SHARE and seconds >= self.said_s + PAUSE_S:
            self.said, self.said_s = done / self.total, seconds
            print(self.line(done, seconds, rate), file=self.stream, flush=True)

    def line(self, done: int, seconds: float, rate: float) -> str:
        """Return one plain line of progress."""
        left = f"{(self.total - done) / rate:,.0f} s left" if rate and done < self.total else f"{seconds:,.1f} s"
        return f"{self.text}: {done / self.total:4.0%}  {done:,} of {self.total:,}  {rate:,.0f}/s  {left}"

    def stop(self) -> None:
        """End the piece of work; harmless when there is none."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        if self.last:
            print(self.last, file=self.stream, flush=True)
            self.last = ""


def bar(stream: Any, fleeting: bool) -> Any:
    """Return a rich progress bar with rate and time left; a fleeting one leaves no trace."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"), progress.TimeRemainingColumn(),
    )  # fmt: skip
    return progress.Progress(*columns, console=Console(file=stream), transient=fleeting)
