"""Weights as the chip stores them: rounded and clipped, or prepared as Loihi prepares mantissas; and what that lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chipsim.network import Network

if TYPE_CHECKING:
    from chipsim.compiler.quantize import Formats
    from chipsim.compiler.synapses import Synapses

RANGES = {"excitatory": (0, 255), "inhibitory": (-255, 0), "mixed": (-256, 255)}  # Loihi: 8 bits and the sign
MANTISSA_BITS = 8


class WeightErrors(NamedTuple):
    """What storing the weights of a projection lost, in the unit of the description (thresholds or mantissas)."""

    saturated: float  # share of weights clipped at the end of the range
    lost: float  # share of non-zero weights that became zero
    rms: float  # root mean square error
    largest: float  # largest error
    sqnr_db: float | None  # signal to quantisation noise ratio; None: there is no error, or no signal


NO_ERRORS = WeightErrors(0.0, 0.0, 0.0, 0.0, None)


def prepare(weights: np.ndarray, sign_mode: str | None, bits: int) -> np.ndarray:
    """Return mantissas as Loihi stores them, int64 (docs/neurons.md section 4).

    Source: lava-nc 0.10.0, utils/weightutils.py. Mixed signs at 8 bits keep even weights only.
    """
    whole = np.asarray(weights).astype(np.int64)
    low, high = RANGES[mode_of(whole, sign_mode)]
    drop = MANTISSA_BITS - bits + (mode_of(whole, sign_mode) == "mixed")
    clipped = np.clip(whole, low, high)
    if high == 0:
        return -((-clipped >> drop) << drop)
    return (clipped >> drop) << drop


def mode_of(weights: np.ndarray, sign_mode: str | None) -> str:
    """Return the sign mode of mantissas: as given, else from the signs that occur."""
    if sign_mode:
        return sign_mode
    if weights.size == 0 or weights.min() >= 0:
        return "excitatory"
    return "inhibitory" if weights.max() <= 0 else "mixed"


def store(network: Network, k: int, weights: np.ndarray, unit: float, top: int) -> np.ndarray:
    """Return the weights of projection k as stored integers, int64 in their shape."""
    projection = network.projection[k]
    if projection.mantissa:
        if projection.kind == "conv":
            return weights.astype(np.int64)
        return prepare(weights, projection.sign_mode, projection.weight_bits or MANTISSA_BITS)
    return np.clip(np.rint(weights / unit), -top, top).astype(np.int64)


def weight_errors(network: Network, k: int, weights: np.ndarray, unit: float, top: int) -> WeightErrors:
    """Return what storing the weights of projection k in fixed point loses; weights that do not exist are left out."""
    stored = store(network, k, weights, unit, top) * unit
    mask = network.mask(k)
    given, kept = (weights, stored) if mask is None else (weights[mask], stored[mask])
    if given.size == 0:
        return NO_ERRORS
    error = kept - given
    if network.projection[k].mantissa:
        low, high = RANGES[mode_of(given.astype(np.int64), network.projection[k].sign_mode)]
        clipped = (given < low) | (given > high) if network.projection[k].kind != "conv" else np.zeros(1)
    else:
        clipped = np.abs(given) / unit > top + 0.5
    noise, signal = float(np.mean(error**2)), float(np.mean(given.astype(np.float64) ** 2))
    ratio = 10 * float(np.log10(signal / noise)) if noise > 0 and signal > 0 else None
    lost = float(np.mean((kept == 0) & (given != 0)))
    return WeightErrors(float(np.mean(clipped)), lost, noise**0.5, float(np.abs(error).max()), ratio)


def flat_weights(network: Network, weights: dict[str, np.ndarray], form: Formats, synapses: tuple[Synapses, ...]) -> np.ndarray:
    """Return all weights as the chip stores them: [W] int32 (fixed) or float, projection after projection.

    Float numerics keep real weights; mantissas are prepared in any numerics, since they are what the description says they are.
    """
    parts = []
    for k, name in enumerate(network.names):
        if form.fixed or network.projection[k].mantissa:
            parts.append(synapses[k].pack(store(network, k, weights[name], form.unit[k], form.top)))
        else:
            parts.append(synapses[k].pack(weights[name] / form.unit[k]))
    kind = {"fixed": np.int32, "float64": np.float64, "float32": np.float32}[form.numerics]
    return np.concatenate([np.zeros(0), *parts]).astype(kind)
