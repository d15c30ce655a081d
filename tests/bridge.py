"""From chipsim to the reference chip: a compiled ChipImage as the reference's description, and one driver for both sides.

What the compiler chose (slices, fraction bits) is taken from the image; every number that docs/semantics.md defines by a formula
is computed here again, with Python's own integers.
"""

from __future__ import annotations

import copy
import math
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "reference"))

from chipsim.compiler import ChipImage
from chipsim.counters import EVENTS, Counters
from chipsim.events import as_events
from chipsim.hardware import Chip, build_chip, load_chip
from chipsim.learning.policies import policy_of
from chipsim.learning.writes import write_weights
from chipsim.network import Schedule
from chipsim.simulator.account import account
from chipsim.simulator.engine import Block
from chipsim.training.learner import Learner
from chipsim.training.update import start_update, write_shift

PREDICATES = ("fired", "received_input", "state_changed")
NUMBERS = ("spikes", "v", "active_log", "scores", "t_star", "prediction", "injections", "penalties", "gradients", "weights")


@lru_cache(maxsize=1)
def toy_table() -> dict:
    """Return the tables of the toy chip."""
    return dict(load_chip("toy").table)


def toy(active_update: str = "received_input", arithmetic: dict | None = None, axons: str = "unicast", **numbers: int) -> Chip:
    """Return the toy chip with other numbers: cores_per_tile=4, compartments_per_core=3, membrane=12, ..."""
    table = copy.deepcopy(toy_table())
    table |= {"active_update": active_update, "arithmetic": arithmetic or {}, "axons": axons}
    for name, value in numbers.items():
        section = next(s for s in ("mesh", "limits", "width") if name in table[s])
        table[section][name]["value"] = value
    return build_chip(table, "toy")


def surrogate_table(shape: str, half_width: float) -> list[int]:
    """Return the 32 table entries with 8 fraction bits, at the middle of each interval of the band."""
    if shape == "box":
        return [256] * 32
    if shape == "triangle":
        return [252 - 8 * n for n in range(32)]
    return [round(256 / (100 * ((n + 0.5) / 32 * half_width) + 1) ** 2) for n in range(32)]


def describe(image: ChipImage, shifts: list[int] | None = None, seed: int = 0) -> dict:
    """Return the reference's description of an image; `shifts`: learning rate 2^-s of each projection."""
    chip, network, rule = image.chip, image.network, image.network.learning
    mesh, fixed = chip.mesh, image.formats.fixed
    terms = rule.regularisers
    return {
        "numerics": "fixed" if fixed else "float",
        "steps": network.steps,
        "mesh": {name: getattr(mesh, name) for name in ("tiles_x", "tiles_y", "cores_per_tile", "host_tile")},
        "populations": [population(image, p) for p in range(len(network.populations))],
        "slices": [{"population": s.population, "core": s.core, "lo": s.lo, "hi": s.hi} for s in image.slices],
        "projections": [projection(image, k, shifts) for k in range(len(network.projections))],
        "readout": network.readout,
        "predicate": chip.active_update,
        "words": {
            "word_bits": chip.width("synapse_word"),
            "header_bits": chip.width("synapse_list_header"),
            "synapse_bits": rule.weight_bits + chip.width("synapse_delay") + chip.width("synapse_tag"),
        },
        "log_words": chip.limit("log_words_per_core"),
        "regulariser": terms
        and {"lambda_upper": terms.upper, "f_upper": terms.f_upper, "lambda_lower": terms.lower, "f_lower": terms.f_lower},
        "lut": surrogate_table(rule.surrogate, rule.half_width) if fixed else None,
        "bits": {"delta": chip.width("delta"), "acc": chip.width("gradient_accumulator"), "weight": rule.weight_bits},
        "write": policy_of(rule).name,
        "scan": rule.scan,
        "arithmetic": {
            "rounding": chip.arithmetic.rounding,
            "overflow_v": chip.arithmetic.overflow_v,
            "decay": chip.arithmetic.decay,
            "entries": chip.arithmetic.decay_table,
        },
        "seed": seed,
        "surrogate": rule.surrogate,
    }


