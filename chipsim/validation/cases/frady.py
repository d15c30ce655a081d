"""V7: a nearest-neighbour query measured on a board of 32 Loihi chips."""

from __future__ import annotations

from chipsim.cost import price_energy
from chipsim.hardware import load_chip
from chipsim.validation.counted import totals
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close, misses

TITLE = "Loihi: nearest-neighbour query on 32 chips, measured dynamic energy of the cores"
SOURCE = "Frady et al. 2020, transcribed by a third party"
LEAST = 0.5
CLOSED = (
    "counts in closed form (76,800 pattern neurons on 32 chips are more than one simulated chip holds): 667 to 750 input spikes, each to "
    "every neuron, so 51,225,600 to 57,600,000 operations; 4,608,000 idle updates in 60 steps. Nothing is fitted; packets and hops (below "
    "0.1 %) are left out; the tolerance is this project's own"
)
MISSED = "recorded, not repaired: prices calibrated on one board and workload do not carry over to this one"


def millijoules(chip: str, synops: int, updates: int) -> float:
    """Return the dynamic energy of a query; no time passes, so no power is added."""
    counters = totals({"forward.synops": synops, "forward.updates_idle": updates})
    return price_energy(counters, load_chip(chip), 0.0, 0).total_j * 1e3


def rows() -> list[Row]:
    """Return both price lists at both ends of the activity."""
    facts, found = expected("frady"), []
    updates, published = facts["patterns"] * facts["steps"], facts["published_mj"]
    synops = [spikes * facts["patterns"] for spikes in facts["input_spikes"]]
    most = facts["max_error_percent_loihi1"] / 100
    for n, end in enumerate(("low", "high")):
        found.append(
            close(f"energy, loihi1, {end}", published, millijoules("loihi1", synops[n], updates), "mJ", most, SOURCE, CLOSED)
        )
    for n, end in enumerate(("low", "high")):
        ours = millijoules("loihi1-calibrated", synops[n], updates)
        found.append(misses(f"energy, loihi1-calibrated, {end}", published, ours, "mJ", LEAST, SOURCE, MISSED))
    return found
