"""What every test may rely on: markers that need something absent are left out, and the last lines of a run say what and why."""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter

import pytest
from platformdirs import user_cache_path

WORKER = os.environ.get("PYTEST_XDIST_WORKER")
if WORKER:  # before kernels are imported: two processes that fill one cache of numba at once can leave wrong code in it
    os.environ["XDG_CACHE_HOME"] = str(user_cache_path("chipsim-tests") / WORKER)

LAVA_PYTHON = (3, 10)  # the only Python lava-nc 0.10.0 installs on; there its tests must run, so they fail if it is absent


def absent() -> dict[str, str]:
    """Return {marker: why its tests cannot run here}."""
    found = {}
    if sys.version_info[:2] != LAVA_PYTHON:
        found["lava"] = f"lava-nc needs Python 3.10, this is {platform.python_version()}"
    if sys.platform != "linux":
        found["peers"] = f"SANA-FE is installed on Linux only, this is {sys.platform}"
    if not os.environ.get("CHIPSIM_DATA"):
        found["data"] = "CHIPSIM_DATA names no folder of data sets"
    return found


def pytest_collection_modifyitems(items):
    reasons = absent()
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{marker}: {reason}"))


def pytest_terminal_summary(terminalreporter, config):
    reports = terminalreporter.stats.get("skipped", ())
    reasons = Counter(
        r.longrepr[2].removeprefix("Skipped: ") if isinstance(r.longrepr, tuple) else str(r.longrepr) for r in reports
    )
    lines = [f"{count} x {reason}" for reason, count in sorted(reasons.items())]
    if config.option.markexpr:
        lines.append(f'tests outside -m "{config.option.markexpr}"')
    terminalreporter.section("left out", sep="-")
    terminalreporter.write_line("\n".join(lines) or "nothing")
