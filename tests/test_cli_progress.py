"""Progress of long work: few plain lines where stderr is no terminal, a bar where it is, nothing with --quiet."""

from __future__ import annotations

import io

from chipsim.cli.progress import Progress


class Stream(list):
    """A stream that keeps what is written, and is no terminal."""

    def isatty(self):
        return False

    def write(self, text):
        self.extend(line for line in text.splitlines() if line)

    def flush(self):
        pass


def test_progress_without_a_terminal_prints_few_lines(monkeypatch):
    clock = iter(range(0, 100000, 10))
    monkeypatch.setattr("chipsim.cli.progress.time.monotonic", lambda: float(next(clock)))
    stream = Stream()
    progress = Progress(stream=stream)
    progress.start(100, "pass 1 of 1")
    for done in range(1, 101):
        progress.update(done)
    progress.update(100, "pass 1 of 1: loss 0.5")
    progress.stop()
    progress.stop()
    assert 9 <= len(stream) <= 11
    assert "/s" in stream[0] and "s left" in stream[0] and stream[-1].startswith("pass 1 of 1: loss 0.5: 100%")


def test_progress_quiet_prints_nothing():
    stream = Stream()
    progress = Progress(quiet=True, stream=stream)
    progress.start(10, "work")
    progress.update(10)
    progress.stop()
    assert not stream


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


def test_progress_in_a_terminal_is_a_bar_with_a_rate(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = Progress(stream=stream)
    progress.start(50, "pass 1 of 1")
    progress.update(25)
    progress.update(50, "pass 1 of 1: loss 0.5")
    progress.stop()
    assert "loss 0.5" in stream.getvalue() and "50/50" in stream.getvalue() and "/s" in stream.getvalue()


def test_progress_says_what_it_waits_for():
    stream = Stream()
    progress = Progress(stream=stream)
    progress.start(1, "compiling")
    progress.start(10, "pass 1 of 1")
    progress.stop()
    assert stream == ["compiling"]
