"""V9: training over inference of two workloads on Loihi's prices, beside the ratios that were measured on silicon."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from chipsim.cost import price_energy, price_time
from chipsim.datasets import load_dataset
from chipsim.hardware import load_chip
from chipsim.learning.lava import LavaRule
from chipsim.network import Network
from chipsim.simulator import simulate
from chipsim.validation.fixtures import expected, table
from chipsim.validation.row import Row, between, close, published

TITLE = "Training over inference: measured ratios, and two workloads on hw_configs/loihi1.toml"
PUBLISHED = "Renner et al. 2024, Table 1, read in source"
PHASE, SAMPLES, HIDDEN = 60, 4, 100
CORES = {"pixels": (0,), "labels": (1,), "hidden": tuple(range(4, 14)), "out": (2,), "more": (3,), "less": (3,)}
NEURON = {"neuron": "loihi-lif", "du": 4095}
# At the end of the second phase, the second of two epochs: activity of late (y1) less that of both phases (y2), times the input's trace.
TWO_PHASE = "2^-3*u1*x1*y1 - 2^-3*u1*x1*y2"
TRACES = {"x1_impulse": 4, "x1_tau": 30, "y1_impulse": 4, "y1_tau": 30, "t_epoch": PHASE}
BOTH = {"y2_impulse": 2, "y2_tau": 120}
BAND = (
    "plausibility, not accuracy: a workload of the same kind on the bundled digits, not the published network (conv-conv-100-10 on MNIST: "
    "3.40 in energy, 2.0 in time), so the deviation is no error of a price. The bands, 2 to 5 in energy and 10 % in time, are this "
    "project's own: a simulator that gives 1.0 has lost the cost of learning, one that gives 1,000 updates densely. Trace updates and "
    "barriers have no published energy and are left out"
)
LAST = "as SPOON, which measured 1.17 in energy and 1.0 in time; the band, 1 to 1.5, is this project's own"
EMSTDP = f"{PUBLISHED}: EMSTDP on Loihi"
SPOON = f"{PUBLISHED}: SPOON"
ENERGY_BAND, LAST_BAND, TIME_WITHIN = (2.0, 5.0), (1.0, 1.5), 0.1


class Cost(NamedTuple):
    """What some samples cost."""

    joules: float
    seconds: float


@cache
def network() -> Network:
    """Return two layers that learn, and error neurons that reach the hidden ones over fixed random weights."""
    rng = np.random.default_rng(9)
    sizes = {"pixels": 64, "labels": 11, "hidden": HIDDEN, "out": 10, "more": 10, "less": 10}
    slow = {"hidden": {"dv": 400}, "out": {"dv": 400, "vth": 150}}  # the others forget from step to step
    made = Network(
        name="two-phase", steps=2 * PHASE, placement={"strategy": "manual", "cores": CORES},
        population=[{"name": "input", "neuron": "input", "size": 75},
                    *({"name": n, "size": size, "vth": 60, "dv": 4095, **NEURON, **slow.get(n, {})} for n, size in sizes.items())],
        projection=[
            projection("input", "pixels"), projection("input", "labels"),
            projection("pixels", "hidden", "dense"), projection("hidden", "out", "dense"),
            projection("labels", "more"), projection("out", "more"), projection("labels", "less"), projection("out", "less"),
            projection("more", "hidden", "dense"), projection("less", "hidden", "dense"),
            projection("more", "out"), projection("less", "out"),
        ],
    )  # fmt: skip
    one, every, feedback = np.eye(10), np.ones((1, 10)), np.rint(rng.normal(0, 10, (10, HIDDEN)))
    return made.with_weights({
        "pixels": 64 * np.eye(75, 64), "labels": 64 * np.eye(75, 11, -64),
        "pixels->hidden": even(rng.normal(4, 14, (64, HIDDEN))), "hidden->out": even(rng.normal(0, 14, (HIDDEN, 10))),
        "labels->more": np.vstack([40 * one, 40 * every]), "out->more": -64 * one,
        "labels->less": np.vstack([-64 * one, 40 * every]), "out->less": 40 * one,
        "more->hidden": even(feedback), "less->hidden": even(-feedback), "more->out": 40 * one, "less->out": -40 * one,
    })  # fmt: skip


def projection(pre: str, post: str, kind: str = "sparse") -> dict:
    """Return a projection with weights as the chip stores them."""
    name = post if pre == "input" else f"{pre}->{post}"
    return {"pre": pre, "post": post, "name": name, "kind": kind, "units": "mantissa", "sign_mode": "mixed"}


def even(weights: np.ndarray) -> np.ndarray:
    """Return weights of mixed sign as they are stored: even, within 8 bits and a sign."""
    return np.clip(2 * np.rint(weights / 2), -254, 254)


@cache
def inputs() -> np.ndarray:
    """Return [2 PHASE, SAMPLES, 75] spikes: pixels at rates up to 1/4; in the second phase the label, and a unit that opens the errors."""
    data = load_dataset("digits")
    rng, x = np.random.default_rng(4), np.zeros((2 * PHASE, SAMPLES, 75))
    x[..., :64] = rng.random((2 * PHASE, SAMPLES, 64)) < data.train_x[:SAMPLES] / 4
    x[PHASE:, np.arange(SAMPLES), 64 + data.train_y[:SAMPLES]] = rng.random((PHASE, SAMPLES)) < 0.5
    x[PHASE:, :, 74] = 1
    return x


def cost(steps: int, learns: dict[str, LavaRule]) -> Cost:
    """Return the cost of the samples over so many steps; learns: rules by projection, none for inference."""
    chip, joules, seconds = load_chip("loihi1"), 0.0, 0.0
    for b in range(SAMPLES):
        done = simulate(network().over(steps), inputs()[:steps, b : b + 1], chip, "fixed", record=(), plastic=learns or None)
        time = price_time(done.counters, chip, done.image.tiles_used).total_s
        seconds += time
        joules += price_energy(done.counters, chip, time, done.image.cores_used).total_j
    return Cost(joules, seconds)


def measured() -> list[Row]:
    """Return the ratios of the published table, to be shown: chipsim has no part in them."""
    found = []
    for system in ("EMSTDP", "SPOON", "nBP", "S-STDP"):
        (row,) = [row for row in table("published_training.csv") if row["system"] == system]
        for kind, unit in (("energy", "energy_mj"), ("time", "latency_ms")):
            train, infer = row[f"train_{unit}"], row[f"infer_{unit}"]
            if train and infer:
                found.append(published(f"{system} on {row['chip']}, {kind}", float(train) / float(infer), "", PUBLISHED))
    return found


def rows() -> list[Row]:
    """Return measured ratios, then those of a two-phase workload with feedback alignment and of one whose last layer learns."""
    two = LavaRule(dw=TWO_PHASE, **TRACES, **BOTH)
    answer = cost(PHASE, {})
    training = cost(2 * PHASE, {"pixels->hidden": two, "hidden->out": two})
    last = cost(PHASE, {"hidden->out": LavaRule(dw="2^-3*u0*x1*y1", **TRACES)})
    facts, energy, time = expected("ratios"), training.joules / answer.joules, training.seconds / answer.seconds
    return [
        *measured(),
        between("two phases, energy", ENERGY_BAND, energy, "", EMSTDP, BAND, facts["emstdp_loihi"]["energy"]),
        close("two phases, time", facts["emstdp_loihi"]["time"], time, "", TIME_WITHIN, EMSTDP, BAND),
        between("last layer only, energy", LAST_BAND, last.joules / answer.joules, "", SPOON, LAST, facts["spoon"]["energy"]),
    ]
