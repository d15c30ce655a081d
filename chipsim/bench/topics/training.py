"""Topic `training`: the recorded sizes of workload A, and Fashion-MNIST where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chipsim.bench.run import Options
from chipsim.bench.training import measure, rows_of
from chipsim.bench.workloads import Case, fashion, synthetic
from chipsim.errors import DataError

HIDDEN = (200, 1000)
QUICK = {"hidden": 32, "density": 0.02, "batch": 16, "steps": 30}
NO_DATA = "no data folder: give --data-dir or set CHIPSIM_DATA"


def topic(options: Options, progress: Any) -> dict[str, Any]:
    """Measure every case; after the first whose equality fails nothing more is timed."""
    skipped: list[dict[str, str]] = []
    return gather(options, cases(options, skipped), skipped, options.rounds, progress)


def gather(options: Options, chosen: Iterator[Case], skipped: list, rounds: int, progress: Any) -> dict[str, Any]:
    """Return what the cases gave."""
    found = []
    for case in chosen:
        found.append(measure(case, options.places, rounds, progress, rows_of(options.threads), hurried=options.quick))
        if not found[-1]["ok"]:
            break
    return {"cases": found, "skipped": skipped, "ok": all(case["ok"] for case in found)}


def cases(options: Options, skipped: list[dict[str, str]]) -> Iterator[Case]:
    """Yield the cases; what cannot be run is added to `skipped` with its reason."""
    if options.quick:
        yield synthetic(**QUICK | ({"hidden": options.hidden[0]} if options.hidden else {}))
        return
    for hidden in options.hidden or HIDDEN:
        yield synthetic(hidden)
    if options.data is None:
        skipped.append({"name": "Fashion-MNIST", "reason": NO_DATA})
        return
    try:
        yield fashion(options.data, (options.hidden or HIDDEN)[0])
    except DataError as error:
        skipped.append({"name": "Fashion-MNIST", "reason": str(error)})
