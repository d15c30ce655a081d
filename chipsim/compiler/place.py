"""Placement: populations to cores, in order, each on cores of its own, in the fewest slices that keep every limit."""

from __future__ import annotations

from typing import NamedTuple

from chipsim.compiler.memory import Layout, broken
from chipsim.counters import HOST
from chipsim.errors import CapacityError, Problem, raise_all
from chipsim.hardware import Chip
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


def place(network: Network, chip: Chip | None, layout: Layout) -> list[Slice]:
    """Return the slices of all populations, in population order; without a chip one core per population.

    Raises:
        CapacityError: a population fits no number of cores, or the chip has too few cores; all problems at once.
    """
    parts = [1] * len(network.populations)
    problems: list[Problem] = []
    if chip is not None:
        for p in range(len(parts) - 1, 0, -1):  # from the readout back: axons out depend on the cores of the next population
            receivers = parts[p + 1] if p + 1 < len(parts) else 0
            parts[p] = fewest_parts(network, chip, layout, p, receivers, problems)
        used = sum(parts[1:])
        if not problems and used > chip.mesh.cores:
            split = ", ".join(f"{q.name} {n}" for q, n in zip(network.populations[1:], parts[1:], strict=True))
            limit = f'chip "{chip.name}" has {chip.mesh.cores} cores (needed: {split})'
            hint = "make the populations smaller or choose a larger chip"
            problems.append(Problem(f'network "{network.name}"', "cores", used, limit, hint))
    raise_all(problems, CapacityError)
    return cut(network, parts)


def fewest_parts(network: Network, chip: Chip, layout: Layout, p: int, receivers: int, problems: list[Problem]) -> int:
    """Return the smallest number of equal slices of population p that breaks no limit; record the problems if there is none."""
    size = network.populations[p].size
    most = min(size, chip.mesh.cores)
    found: list[Problem] = []
    for parts in range(1, most + 1):
        found = broken(network, chip, layout, p, -(-size // parts), receivers)
        if not found:
            return parts
    problems += found
    return most


def cut(network: Network, parts: list[int]) -> list[Slice]:
    """Cut population p into parts[p] slices as equal as possible, on ascending cores; the input stays at the host."""
    slices = [Slice(0, HOST, 0, network.populations[0].size)]
    core = 0
    for p in range(1, len(parts)):
        size, at = network.populations[p].size, 0
        for n in range(parts[p]):
            end = at + size // parts[p] + (n < size % parts[p])
            slices.append(Slice(p, core, at, end))
            core, at = core + 1, end
    return slices
