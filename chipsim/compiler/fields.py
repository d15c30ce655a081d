"""Every stored number of a compiled network: bits, fraction, sign, overflow and rounding; and what quantising the weights lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chipsim.hardware.tables import Arithmetic
from chipsim.kernels.fixed import TRACE_BITS, TRACE_FRACTION
from chipsim.learning.policies import policy_bits, policy_of

if TYPE_CHECKING:
    from chipsim.compiler.image import ChipImage
    from chipsim.network import Population

OVERFLOW = {"v": "overflow_v", "adaptation": "overflow_v", "u": "overflow_u"}


def field_rows(image: ChipImage) -> list[dict[str, Any]]:
    """Return one row per field of a fixed-point image: where, name, bits, fraction, signed, overflow, rounding; none in float."""
    return [] if not image.formats.fixed else [*state_rows(image), *weight_rows(image), *learning_rows(image)]


def state_rows(image: ChipImage) -> list[dict[str, Any]]:
    """Return the state variables of every population."""
    modes = image.chip.arithmetic if image.chip else Arithmetic()
    found = []
    for population in image.network.population[1:]:
        for v in population.model.variables:
            bits = v.bits if isinstance(v.bits, int) else getattr(image.formats.widths, v.bits)
            found.append({
                "of": population.name, "field": v.name, "bits": bits,
                "fraction": image.formats.v_fraction if population.model.family == "delta" else 0, "signed": v.signed,
                "overflow": getattr(modes, OVERFLOW[v.name]) if v.overflow == "chip" else v.overflow,
                "rounding": f"{modes.rounding}, {modes.decay}" if v.rounding == "chip" else v.rounding or "none",
            })  # fmt: skip
    return found


def weight_rows(image: ChipImage) -> list[dict[str, Any]]:
    """Return the weights of every projection."""
    found, policy = [], image.network.learning.write or policy_of(image.network.learning).name
    for k, (name, projection) in enumerate(zip(image.network.names, image.network.projection, strict=True)):
        fraction = 0 if projection.mantissa else image.formats.weight_fraction[k]
        rounding = "toward minus infinity" if projection.mantissa else f"nearest, writes {policy}"
        found.append({
            "of": name, "field": "weight", "bits": image.plan.weight_bits(k), "fraction": fraction, "signed": True,
            "overflow": "saturate", "rounding": rounding,
        })  # fmt: skip
    return found


def learning_rows(image: ChipImage) -> list[dict[str, Any]]:
    """Return what the learning rule stores."""
    if not image.learning:
        return []
    widths, found = image.formats.widths, []
    for p, population in enumerate(image.network.population[1:], start=1):
        found += [{
            "of": population.name, "field": name, "bits": widths.delta, "fraction": image.formats.delta_fraction[p],
            "signed": True, "overflow": "saturate", "rounding": "toward-zero, stepped",
        } for name in kept_of(image, population)]  # fmt: skip
    for k, name in enumerate(image.network.names if image.network.learning.apply == "after" else ()):
        found.append({
            "of": name, "field": "gradient accumulator", "bits": widths.gradient_accumulator,
            "fraction": image.formats.delta_fraction[image.formats.ends[k][1]], "signed": True, "overflow": "saturate",
            "rounding": "none",
        })  # fmt: skip
    states = [row for k, name in enumerate(image.network.names) for row in state_fields(image, k, name)]
    return found + form_rows(image) + states


def kept_of(image: ChipImage, population: Population) -> list[str]:
    """Return the backward variables that replay keeps: with form A and push not delta itself."""
    return [name for name in population.model.adjoint if not (name == "delta" and image.circuit.form_a and image.circuit.push)]


def form_rows(image: ChipImage) -> list[dict[str, Any]]:
    """Return what form A and pushed errors store per projection: presynaptic traces, errors at the presynaptic homes."""
    found, how = [], {"overflow": "saturate", "rounding": "toward-zero, stepped"}
    for name, (pre, _) in zip(image.network.names, image.formats.ends, strict=True):
        if image.circuit.form_a:
            found.append({"of": name, "field": "trace", "bits": TRACE_BITS, "fraction": TRACE_FRACTION, "signed": False, **how})
        if image.circuit.push and pre:
            bits, fraction = image.formats.widths.delta, image.formats.delta_fraction[pre]
            found.append({"of": name, "field": "pushed error", "bits": bits, "fraction": fraction, "signed": True, **how})
    return found


def state_fields(image: ChipImage, k: int, name: str) -> list[dict[str, Any]]:
    """Return what write policy and optimiser keep per synapse of projection k."""
    learning, accumulator = image.network.learning, image.formats.widths.gradient_accumulator
    chosen, own = policy_of(learning), policy_bits(learning, accumulator)
    rows = []
    if own:
        master = chosen.name == "master"
        rows.append({
            "of": name, "field": "low bits of the master weight" if master else "residue", "bits": own,
            "fraction": image.formats.real_fraction(k) + own if master else image.formats.gradient_fraction[k], "signed": False,
            "overflow": "saturate" if master else "none", "rounding": "nearest" if master else "none",
        })  # fmt: skip
    if image.plan.write_state > own:
        rows.append({
            "of": name, "field": "velocity", "bits": accumulator, "fraction": image.formats.gradient_fraction[k], "signed": True,
            "overflow": "saturate", "rounding": "toward-zero",
        })  # fmt: skip
    return rows


def quantization(image: ChipImage) -> dict[str, dict[str, Any]]:
    """Return what storing the initial weights lost, by projection: in thresholds, or mantissas where the projection says so."""
    if not image.formats.fixed:
        return {}
    return {
        name: {
            "unit": projection.units, "bits": image.plan.weight_bits(k), "lsb": image.formats.unit[k],
            **image.formats.errors[k]._asdict(),
        }
        for k, (name, projection) in enumerate(zip(image.network.names, image.network.projection, strict=True))
    }  # fmt: skip
