"""What of another chip a run breaks: its counts can be priced there, but it could not run there. By name, number and limit."""

from __future__ import annotations

from dataclasses import fields

from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import Widths
from chipsim.errors import Problem
from chipsim.hardware import Chip
from chipsim.learning import rule_of


def broken_limits(image: ChipImage, other: Chip, peak_log: int) -> list[Problem]:
    """Return the limits of `other` that a run breaks.

    image: the run laid out as it was, with the limits of `other` where it has them. peak_log: the fullest log, in words.
    """
    name = f'chip "{other.name}"'
    return [
        *core_problems(image, other, name),
        *log_problems(other, name, peak_log),
        *mesh_problems(image, other, name),
        *width_problems(image, other, name),
        *capability_problems(image, other, name),
    ]


def core_problems(image: ChipImage, other: Chip, name: str) -> list[Problem]:
    """Return each limit per core that some core breaks, with the core that needs most."""
    worst: dict[str, tuple[int, int]] = {}  # limit -> need, core
    for memory in image.memory:
        for limit, (need, most) in memory.limits.items():
            if limit in other.limits and need > most and need > worst.get(limit, (0,))[0]:
                worst[limit] = need, memory.core
    return [
        Problem(name, f"limits.{limit}", need, f"core {core} of the run needs so many and this chip has {other.limit(limit)}")
        for limit, (need, core) in worst.items()
    ]


def log_problems(other: Chip, name: str, peak: int) -> list[Problem]:
    """Return that the fullest log of a sample is larger than the log memory."""
    limit = "log_words_per_core"
    if limit not in other.limits or peak <= other.limit(limit):
        return []
    text = f"the fullest log of a sample had so many words and this chip has {other.limit(limit)}"
    return [Problem(name, f"limits.{limit}", peak, text)]


def mesh_problems(image: ChipImage, other: Chip, name: str) -> list[Problem]:
    """Return that cores of the run do not exist on the mesh."""
    last = max(m.core for m in image.memory)
    if last < other.mesh.cores:
        return []
    limit = f"its mesh has {other.mesh.cores} cores (0 to {other.mesh.cores - 1}); hops are those on the run's own mesh"
    return [Problem(name, "mesh: core of the run", last, limit)]


def width_problems(image: ChipImage, other: Chip, name: str) -> list[Problem]:
    """Return the numbers of the run that are wider than the chip's."""
    used = {field.name: getattr(image.formats.widths, field.name) for field in fields(Widths)}
    used["weight"] = image.formats.weight_bits
    for key in ("log_word", "partial_error"):  # what its records and sums need
        used[key] = max((m.limits[f"{key}_bits"][0] for m in image.memory if f"{key}_bits" in m.limits), default=0)
    if not image.learning:
        used = {key: used[key] for key in ("weight", "membrane", "current")}
    return [
        Problem(name, f"width.{key}", bits, f"the run used so many bits and this chip has {other.width(key)}")
        for key, bits in used.items()
        if key in other.widths and bits > other.width(key)
    ]


def capability_problems(image: ChipImage, other: Chip, name: str) -> list[Problem]:
    """Return the capabilities that the rule of the run needs and the chip lacks."""
    rule = image.network.learning.rule
    missing = other.missing(rule_of(image.network.learning).needs) if image.learning else ()
    if not missing:
        return []
    limit = f"it lacks {', '.join(missing)}, which rule {rule!r} of the run needs"
    return [Problem(name, "capabilities", ", ".join(other.capabilities) or "none", limit)]


def differences(own: Chip, other: Chip) -> list[str]:
    """Return what is counted as on the run's own chip though the other would count otherwise."""
    found = []
    if own.active_update != other.active_update:
        found.append(
            f"active updates are counted as on {own.name} ({own.active_update}), not as {other.name} would ({other.active_update})"
        )
    if own.arithmetic != other.arithmetic:
        found.append(f"the counts are those of the arithmetic of {own.name}; {other.name} computes otherwise")
    return found
