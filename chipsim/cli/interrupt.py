"""Ctrl-C that is never lost.

Python raises KeyboardInterrupt wherever the main thread happens to be. Where that is code whose errors nobody takes (the callback of a
weak reference, of a C library that loads a kernel) the exception is dropped, and the run would go on. So it is noted as well, and
raised again at the next report of progress.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_pressed = threading.Event()


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Note interrupts inside; only where Python's own handler is in charge (a shell may have them ignored)."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        _pressed.clear()
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def note(number: int, frame: object) -> None:
    """Note an interrupt and raise it."""
    _pressed.set()
    raise KeyboardInterrupt


def check() -> None:
    """Raise an interrupt that was noted and has been dropped.

    Raises:
        KeyboardInterrupt: there was one.
    """
    if _pressed.is_set():
        _pressed.clear()
        raise KeyboardInterrupt
