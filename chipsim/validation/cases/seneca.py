"""A synaptic operation on SENECA, worked out of loads, stores and additions, against the published figure with data reuse."""

from __future__ import annotations

from functools import cache

import numpy as np

from chipsim.cost import price_energy
from chipsim.counters import Counters
from chipsim.hardware import load_chip
from chipsim.network import Network
from chipsim.simulator import simulate
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close, misses

TITLE = "SENECA: energy of a synaptic operation, from the prices of instructions"
SOURCE = "Tang et al. 2023, abstract, read in source (synthesis)"
SIZE, STEPS = 100, 10
REUSE = {"memory.neurons.read.value": 0.0, "memory.neurons.write.value": 0.0}
HELD = (
    "the accumulators kept in registers, their loads and stores free: full reuse. Words of weights and additions of a dense layer of 100 "
    "by 100, simulated and counted on hw_configs/seneca.toml. 50 % is what this project takes for figures from synthesis"
)
EACH = (
    "recorded, not repaired: the published figure is with data reuse; chipsim counts events one by one, so this chip file charges a load "
    "and a store of the accumulator for every operation and is an upper bound"
)


@cache
def counted() -> Counters:
    """Return the counts of a dense layer of which every input fires in every step."""
    network = Network(
        name="seneca-dense", steps=STEPS + 1,
        population=[{"name": "source", "neuron": "input", "size": SIZE}, {"name": "core", "neuron": "if", "size": SIZE}],
    ).with_weights({"core": np.full((SIZE, SIZE), -1.0)})  # fmt: skip
    raster = np.ones((STEPS + 1, 1, SIZE))
    raster[-1] = 0
    return simulate(network, raster, load_chip("seneca"), "fixed", record=()).counters


def picojoules(overrides: dict[str, object]) -> float:
    """Return the energy of a synaptic operation with the word of its weight."""
    counters = counted()
    rows = price_energy(counters, load_chip("seneca", overrides), None, 1).rows_pj
    return (rows["forward", "synops"] + rows["forward", "words_read"]) / int(counters.of("forward", "synops").sum())


def rows() -> list[Row]:
    """Return the price with full reuse of the accumulators, and without."""
    facts = expected("seneca")
    published = facts["synop_pj"]
    return [
        close("accumulators in registers", published, picojoules(REUSE), "pJ", facts["max_error_percent"] / 100, SOURCE, HELD),
        misses("accumulators loaded and stored", published, picojoules({}), "pJ", facts["max_error_percent"] / 100, SOURCE, EACH),
    ]
