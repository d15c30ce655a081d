"""The `comparison` of a summary: figures against other things that could have been done (docs/cost.md sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.cost import Energy, Subset, Time, TimeUncertainty, price_energy, price_time, spread_time
from chipsim.cost.community import community_metrics
from chipsim.cost.compare import energy_delay, gpu, per_correct, saved
from chipsim.counters import Counters
from chipsim.errors import ChipsimError
from chipsim.events import Events
from chipsim.learning import is_online
from chipsim.learning.policies import OPTIMISERS, policy_of
from chipsim.network import Network, Schedule
from chipsim.simulator.account import book
from chipsim.simulator.dense import dense_activity
from chipsim.simulator.links import LinkTable
from chipsim.training.tally import Tally

DRAWN = ("stochastic", "one-lsb")  # write policies that take a random word for each synapse
REPLAYED = {"rule": "ssgd-replay", "form": "B", "transport": "gather", "scan": "clocked", "apply": "after", "signal": None,
            "align": None, "error_threshold": 0.0}  # fmt: skip


@dataclass(frozen=True)
class Dense:
    """One sample on the same chip in which nothing is sparse. log_words: what the fullest log would need; declared: what it holds."""

    counters: Counters
    energy: Energy
    time: Time
    log_words: int
    declared: int | None


def dense_image(image: ChipImage) -> ChipImage:
    """Return the image on which backpropagation through time would run: its own, if its rule is replayed in form B, else a new one.

    Raises:
        CapacityError, ConfigError: this network cannot be replayed on this chip.
    """
    learning = image.network.learning
    changes = REPLAYED | ({"loss": None, "sharpness": None} if is_online(learning.rule) else {"rule": learning.rule})
    if not image.learning or all(getattr(learning, key) == value for key, value in changes.items()):
        return image
    network: Network = image.network.but(learning={**learning.model_dump(), **changes})
    return compile_network(network, image.chip, numerics=image.numerics)


def dense_sample(tally: Tally, schedule: Schedule | None) -> Dense:
    """Return what a sample of a tally costs if every neuron spikes and, with a schedule, learns in every step, by dense backpropagation.

    Raises:
        CapacityError, ConfigError: this network cannot be replayed on this chip.
    """
    learned, image = schedule is not None, tally.image if schedule is None else dense_image(tally.image)
    links = tally.links if image is tally.image else LinkTable(image)
    drawn = learned and image.formats.fixed and policy_of(image.network.learning).name in DRAWN
    activity = dense_activity(image, learned, drawn, learned and OPTIMISERS[schedule.optimiser].words > 0)
    booked, loads = book(image, activity, learned), links.loads(activity, learned)
    counters, time = booked.sums, price_time(booked, image.chip, image.tiles_used, loads, layout=tally.layout)
    records = int(counters.of("backward", "log_words").sum(axis=0).max())
    energy = price_energy(counters, image.chip, time.total_s, image.cores_used)
    if energy.static_j:
        subset = Subset(image.steps, len(counters.cores))
        subset.add(booked, loads)
        spread = spread_time(subset, counters.cores, image.chip, image.tiles_used, time)
        energy = energy.over(spread and spread.lasting)
    return Dense(counters, energy, time, records, image.log_words)


def comparison(
    tally: Tally, energy: Energy, spread: TimeUncertainty | None, accuracy: float, schedule: Schedule | None
) -> dict[str, Any]:
    """Return the `comparison` of a summary.

    energy, spread: of the tally. accuracy: on the test samples. schedule: of the training; None for inference alone.
    """
    time, samples, image, learned = tally.time, tally.counters.samples, tally.image, schedule is not None
    figures = {
        "energy_delay_j_s": energy_delay(energy, time, spread, samples),
        "j_per_correct": per_correct(energy, time, spread, samples, accuracy),
    }
    return {
        **{name: figure.row() for name, figure in figures.items()},
        "unknown": {name: figure.why for name, figure in figures.items() if figure.why},
        "gpu": gpu(image, energy, time, spread, samples, schedule.batch if learned else 1, learned),
        "dense": against_dense(tally, energy, schedule),
    }


def community(tally: Tally, stored: Mapping[str, np.ndarray], inputs: Events) -> dict[str, float | None]:
    """Return the `neurobench` of a summary. stored: weights as stored; inputs: the samples that were counted."""
    graded = inputs.value is not None and not np.isin(inputs.value, (0, 1)).all()
    return community_metrics(tally.image, tally.counters, tally.events[2], stored, graded)


def against_dense(tally: Tally, energy: Energy, schedule: Schedule | None) -> dict[str, Any]:
    """Return cost of the dense sample and what sparsity saved; or why there is none."""
    try:
        dense = dense_sample(tally, schedule)
    except ChipsimError as error:
        return {"unavailable": str(error)}
    per = dense.energy.per_sample(1)
    shares = saved(energy, tally.counters.samples, dense.energy, tally.time.complete and dense.time.complete)
    return {
        "energy_j_per_sample": {phase: per[phase] for phase in ("forward", "backward", "update", "static", "total")},
        "time_s_per_sample": dense.time.per_sample(1), "log_words": {"peak": dense.log_words, "declared": dense.declared},
        "saved": {phase: figure.row() for phase, figure in shares.items()},
        "unknown": {phase: figure.why for phase, figure in shares.items() if figure.why},
    }  # fmt: skip
