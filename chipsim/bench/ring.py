"""Workload B: a recurrent network of N Loihi neurons with a fan-out of 100, driven by a bias, drawn as the recorded runs drew it.

Everything is in units of 64: threshold 5000, bias 100 per step, weights -20 .. 20, start voltages the recorded ones divided by 64 and
rounded down. v = v + bias + what arrives; a spike if v > threshold, then v = 0; a spike arrives in the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

THRESHOLD, BIAS, SCALE, LARGEST = 5000, 100, 64, 20
FAN_OUT = 100
ROWS = 10_000  # drawn together


@dataclass(frozen=True)
class Ring:
    """One network. targets: [N, F] int32, weights: [N, F] int16, self connections and duplicates stay. start: [N] int64 voltages."""

    targets: np.ndarray
    weights: np.ndarray
    start: np.ndarray

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return len(self.start)

    def save(self, folder: Path) -> None:
        """Write the network where a subject in another process reads it."""
        np.savez(
            folder / "ring.npz", targets=self.targets, weights=self.weights, start=self.start, threshold=THRESHOLD, bias=BIAS
        )


def ring(neurons: int, fan_out: int = FAN_OUT) -> Ring:
    """Draw the network."""
    dice = np.random.RandomState(0)
    targets = drawn(dice, 0, neurons, np.empty((neurons, fan_out), dtype=np.int32))
    weights = drawn(dice, -LARGEST, LARGEST + 1, np.empty((neurons, fan_out), dtype=np.int16))
    return Ring(targets, weights, dice.randint(0, THRESHOLD * SCALE, neurons) // SCALE)


def drawn(dice: np.random.RandomState, low: int, high: int, into: np.ndarray) -> np.ndarray:
    """Fill an array [N, F] as one call of `randint` would draw it, a part at a time."""
    for at in range(0, len(into), ROWS):
        into[at : at + ROWS] = dice.randint(low, high, into[at : at + ROWS].shape)
    return into


def reference(network: Ring, steps: int, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return spikes per neuron, voltages, and what arrives next, [N] int64 each, after so many steps; numpy in whole numbers."""
    v, counts = start.astype(np.int64), np.zeros(network.neurons, dtype=np.int64)
    arriving = np.zeros(network.neurons)
    for _ in range(steps):
        v = v + BIAS + arriving.astype(np.int64)
        fired = v > THRESHOLD
        v[fired] = 0
        counts += fired
        flat = network.targets[fired].ravel(), network.weights[fired].ravel()
        arriving = np.bincount(flat[0], flat[1], network.neurons)
    return counts, v, arriving.astype(np.int64)
