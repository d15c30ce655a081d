"""What a chip must be able to do for a network: refused by name before anything is placed."""

from __future__ import annotations

from chipsim.errors import CapacityError, ConfigError, Problem, raise_all
from chipsim.hardware import Chip
from chipsim.learning import is_dense, is_online, rule_of
from chipsim.network import Network, rule_problems


def require(network: Network, chip: Chip | None, learn: bool) -> None:
    """Refuse what the chip cannot do.

    Raises:
        ConfigError: the rule does not train such a network, or its active test cannot be made this way.
        CapacityError: the chip lacks a capability, or a neuron model needs another kind of decay.
    """
    raise_all(weightless_problems(network))
    if learn:
        raise_all(rule_problems(network))
        raise_all(scan_problems(network, chip))
    if chip is None:
        return
    found = lazy_problems(network, chip)
    if learn:
        rule = network.learning.rule
        missing = chip.missing(rule_of(network.learning).needs)
        if missing:
            limit = f"it must offer {', '.join(missing)}, which rule {rule!r} needs"
            hint = "use a chip with a learning extension (loihi1-ssgd), or --what-if to add the assumed one"
            found.append(Problem(f'chip "{chip.name}"', "capabilities", ", ".join(chip.capabilities) or "none", limit, hint))
    raise_all(found, CapacityError)


def numerics_problems(network: Network, numerics: str) -> list[Problem]:
    """Return why the rule does not run in these numerics."""
    rule, found = network.learning.rule, []
    try:
        unit = rule_of(network.learning).unit
    except ConfigError:  # there is no such rule: said where the network is checked against it
        return []
    if numerics == "fixed" and is_dense(rule):
        limit = f"rule {rule!r} is a dense float reference: its surrogate has no band that a table of fixed point could cover"
        other = "ssgd-online" if is_online(rule) else "ssgd-replay"
        found.append(Problem("run", "numerics", numerics, limit, f"float numerics, or rule {other}"))
    if numerics != "fixed" and unit == "lsb":
        limit = f"rule {rule!r} counts in steps of the stored weight, which float numerics do not have"
        found.append(Problem("run", "numerics", numerics, limit, "fixed numerics"))
    return found


def weightless_problems(network: Network) -> list[Problem]:
    """Return the projections of which nobody says where their synapses are, or which mantissas they hold."""
    if network.explicit:
        return []
    name, found = f'network "{network.name}"', []
    for k, p in enumerate(network.projection):
        if p.kind == "sparse" and p.density is None:
            limit = "a sparse projection needs a density, or explicit weights whose non-zero entries are its synapses"
            found.append(Problem(name, f"projection.{k}.density", "(nothing)", limit))
        if p.mantissa and p.init != "integers":
            limit = "mantissas are drawn with init = 'integers' (low, high), or given with `with_weights`"
            found.append(Problem(name, f"projection.{k}.init", p.init, limit))
    return found


def lazy_problems(network: Network, chip: Chip) -> list[Problem]:
    """Return the populations that cannot run on a chip whose compartments are updated only on demand."""
    if chip.arithmetic.decay != "lazy":
        return []
    limit = f'chip "{chip.name}" decays lazily (arithmetic.decay), which this model cannot: its state moves without input'
    return [
        Problem(f'network "{network.name}"', f"population.{p.name}.neuron", p.neuron, limit)
        for p in network.population[1:]
        if not (p.model.lazy or p.model.stepped)
    ]


def scan_problems(network: Network, chip: Chip | None) -> list[Problem]:
    """Return why the active test cannot be made as `learning.scan` says."""
    name, rule = f'network "{network.name}"', network.learning
    lazy = chip is not None and chip.arithmetic.decay == "lazy"
    found = []
    if lazy and rule.scan == "clocked":
        limit = f'chip "{chip.name}" visits a compartment only when something arrives (arithmetic.decay = lazy)'
        random = chip.arithmetic.rounding == "stochastic"
        found.append(Problem(name, "learning.scan", rule.scan, limit, "use touched" if random else "use touched or analytic"))
    if rule.scan == "analytic" and rule.half_width >= 1:
        limit = "with scan = analytic it must be below 1: a wider band is entered without input, which only clocked sees"
        found.append(Problem(name, "learning.half_width", rule.half_width, limit))
    for p in network.population[1:]:
        if rule.scan == "analytic" and p.model.spikes and not p.model.decays_alone:
            limit = (
                f"population {p.name} is {p.neuron}: only V that decays toward zero stays in the band for a time known beforehand"
            )
            found.append(Problem(name, "learning.scan", rule.scan, limit, "use clocked or touched"))
    if rule.scan == "analytic" and chip is not None and chip.arithmetic.rounding == "stochastic":
        limit = f'chip "{chip.name}" rounds decays stochastically: how long V stays in the band is not known beforehand'
        found.append(Problem(name, "learning.scan", rule.scan, limit, "use touched" if lazy else "use clocked or touched"))
    return found
