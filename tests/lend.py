"""What several test files use: a script of benchmarks/ as a module, and a progress display that interrupts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def benchmark(name):
    """Return benchmarks/NAME.py as a module."""
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Impatient:
    """Progress that interrupts after so many samples."""

    def __init__(self, after):
        self.after = after

    def start(self, total, text): ...
    def stop(self): ...
    def update(self, done, text=""):
        if done == self.after:
            raise KeyboardInterrupt
