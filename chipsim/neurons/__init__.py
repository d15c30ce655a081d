"""Neuron models: one file each and one line in `MODELS`. Importing this package compiles nothing.

A model's file holds, beside its equation and its source,

    Parameters                  what a description may say of a population of this model (schema.Description)
    MODEL                       a neurons.contract.Model: what everybody else must know of it
    constants(own, form)        the numbers its kernel reads, decay words first (docs/neurons.md section 3)
    update(s, a, sent, k, now, modes)   the kernel of one step, a pure function of numbers (neurons.arithmetic)
    adjoint(e, error, gain, fired, k, bits)   the same for one step backward, if gradient rules train it (MODEL.adjoint)
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

INPUT = "input"
MODELS = {  # name -> module
    "delta-lif": "chipsim.neurons.delta_lif",
    "leaky-readout": "chipsim.neurons.leaky_readout",
    "loihi-lif": "chipsim.neurons.loihi_lif",
    "ternary-lif": "chipsim.neurons.ternary_lif",
    "reset-lif": "chipsim.neurons.reset_lif",
    "refractory-lif": "chipsim.neurons.refractory_lif",
    "adaptive-lif": "chipsim.neurons.adaptive_lif",
    "if": "chipsim.neurons.integrate_and_fire",
    "graded": "chipsim.neurons.graded",
    INPUT: "chipsim.neurons.input",
}
CODES = {name: code for code, name in enumerate(MODELS)}  # what the kernels see


def model(name: str) -> ModuleType:
    """Return the module of a neuron model."""
    return import_module(MODELS[name])
