"""Compile: quantise, place, route, lay out memory. A network and a chip give a ChipImage; neither is changed."""

from __future__ import annotations

from collections.abc import Sequence

from chipsim.compiler.image import ChipImage, circuit_of
from chipsim.compiler.memory import LEARNING_KINDS, CoreMemory, Layout, layout_of, needs, slice_bits
from chipsim.compiler.place import Slice, place
from chipsim.compiler.quantize import flat_weights, formats
from chipsim.compiler.route import route
from chipsim.errors import CapacityError, Problem
from chipsim.hardware import Chip
from chipsim.learning import RULES
from chipsim.network import Network
from chipsim.state import PREDICATES

__all__ = ["ChipImage", "CoreMemory", "Slice", "compile_network", "fit", "memory_rows", "memory_summary"]


def compile_network(
    network: Network,
    chip: Chip | None,
    learn: bool = True,
    numerics: str = "fixed",
    seed: int | None = None,
    fractions: Sequence[int] | None = None,
) -> ChipImage:
    """Return the image of `network` on `chip`; without a chip every population has a core of its own and nothing is limited.

    learn: lay out and run the learning rule too. seed: draws the initial weights where they are not explicit (default: the
    network's own). fractions: fraction bits of each projection's weights (default: from the initial weights).

    Raises:
        CapacityError: the network does not fit, or the chip lacks what the rule needs; names object, number and limit.
        ConfigError: a number format is impossible.
    """
    layout, slices = fit(network, chip, learn)
    weights = network.initial_weights(network.seed if seed is None else seed)
    form = formats(network, weights, chip, numerics, fractions)
    predicate = PREDICATES[chip.active_update if chip else "received_input"]
    circuit = circuit_of(network, form, layout, slices, learn, predicate)
    memory = core_memory(network, chip, layout, slices)
    return ChipImage(
        network, chip, form, layout, tuple(slices), route(slices, chip), circuit, flat_weights(network, weights, form), memory
    )


def fit(network: Network, chip: Chip | None, learn: bool = True) -> tuple[Layout, list[Slice]]:
    """Return layout and placement, without drawing a weight.

    Raises:
        CapacityError: the network does not fit, or the chip lacks what the rule needs.
    """
    if learn and chip is not None:
        require(network, chip)
    layout = layout_of(network, chip, learn)
    return layout, place(network, chip, layout)


def require(network: Network, chip: Chip) -> None:
    """Refuse a rule on a chip that lacks a capability it needs."""
    rule = network.learning.rule
    missing = chip.missing(RULES[rule].needs)
    if missing:
        limit = f"it must offer {', '.join(missing)}, which rule {rule!r} needs"
        hint = "use a chip with a learning extension (loihi1-ssgd), or --what-if to add the assumed one"
        raise CapacityError(Problem(f'chip "{chip.name}"', "capabilities", ", ".join(chip.capabilities) or "none", limit, hint))


def core_memory(network: Network, chip: Chip | None, layout: Layout, slices: list[Slice]) -> tuple[CoreMemory, ...]:
    """Return what every core in use holds."""
    found = []
    for s in slices[1:]:
        receivers = sum(o.population == s.population + 1 for o in slices)
        bits = slice_bits(network, chip, layout, s.population, s.size, receivers)
        limits = needs(network, chip, layout, s.population, s.size, receivers) if chip else {}
        found.append(CoreMemory(s.core, (network.populations[s.population].name,), bits, limits))
    return tuple(found)


def memory_summary(image: ChipImage) -> dict:
    """Return the `memory_bits` object of `chipsim train --json`; capacity_per_core is None without a chip."""
    kinds = list(image.memory[0].by_kind)
    by_kind = {kind: sum(m.by_kind[kind] for m in image.memory) for kind in kinds}
    capacity = None
    if image.chip is not None:
        capacity = image.chip.limit("sram_bits_per_core")
        if image.learning:
            capacity += image.chip.limit("learning_bits_per_core")
    return {
        "per_core_max": max(sum(m.by_kind.values()) for m in image.memory),
        "capacity_per_core": capacity,
        "total": sum(by_kind.values()),
        "learning": sum(n for kind, n in by_kind.items() if kind in LEARNING_KINDS),
        "by_kind": by_kind,
    }


def memory_rows(image: ChipImage) -> list[dict]:
    """Return one row per core: core, populations, neurons, bits by kind, and {limit: [need, limit]}."""
    return [
        {"core": m.core, "populations": list(m.populations), "neurons": s.size, "bits": dict(m.by_kind),
         "total_bits": sum(m.by_kind.values()), "limits": {name: list(pair) for name, pair in m.limits.items()}}
        for m, s in zip(image.memory, image.slices[1:], strict=True)
    ]  # fmt: skip
