"""Which networks gradient rules train: any populations whose model has an adjoint, any projections between them without delays."""

from __future__ import annotations

from chipsim.errors import Problem
from chipsim.network.description import Network


def rule_problems(network: Network) -> list[Problem]:
    """Return every part of `network` that its learning rule cannot train, by name."""
    rule, name = network.learning.rule, f'network "{network.name}"'
    names = [p.name for p in network.population]
    found = []
    if len(names) < 3 or not network.has_readout:
        text = f"rule {rule!r} needs an input, at least one hidden population and a readout (leaky-readout) as the last one"
        found.append(Problem(name, "population", ", ".join(names), text))
    for n, p in enumerate(network.population[1:], start=1):
        if not p.model.adjoint:
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, f"rule {rule!r} does not train this model"))
        elif p.model.readout and n < len(names) - 1:
            limit = f"rule {rule!r} reads class scores from the last population alone ({names[-1]})"
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, limit))
    for k in range(len(network.projection)):
        found += projection_problems(network, k)
    if found:
        found[0] = found[0]._replace(hint="it can be run forward: cs.simulate, or chipsim check --inference")
    return found


def projection_problems(network: Network, k: int) -> list[Problem]:
    """Return what of projection k its rule cannot train."""
    rule, name = network.learning.rule, f'network "{network.name}"'
    projection, where, key = network.projection[k], f"projection.{k}", network.names[k]
    found = []
    if projection.kind == "conv":
        limit = f"rule {rule!r} trains dense and sparse projections ({key})"
        found.append(Problem(name, f"{where}.kind", projection.kind, limit))
    if network.delays(k) is not None:
        found.append(Problem(name, f"{where}.delay", "delays", f"rule {rule!r} trains projections without delays ({key})"))
    if projection.mantissa:
        found.append(Problem(name, f"{where}.units", "mantissa", f"rule {rule!r} trains weights in thresholds ({key})"))
    return found
