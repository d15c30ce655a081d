"""Workload A: one training step of the network 784 - H - H - 10, its input and weights drawn exactly as the recorded runs drew them.

B samples, T steps, N units. Figures recorded for it (counts, losses, gains, digests) stand in workloads.json.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.bench.adjoint import fire
from chipsim.datasets.encoders import latency
from chipsim.errors import DataError, Problem

HERE = Path(__file__).resolve().parent
UNITS, CLASSES, STEPS, BATCH = 784, 10, 100, 256
TAU, HALF_WIDTH = 10.0, 0.2  # steps; thresholds
ALPHA = math.exp(-1 / TAU)
FIRING, CALIBRATION, HALVINGS, BRACKET = 0.03, 16, 12, (0.05, 8.0)
INPUT_SEED, WEIGHT_SEED = 0, 100


@dataclass(frozen=True)
class Case:
    """One batch with the weights it meets.

    t, sample, unit: int64 arrays of the input events, sorted by sample, t, unit. labels: [B] int64. weights: float32 [N_pre, N_post] of
    the three projections. density: of the input per pixel and step. recorded: the row of workloads.json, if there is one.
    """

    name: str
    t: np.ndarray
    sample: np.ndarray
    unit: np.ndarray
    labels: np.ndarray
    weights: tuple[np.ndarray, np.ndarray, np.ndarray]
    steps: int
    density: float
    recorded: dict[str, Any] | None = None

    @property
    def hidden(self) -> int:
        """Neurons of a hidden layer."""
        return self.weights[0].shape[1]

    @property
    def batch(self) -> int:
        """Samples."""
        return len(self.labels)

    @property
    def used(self) -> int:
        """Input events that act on something: those of the last step do not."""
        return int((self.t < self.steps - 1).sum())

    def dense(self) -> np.ndarray:
        """Return the input as [T, B, N] bool."""
        x = np.zeros((self.steps, self.batch, self.weights[0].shape[0]), dtype=np.bool_)
        x[self.t, self.sample, self.unit] = True
        return x

    def save(self, folder: Path) -> None:
        """Write the case where a subject in another process reads it."""
        named = {f"w{n}": w for n, w in enumerate(self.weights)}
        arrays = {"t": self.t, "sample": self.sample, "unit": self.unit, "labels": self.labels, **named}
        np.savez(folder / "case.npz", steps=self.steps, tau=TAU, half_width=HALF_WIDTH, **arrays)


@cache
def recorded() -> dict[str, Any]:
    """Return the recorded figures."""
    return json.loads((HERE / "workloads.json").read_text(encoding="utf-8"))


def spikes(density: float, batch: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the input, [B, T, N] uint8, and the labels [B] int64.

    Every sample draws floor(T d) times one step per pixel, then one more with the probability of what is left of T d.
    """
    dice = np.random.RandomState(INPUT_SEED)
    x, everyone = np.zeros((batch, steps, UNITS), dtype=np.uint8), np.arange(UNITS)
    whole = int(density * steps + 1e-9)
    for b in range(batch):
        for _ in range(whole):
            x[b, dice.randint(0, steps, UNITS), everyone] = 1
        more, t = dice.rand(UNITS) < density * steps - whole, dice.randint(0, steps, UNITS)
        x[b, t[more], everyone[more]] = 1
    return x, dice.randint(0, CLASSES, batch).astype(np.int64)


def digest(array: np.ndarray) -> str:
    """Return the first 16 digits of the sha256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def drawn(hidden: int, gains: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the float32 weights of the three projections."""
    dice = np.random.RandomState(WEIGHT_SEED)
    alpha = float(np.float32(ALPHA))
    shapes = ((UNITS, hidden), (hidden, hidden), (hidden, CLASSES))
    found = [dice.randn(*shape) * (20 * (1 - alpha) / math.sqrt(shape[0])) for shape in shapes]
    return tuple((w * g).astype(np.float32) for w, g in zip(found, (*gains, 1.0), strict=True))


def calibrate(x: np.ndarray, hidden: int) -> tuple[float, float]:
    """Return gains at which both hidden layers fire in 3 % of all (sample, step, neuron); x: [T, B, N] bool.

    First layer 1, then layer 2: 12 halvings in the logarithm, on the first 16 samples.
    """
    first, second, _ = drawn(hidden, (1.0, 1.0))
    gain = bisect(lambda g: fire(x, first * np.float32(g), ALPHA).mean())
    below = fire(x, first * np.float32(gain), ALPHA)
    return gain, bisect(lambda g: fire(below, second * np.float32(g), ALPHA).mean())


def bisect(rate: Any) -> float:
    """Return the largest gain tried at which a rate stays below the wanted one."""
    low, high = (math.log(end) for end in BRACKET)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rate(math.exp(middle)) < FIRING else (low, middle)
    return math.exp(low)


def synthetic(hidden: int = 200, density: float = 0.01, batch: int = BATCH, steps: int = STEPS) -> Case:
    """Return the workload on random spikes; gains are the recorded ones, or found where none are.

    Raises:
        DataError: the input is not the recorded one.
    """
    x, labels = spikes(density, batch, steps)
    full = (batch, steps) == (BATCH, STEPS)
    row = next((r for r in recorded()["rows"] if full and (r["hidden"], r["density"]) == (hidden, density)), None)
    check = next((r for r in recorded()["inputs"] if full and r["density"] == density), None)
    if check is not None and (digest(np.packbits(x)), digest(labels)) != (check["sha256"], check["labels_sha256"]):
        limit = f"the recorded input begins with sha256 {check['sha256']}"
        raise DataError(Problem("workload A", "sha256", digest(np.packbits(x)), limit, "numpy draws other numbers here"))
    gains = row["gains"] if row else calibrate(x[:CALIBRATION].transpose(1, 0, 2) > 0, hidden)
    sample, t, unit = np.nonzero(x)
    name = f"synthetic, hidden {hidden}, density {density:g}, batch {batch}, {steps} steps"
    return Case(name, t, sample, unit, labels, drawn(hidden, tuple(gains)), steps, density, row)


def fashion(root: Path, hidden: int = 200) -> Case:
    """Return the workload on 256 training images of Fashion-MNIST, with the paper's encoding and initialisation.

    root: folder of further data sets; the images are in `fashion_mnist`. The recorded counts come from another order of the images, so
    they agree within a few percent only.

    Raises:
        DataError: the files are not there.
    """
    folder = root / "fashion_mnist"
    chosen = np.random.RandomState(0).choice(60000, BATCH, replace=False)
    images, labels = (idx(folder / f"train-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
    events = latency(images[chosen].reshape(BATCH, UNITS) / 255, STEPS, 20.0, 0.2)
    case = (events.t, events.sample, events.unit, labels[chosen].astype(np.int64), drawn(hidden, (1.0, 1.0)))
    return Case(f"Fashion-MNIST, hidden {hidden}", *case, STEPS, len(events) / (BATCH * STEPS * UNITS))


def idx(file: Path) -> np.ndarray:
    """Return the array of a gzipped IDX file of bytes.

    Raises:
        DataError: it cannot be read.
    """
    try:
        raw = gzip.decompress(file.read_bytes())
    except OSError as error:
        raise DataError(Problem("data set fashion_mnist", "file", str(file), f"it cannot be read: {error}")) from None
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)
