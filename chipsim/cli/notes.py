"""What the library logs, on stderr: that kernels are being compiled. Nothing with --quiet."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

LOG = logging.getLogger("chipsim")


class Lines(logging.Handler):
    """Prints every record as a line; a bar that is on the terminal stays below it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        print(self.format(record), file=sys.stderr, flush=True)  # looked up now: a bar puts itself between


@contextlib.contextmanager
def shown(quiet: bool) -> Iterator[None]:
    """Show what is logged while a verb runs."""
    handler = logging.NullHandler() if quiet else Lines()
    level, propagate = LOG.level, LOG.propagate
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(level)
        LOG.propagate = propagate
