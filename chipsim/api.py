"""What users call that needs more than one layer: training, with the pictures of the run in its folder."""

from __future__ import annotations

import functools
from typing import Any

from chipsim import training
from chipsim.training import Run


@functools.wraps(training.train)
def train(*arguments: Any, **options: Any) -> Run:  # noqa: D103  the docstring is that of training.train
    run = training.train(*arguments, **options)
    if run.run_dir is not None:
        from chipsim import report

        report.pictures(run, run.run_dir)
    return run
