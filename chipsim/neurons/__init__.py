"""Neuron models: one file each, one line in `KINDS`, one branch in `dispatch.update`. Importing this package compiles nothing."""

from __future__ import annotations

INPUT = "input"
KINDS = {INPUT: 0, "delta-lif": 1, "leaky-readout": 2}  # name -> code that the kernels see
SPIKING = ("delta-lif",)
READOUTS = ("leaky-readout",)
