"""Memory layout: bits per core by kind, and the limits of the chip it is held against (docs/neurons.md section 6)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from chipsim.compiler.copies import Cuts, error_words, form_bits, pushed_synapses
from chipsim.compiler.online import online_bits
from chipsim.compiler.plan import Plan, Slice
from chipsim.learning import is_online, losses_bits, step_loss

LEARNING_KINDS = (
    "logs", "gradient_accumulators", "write_state", "traces", "eligibility", "error_state", "transposed_weights", "loss",
)  # fmt: skip


@dataclass(frozen=True)
class CoreMemory:
    """What one core holds: bits by kind, and need against limit for every limit of the chip."""

    core: int
    populations: tuple[str, ...]
    neurons: int
    by_kind: dict[str, int] = field(default_factory=dict)
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> (need, limit)


@dataclass(frozen=True)
class Load:
    """What one slice needs: entries and words, then bits by kind."""

    compartments: int
    axons_in: int
    axons_out: int
    synapse_words: int
    bits: dict[str, int]
    longest: int  # synapses over which an error is summed: of the longest list


def load_of(plan: Plan, p: int, lo: int, hi: int, cuts: Cuts, loss: bool) -> Load:
    """Return what neurons lo .. hi - 1 of population p need on a core.

    cuts: how all populations are cut. loss: readout only, whether this core evaluates the loss.
    """
    chains = [plan.lists(k, lo, hi) for k in plan.into(p)]
    axons_in, words, leaving = sum(c.axons for c in chains), sum(c.words for c in chains), entries_out(plan, p, lo, hi, cuts)
    axon = plan.width("axon_entry", 20)
    bits = {
        "synapses": words * plan.width("synapse_word", 64),
        "axons_in": axons_in * axon,
        "axons_out": leaving * axon,
        "compartments": (hi - lo) * compartment_bits(plan, p),
        "delay_lines": sum((hi - lo) * plan.synapses[k].depth for k in plan.into(p)) * plan.width("membrane", 24),
    }
    if plan.learning:
        online = is_online(plan.network.learning.rule)
        synapses = sum(c.count for c in chains)
        if online:
            bits |= online_bits(plan, p, (lo, hi), chains, loss)
        else:
            bits |= learning_bits(plan, p, hi - lo, synapses, loss) | form_bits(plan, p, lo, hi, cuts)
        bits |= {"write_state": synapses * plan.write_state} if plan.write_state else {}
    pushed = plan.learning and plan.network.learning.transport == "push"
    longest = pushed_synapses(plan, p, lo, hi) if pushed else max((c.longest for c in chains), default=0)
    return Load(hi - lo, axons_in, leaving, words, bits, longest)


def entries_out(plan: Plan, p: int, lo: int, hi: int, cuts: Cuts) -> int:
    """Return the outgoing axon entries of neurons lo .. hi - 1: one per axon, or one per neuron with an axon (multicast)."""
    if not any(plan.synapses[k].listed for k in plan.out_of(p)):  # every neuron has every axon
        axons = sum(len(cuts[plan.network.ends[k][1]]) for k in plan.out_of(p))
        return (hi - lo) * (min(axons, 1) if plan.multicast else axons)
    axons = np.zeros(hi - lo, dtype=np.int64)
    for k in plan.out_of(p):
        for a, b in cuts[plan.network.ends[k][1]]:
            axons += plan.lists(k, a, b).synapses[lo:hi] > 0
    return int((axons > 0).sum() if plan.multicast else axons.sum())


def compartment_bits(plan: Plan, p: int) -> int:
    """Return the bits of one compartment: the chip's, and what its model keeps beyond v and u."""
    more = [v.bits for v in plan.network.population[p].model.variables if v.extra]
    return plan.width("compartment_state", 48) + sum(b if isinstance(b, int) else plan.width(b, 24) for b in more)


def learning_bits(plan: Plan, p: int, n: int, synapses: int, loss: bool) -> dict[str, int]:
    """Return the bits by kind that the rule needs for n neurons of population p with so many synapses (docs/neurons.md section 6)."""
    population, last = plan.network.population[p], p == len(plan.network.population) - 1
    words, inplace = plan.chip.limit("log_words_per_core") if plan.chip else 0, plan.network.learning.apply == "inplace"
    delta, partial = plan.width("delta", 16), plan.width("partial_error", 32)
    kept = plan.ring(p) * delta  # for synapses with delays
    backward, sums = error_words(plan, p, max(1, len(population.model.adjoint)))
    return {
        "logs": words * plan.width("log_word", 32),
        "gradient_accumulators": 0 if inplace else synapses * plan.width("gradient_accumulator", 24),
        "error_state": n * (kept + backward * delta + (delta if last else sums * partial)),
        "loss": losses_bits(population.size) if last and loss else 0,
    }


def core_memory(plan: Plan, core: int, held: list[Slice], cuts: Cuts, loss: bool = True) -> CoreMemory:
    """Return what the slices on one core need together; the log memory is one space per core. loss: see `load_of`."""
    loads = [load_of(plan, s.population, s.lo, s.hi, cuts, loss) for s in held]
    bits: Counter = Counter()
    for load in loads:
        bits.update(load.bits)
    if "logs" in bits:
        bits["logs"] = loads[0].bits["logs"]
    limits = limits_of(plan, loads, dict(bits), held) if plan.chip else {}
    names = tuple(dict.fromkeys(plan.network.population[s.population].name for s in held))
    return CoreMemory(core, names, sum(s.size for s in held), dict(bits), limits)


def limits_of(plan: Plan, loads: list[Load], bits: dict[str, int], held: list[Slice]) -> dict[str, tuple[int, int]]:
    """Return {limit name: (need, limit)} of one core."""
    need = {
        "compartments_per_core": sum(load.compartments for load in loads),
        "axons_in_per_core": sum(load.axons_in for load in loads),
        "axons_out_per_core": sum(load.axons_out for load in loads),
        "synapse_words_per_core": sum(load.synapse_words for load in loads),
        "sram_bits_per_core": sum(n for kind, n in bits.items() if kind not in LEARNING_KINDS),
    }
    limits = {name: (value, plan.chip.limit(name)) for name, value in need.items()}
    if plan.learning:
        limits["learning_bits_per_core"] = (
            sum(n for kind, n in bits.items() if kind in LEARNING_KINDS),
            plan.chip.limit("learning_bits_per_core"),
        )
        if "logs" in bits:
            limits |= learning_widths(plan, held, need["axons_in_per_core"], max(load.longest for load in loads))
    return limits


def learning_widths(plan: Plan, held: list[Slice], axons: int, longest: int) -> dict[str, tuple[int, int]]:
    """Return the widths that a log record and a partial error need, against those of the chip.

    axons: incoming ones of the core; longest: synapses of the longest of their lists.
    """
    network = plan.network
    steps = math.ceil(math.log2(network.steps)) if network.steps > 1 else 0
    neurons = sum(s.size for s in held)
    flags, delta = 7 if any(network.population[s.population].model.resets for s in held) else 6, plan.width("delta", 16)
    flags = max(flags, delta) if network.learning.form == "A" else flags  # ds is written in place of the code
    record = steps + max(math.ceil(math.log2(axons + 1)) + 2, math.ceil(math.log2(neurons + 1)) + flags)
    record = max(record, delta) if step_loss(network.learning) else record
    top = ((1 << (network.learning.weight_bits - 1)) - 1) * (1 << (delta - 1))
    worst = longest * top
    return {
        "log_word_bits": (record, plan.width("log_word", 32)),
        "partial_error_bits": (worst.bit_length() + 1, plan.width("partial_error", 32)),
    }
