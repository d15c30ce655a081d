"""V1: the measured power of ODIN at two points, from leakage, clock and one price per synaptic operation."""

from __future__ import annotations

from functools import cache

import numpy as np

from chipsim.counters import Counters
from chipsim.hardware import load_chip
from chipsim.network import Network
from chipsim.simulator import simulate
from chipsim.validation.counted import milliwatts, totals
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close, equal, misses

TITLE = "ODIN: measured power at 75 MHz and at 1.3 MHz"
SOURCE = "Frenkel et al. 2019, section IV-A, transcribed by a third party"
NEURONS, RATE_HZ, SECONDS = 256, 10, 1.0
STEPS = 1000  # of 1 ms
END_TO_END = (
    "256 neurons at 10 Hz, 256 operations a spike, 2 cycles an operation: simulated and counted on hw_configs/odin.toml; the "
    "architecture alone fixes the counts"
)
LAW = "the same price list at the rounded rates of the source"


@cache
def counted() -> Counters:
    """Return the counts of one second: 256 sources at 10 Hz onto all 256 neurons."""
    network = Network(
        name="odin-crossbar", steps=STEPS + 1, learning={"weight_bits": 3},
        population=[{"name": "source", "neuron": "input", "size": NEURONS}, {"name": "core", "neuron": "if", "size": NEURONS}],
    ).with_weights({"core": np.full((NEURONS, NEURONS), -1.0)})  # fmt: skip
    step, neuron = np.meshgrid(np.arange(STEPS), np.arange(NEURONS), indexing="ij")
    raster = np.zeros((STEPS + 1, 1, NEURONS))
    raster[:-1, 0] = (step + neuron) % (1000 // RATE_HZ) == 0
    return simulate(network, raster, load_chip("odin"), "fixed", record=()).counters


def clocked(mhz: float):
    """Return the chip at another clock."""
    return load_chip("odin", {"clock.frequency.value": mhz})


def rows() -> list[Row]:
    """Return counts, both published points end to end, the power law at the rounded rates, and the control with an average price."""
    facts, counters = expected("odin"), counted()
    synops = int(counters.of("forward", "synops").sum())
    found = [equal("synaptic operations in one second", NEURONS * NEURONS * RATE_HZ, synops, "operations", "architecture")]
    for name in ("accelerated", "biological"):
        point, most = facts[name], facts["max_error_percent"] / 100
        # at 75 MHz the same second of events takes as long as its operations: 2 cycles each
        seconds = 2 * synops / 75e6 if name == "accelerated" else SECONDS
        ours = milliwatts(counters, clocked(2 * synops / seconds * 1e-6), seconds) * 1e3
        found.append(close(f"{name}, end to end", point["published_uw"], ours, "uW", most, SOURCE, END_TO_END))
        law = milliwatts(totals({"forward.synops": round(point["msops"] * 1e6)}), clocked(point["clock_mhz"]), 1.0) * 1e3
        found.append(close(f"{name}, power law", point["published_uw"], law, "uW", most, SOURCE, LAW))
    point = facts["biological"]
    average = point["msops"] * 12.7
    note = "negative control: the published average of 12.7 pJ holds at 75 MHz only, so a price list must not be made of it"
    return [*found, misses("biological, with the average price", point["published_uw"], average, "uW", 0.4, SOURCE, note)]
