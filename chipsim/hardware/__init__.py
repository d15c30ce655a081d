"""Chips as data: what a chip can hold, what it can do, and what each event costs on it."""

from chipsim.hardware.chip import Chip, Mesh
from chipsim.hardware.devices import dense_devices
from chipsim.hardware.load import as_chip, build_chip, load_chip
from chipsim.hardware.quantity import Price, Quantity
from chipsim.hardware.show import chip_lines, one_line

__all__ = ["Chip", "Mesh", "Price", "Quantity", "as_chip", "build_chip", "chip_lines", "dense_devices", "load_chip", "one_line"]
