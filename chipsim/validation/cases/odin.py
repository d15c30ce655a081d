"""V1: the measured power of ODIN at two points, from leakage, clock and one price per synaptic operation."""

from __future__ import annotations

from functools import cache

import numpy as np

from chipsim.counters import Counters
from chipsim.hardware import load_chip
from chipsim.network import Network
from chipsim.simulator import simulate
from chipsim.validation.counted import milliwatts, totals, with_average
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
AVERAGE_PJ, MISS = 12.7, 0.4
AVERAGE = (
    "negative control: the published average of 12.7 pJ as the only price (aggregate) of the same chip; it holds at 75 MHz, where it was "
    "taken, and must miss at 1.3 MHz, so a price list must not be made of it"
)


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
    return [*found, *control(facts)]


def control(facts: dict) -> list[Row]:
    """Return what the average as the only price gives at both points."""
    chip = with_average("odin", AVERAGE_PJ, "Frenkel et al. 2019, title")
    near, far = (milliwatts(totals({"forward.synops": round(facts[name]["msops"] * 1e6)}), chip, 1.0) * 1e3
                 for name in ("accelerated", "biological"))  # fmt: skip
    published = [facts[name]["published_uw"] for name in ("accelerated", "biological")]
    exact = facts["biological"]["aggregate_12_7pj_uw"]
    most = facts["max_error_percent"] / 100
    return [
        close("accelerated, average price", published[0], near, "uW", most, SOURCE, AVERAGE),
        close("biological, average price by hand", exact, far, "uW", facts["rtol"], "650,000 operations x 12.7 pJ"),
        misses("biological, average price", published[1], far, "uW", MISS, SOURCE, AVERAGE),
    ]