def schedule_of(image: ChipImage) -> Schedule:
    """Return the schedule of the chip."""
    return image.network.schedule.get("fixed", Schedule())


def population(image: ChipImage, p: int) -> dict:
    """Return population p for the reference."""
    network, rule, f = image.network, image.network.learning, image.formats.v_fraction
    own = network.populations[p]
    found = {"kind": own.neuron, "size": own.size}
    if p == 0:
        return found
    alpha = math.exp(-network.dt_ms / own.tau_ms)
    if not image.formats.fixed:
        return found | {"decay": alpha, "band": rule.half_width}
    v_bits, last = image.chip.width("membrane"), p == len(network.populations) - 1
    band = 1 << (v_bits + 1) if math.isinf(rule.half_width) else round(rule.half_width * 2**f)
    fraction = rule.readout_delta_fraction if last else rule.delta_fraction
    return found | {"decay": round(4096 * alpha), "fraction": f, "v_bits": v_bits, "band": band, "delta_fraction": fraction}


def projection(image: ChipImage, k: int, shifts: list[int] | None) -> dict:
    """Return projection k for the reference, with the network's own weights rounded here."""
    network, form = image.network, image.formats
    weights, top = network.weights[network.projections[k].post], 2 ** (network.learning.weight_bits - 1) - 1
    if not form.fixed:
        return {"pre": k, "post": k + 1, "weights": weights.tolist()}
    fw = form.weight_fraction[k]
    stored = [[max(-top, min(top, round(w * 2**fw))) for w in row] for row in weights.tolist()]
    return {"pre": k, "post": k + 1, "weights": stored, "fraction": fw, "lr_shift": shifts[k] if shifts else 0}


@dataclass
class Seen:
    """What the kernels did with one sample, in the words of the reference's Result."""

    spikes: list
    v: list
    active_log: list
    scores: list
    t_star: list
    prediction: int
    injections: list = field(default_factory=list)
    penalties: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    weights: list = field(default_factory=list)
    counters: Counter = field(default_factory=Counter)


