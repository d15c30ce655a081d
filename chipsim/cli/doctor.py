"""`chipsim doctor`: what is installed, what each missing extra would give, and how to get it."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from chipsim.cli import flags
from chipsim.cli.frame import Answer, header

REQUIRED = ("numpy", "numba", "pydantic", "typer", "rich", "matplotlib", "platformdirs", "tomli-w", "scikit-learn")
EXTRAS = {  # package -> (extra, what it gives)
    "sanafe": ("sanafe", "tests against SANA-FE, in a process of its own"),
    "lava-nc": ("lava", "tests against Lava, and export to it in a later version"),
}
LAVA_PYTHON = (3, 10)  # lava-nc 0.10 has wheels for this Python only


def doctor(data_dir: flags.DataDir = None) -> Answer:
    """What is installed, what is missing, where files are."""
    from chipsim import catalog

    with flags.data_folder(data_dir):
        data = catalog.data_root(data_dir)
    facts = {
        **header("doctor"), "python": platform.python_version(), "platform": platform.platform(), "cpus": os.cpu_count(),
        "packages": {name: find(name) for name in REQUIRED},
        "extras": [extra_facts(package, *EXTRAS[package]) for package in EXTRAS],
        "folders": {
            "chips": catalog.roots("hw_configs"), "models": catalog.roots("models"), "data": data, "cache": catalog.user_cache(),
        },
    }  # fmt: skip
    facts["problems"] = problems(facts)
    return Answer(facts, lines(facts))


def find(package: str) -> str | None:
    """Return the installed version of a package without importing it, or None."""
    try:
        return installed(package)
    except PackageNotFoundError:
        return None


def extra_facts(package: str, extra: str, gives: str) -> dict[str, Any]:
    """Return whether an extra is there, what it gives and how to get it."""
    here = find(package)
    how = f'pip install "chipsim[{extra}]"'
    if package == "lava-nc" and sys.version_info[:2] != LAVA_PYTHON:
        how = f"{package} needs Python {LAVA_PYTHON[0]}.{LAVA_PYTHON[1]}, this is {platform.python_version()}; there: {how}"
    return {"package": package, "extra": extra, "version": here, "gives": gives, "how": how}


def problems(facts: dict[str, Any]) -> list[str]:
    """Return what would keep chipsim from working."""
    found = [f"{name} is not installed" for name, here in facts["packages"].items() if here is None]
    cache = Path(facts["folders"]["cache"])
    parent = next(p for p in (cache, *cache.parents) if p.exists())
    if not os.access(parent, os.W_OK):
        found.append(f"the cache folder {cache} cannot be written: kernels are compiled again in every process")
    return found


def lines(facts: dict[str, Any]) -> list[str]:
    """Return the facts as text."""
    text = [f"chipsim {facts['version']}, Python {facts['python']}, {facts['platform']}, {facts['cpus']} CPUs", ""]
    text += [f"  {name:14} {here or 'NOT INSTALLED'}" for name, here in facts["packages"].items()]
    text += ["", "extras"]
    for row in facts["extras"]:
        state = row["version"] or f"not installed; gives: {row['gives']}; {row['how']}"
        text.append(f"  {row['package']:14} {state}")
    text += ["", "folders"]
    text += [f"  {name:14} {where or 'none: set CHIPSIM_DATA or --data-dir'}" for name, where in facts["folders"].items()]
    text += ["", *(f"problem: {p}" for p in facts["problems"])] if facts["problems"] else ["", "everything needed is here"]
    return text
