"""Number formats: float descriptions to integers of declared width (docs/semantics.md section 2), or to plain floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chipsim.compiler.stored import MANTISSA_BITS, NO_ERRORS, WeightErrors, weight_errors
from chipsim.errors import CapacityError, ConfigError, Problem, raise_all
from chipsim.hardware import Chip
from chipsim.learning import is_dense, is_online, rule_of
from chipsim.learning.formats import accumulator_fractions
from chipsim.network import Network
from chipsim.neurons import model
from chipsim.neurons.arithmetic import THETA
from chipsim.neurons.contract import Form
from chipsim.neurons.loihi import SCALE as LOIHI_SCALE

DECAY_ONE = 4096  # decay words are fractions in 1/4096
MEMBRANE_HEADROOM = 6  # integer bits of V kept above the threshold when the fraction is chosen
LEAST_FRACTION = 4  # chosen for V, even where that leaves less above the threshold
NUMERICS = {"fixed": np.int64, "float64": np.float64, "float32": np.float32}


@dataclass(frozen=True)
class Widths:
    """Widths in bits; without a chip those of Loihi and of the assumed learning extension."""

    weight: int = 9
    membrane: int = 24
    current: int = 24
    delta: int = 16
    gradient_accumulator: int = 24
    partial_error: int = 32


def widths_of(chip: Chip | None) -> Widths:
    """Return the widths of a chip; those a chip without learning lacks are taken from the assumed extension."""
    if chip is None:
        return Widths()
    known = {name: chip.width(name) for name in Widths.__dataclass_fields__ if name in chip.widths}
    return Widths(**{"current": chip.width("membrane"), **known})


@dataclass(frozen=True)
class Formats:
    """Number formats of a network: [P] per population, [K] per projection, docs/semantics.md section 2."""

    numerics: str
    widths: Widths
    weight_bits: int
    v_fraction: int  # f, the same for all populations
    delta_fraction: tuple[int, ...]  # [P] fd
    constants: tuple[tuple[float, ...], ...]  # [P] what the neuron model's kernel reads
    theta: tuple[float, ...]  # [P] threshold in units of V; 0: the model has none
    gradient_fraction: tuple[int, ...]  # [K] of the gradient accumulators
    ends: tuple[tuple[int, int], ...]  # [K] populations
    weight_fraction: tuple[int, ...]  # [K] fw
    exponent: tuple[int, ...]  # [K] the sum of a projection is scaled by 2^exponent
    unit: tuple[float, ...]  # [K] what the kernels' weight is multiplied with to give the description's (thresholds or mantissas)
    band: tuple[float, ...]  # [P] half width of the active band in units of V
    errors: tuple[WeightErrors, ...]  # [K] what storing the initial weights lost

    @property
    def fixed(self) -> bool:
        """Whether numbers are integers."""
        return self.numerics == "fixed"

    @property
    def top(self) -> int:
        """Largest stored weight."""
        return (1 << (self.weight_bits - 1)) - 1

    @property
    def decay(self) -> tuple[float, ...]:
        """[P] decay word of V in 1/4096 (fixed) or factor (float)."""
        return tuple(c[0] if c else 0.0 for c in self.constants)

    def gradient_scale(self, k: int) -> float:
        """Return the value of one accumulator LSB of projection k (1 in float)."""
        return 2.0 ** -self.gradient_fraction[k] if self.fixed else 1.0

    def real_fraction(self, k: int) -> int:
        """Return the fraction bits of projection k's weights in thresholds (which `unit` then is a power of two of)."""
        return real_fraction(self.unit[k])

    def back(self, k: int) -> int:
        """Return the right shift of a gathered error into the delta format of the presynaptic population."""
        pre, post = self.ends[k]
        return self.real_fraction(k) + self.delta_fraction[post] - self.delta_fraction[pre]

    def write_shift(self, k: int, shift: int) -> int:
        """Return S, the right shift of an accumulator at learning rate 2^-shift."""
        return self.gradient_fraction[k] + shift - self.real_fraction(k)


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
    fraction = chosen_fraction(network, widths)
    fixed = numerics == "fixed"
    if fixed:
        raise_all(format_problems(network, chip), CapacityError)
        raise_all(band_problems(network, fraction))
    form = Form(fixed, float(1 << fraction) if fixed else 1.0, network.dt_ms, fraction)
    constants = tuple(model(p.neuron).constants(p.own, form) for p in network.population)
    theta = tuple(c[THETA] if len(c) > THETA else 0.0 for c in constants)
    top = (1 << (rule.weight_bits - 1)) - 1
    scales = [scale_of(network, k, weights[name], theta, fraction, top, fixed, fractions) for k, name in enumerate(network.names)]
    last = len(theta) - 1
    delta = tuple(rule.readout_delta_fraction if p == last else rule.delta_fraction for p in range(last + 1))
    return Formats(
        numerics, widths, rule.weight_bits, fraction, delta_fraction=delta,
        gradient_fraction=tuple(gradient_fractions(network, delta, [real_fraction(s.unit) for s in scales], widths.gradient_accumulator)),
        constants=constants, theta=theta, ends=tuple(network.ends),
        weight_fraction=tuple(s.fraction for s in scales), exponent=tuple(s.exponent for s in scales),
        unit=tuple(s.unit for s in scales),
        band=tuple(band_of(reach_of(rule), t, widths.membrane if fixed else 0) if t else 0.0 for t in theta),
        errors=tuple(
            weight_errors(network, k, weights[name], scales[k].unit, top) if fixed or network.projection[k].mantissa else NO_ERRORS
            for k, name in enumerate(network.names)
        ),
    )  # fmt: skip


