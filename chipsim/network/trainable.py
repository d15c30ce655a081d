"""Which networks the shipped rules train: chains of dense projections without delays, from input to readout."""

from __future__ import annotations

from chipsim.errors import Problem
from chipsim.network.description import Network


def rule_problems(network: Network) -> list[Problem]:
    """Return every part of `network` that its learning rule cannot train, by name."""
    rule, name = network.learning.rule, f'network "{network.name}"'
    found = []
    names = [p.name for p in network.population]
    if len(names) < 3 or not network.has_readout:
        text = f"rule {rule!r} needs an input, at least one hidden population and a readout (leaky-readout) as the last one"
        found.append(Problem(name, "population", ", ".join(names), text))
    for p in network.population[1:]:
        if rule not in p.model.rules:
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, f"rule {rule!r} does not train this model"))
    for k, projection in enumerate(network.projection):
        where, key = f"projection.{k}", network.names[k]
        if projection.kind != "dense":
            found.append(Problem(name, f"{where}.kind", projection.kind, f"rule {rule!r} trains dense projections ({key})"))
        if network.delays(k) is not None:
            found.append(Problem(name, f"{where}.delay", "delays", f"rule {rule!r} trains projections without delays ({key})"))
        if projection.mantissa:
            found.append(Problem(name, f"{where}.units", "mantissa", f"rule {rule!r} trains weights in thresholds ({key})"))
    if [(p.pre, p.post) for p in network.projection] != list(zip(names, names[1:], strict=False)):
        given = ", ".join(f"{p.pre} -> {p.post}" for p in network.projection)
        found.append(
            Problem(name, "projection", given, f"rule {rule!r} trains chains: each population projects to the next, in order")
        )
    if found:
        found[0] = found[0]._replace(hint="it can be run forward: cs.simulate, or chipsim check --inference")
    return found
