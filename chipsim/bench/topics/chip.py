"""Topic `chip`: 1,000, 10,000 and 100,000 neurons of workload B."""

from __future__ import annotations

from typing import Any

from chipsim.bench.chip import measure
from chipsim.bench.run import Options

NEURONS = (1_000, 10_000, 100_000)
QUICK = 200


def topic(options: Options, progress: Any) -> dict[str, Any]:
    """Measure every size; after the first whose equality fails nothing more is timed."""
    found = []
    for neurons in (QUICK,) if options.quick else NEURONS:
        cores = 16 if options.quick else 128
        found.append(measure(neurons, options.places, options.rounds, progress, cores=cores, hurried=options.quick))
        if not found[-1]["ok"]:
            break
    return {"cases": found, "skipped": [], "ok": all(case["ok"] for case in found)}