def real_fraction(unit: float) -> int:
    """Return the fraction bits of weights that are stored in this unit, in thresholds."""
    return -round(math.log2(unit))


def gradient_fractions(network: Network, delta: Sequence[int], weight: Sequence[int], bits: int) -> list[int]:
    """Return the fraction bits of each projection's accumulators: delta's under replay, else those of the rule's increments."""
    onto = [delta[b] for _, b in network.ends]
    if not is_online(network.learning.rule):
        return onto
    return accumulator_fractions(rule_of(network.learning), onto, weight, bits)


class Scale(NamedTuple):
    """Scale of one projection's weights: see the fields of Formats."""

    fraction: int
    exponent: int
    unit: float


def scale_of(
    network: Network,
    k: int,
    weights: np.ndarray,
    theta: tuple[float, ...],
    f: int,
    top: int,
    fixed: bool,
    fractions: Sequence[int] | None,
) -> Scale:
    """Return the scale of projection k.

    A stored weight w stands for w * unit (thresholds, or mantissas, which are stored as they are). Onto the delta family w is shifted
    by f - fw into V; onto the Loihi family the sum is scaled by 2^exponent and the current by 64, so unit = 64 2^exponent / theta.
    """
    projection, post = network.projection[k], network.ends[k][1]
    loihi = network.population[post].model.family == "loihi"
    if projection.mantissa:
        return Scale(0, projection.weight_exp, 1.0)
    if not fixed:
        return Scale(0, 0, LOIHI_SCALE / theta[post] if loihi else 1.0)
    if not loihi:
        fw = fractions[k] if fractions else weight_fraction(weights, top, f)
        return Scale(fw, f - fw, 2.0**-fw)
    span = reach(weights) * theta[post] / LOIHI_SCALE
    exponent = 0 if span == 0 else min(24, max(-31, math.ceil(math.log2(span / top))))
    if fractions:
        exponent = -fractions[k]
    return Scale(-exponent, exponent, LOIHI_SCALE * 2.0**exponent / theta[post])


def reach(weights: np.ndarray) -> float:
    """Return the range that the weights of a projection need: the largest one, or four times their rms."""
    return max(float(np.abs(weights).max()), 4 * math.sqrt(float(np.mean(weights**2))))


def chosen_fraction(network: Network, widths: Widths) -> int:
    """Return the fraction bits of V."""
    return network.learning.v_fraction or max(LEAST_FRACTION, min(12, widths.membrane - MEMBRANE_HEADROOM))


