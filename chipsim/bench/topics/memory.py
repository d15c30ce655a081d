"""Topic `memory`: the peak memory of a training step, without rounds of timing."""

from __future__ import annotations

from typing import Any

from chipsim.bench.run import Options
from chipsim.bench.topics.training import cases, gather


def topic(options: Options, progress: Any) -> dict[str, Any]:
    """Measure every case of topic `training`; equality first here too."""
    skipped: list[dict[str, str]] = []
    return gather(options, cases(options, skipped), skipped, 0, progress)
