"""Number formats: float descriptions to integers of declared width (docs/semantics.md section 2), or to plain floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chipsim.errors import CapacityError, ConfigError, Problem, raise_all
from chipsim.hardware import Chip
from chipsim.network import Network

DECAY_ONE = 4096  # decay words are fractions in 1/4096
MEMBRANE_HEADROOM = 6  # integer bits of V kept above the threshold when the fraction is chosen
NUMERICS = {"fixed": np.int64, "float64": np.float64, "float32": np.float32}


@dataclass(frozen=True)
class Widths:
    """Widths in bits; without a chip those of Loihi and of the assumed learning extension."""

    weight: int = 9
    membrane: int = 24
    delta: int = 16
    gradient_accumulator: int = 24
    partial_error: int = 32


def widths_of(chip: Chip | None) -> Widths:
    """Return the widths of a chip; those a chip without learning lacks are taken from the assumed extension."""
    if chip is None:
        return Widths()
    known = {name: chip.width(name) for name in Widths.__dataclass_fields__ if name in chip.widths}
    return Widths(**known)


@dataclass(frozen=True)
class Formats:
    """Number formats of a network: [P] per population, [K] per projection, docs/semantics.md section 2."""

    numerics: str
    widths: Widths
    weight_bits: int
    v_fraction: int  # f, the same for all populations
    delta_fraction: tuple[int, ...]  # [P] fd
    weight_fraction: tuple[int, ...]  # [K] fw
    decay: tuple[float, ...]  # [P] word in 1/4096 (fixed) or factor (float)
    band: float  # half width of the active band in units of V
    saturated: tuple[float, ...]  # [K] share of initial weights clipped
    largest_error: tuple[float, ...]  # [K] largest error of a weight, in units of the threshold

    @property
    def fixed(self) -> bool:
        """Whether numbers are integers."""
        return self.numerics == "fixed"

    @property
    def theta(self) -> float:
        """Threshold in units of V."""
        return float(1 << self.v_fraction) if self.fixed else 1.0

    @property
    def top(self) -> int:
        """Largest stored weight."""
        return (1 << (self.weight_bits - 1)) - 1

    def scale(self, k: int) -> float:
        """Return the value of one weight LSB of projection k in units of the threshold (1 in float)."""
        return 2.0 ** -self.weight_fraction[k] if self.fixed else 1.0

    def gradient_scale(self, k: int) -> float:
        """Return the value of one accumulator LSB of projection k (1 in float)."""
        return 2.0 ** -self.delta_fraction[k + 1] if self.fixed else 1.0

    def up(self, k: int) -> int:
        """Return the left shift of a weight into V."""
        return self.v_fraction - self.weight_fraction[k]

    def back(self, k: int) -> int:
        """Return the right shift of a gathered error into the delta format of the presynaptic population."""
        return self.weight_fraction[k] + self.delta_fraction[k + 1] - self.delta_fraction[k]

    def write_shift(self, k: int, shift: int) -> int:
        """Return S, the right shift of an accumulator at learning rate 2^-shift."""
        return self.delta_fraction[k + 1] + shift - self.weight_fraction[k]


def formats(
    network: Network, weights: dict[str, np.ndarray], chip: Chip | None, numerics: str, fractions: Sequence[int] | None = None
) -> Formats:
    """Choose the formats of `network` on `chip`; `weights` fix the scale of each projection unless `fractions` gives it.

    The range of a projection covers its largest weight and four times its rms, so that training has room.

    Raises:
        ConfigError: unknown numerics, or a band that the numbers cannot express.
        CapacityError: a width that the chip does not have.
    """
    if numerics not in NUMERICS:
        raise ConfigError(Problem("run", "numerics", numerics, f"it must be one of {', '.join(NUMERICS)}"))
    widths, rule = widths_of(chip), network.learning
    fraction = rule.v_fraction or min(12, widths.membrane - MEMBRANE_HEADROOM)
    fixed = numerics == "fixed"
    if fixed:
        raise_all(width_problems(network, widths, fraction, chip), CapacityError)
        raise_all(band_problems(network, fraction))
    top = (1 << (rule.weight_bits - 1)) - 1
    tensors = [weights[p.post] for p in network.projections]
    fw = tuple(fractions or (weight_fraction(w, top, fraction) for w in tensors))
    alphas = [network.alpha(p) for p in range(len(network.populations))]
    rounded = [np.clip(np.rint(w * 2.0**f), -top, top) * 2.0**-f for w, f in zip(tensors, fw, strict=True)]
    return Formats(
        numerics, widths, rule.weight_bits, fraction,
        delta_fraction=(*[rule.delta_fraction] * (len(alphas) - 1), rule.readout_delta_fraction),
        weight_fraction=fw,
        decay=tuple(float(round(DECAY_ONE * a)) if fixed else a for a in alphas),
        band=band_of(rule.half_width, fraction, widths.membrane) if fixed else rule.half_width,
        saturated=tuple(float(np.mean(np.abs(w) * 2.0**f > top + 0.5)) for w, f in zip(tensors, fw, strict=True)),
        largest_error=tuple(float(np.abs(w - r).max()) for w, r in zip(tensors, rounded, strict=True)),
    )  # fmt: skip


def weight_fraction(weights: np.ndarray, top: int, most: int) -> int:
    """Return the fraction bits fw of a projection: the finest scale at which its weights fit, at most `most`."""
    span = max(float(np.abs(weights).max()), 4 * math.sqrt(float(np.mean(weights**2))))
    return most if span == 0 else min(most, math.floor(math.log2(top / span)))


def band_of(half_width: float, fraction: int, membrane: int) -> float:
    """Return the active band in units of V; infinite means wider than V itself."""
    return float(1 << (membrane + 1)) if math.isinf(half_width) else float(round(half_width * 2**fraction))


def width_problems(network: Network, widths: Widths, fraction: int, chip: Chip | None) -> list[Problem]:
    """Return which formats of the network the chip cannot hold."""
    rule, name = network.learning, f'network "{network.name}"'
    where = f'chip "{chip.name}"' if chip else "the default widths"
    found = []
    if rule.weight_bits > widths.weight:
        limit = f"{where} stores at most {widths.weight} bits per weight"
        found.append(Problem(name, "learning.weight_bits", rule.weight_bits, limit))
    if fraction > widths.membrane - 3:
        limit = f"{where} has {widths.membrane} bits for V: at most {widths.membrane - 3} can be fraction"
        found.append(Problem(name, "learning.v_fraction", fraction, limit))
    for key, bits in (("delta_fraction", rule.delta_fraction), ("readout_delta_fraction", rule.readout_delta_fraction)):
        if bits > widths.delta - 2:
            found.append(Problem(name, f"learning.{key}", bits, f"{where} has {widths.delta} bits for delta"))
    return found


def band_problems(network: Network, fraction: int) -> list[Problem]:
    """Return why the active band cannot be expressed with `fraction` bits of V."""
    rule, name, found = network.learning, f'network "{network.name}"', []
    if round(rule.half_width * 2**fraction if math.isfinite(rule.half_width) else 1) < 1:
        limit = f"with {fraction} fraction bits of V it must be at least {2.0**-fraction}"
        found.append(Problem(name, "learning.half_width", rule.half_width, limit))
    if math.isinf(rule.half_width) and rule.surrogate != "box":
        limit = "fixed point reads the surrogate from a table over the band, which must be finite (or use surrogate = 'box')"
        found.append(Problem(name, "learning.half_width", rule.half_width, limit))
    return found


def flat_weights(network: Network, weights: dict[str, np.ndarray], form: Formats) -> np.ndarray:
    """Return all weights as the chip stores them: [W] int32 (fixed) or float, projection after projection, row-major."""
    tensors = [weights[p.post] for p in network.projections]
    if not form.fixed:
        return np.concatenate([w.ravel() for w in tensors]).astype(NUMERICS[form.numerics])
    whole = [
        np.clip(np.rint(w * 2.0**f), -form.top, form.top).ravel() for w, f in zip(tensors, form.weight_fraction, strict=True)
    ]
    return np.concatenate(whole).astype(np.int32)
