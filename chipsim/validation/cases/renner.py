"""V8: exact backpropagation on Loihi, measured: what the learning engine visits spans the published energy."""

from __future__ import annotations

import math

from chipsim.cost import price_energy
from chipsim.hardware import load_chip
from chipsim.validation.counted import totals
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close, contains, within_factor

TITLE = "Loihi: exact backpropagation, 400-400-10, energy of a training sample"
SOURCE = "Renner et al. 2024, Table 1, read in source; structure of the released network (lanl/spikingBackprop)"
ORDER = "an order of magnitude, between half and twice the published energy: the factor is this project's own"
LAYERS, STEPS, REWARDED = (400, 400, 10), 12, 2
ACTIVE_IN, ACTIVE_HIDDEN = 100, 120  # assumed: not published
CORES = 128
ASSUMED = (
    "reconstruction, not a simulation: 3,282 neurons and 500,000 plastic synapses from the released network; 100 active inputs and 120 "
    "active hidden neurons are assumed, no activity is published; one chip powered for 1.5 ms at hw_configs/loihi1.toml"
)
ENGINE = (
    "the ends are an engine that visits synapses of active presynaptic neurons, and one that visits all synapses in all 12 epochs"
)


def structure() -> dict[str, int]:
    """Return neurons, plastic synapses, operations and the visits of three engines."""
    n_in, n_hid, n_out = LAYERS
    neurons = 2 * n_in + 6 * n_hid + 7 * n_out + 12
    plastic = 3 * n_in * n_hid + 3 * n_hid * n_out + 2 * n_hid * n_out
    synops = 3 * ACTIVE_IN * 3 * n_hid + 3 * ACTIVE_HIDDEN * 3 * n_out + 12 * 200
    by_input = 3 * ACTIVE_IN * 3 * n_hid + 3 * ACTIVE_HIDDEN * 3 * n_out
    return {
        "neurons": neurons, "plastic_synapses": plastic, "neuron_updates": neurons * STEPS, "synops": synops,
        "visits_presynaptic": by_input, "visits_rewarded": REWARDED * plastic, "visits_all": STEPS * plastic,
    }  # fmt: skip


def rows() -> list[Row]:
    """Return the energies of three engines, the interval and its middle."""
    facts, ours, found = expected("renner"), structure(), []
    chip, totals_mj, published = load_chip("loihi1"), [], facts["published_mj"]
    for name in ("visits_presynaptic", "visits_rewarded", "visits_all"):
        events = {
            "forward.synops": ours["synops"],
            "forward.updates_idle": ours["neuron_updates"],
            "update.evaluations": ours[name],
        }
        energy = price_energy(totals(events), chip, facts["published_ms"] * 1e-3, CORES)
        totals_mj.append(energy.total_j * 1e3)
        label = f"{name.replace('visits_', 'engine visits: ')}, {ours[name]:,}"
        found.append(
            close(
                f"{label}, energy",
                facts[name]["total_mj"],
                totals_mj[-1],
                "mJ",
                1e-3,
                "arithmetic of the reconstruction",
                ASSUMED,
            )
        )
    middle = math.sqrt(totals_mj[0] * totals_mj[-1])
    return [
        *found,
        contains("energy of a training sample, interval", published, totals_mj[0], totals_mj[-1], "mJ", SOURCE, ENGINE),
        within_factor(
            "energy of a training sample, geometric mean", published, middle, "mJ", facts["nominal_within_factor"], SOURCE, ORDER
        ),
    ]
