"""Figures that users compare (docs/cost.md section 4): energy-delay product, energy of a right answer, a dense GPU, a dense chip."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.cost.community import operations
from chipsim.cost.draws import price_draws
from chipsim.cost.energy import Energy
from chipsim.cost.terms import PJ
from chipsim.cost.time import Time
from chipsim.cost.timespread import TimeUncertainty
from chipsim.cost.uncertainty import Draws, Interval
from chipsim.hardware import dense_devices

BOUND = "a lower bound for this device: operations at full utilisation, no memory traffic, no idle time; newer devices take less"


def energy_delay(energy: Energy, spread: TimeUncertainty | None, samples: int) -> Interval | None:
    """Return energy times time of one sample, in J s; None if one of them is not known."""
    if energy.uncertainty is None or spread is None:
        return None
    return (energy.uncertainty.draws["total"] * spread.draws["total"] * samples**-2).interval


def inference(energy: Energy, time: Time) -> Draws | None:
    """Return the energy of inference alone, in J over all samples: forward phase, and static power while it lasts.

    None if the forward phase has no price.
    """
    if energy.uncertainty is None or "forward" not in energy.uncertainty.draws:
        return None
    drawn = energy.uncertainty.draws
    if "static" not in drawn or not time.total_s:
        return drawn["forward"]
    return drawn["forward"] + drawn["static"] * ((time.forward_s or 0.0) / time.total_s)


def per_correct(energy: Energy, time: Time, samples: int, accuracy: float) -> Interval | None:
    """Return the energy of inference for every right answer, in J; None if there is none, or no price."""
    found = inference(energy, time)
    return None if found is None or not accuracy else (found * (1 / (samples * accuracy))).interval


class Macs(NamedTuple):
    """Multiply-accumulates of one sample on a dense processor, by phase."""

    forward: float
    backward: float
    update: float


def dense_macs(image: ChipImage, batch: int, learned: bool) -> Macs:
    """Return the operations of the dense forward pass, of backpropagation through time and of the update, per sample.

    forward: (T - 1) (S + N); backward: (T - 1) (S + H + 2 N): gradients of weights, errors carried to hidden populations, and decay and
    surrogate of every neuron; update: W / batch. S: weights applied in a step (a sparse projection is a full matrix, a convolution its
    synapses), H: those that leave a hidden population, N: neurons without the input, W: weights stored.
    """
    parts = [operations(image, k) for k in range(len(image.plan.synapses))]
    hidden = sum(n for n, (pre, _) in zip(parts, image.network.ends, strict=True) if pre > 0)
    neurons, steps = sum(p.size for p in image.network.population[1:]), image.steps - 1
    weights = sum(s.stored for s in image.plan.synapses)
    forward = steps * (sum(parts) + neurons)
    if not learned:
        return Macs(forward, 0, 0)
    return Macs(forward, steps * (sum(parts) + hidden + 2 * neurons), weights / batch)


def gpu(image: ChipImage, energy: Energy, samples: int, batch: int, learned: bool) -> dict[str, Any]:
    """Return what the same sample would cost on a GPU at least, and the chip's energy over that."""
    price, macs = dense_devices()["gpu"], dense_macs(image, batch, learned)
    values = price_draws(price, "devices.gpu", price.point)
    total = Draws(price.value, values) * (sum(macs) * PJ)
    chip = None if energy.uncertainty is None else energy.uncertainty.draws["total"] * (1 / samples)
    return {
        "macs": macs._asdict(), "batch": batch, "j_per_sample": total.interval._asdict(),
        "chip_to_gpu": None if chip is None else (chip / total).interval._asdict(),
        "pj_per_mac": price.value, "basis": price.basis, "seen": price.seen, "source": price.source, "note": BOUND,
    }  # fmt: skip


def saved(energy: Energy, samples: int, dense: Energy) -> dict[str, Interval]:
    """Return the share of the energy of each phase, and of the total, that sparsity saved; compared inside each trial.

    dense: of one sample in which nothing is sparse, on the same chip.
    """
    if energy.uncertainty is None or dense.uncertainty is None:
        return {}
    mine, full = energy.uncertainty.draws, dense.uncertainty.draws
    none = Draws(0.0, np.zeros_like(full["total"].values))
    ratios = {phase: mine.get(phase, none) * (1 / samples) / full[phase] for phase in full if full[phase].nominal}
    return {phase: Draws(1 - r.nominal, 1 - r.values).interval for phase, r in ratios.items()}
