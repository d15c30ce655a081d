"""Which networks the rules train: replay chains of dense projections, online rules any dense network; both end in a readout."""

from __future__ import annotations

from chipsim.errors import ConfigError, Problem
from chipsim.learning import rule_of
from chipsim.learning.language import Rule
from chipsim.network.description import Network


def rule_problems(network: Network) -> list[Problem]:
    """Return every part of `network` that its learning rule cannot train, by name."""
    name = f'network "{network.name}"'
    try:
        online = isinstance(rule_of(network.learning), Rule)
    except ConfigError as error:
        return [p._replace(object=name, key="learning.rule") if p.object == "run" else p for p in error.problems]
    found = population_problems(network) + projection_problems(network)
    found += online_problems(network) if online else chain_problems(network) + replay_problems(network)
    if found:
        found[0] = found[0]._replace(hint="it can be run forward: cs.simulate, or chipsim check --inference")
    return found


def population_problems(network: Network) -> list[Problem]:
    """Return the populations that no gradient reaches or that the rule cannot train."""
    rule, name, found = network.learning.rule, f'network "{network.name}"', []
    names = [p.name for p in network.population]
    if len(names) < 3 or not network.has_readout:
        text = f"rule {rule!r} needs an input, at least one hidden population and a readout (leaky-readout) as the last one"
        found.append(Problem(name, "population", ", ".join(names), text))
    for p in network.population[1:]:
        if not p.model.rules:
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, f"rule {rule!r} does not train this model"))
    return found


def projection_problems(network: Network) -> list[Problem]:
    """Return the projections whose weights the rule cannot train."""
    rule, name, found = network.learning.rule, f'network "{network.name}"', []
    for k, projection in enumerate(network.projection):
        where, key = f"projection.{k}", network.names[k]
        if projection.kind != "dense":
            found.append(Problem(name, f"{where}.kind", projection.kind, f"rule {rule!r} trains dense projections ({key})"))
        if network.delays(k) is not None:
            found.append(Problem(name, f"{where}.delay", "delays", f"rule {rule!r} trains projections without delays ({key})"))
        if projection.mantissa:
            found.append(Problem(name, f"{where}.units", "mantissa", f"rule {rule!r} trains weights in thresholds ({key})"))
    return found


def chain_problems(network: Network) -> list[Problem]:
    """Return why a network is no chain."""
    names = [p.name for p in network.population]
    if [(p.pre, p.post) for p in network.projection] == list(zip(names, names[1:], strict=False)):
        return []
    given = ", ".join(f"{p.pre} -> {p.post}" for p in network.projection)
    limit = f"rule {network.learning.rule!r} trains chains: each population projects to the next, in order"
    return [Problem(f'network "{network.name}"', "projection", given, limit)]


def replay_problems(network: Network) -> list[Problem]:
    """Return the options that only online rules follow."""
    rule, name = network.learning, f'network "{network.name}"'
    limit = f"rule {rule.rule!r} replays the exact error of the whole sample; this is an option of online rules"
    given = {
        "signal": rule.signal,
        "align": rule.align,
        "sharpness": rule.sharpness,
        "error_threshold": rule.error_threshold or None,
    }
    return [Problem(name, f"learning.{key}", value, limit) for key, value in given.items() if value is not None]


def online_problems(network: Network) -> list[Problem]:
    """Return the options that an online rule cannot follow."""
    if network.learning.regularisers is None:
        return []
    limit = (
        f"rule {network.learning.rule!r} learns while the sample runs: the spike counts that regularisers need are known after it"
    )
    return [Problem(f'network "{network.name}"', "learning.regularisers", "given", limit)]
