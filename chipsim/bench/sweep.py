"""How cost grows: one size of a workload varied, everything else as recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from chipsim.bench import chip, training
from chipsim.bench.run import Options
from chipsim.bench.topics.training import QUICK
from chipsim.bench.workloads import synthetic

SIZES = {  # what is varied: (key of the workload, sizes, sizes of --quick)
    "hidden": ("hidden", (100, 200, 400, 800), (16, 32)),
    "activity": ("density", (0.003, 0.01, 0.03), (0.01, 0.04)),
    "steps": ("steps", (25, 50, 100, 200), (15, 30)),
    "batch": ("batch", (16, 64, 256), (8, 16)),
    "neurons": ("neurons", (1_000, 3_000, 10_000, 30_000), (100, 200)),
    "fan-out": ("fan_out", (25, 50, 100, 200), (20, 50)),
    "cores": ("cores", (8, 32, 128), (4, 16)),
}
NETWORK, SMALL = {"neurons": 10_000}, {"neurons": 200, "cores": 8}
OWN = (training.OWN[0], training.OWN[2])  # float32 and fixed, one thread
PEERS = ("lean", "jax")  # of the training step: the strongest ones


def sweep(options: Options, progress: Any) -> dict[str, Any]:
    """Return one point per size: CPU ms of a step by subject, or microseconds of wall time per step of the chip."""
    key, full, quick = SIZES[options.sweep]
    of_training = options.sweep in ("hidden", "activity", "steps", "batch")
    points, cases = [], []
    for size in quick if options.quick else full:
        case = (training_case if of_training else chip_case)(options, key, size, progress)
        cases.append(case)
        if not case["ok"]:
            break
        points.append({"x": size, "values": dict(values(case, of_training))})
    unit = "CPU ms of a training step" if of_training else "microseconds of wall time per step of the chip"
    return {"over": options.sweep, "title": f"{unit} over {options.sweep}", "unit": unit, "points": points,
            "exponents": exponents(points), "cases": cases, "ok": all(case["ok"] for case in cases)}  # fmt: skip


def training_case(options: Options, key: str, size: float, progress: Any) -> dict[str, Any]:
    """Measure one size of workload A; layers that no gain is recorded for are calibrated as the recorded ones were."""
    sizes = (QUICK if options.quick else {}) | ({"hidden": options.hidden[0]} if options.hidden else {}) | {key: size}
    return training.measure(synthetic(**sizes), options.places, options.rounds, progress, OWN, PEERS, options.quick)


def chip_case(options: Options, key: str, size: int, progress: Any) -> dict[str, Any]:
    """Measure one size of workload B."""
    sizes = (SMALL if options.quick else NETWORK) | {key: size}
    return chip.measure(places=options.places, count=options.rounds, progress=progress, hurried=options.quick, **sizes)


def values(case: dict[str, Any], of_training: bool) -> Iterator[tuple[str, float]]:
    """Yield name and cost of each subject."""
    for one in case["subjects"]:
        name = f"chipsim {one['name']}" if one.get("kind") == "chipsim" else one["name"]
        yield name, one["time"]["total"]["cpu_ms"] if of_training else 1e6 / one["steps_per_s"]


def exponents(points: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return p of cost ~ x^p by subject, from the first point to the last."""
    if len(points) < 2:
        return {}
    first, last = points[0], points[-1]
    span = math.log(last["x"] / first["x"])
    return {name: math.log(last["values"][name] / cost) / span if name in last["values"] and cost > 0 else None
            for name, cost in first["values"].items()}  # fmt: skip
