"""Compile: quantise, place, route, lay out memory. A network and a chip give a ChipImage; neither is changed."""

from __future__ import annotations

from collections.abc import Sequence

from chipsim.compiler.fields import field_rows, quantization
from chipsim.compiler.image import ChipImage, circuit_of
from chipsim.compiler.memory import LEARNING_KINDS, CoreMemory
from chipsim.compiler.place import memories, place
from chipsim.compiler.plan import Plan, Slice
from chipsim.compiler.propose import Proposal, propose
from chipsim.compiler.quantize import formats, unit_problems
from chipsim.compiler.require import numerics_problems, require
from chipsim.compiler.route import route
from chipsim.compiler.rulework import for_network
from chipsim.compiler.stored import flat_weights
from chipsim.compiler.wires import wires_of
from chipsim.errors import raise_all
from chipsim.hardware import Chip
from chipsim.network import Network

__all__ = [
    "ChipImage", "CoreMemory", "Plan", "Proposal", "Slice", "compile_network", "field_rows", "fit", "for_network", "memory_rows",
    "memory_summary", "numerics_problems", "propose", "quantization",
]  # fmt: skip


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
        CapacityError: the network does not fit, or the chip lacks what the rule or a neuron needs; names object, number and limit.
        ConfigError: a number format is impossible, or the rule does not train such a network or not in these numerics.
    """
    raise_all(numerics_problems(network, numerics) if learn else [])
    plan, slices = fit(network, chip, learn)
    weights = network.initial_weights(network.seed if seed is None else seed)
    form = formats(network, weights, chip, numerics, fractions)
    if learn and form.fixed:
        raise_all(unit_problems(network, form))
    routes = route(plan, slices)
    circuit = circuit_of(plan, form, slices, routes)
    flat = flat_weights(network, weights, form, plan.synapses)
    return ChipImage(plan, form, tuple(slices), routes, circuit, wires_of(plan, form, flat), flat, memories(plan, slices))


def fit(network: Network, chip: Chip | None, learn: bool = True) -> tuple[Plan, list[Slice]]:
    """Return plan and placement, without drawing a weight.

    Raises:
        CapacityError: the network does not fit, or the chip lacks what the rule or a neuron needs.
        ConfigError: the rule does not train such a network.
    """
    require(network, chip, learn)
    plan = Plan(network, chip and for_network(chip, network, learn), learn)
    return plan, place(plan)


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
        {"core": m.core, "populations": list(m.populations), "neurons": m.neurons, "bits": dict(m.by_kind),
         "total_bits": sum(m.by_kind.values()), "limits": {name: list(pair) for name, pair in m.limits.items()}}
        for m in image.memory
    ]  # fmt: skip
