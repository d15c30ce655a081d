"""How long a packet keeps a link busy in traffic of many cores: python benchmarks/link_calibration.py [--check N] (needs `sanafe`).

Neurons of every core send to random targets on all cores, on the whole mesh (x links are the hottest) and on one column of tiles (there are
only y links). Each network runs for one step in SANA-FE's cycle-level mode, in a process of its own. What is left of the step without the
barrier, per packet on the hottest link, is the time in question. Networks are accepted by counts alone: their hottest link, at the time of
a hop, is slower than every core. None is one of the four that docs/validation.md compares, and nothing is fitted to those.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chipsim.hardware import Chip, load_chip
from chipsim.validation import grid
from chipsim.validation.cases.mesh_simulator import step_ns

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "link_calibration.json"
PEER = ROOT / "tests" / "peers" / "sanafe_run.py"
CHIP, SEED = "loihi1-calibrated", 20
WANTED = {"x": 16, "y": 8}  # networks
CORES = {"x": 128, "y": 16}  # the whole mesh; tiles 0 to 3, which are one column
PER_CORE, SHARES, FANS = (8, 16, 24, 32, 48, 64), (0.025, 0.05, 0.1, 0.2), (20, 128)  # neurons, firing, targets of one that fires
PACKETS = {"x": (4_000, 60_000), "y": (500, 60_000)}  # a few fill no mesh, more take long
LEAST = 1.1  # steps say something of their links if half of them take so much of their slowest core


class Drawn(NamedTuple):
    """A network as `chipsim.validation.grid` describes it, with drawn sources [F] and targets [F, n]."""

    neurons: int
    per_core: int
    sources: np.ndarray
    targets: np.ndarray
    core = grid.Grid.core
    reach = grid.Grid.reach

    @property
    def firing(self) -> int:
        """F."""
        return len(self.sources)

    @property
    def tiles(self) -> int:
        """Tiles in use: all up to that of the last core."""
        return (int(self.core[-1]) + 1) // 4


def draw(rng: np.random.Generator, cores: int) -> Drawn:
    """Return a network in which neurons anywhere send to targets anywhere."""
    per_core, share = int(rng.choice(PER_CORE)), float(rng.choice(SHARES))
    neurons = cores * per_core
    fan = min(int(rng.integers(FANS[0], FANS[1] + 1)), neurons)
    sources = np.flatnonzero(rng.random(neurons) < share)
    targets = [np.sort(rng.choice(neurons, fan, replace=False)) for _ in sources]
    return Drawn(neurons, per_core, sources, np.array(targets, dtype=np.int64).reshape(len(sources), fan))


def counted(one: Drawn, chip: Chip) -> dict[str, Any]:
    """Return what counts say of a step without its barrier: packets, those on the hottest link of each kind, ns of the slowest core."""
    loads = grid.link_loads(one, chip.mesh)
    most = {kind: int(loads.forward[0, 0, np.array(loads.kinds) == kind].max(initial=0)) for kind in "xy"}
    core_ns = step_ns(one, grid.closed_form(one, chip.mesh), chip.name, "none", one.tiles) - chip.barrier(one.tiles)
    return {"neurons": one.neurons, "firing": one.firing, "targets": one.targets.shape[1], "packets": int((one.reach > 0).sum()),
            "hottest_x": most["x"], "hottest_y": most["y"], "slowest_core_ns": round(core_ns, 3)}  # fmt: skip


def accepted(found: dict[str, Any], kind: str, chip: Chip) -> bool:
    """Return whether a link of this kind, at the time of a hop, is slower than any core and any link of the other kind."""
    hop = {way: chip.time[f"forward.hops_{way}"].value * found[f"hottest_{way}"] for way in "xy"}
    low, high = PACKETS[kind]
    return low <= found["packets"] <= high and hop[kind] == max(*hop.values(), found["slowest_core_ns"])


def networks(kind: str, chip: Chip) -> Iterator[tuple[Drawn, dict[str, Any]]]:
    """Yield the accepted networks of a kind of link with what counts say of them, in the order in which they are drawn."""
    number, left = 0, WANTED[kind]
    while left:
        one = draw(np.random.default_rng([SEED, "xy".index(kind), number]), CORES[kind])
        number += 1
        if one.firing and accepted(found := counted(one, chip), kind, chip):
            left -= 1
            yield one, {"draw": number - 1, **found}


def cycle_ns(one: Drawn, chip: Chip) -> float:
    """Return the ns of a step without its barrier in the other simulator's cycle-level mode, a fresh process."""
    targets: list[list[int]] = [[] for _ in range(one.neurons)]
    for source, row in zip(one.sources.tolist(), one.targets.tolist(), strict=True):
        targets[source] = row
    bias = np.isin(np.arange(one.neurons), one.sources) * 2.0
    asked = {"core": one.core.tolist(), "bias": bias.tolist(), "targets": targets, "steps": 1, "timing": "cycle"}
    done = subprocess.run([sys.executable, PEER], input=json.dumps([asked]), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]["time"][0] * 1e9 - chip.barrier(one.tiles)


def measured(kind: str, chip: Chip) -> Iterator[dict[str, Any]]:
    """Yield what each network of a kind of link shows."""
    for one, found in networks(kind, chip):
        cycle = cycle_ns(one, chip)
        yield {**found, "cycle_ns": round(cycle, 3), "per_packet_ns": round(cycle / found[f"hottest_{kind}"], 3)}


def summary(rows: dict[str, list[dict[str, Any]]], chip: Chip) -> dict[str, dict[str, Any]]:
    """Return the numbers of the chip file, in ns, and how they come about.

    Where half of the networks take `LEAST` of their slowest core, links decide: median, smallest and largest. On the column they do not,
    cores do: then the time of a hop of y times the ratio that was found for x, at most what was left of a step on the column.
    """
    found: dict[str, dict[str, Any]] = {}
    for kind in "xy":
        each = [row["per_packet_ns"] for row in rows[kind]]
        beyond = statistics.median(row["cycle_ns"] / row["slowest_core_ns"] for row in rows[kind])
        if beyond > LEAST:
            number = {"value": round(statistics.median(each), 3), "lo": min(each), "hi": max(each), "basis": "derived"}
        else:
            x, y = (chip.time[f"forward.hops_{way}"].value for way in "xy")
            number = {"value": round(y * found["congested_x"]["value"] / x, 3), "hi": max(each), "basis": "assumed"}
        found[f"congested_{kind}"] = {**number, "networks": len(each), "step_to_slowest_core": round(beyond, 3)}
    return found


def main() -> None:
    """Run all networks and write the result; with --check N, only the first N of a kind, printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=int, default=0, metavar="N")
    most = parser.parse_args().check
    chip, rows = load_chip(CHIP), {}
    for kind in "xy":
        rows[kind] = []
        for row in measured(kind, chip):
            rows[kind].append(row)
            print(kind, *(f"{key} {value}" for key, value in row.items()), flush=True)
            if len(rows[kind]) == most:
                break
    if not most:
        result = {"peer": f"sanafe {version('sanafe')}", "seed": SEED, **summary(rows, chip), "networks": rows}
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
