"""What placement and memory work on: the network's synapses and widths, with nothing drawn that is not needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from chipsim.compiler.lists import Lists, Widths, digits, lists, reach
from chipsim.compiler.stored import MANTISSA_BITS
from chipsim.compiler.synapses import Synapses, synapses_of
from chipsim.hardware import Chip
from chipsim.learning import is_online
from chipsim.learning.policies import state_bits
from chipsim.network import Network


class Slice(NamedTuple):
    """Neurons lo .. hi - 1 of population number `population`, on core `core` (`HOST`: outside the mesh)."""

    population: int
    core: int
    lo: int
    hi: int

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.hi - self.lo


@dataclass(frozen=True)
class Plan:
    """A network and a chip (or none: Loihi's widths, no limits) about to be placed; `learning`: the rule's memory is laid out too."""

    network: Network
    chip: Chip | None
    learning: bool

    @cached_property
    def synapses(self) -> tuple[Synapses, ...]:
        """Synapses of every projection."""
        return tuple(synapses_of(self.network, k) for k in range(len(self.network.projection)))

    def width(self, name: str, default: int) -> int:
        """Return a width of the chip in bits; `default` where the chip states none."""
        return self.chip.width(name) if self.chip and name in self.chip.widths else default

    @property
    def write_state(self) -> int:
        """Bits per synapse that the write policy and the optimiser of `schedule.fixed` keep from sample to sample."""
        schedule = self.network.schedule.get("fixed")
        return state_bits(
            self.network.learning, schedule.optimiser if schedule else "sgd", self.width("gradient_accumulator", 24)
        )

    @property
    def multicast(self) -> bool:
        """Whether one packet of a spike reaches all its cores."""
        return self.chip is not None and self.chip.axons == "multicast"

    def into(self, p: int) -> list[int]:
        """Return the projections that lead to population p."""
        return [k for k, (_, post) in enumerate(self.network.ends) if post == p]

    def out_of(self, p: int) -> list[int]:
        """Return the projections that start at population p."""
        return [k for k, (pre, _) in enumerate(self.network.ends) if pre == p]

    def ring(self, p: int) -> int:
        """Return how many deltas of later steps replay needs beside the current one: the largest delay onto population p."""
        late = max((self.synapses[k].depth - 1 for k in self.into(p)), default=0)
        return max(0, late) if self.learning and not is_online(self.network.learning.rule) else 0

    def weight_bits(self, k: int) -> int:
        """Return the stored bits of a weight of projection k."""
        projection = self.network.projection[k]
        return (projection.weight_bits or MANTISSA_BITS) if projection.mantissa else self.network.learning.weight_bits

    @cached_property
    def transposed(self) -> tuple[Synapses, ...]:
        """Synapses of every projection from its targets back."""
        return tuple(s.transposed() for s in self.synapses)

    def lists(self, k: int, lo: int, hi: int, back: bool = False) -> Lists:
        """Return the synapse lists of projection k onto neurons lo .. hi - 1 of its postsynaptic population.

        back: those of the transposed copy, by postsynaptic neuron, onto neurons lo .. hi - 1 of its presynaptic population.
        """
        kind, synapses = self.network.projection[k].kind, (self.transposed if back else self.synapses)[k]
        return lists(kind, synapses, lo, hi, self.widths(k))

    def reach(self, k: int, cuts: list[tuple[int, int]]) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield what compiler.lists.reach does, of projection k."""
        return reach(self.network.projection[k].kind, self.synapses[k], cuts, self.widths(k))

    def widths(self, k: int) -> Widths:
        """Return the widths of the synapse lists of projection k."""
        delay, depth = self.width("synapse_delay", 0), self.synapses[k].depth
        if depth:
            delay = max(delay, int(digits(depth - 1)))
        word, header = self.width("synapse_word", 64), self.width("synapse_list_header", 10)
        return Widths(word, header, self.weight_bits(k), delay, self.width("synapse_tag", 0))


def cut(size: int, parts: int) -> list[tuple[int, int]]:
    """Cut `size` neurons into parts as equal as possible, the larger ones first."""
    found, at = [], 0
    for n in range(parts):
        end = at + size // parts + (n < size % parts)
        found.append((at, end))
        at = end
    return found
