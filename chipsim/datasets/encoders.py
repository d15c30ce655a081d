"""Encoders: intensities to spike events."""

from __future__ import annotations

import numpy as np

from chipsim.events import Events

NEARLY = 1e-7  # keeps the logarithm finite at the threshold; such pixels fire after the last step


def latency(x: np.ndarray, steps: int, tau: float, threshold: float) -> Events:
    """Return time-to-first-spike events: unit n of sample b fires once at t = floor(tau ln(x / (x - threshold))).

    x: [B, N] intensities in [0, 1]; silent below `threshold`; t >= steps is dropped. tau in steps.
    Source: the encoding of Fashion-MNIST in the code of Perez-Nieves & Goodman 2021 (tau 20 steps, threshold 0.2).
    """
    sample, unit = np.nonzero(x >= threshold)
    bright = np.maximum(x[sample, unit], threshold + NEARLY)
    t = np.floor(tau * np.log(bright / (bright - threshold))).astype(np.int64)
    return first_spikes(t, sample, unit, (steps, *x.shape))


def linear_latency(x: np.ndarray, steps: int, tau: float, threshold: float) -> Events:
    """Return time-to-first-spike events: unit n of sample b fires once at t = round(tau (1 - x)); otherwise as `latency`."""
    sample, unit = np.nonzero(x >= threshold)
    return first_spikes(np.rint(tau * (1 - x[sample, unit])).astype(np.int64), sample, unit, (steps, *x.shape))


def first_spikes(t: np.ndarray, sample: np.ndarray, unit: np.ndarray, shape: tuple[int, int, int]) -> Events:
    """Return the events with t < steps; shape: (T, B, N)."""
    kept = t < shape[0]
    return Events(t[kept], sample[kept], unit[kept], shape)


ENCODERS = {"latency": latency, "linear-latency": linear_latency}
