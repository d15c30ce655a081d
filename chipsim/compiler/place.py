"""Placement: populations to cores.

in-order: populations one after the other on ascending cores, each on cores of its own, in the fewest slices that keep every limit.
min-traffic: the same slices, on cores that make the hops of all axons few (compiler.traffic).
manual: the cores each population is given, cut equally over them; populations may share a core.
"""

from __future__ import annotations

import numpy as np

from chipsim.compiler.memory import CoreMemory, Cuts, core_memory
from chipsim.compiler.plan import Plan, Slice, cut
from chipsim.compiler.traffic import minimise
from chipsim.counters import HOST
from chipsim.errors import CapacityError, Problem, raise_all

HINT = "make the population or its fan-in smaller, or choose a larger chip"


def place(plan: Plan) -> list[Slice]:
    """Return the slices of all populations, in population order; without a chip one core per population.

    Raises:
        CapacityError: a population fits no number of cores, the chip has too few cores, or a limit is broken; all problems at once.
    """
    network, placement = plan.network, plan.network.placement
    if plan.chip is None:
        return laid_out(plan, {p: [(0, q.size)] for p, q in enumerate(network.population)})
    if placement.strategy == "manual":
        return by_hand(plan)
    slices = laid_out(plan, fewest(plan))
    return with_little_traffic(plan, slices) if placement.strategy == "min-traffic" else slices


def laid_out(plan: Plan, cuts: Cuts) -> list[Slice]:
    """Return the slices on ascending cores; the input stays at the host."""
    found = [Slice(0, HOST, 0, plan.network.population[0].size)]
    for p in range(1, len(plan.network.population)):
        found += [Slice(p, len(found) - 1 + n, lo, hi) for n, (lo, hi) in enumerate(cuts[p])]
    return found


def fewest(plan: Plan) -> Cuts:
    """Return the smallest number of equal slices of every population that breaks no limit.

    From the last population back, since outgoing axons depend on the slices they lead to; again while something changes, since
    populations may lead back.
    """
    network = plan.network
    parts = dict.fromkeys(range(len(network.population)), 1)
    problems: list[Problem] = []
    reasons: dict[int, str] = {}
    failed: dict[int, bool] = {}
    while True:
        before = dict(parts)
        for p in range(len(parts) - 1, 0, -1):
            parts[p], found, reason = enough_parts(plan, p, parts)
            problems, reasons[p], failed[p] = problems + found, reason or reasons.get(p, ""), bool(found)
        if problems or parts == before:
            break
    used = sum(parts[p] for p in range(1, len(parts)))
    if not problems and used > plan.chip.mesh.cores:
        split = ", ".join(f"{q.name} {parts[p]}{reasons[p]}" for p, q in enumerate(network.population) if p)
        limit = f'chip "{plan.chip.name}" has {plan.chip.mesh.cores} cores (needed: {split})'
        hint = "make the populations smaller, choose a larger chip, or let some share a core (placement.strategy = 'manual')"
        problems.append(Problem(f'network "{network.name}"', "cores", used, limit, hint))
    if problems:  # told again with the cores that all populations would take
        problems = [
            problem for p in range(1, len(parts)) if failed[p] for problem in broken_by(plan, p, parts, parts[p])
        ] or problems
    raise_all(problems, CapacityError)
    return cuts_of(plan, parts)


def cuts_of(plan: Plan, parts: dict[int, int]) -> Cuts:
    """Return every population cut into its number of parts."""
    return {p: cut(q.size, parts[p]) for p, q in enumerate(plan.network.population)}


def enough_parts(plan: Plan, p: int, parts: dict[int, int]) -> tuple[int, list[Problem], str]:
    """Return the smallest number of slices of population p that breaks no limit, the problems if there is none, and why not fewer.

    Found by bisection: more slices need less each.
    """
    population = plan.network.population[p]
    most = min(population.size, plan.chip.mesh.cores)
    low, high, reason = parts[p] - 1, most, ""
    found = broken_by(plan, p, parts, most)
    if found:
        return most, found, ""
    while high - low > 1:  # high breaks no limit, low breaks one (or is less than is asked for)
        middle = (low + high) // 2
        problems = broken_by(plan, p, parts, middle)
        if problems:
            low, reason = middle, f" because of {', '.join(problem.key for problem in problems)}"
        else:
            high = middle
    return high, [], reason