def format_problems(network: Network, chip: Chip | None) -> list[Problem]:
    """Return which fixed-point formats of the network are impossible on the chip; needs no weights."""
    widths = widths_of(chip)
    fraction = chosen_fraction(network, widths)
    form = Form(True, float(1 << fraction), network.dt_ms, fraction)
    constants = [model(p.neuron).constants(p.own, form) for p in network.population]
    theta = tuple(c[THETA] if len(c) > THETA else 0.0 for c in constants)
    return width_problems(network, widths, fraction, chip) + threshold_problems(network, theta, widths.membrane, chip)


def weight_fraction(weights: np.ndarray, top: int, most: int) -> int:
    """Return the fraction bits fw of a projection: the finest scale at which its weights fit, at most `most`."""
    span = reach(weights)
    return most if span == 0 else min(most, math.floor(math.log2(top) - math.log2(span)))


def band_of(half_width: float, theta: float, membrane: int) -> float:
    """Return the active band in units of V; infinite means wider than V itself. membrane: bits of V, 0: floats."""
    if not membrane:
        return half_width * theta
    return float(1 << (membrane + 1)) if math.isinf(half_width) else float(round(half_width * theta))


def reach_of(learning) -> float:
    """Return the half width of the band in thresholds; infinite under a rule that has none."""
    return math.inf if is_dense(learning.rule) else learning.half_width


def width_problems(network: Network, widths: Widths, fraction: int, chip: Chip | None) -> list[Problem]:
    """Return which formats of the network the chip cannot hold."""
    rule, name = network.learning, f'network "{network.name}"'
    where = f'chip "{chip.name}"' if chip else "the default widths"
    found = []
    if rule.weight_bits > widths.weight and not all(p.mantissa for p in network.projection):
        limit = f"{where} stores at most {widths.weight} bits per weight"
        found.append(Problem(name, "learning.weight_bits", rule.weight_bits, limit))
    for k, projection in enumerate(network.projection):
        bits = projection.weight_bits or MANTISSA_BITS
        if projection.mantissa and bits > widths.weight:
            limit = f"{where} stores at most {widths.weight} bits per weight"
            found.append(Problem(name, f"projection.{k}.weight_bits", bits, limit))
    if fraction > widths.membrane - 3:
        limit = f"{where} has {widths.membrane} bits for V: at most {widths.membrane - 3} can be fraction"
        found.append(Problem(name, "learning.v_fraction", fraction, limit))
    for key, bits in (("delta_fraction", rule.delta_fraction), ("readout_delta_fraction", rule.readout_delta_fraction)):
        if bits > widths.delta - 2:
            found.append(Problem(name, f"learning.{key}", bits, f"{where} has {widths.delta} bits for delta"))
    return found


def threshold_problems(network: Network, theta: tuple[float, ...], bits: int, chip: Chip | None) -> list[Problem]:
    """Return the populations whose threshold V cannot pass in its width, so that they could never spike."""
    top, where = (1 << (bits - 1)) - 1, f'chip "{chip.name}"' if chip else "the default widths"
    limit = f"{where} has {bits} bits for V, whose largest value {top} must lie above it"
    return [
        Problem(f'network "{network.name}"', f"population.{p.name} (threshold in units of V)", int(t), limit)
        for p, t in zip(network.population, theta, strict=True)
        if t >= top and any(v.name == "v" and v.overflow == "chip" for v in p.model.variables) and p.model.spikes
    ]


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


def unit_problems(network: Network, form: Formats) -> list[Problem]:
    """Return the populations whose threshold is no power of two: replay then could not scale errors by shifts."""
    return [
        Problem(
            f'network "{network.name}"',
            f"population.{p.name}.vth",
            p.own.vth,
            "training in fixed point scales errors by shifts: the threshold must be a power of two",
            "leave vth out, or use float",
        )
        for p, theta in zip(network.population, form.theta, strict=True)
        if p.model.resets and theta != 2 ** round(math.log2(theta))
    ]
