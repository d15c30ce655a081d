"""Memory layout: bits per core by kind, and the limits of the chip it is held against (cost model section 5).

A synapse row is one axon list: header + n stored weights, rounded up to whole words (Loihi: 10 + n bits in 64-bit words).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from chipsim.errors import Problem
from chipsim.hardware import Chip
from chipsim.learning import losses_bits
from chipsim.network import Network

LEARNING_KINDS = ("logs", "gradient_accumulators", "error_state", "loss")


@dataclass(frozen=True)
class Layout:
    """Widths in bits that decide the layout of a core; `learning`: the rule's memory is laid out too."""

    learning: bool
    weight_bits: int
    word_bits: int
    header_bits: int
    synapse_bits: int  # weight + delay + tag as stored
    axon_bits: int
    compartment_bits: int
    log_word_bits: int
    delta_bits: int
    acc_bits: int
    partial_bits: int

    def row_words(self, n: int) -> int:
        """Return the memory words of one synapse row with n targets on the core."""
        return -(-(n * self.synapse_bits + self.header_bits) // self.word_bits)


@dataclass(frozen=True)
class CoreMemory:
    """What one core holds: bits by kind, and need against limit for every limit of the chip."""

    core: int
    populations: tuple[str, ...]
    by_kind: dict[str, int] = field(default_factory=dict)
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> (need, limit)


def layout_of(network: Network, chip: Chip | None, learning: bool) -> Layout:
    """Return the layout of `network` on `chip` (without a chip: that of Loihi with the assumed learning extension)."""
    weight = network.learning.weight_bits

    def width(name: str, default: int) -> int:
        return chip.width(name) if chip and name in chip.widths else default

    stored = weight + width("synapse_delay", 0) + width("synapse_tag", 0)
    return Layout(
        learning, weight, width("synapse_word", 64), width("synapse_list_header", 10), stored, width("axon_entry", 20),
        width("compartment_state", 48), width("log_word", 32), width("delta", 16), width("gradient_accumulator", 24),
        width("partial_error", 32),
    )  # fmt: skip


def slice_bits(network: Network, chip: Chip | None, layout: Layout, p: int, n: int, receivers: int) -> dict[str, int]:
    """Return the bits by kind that n neurons of population p need on a core; `receivers`: cores of the next population."""
    fan_in = network.populations[p - 1].size
    bits = {
        "synapses": fan_in * layout.row_words(n) * layout.word_bits,
        "axons_in": fan_in * layout.axon_bits,
        "axons_out": n * receivers * layout.axon_bits,
        "compartments": n * layout.compartment_bits,
    }
    if layout.learning:
        words = chip.limit("log_words_per_core") if chip else 0
        bits["logs"] = words * layout.log_word_bits
        bits["gradient_accumulators"] = fan_in * n * layout.acc_bits
        bits["error_state"] = n * (layout.delta_bits + (layout.partial_bits if receivers else layout.delta_bits))
        bits["loss"] = 0 if receivers else losses_bits(network.populations[p].size)
    return bits


def needs(network: Network, chip: Chip, layout: Layout, p: int, n: int, receivers: int) -> dict[str, tuple[int, int]]:
    """Return {limit name: (need, limit)} of n neurons of population p on one core."""
    fan_in = network.populations[p - 1].size
    bits = slice_bits(network, chip, layout, p, n, receivers)
    plain = sum(b for kind, b in bits.items() if kind not in LEARNING_KINDS)
    need = {
        "compartments_per_core": n,
        "axons_in_per_core": fan_in,
        "axons_out_per_core": n * receivers,
        "synapse_words_per_core": fan_in * layout.row_words(n),
        "sram_bits_per_core": plain,
    }
    limits = {name: (value, chip.limit(name)) for name, value in need.items()}
    if layout.learning:
        steps = math.ceil(math.log2(network.steps)) if network.steps > 1 else 0
        record = steps + max(math.ceil(math.log2(fan_in + 1)) + 2, math.ceil(math.log2(n + 1)) + 6)
        worst = n * ((1 << (layout.weight_bits - 1)) - 1) * (1 << (layout.delta_bits - 1))
        limits["learning_bits_per_core"] = (sum(bits[kind] for kind in LEARNING_KINDS), chip.limit("learning_bits_per_core"))
        limits["log_word_bits"] = (record, layout.log_word_bits)
        limits["partial_error_bits"] = (worst.bit_length() + 1, layout.partial_bits)
    return limits


def broken(network: Network, chip: Chip, layout: Layout, p: int, n: int, receivers: int) -> list[Problem]:
    """Return every limit that n neurons of population p break on one core."""
    population = network.populations[p]
    found = []
    for name, (need, limit) in needs(network, chip, layout, p, n, receivers).items():
        if need > limit:
            text = f'core limit {limit} of chip "{chip.name}" is broken with {n} neurons on a core'
            hint = (
                f"fan-in is {network.populations[p - 1].size}; make the population or its fan-in smaller, or choose a larger chip"
            )
            found.append(Problem(f'population "{population.name}" ({population.size} neurons)', name, need, text, hint))
    return found
