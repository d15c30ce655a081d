"""How long light verbs take to answer, beside an interpreter that only imports numpy.

python benchmarks/startup.py       7 interleaved rounds; medians of wall and CPU seconds, and the ratio to the bare import
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

ROUNDS = 7
PEERS = {
    "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
    "chipsim --help": [sys.executable, "-m", "chipsim", "--help"],
    "chipsim chips": [sys.executable, "-m", "chipsim", "chips"],
    "chipsim chips loihi1": [sys.executable, "-m", "chipsim", "chips", "loihi1"],
}


def once(line: list[str]) -> tuple[float, float]:
    """Run a command; return wall and CPU seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, spent


def main() -> None:
    """Measure round robin and print a table."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PEERS}
    for _ in range(ROUNDS):
        for name, line in PEERS.items():
            found[name].append(once(line))
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    bare = next(iter(medians.values()))
    print(f"{'command':28}{'wall s':>8}{'CPU s':>8}{'CPU ratio':>11}")
    for name, (wall, cpu) in medians.items():
        print(f"{name:28}{wall:8.2f}{cpu:8.2f}{cpu / bare[1]:11.1f}")


if __name__ == "__main__":
    main()
