"""Figures that users compare (docs/cost.md section 4): energy-delay product, energy of a right answer, a dense GPU, a dense chip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.cost.community import operations
from chipsim.cost.draws import TRIALS, price_draws
from chipsim.cost.energy import Energy
from chipsim.cost.terms import PJ
from chipsim.cost.time import Time
from chipsim.cost.timespread import TimeUncertainty
from chipsim.cost.uncertainty import Draws, Interval
from chipsim.counters import PHASES
from chipsim.hardware import dense_devices


class Figure(NamedTuple):
    """A figure with its interval, or why there is none. complete: nothing that goes into it lacks a price or a time."""

    interval: Interval | None
    complete: bool
    why: str | None = None

    def row(self) -> dict[str, Any] | None:
        """Return it in JSON's types; None if it is not known."""
        return None if self.interval is None else {**self.interval._asdict(), "complete": self.complete}


def unknown(why: str) -> Figure:
    """Return a figure that is not known."""
    return Figure(None, False, why)


def energy_delay(energy: Energy, time: Time, spread: TimeUncertainty | None, samples: int) -> Figure:
    """Return energy times time of one sample, in J s."""
    why = energy.gaps.why() or time.gaps.why()
    if why or energy.uncertainty is None or spread is None:
        return unknown(why or "nothing that was counted has a price, or nothing a time")
    product = energy.uncertainty.draws["total"] * spread.draws["total"] * samples**-2
    return Figure(product.interval, energy.complete and time.complete)


def during(energy: Energy, time: Time, spread: TimeUncertainty | None, phases: Sequence[str]) -> Draws | str:
    """Return the energy of some phases, in J over all samples: their own, and standing costs while they last; or why it is not known.

    spread: of the time; without it the share of the time that the phases take is the nominal one.
    """
    if energy.uncertainty is None:
        return "nothing that was counted has a price"
    drawn, why = energy.uncertainty.draws, energy.gaps.why(phases)
    if why:
        return why
    own = sum((drawn[phase] for phase in phases if phase in drawn), Draws(0.0, np.zeros(TRIALS)))
    if "static" not in drawn or not time.total_s:
        return own
    if time.gaps.why(phases):
        return time.gaps.why(phases)
    share = Draws(sum(getattr(time, f"{phase}_s") or 0.0 for phase in phases) / time.total_s, np.ones(TRIALS))
    if spread is None:
        return own + drawn["static"] * share.nominal
    lasted = sum((spread.draws[phase].values for phase in phases if phase in spread.draws), np.zeros(TRIALS))
    return own + drawn["static"] * Draws(share.nominal, lasted / spread.draws["total"].values)


def whole(energy: Energy, time: Time, phases: Sequence[str]) -> bool:
    """Return whether nothing that `during` adds up lacks a price, or a time where standing costs last as long."""
    standing = energy.uncertainty is None or "static" in energy.uncertainty.draws
    return energy.gaps.complete((*phases, "static")) and (time.gaps.complete(phases) or not standing)


def per_correct(energy: Energy, time: Time, spread: TimeUncertainty | None, samples: int, accuracy: float) -> Figure:
    """Return the energy of inference, forward phase and standing costs while it lasts, for every right answer, in J."""
    found = during(energy, time, spread, ("forward",))
    if isinstance(found, str) or not accuracy or not found.nominal:
        return unknown(found if isinstance(found, str) else "no right answer" if not accuracy else "inference took no energy")
    return Figure((found * (1 / (samples * accuracy))).interval, whole(energy, time, ("forward",)))


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


def gpu(
    image: ChipImage, energy: Energy, time: Time, spread: TimeUncertainty | None, samples: int, batch: int, learned: bool
) -> dict[str, Any]:
    """Return what the same sample would cost on a GPU, and the chip's energy over that, in the phases that the chip prices."""
    price, macs = dense_devices()["gpu"], dense_macs(image, batch, learned)._asdict()
    each = Draws(price.value, price_draws(price, "devices.gpu", price.point)) * PJ
    phases = [phase for phase in PHASES if macs[phase] and phase not in energy.gaps.unknown]
    ratio = chip_to_gpu(energy, time, spread, phases, each * (samples * sum(macs[phase] for phase in phases)))
    return {
        "macs": macs, "batch": batch, "j_per_sample": (each * sum(macs.values())).interval._asdict(),
        "chip_to_gpu": ratio.row(), "phases": phases, "unknown": ratio.why or energy.gaps.why(),
        "pj_per_mac": price.value, "basis": price.basis, "seen": price.seen, "source": price.source, "note": price.note,
    }  # fmt: skip


def chip_to_gpu(energy: Energy, time: Time, spread: TimeUncertainty | None, phases: Sequence[str], device: Draws) -> Figure:
    """Return the energy of the chip over that of a device, in J over all samples, both of these phases.

    Standing costs last as long as the phases; if every phase has a price, all of them count.
    """
    everything = energy.uncertainty is not None and not energy.gaps.unknown
    chip = energy.uncertainty.draws["total"] if everything else during(energy, time, spread, phases)
    if isinstance(chip, str) or not phases:
        return unknown(chip if isinstance(chip, str) else energy.gaps.why())
    return Figure((chip / device).interval, everything and whole(energy, time, PHASES))


def saved(energy: Energy, samples: int, dense: Energy, timed: bool = True) -> dict[str, Figure]:
    """Return the share of the energy of each phase, and of the total, that sparsity saved; compared inside each trial.

    dense: of one sample in which nothing is sparse, on the same chip. timed: nothing lacks a time, on which standing costs rest.
    """
    if energy.uncertainty is None or dense.uncertainty is None:
        return {}
    mine, full = energy.uncertainty.draws, dense.uncertainty.draws
    none, found = Draws(0.0, np.zeros(TRIALS)), {}
    for phase in (*PHASES, "static", "total"):
        parts = PHASES if phase == "total" else (phase,)
        why = energy.gaps.why(parts) or dense.gaps.why(parts)
        if why:
            found[phase] = unknown(why)
        elif phase in full and not full[phase].values.all():
            found[phase] = unknown("the dense sample may cost nothing: the range of its prices begins at 0")
        elif phase in full and full[phase].nominal:
            ratio = mine.get(phase, none) * (1 / samples) / full[phase]
            needed = (*PHASES, "static") if phase == "total" else (phase,)
            complete = energy.gaps.complete(needed) and dense.gaps.complete(needed)
            lasts = timed or "static" not in needed or "static" not in full
            found[phase] = Figure(Draws(1 - ratio.nominal, 1 - ratio.values).interval, complete and lasts)
    return found