class Kernels:
    """The package, driven as the trainer drives it. write: whether weights are written (fixed only)."""

    def __init__(self, image: ChipImage, shifts: list[int] | None = None, seed: int = 0):
        self.image, self.seed = image, seed
        self.learner = Learner(image, record=True)
        self.weights = image.weights.copy()
        self.gradient = np.zeros(len(self.weights), dtype=image.circuit.rules.constants.dtype)
        schedule, self.shifts = schedule_of(image), shifts
        if shifts is not None:
            found = [write_shift(image, schedule, k, s) for k, s in enumerate(shifts)]
            self.how = start_update(image, image.weights, schedule)._replace(shift=np.array(found, dtype=np.int64))

    @property
    def work(self):
        return self.learner.engine.work

    def forward(self, sample: list[list[int]], address: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Run a sample: T lists of input neurons."""
        dense = np.zeros((len(sample), 1, self.image.network.populations[0].size))
        for t, units in enumerate(sample):
            dense[t, 0, units] = 1
        events = as_events(dense, dense.shape[2], self.image.steps)
        log = events.spikes(self.image.circuit.rules.constants.dtype)
        self.learner.engine.forward(self.weights, events.of_sample(log, 0), address)

    def backward(self, label: int, index: int = 0, run: int = 0) -> list:
        """Replay and write; return the accumulators before the write, [projection][pre][post]."""
        image = self.image
        if image.network.learning.apply == "inplace":
            self.learner.write_inplace(self.weights, label, self.how, np.array([self.seed, index, run], dtype=np.int64))
        else:
            self.learner.backward(self.weights, self.gradient, label)
        found, self.accumulators = self.matrices(self.gradient), self.gradient.tolist()
        if self.shifts is not None and image.network.learning.apply == "after":
            address = np.array([self.seed, index, run], dtype=np.int64)
            write_weights(image.circuit, image.wires, self.weights, self.gradient, self.how, address, self.work)
            self.learner.follow(self.weights)
            assert not self.gradient.any() and not self.work.errors.dirty.any()
        else:
            self.gradient[:] = 0
        return found

    def run(self, sample: list[list[int]], label: int, index: int = 0, run: int = 0, learn: bool = True) -> Seen:
        """Run one sample as the trainer does; without `learn` forward only."""
        self.forward(sample, (self.seed, index, run))
        seen = self.seen()
        if learn:
            self.learner.engine.check_logs(index)
            seen.gradients = self.backward(label, index, run)
            seen.injections = self.work.errors.inject.tolist()
            hidden = range(1, len(self.image.network.populations) - 1)
            seen.penalties = self.by_population(self.work.errors.reg, hidden)
        seen.weights = self.matrices(self.weights)
        counters = self.counters(learn)
        seen.counters = as_counter(counters.counts[0], counters.cores)
        return seen

    def seen(self) -> Seen:
        """Return what the forward phase left in the workspace."""
        engine, work = self.learner.engine, self.work
        everyone = range(1, len(self.image.network.populations))
        spikes = [(t, *self.address(n)) for t, n, _ in self.log(work.spikes) if self.address(n)[0] > 0]
        codes = [(t, *self.address(n), int(work.active.code[e])) for t, n, e in self.log(work.active)]
        best = work.membranes.best.tolist() if engine.mode else [0] * len(work.membranes.best)
        return Seen(
            spikes, [self.by_population(v[0], everyone) for v in work.membranes.trace], codes,
            work.membranes.score[:, engine.mode].tolist(), best, engine.predicted(),
        )  # fmt: skip

    def counters(self, learned: bool = True) -> Counters:
        """Return the counts of the last sample."""
        block = Block()
        block.keep(self.work.activity)
        return account(self.image, block.take(), learned)

    def log(self, log) -> list[tuple[int, int, int]]:
        """Return (t, global id, position) of every record of a log, in log order."""
        populations, start = len(self.image.circuit.lo), log.start
        at = [(t, p) for t in range(self.image.steps) for p in range(populations)]
        spans = [(t, range(start[t * populations + p], start[t * populations + p + 1])) for t, p in at]
        return [(t, int(log.unit[e]), e) for t, span in spans for e in span]

    def address(self, n: int) -> tuple[int, int]:
        """Return (population, neuron) of a global id."""
        p = int(np.searchsorted(self.image.circuit.hi, n, side="right"))
        return p, n - int(self.image.circuit.lo[p])

    def by_population(self, values: np.ndarray, chosen: range) -> list[list]:
        """Return [population][neuron]; empty for populations that are not chosen."""
        lo, hi = self.image.circuit.lo, self.image.circuit.hi
        return [values[lo[p] : hi[p]].tolist() if p in chosen else [] for p in range(len(lo))]

    def matrices(self, flat: np.ndarray) -> list:
        """Return [projection][pre][post] of a flat weight array."""
        return [w.tolist() for w in self.image.tensors(flat).values()]


def as_counter(counts: np.ndarray, cores: np.ndarray) -> Counter:
    """Return [E, T, K] counts as {(phase, stage, event, step, core): n}, zeros left out."""
    return Counter({(*EVENTS[e], int(t), int(cores[k])): int(counts[e, t, k]) for e, t, k in np.argwhere(counts)})


def unequal(found: Counter, expected: Counter) -> dict:
    """Return {key: (found, expected)} where two counters differ."""
    return {key: (found[key], expected[key]) for key in sorted(set(found) | set(expected)) if found[key] != expected[key]}


def differences(seen: Seen, result) -> dict[str, object]:
    """Return {field: (found, expected)} for everything in which the kernels differ from the reference's Result."""
    pairs = {name: (getattr(seen, name), getattr(result, name)) for name in NUMBERS}
    off = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    counts = unequal(seen.counters, result.counters)
    return off | {"counters": counts} if counts else off
