"""Engine: one compiled network with the memory of one sample; runs sample after sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.bookings import Happened, joined
from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import DECAY_ONE
from chipsim.errors import CapacityError, Problem
from chipsim.kernels.fans import narrowed
from chipsim.learning import is_dense, is_online
from chipsim.simulator.memory import workspace
from chipsim.simulator.step import run
from chipsim.state import Activity, SpikeLog

MODES = {"sum": 0, "max": 1}


class Engine:
    """Runs samples on a ChipImage. Not shared between threads: each has its own.

    record: keep the state variables of every step. scattered: spikes are not counted per group; `Block.keep` takes them from the log.
    """

    def __init__(self, image: ChipImage, record: bool = False, scattered: bool = False):
        self.image, self.scattered = image, scattered
        self.work = workspace(image.circuit, image.wires, image.steps, record, scattered)
        self.mode = MODES[image.network.readout]
        form = image.formats
        decay = form.decay[-1]
        self.gain = (
            (DECAY_ONE - decay) / DECAY_ONE * 2.0**-form.v_fraction if form.fixed else 1 - decay
        )  # scores to threshold units

    def forward(self, weights: np.ndarray, inputs: SpikeLog, address: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Run one sample; spikes, active events and scores are then in `self.work`.

        address: (seed, sample, pass) of the random words of decays that are rounded stochastically.
        """
        self.require_own(weights)
        self.work.membranes.cells.address[:] = address
        run(self.image.steps, self.image.circuit, self.image.wires, weights, inputs, self.work)

    def require_own(self, weights: np.ndarray) -> None:
        """Refuse other weights than those of an image whose synapses hold them."""
        if len(self.image.wires.packed) and weights is not self.image.weights:
            raise ValueError("the weights of this image are packed with its synapses: forward takes image.weights alone")

    def events(self) -> Happened | None:
        """Return the spikes of the last sample as accounting takes them one by one; None if they were counted per group."""
        if not self.scattered:
            return None
        log, circuit = self.work.spikes, self.image.circuit
        start = log.start[:: len(circuit.lo)].copy()
        which = circuit.group_of[log.unit[: start[-1]]].astype(np.int32)
        return Happened(which, start, (1, self.image.steps, circuit.groups))

    def scores(self) -> np.ndarray:
        """Return the class scores [C] float64 of the last sample, in units of the threshold."""
        return self.work.membranes.score[:, self.mode].astype(np.float64) * self.gain

    def predicted(self) -> int:
        """Return the class with the largest score, the first on ties."""
        return int(np.argmax(self.work.membranes.score[:, self.mode]))

    def cross_entropy(self, label: int) -> float:
        """Return the cross entropy of the class scores of the last sample in float64."""
        return float(cross_entropies(self.scores()[None], np.array([label]))[0])

    def log_need(self) -> np.ndarray:
        """Return the log records of the last sample per column of cores, [K] int64."""
        return log_need(self.image, Activity(*(field[None] for field in self.work.activity)))[0]

    def check_logs(self, sample: int) -> int:
        """Return the fullest log of the last sample in words.

        Raises:
            CapacityError: more records than the core's log memory holds; names core, sample, need and capacity.
        """
        return self.require_room(self.log_need(), sample)

    def require_room(self, need: np.ndarray, sample: int) -> int:
        """As `check_logs`, of a sample whose records per column of cores are `need` [K]."""
        worst = int(np.argmax(need))
        limit = self.image.log_words
        if limit is not None and need[worst] > limit:
            core = int(self.image.routes.cores[worst])
            text = f"the log memory holds {limit} words; the run stopped before the update"
            first = "use a rule with a band" if is_dense(self.image.network.learning.rule) else "narrow learning.half_width"
            hint = f"{first}, use fewer steps, smaller populations or a chip with more log_words_per_core"
            raise CapacityError(Problem(f"core {core}", f"log words of sample {sample}", int(need[worst]), text, hint))
        return int(need[worst])


def cross_entropies(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the cross entropy of the scores [M, C] of each sample, [M] float64."""
    m = scores - scores.max(axis=1, keepdims=True)
    return np.log(np.exp(m).sum(axis=1)) - m[np.arange(len(m)), labels]


def log_need(image: ChipImage, a: Activity) -> np.ndarray:
    """Return the log records of samples per column of cores, [M, K] int64; fields of `a` carry a leading axis M."""
    routes = image.routes
    if not image.logs:
        return np.zeros((len(a.updated), len(routes.cores)), dtype=np.int64)
    arrivals = (a.spikes[:, :-1].sum(axis=1) @ routes.axons) + a.marks[:, :-1].sum(axis=1) @ image.marking
    own = a.active if is_online(image.network.learning.rule) else a.active + a.resets
    errors = routes.readout * (image.steps - 1) if image.circuit.step_loss else 0  # of the loss of every step
    held = np.zeros((len(own), len(routes.size)), dtype=np.int64)
    np.add.at(held, (slice(None), routes.slice_of), own.sum(axis=1))
    return (held + arrivals + errors) @ routes.column


MOST = {4: 2**31 - 1, 8: 2**63 - 1}  # by bytes


class Block:
    """What happened in several samples (Activity, or counts of learning), stacked for accounting; 32 bits each unless one needs 64.

    bytes: memory to begin with.
    """

    def __init__(self, bytes: int = 0) -> None:
        self.samples, self.bytes = 0, bytes
        self.rows = np.empty((0, 0), dtype=np.int32)  # [room, entries]
        self.like: NamedTuple | None = None
        self.events: list[Happened] = []

    def keep(self, activity: NamedTuple, spikes: Happened | None = None) -> None:
        """Copy the activity of a sample; spikes: the events of a sample whose spikes were not counted per group."""
        self.keep_row(flat_of(activity), activity, spikes)

    def keep_row(self, flat: np.ndarray, like: NamedTuple, spikes: Happened | None = None) -> None:
        """As `keep`, of an activity [entries] whose fields have the shapes of those of `like`."""
        self.like = like
        if self.samples == len(self.rows):
            grown = np.empty((max(1, 2 * self.samples, 2 * self.bytes // flat.nbytes), len(flat)), dtype=self.rows.dtype)
            grown[: self.samples] = self.rows[: self.samples] if self.samples else 0
            self.rows = grown
        if not narrowed(flat, MOST[self.rows.dtype.itemsize], self.rows[self.samples]):
            self.rows = self.rows.astype(np.int64)
            self.rows[self.samples] = flat
        self.samples += 1
        if spikes is not None:
            self.events.append(spikes)

    @property
    def full(self) -> bool:
        """Whether the next sample needs more memory."""
        return self.samples == len(self.rows)

    def take(self) -> NamedTuple:
        """Return everything kept, stacked along a first axis, and start again; the next `keep` writes over it."""
        rows, self.samples = self.rows[: self.samples], 0
        found = type(self.like)(*fields_of(rows, [field.shape for field in self.like]))
        events, self.events = self.events, []
        return found._replace(spikes=joined(events)) if events else found


def fields_of(rows: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Return fields [M, ...] of these shapes, which lie one after the other in rows [M, entries]."""
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    return [rows[:, a:b].reshape(len(rows), *shape) for shape, a, b in zip(shapes, ends[:-1], ends[1:], strict=True)]


def flat_of(activity: NamedTuple) -> np.ndarray:
    """Return all entries of an activity in order; no copy where its fields are views of one array (simulator.memory)."""
    base = activity[0].base
    if base is not None and base.ndim == 1 and activity[-1].base is base:
        return base
    return np.concatenate([field.ravel() for field in activity])
