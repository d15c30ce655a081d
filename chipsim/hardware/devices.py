"""Conventional processors to compare with: what one multiply-accumulate costs on them, with its source."""

from __future__ import annotations

from chipsim import catalog
from chipsim.errors import raise_all
from chipsim.hardware.quantity import Quantity
from chipsim.hardware.tables import Report, read_number


def dense_devices() -> dict[str, Quantity]:
    """Return {device: energy of one multiply-accumulate in pJ} of hw_configs/devices/dense.toml.

    Raises:
        ConfigError: a number of the file is not valid.
    """
    table = catalog.read_toml(catalog.roots("hw_configs") / "devices" / "dense.toml")
    report = Report("devices/dense")
    read = {name: read_number(report, f"energy.{name}", row, "energy") for name, row in table["energy"].items()}
    raise_all(report.problems)
    return {name: found[1] for name, found in read.items()}