def broken_by(plan: Plan, p: int, parts: dict[int, int], n: int) -> list[Problem]:
    """Return the limits that population p breaks in n slices."""
    population, cuts = plan.network.population[p], cuts_of(plan, {**parts, p: n})
    first = sum(parts[q] for q in range(1, p))  # populations in order, each on cores of its own
    cores = [
        core_memory(plan, first + i, [Slice(p, first + i, lo, hi)], cuts) for i, (lo, hi) in enumerate(distinct(plan, p, cuts[p]))
    ]
    where = f"with {{n}} neurons on core {{core}}, cut into {n}" if n > 1 else "with {n} neurons on core {core}"
    return worst(plan, cores, f'population "{population.name}" ({population.size} neurons)', where)


def distinct(plan: Plan, p: int, slices: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the slices that can differ in their needs: only the first, a largest one, if all projections are dense."""
    around = [*plan.into(p), *plan.out_of(p)]
    return slices if any(plan.synapses[k].listed for k in around) else slices[:1]


def worst(plan: Plan, cores: list[CoreMemory], name: str, where: str) -> list[Problem]:
    """Return a problem for every limit that some of the cores break, with the largest need."""
    found: dict[str, tuple[int, Problem]] = {}
    for core in cores:
        for limit, (need, most) in core.limits.items():
            if need > most and need > found.get(limit, (0,))[0]:
                place_ = where.format(n=core.neurons, core=core.core)
                text = f'core limit {most} of chip "{plan.chip.name}" is broken {place_}'
                found[limit] = need, Problem(name, limit, need, text, HINT)
    return [problem for _, problem in found.values()]


def by_hand(plan: Plan) -> list[Slice]:
    """Return the slices on the cores the network names.

    Raises:
        CapacityError: a core does not exist, or holds more than it can; names core, limit and need.
    """
    network, mesh = plan.network, plan.chip.mesh
    found, problems = [Slice(0, HOST, 0, network.population[0].size)], []
    for p, population in enumerate(network.population[1:], start=1):
        cores = network.placement.cores[population.name]
        for core in [c for c in cores if c >= mesh.cores]:
            limit = f'chip "{plan.chip.name}" has cores 0 to {mesh.cores - 1}'
            problems.append(Problem(f'network "{network.name}"', f"placement.cores.{population.name}", core, limit))
        found += [Slice(p, core, lo, hi) for core, (lo, hi) in zip(cores, cut(population.size, len(cores)), strict=True)]
    raise_all(problems, CapacityError)
    for memory in memories(plan, found):
        problems += worst(
            plan, [memory], f"core {memory.core} ({', '.join(memory.populations)})", "with {n} neurons on core {core}"
        )
    raise_all(problems, CapacityError)
    return found


def memories(plan: Plan, slices: list[Slice]) -> tuple[CoreMemory, ...]:
    """Return what every core in use holds, by ascending core."""
    cuts: Cuts = {}
    for s in slices:
        cuts.setdefault(s.population, []).append((s.lo, s.hi))
    cores = sorted({s.core for s in slices} - {HOST})
    first = min(s.core for s in slices if s.population == slices[-1].population)  # of the readout: evaluates the loss
    return tuple(core_memory(plan, core, [s for s in slices if s.core == core], cuts, core == first) for core in cores)


def with_little_traffic(plan: Plan, slices: list[Slice]) -> list[Slice]:
    """Return the slices moved to cores that make the hops of their axons few, every axon taken to be as busy as any other."""
    traffic = np.zeros((len(slices), len(slices)), dtype=np.int64)
    for k, (pre, post) in enumerate(plan.network.ends):
        for b, target in enumerate(slices):
            if target.population == post:
                joined = plan.lists(k, target.lo, target.hi).synapses > 0
                for a, source in enumerate(slices):
                    if source.population == pre:
                        traffic[a, b] += joined[source.lo : source.hi].sum()
    start = [s.core for s in slices]
    cores = minimise(traffic, plan.chip.mesh, list(range(plan.chip.mesh.cores)), start, pinned=(0,))
    return [s._replace(core=int(core)) for s, core in zip(slices, cores, strict=True)]
