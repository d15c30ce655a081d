"""Which networks the rules train: any populations with an adjoint, and dense and sparse projections, under replay with delays too."""

from __future__ import annotations

from chipsim.errors import ConfigError, Problem
from chipsim.learning import is_dense, rule_of
from chipsim.learning.language import Rule
from chipsim.network.description import Network

KINDS = ("dense", "sparse")


def rule_problems(network: Network) -> list[Problem]:
    """Return every part of `network` that its learning rule cannot train, by name."""
    name = f'network "{network.name}"'
    try:
        online = isinstance(rule_of(network.learning), Rule)
    except ConfigError as error:
        return [p._replace(object=name, key="learning.rule") if p.object == "run" else p for p in error.problems]
    found = population_problems(network)
    for k in range(len(network.projection)):
        found += projection_problems(network, k, online)
    found += online_problems(network) if online else replay_problems(network)
    if found:
        found[0] = found[0]._replace(hint="it can be run forward: cs.simulate, or chipsim check --inference")
    return found


def population_problems(network: Network) -> list[Problem]:
    """Return the populations that the rule cannot train."""
    rule, name, found = network.learning.rule, f'network "{network.name}"', []
    names = [p.name for p in network.population]
    if len(names) < 3 or not network.has_readout:
        text = f"rule {rule!r} needs an input, at least one hidden population and a readout (leaky-readout) as the last one"
        found.append(Problem(name, "population", ", ".join(names), text))
    for n, p in enumerate(network.population[1:], start=1):
        if not p.model.adjoint:
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, f"rule {rule!r} does not train this model"))
        elif p.model.readout and n < len(names) - 1:
            limit = f"rule {rule!r} reads class scores from the last population alone ({names[-1]})"
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, limit))
    return found


def projection_problems(network: Network, k: int, online: bool) -> list[Problem]:
    """Return what of projection k its rule cannot train."""
    rule, name = network.learning.rule, f'network "{network.name}"'
    projection, where, key = network.projection[k], f"projection.{k}", network.names[k]
    found = []
    if projection.kind not in KINDS:
        limit = f"rule {rule!r} trains {' and '.join(KINDS)} projections ({key})"
        limit += ": a kernel is shared, so its gradient would have to be summed between cores, which no rule here does"
        found.append(Problem(name, f"{where}.kind", projection.kind, limit))
    other = [f"learning.{n} = {v!r}" for n, v, usual in forms_of(network.learning) if v != usual]
    if network.delays(k) is not None and online:
        limit = f"rule {rule!r} trains projections without delays ({key}): to it a spike acts in the next step"
        found.append(Problem(name, f"{where}.delay", "delays", limit))
    elif network.delays(k) is not None and other:
        limit = f"{' and '.join(other)} trains projections without delays ({key})"
        found.append(Problem(name, f"{where}.delay", "delays", limit, "form B with gathered errors trains them"))
    if projection.mantissa:
        found.append(Problem(name, f"{where}.units", "mantissa", f"rule {rule!r} trains weights in thresholds ({key})"))
    return found


def replay_problems(network: Network) -> list[Problem]:
    """Return the options that only online rules follow."""
    rule, name = network.learning, f'network "{network.name}"'
    limit = f"rule {rule.rule!r} replays the exact error of the whole sample; this is an option of online rules"
    given = {"signal": rule.signal, "align": rule.align, "error_threshold": rule.error_threshold or None}
    found = [Problem(name, f"learning.{key}", value, limit) for key, value in given.items() if value is not None]
    if rule.sharpness is not None and rule.loss != "step":
        limit = "the softmax of the class scores has none; it belongs to a loss per step"
        found.append(Problem(name, "learning.sharpness", rule.sharpness, limit, "learning.loss = 'step'"))
    return found + (dense_problems(network) if is_dense(rule.rule) else form_problems(network))


def dense_problems(network: Network) -> list[Problem]:
    """Return the options that a rule without a band does not follow."""
    rule, name = network.learning, f'network "{network.name}"'
    reasons = {
        "scan": ("clocked", "evaluates every neuron in every step: there is nothing to scan for"),
        "form": ("B", "is the reference of the others, in form B with gathered errors"),
        "transport": ("gather", "is the reference of the others, in form B with gathered errors"),
        "apply": ("after", "accumulates over the sample; writes in place are an option of ssgd-replay"),
    }
    return [
        Problem(name, f"learning.{key}", getattr(rule, key), f"rule {rule.rule!r} {reason}", f"learning.{key} = {usual!r}")
        for key, (usual, reason) in reasons.items()
        if getattr(rule, key) != usual
    ]


def forms_of(learning) -> tuple[tuple[str, str, str], ...]:
    """Return key, value and default of form and transport."""
    return ("form", learning.form, "B"), ("transport", learning.transport, "gather")


def form_problems(network: Network) -> list[Problem]:
    """Return what form A and pushed errors cannot train."""
    rule, name, found = network.learning, f'network "{network.name}"', []
    reasons = {
        "form": ("A", "each reset cuts the presynaptic trace, which would have to be a state of every synapse"),
        "transport": ("push", "its error decays in two variables and each reset cuts it, so that sums of it do not decay alike"),
    }
    for key, (other, reason) in reasons.items():
        if getattr(rule, key) != other:
            continue
        for p in network.population[1:]:
            if p.model.resets:
                limit = f"population {p.name} is {p.neuron}: {reason}"
                found.append(Problem(name, f"learning.{key}", other, limit))
        if rule.apply == "inplace":
            limit = "writes in place are those of form B with gathered errors"
            found.append(Problem(name, f"learning.{key}", other, limit, "learning.apply = 'after'"))
    return found


def online_problems(network: Network) -> list[Problem]:
    """Return the options that need the whole sample, which an online rule does not wait for."""
    rule, name, found = network.learning.rule, f'network "{network.name}"', []
    if rule_of(network.learning).deferred:
        if network.learning.loss == "step":
            limit = f"rule {rule!r} waits for the class scores: its loss is theirs"
            found.append(Problem(name, "learning.loss", "step", limit))
        if network.learning.sharpness is not None:
            limit = "the softmax of the class scores has none; it belongs to a loss per step"
            found.append(Problem(name, "learning.sharpness", network.learning.sharpness, limit))
    elif network.learning.loss == "score":
        limit = f"rule {rule!r} learns in every step of the sample: its loss is that of each step; class scores are known after the last"
        found.append(Problem(name, "learning.loss", "score", limit))
    if is_dense(rule) and network.learning.scan != "clocked":
        limit = f"rule {rule!r} evaluates every neuron in every step: there is nothing to scan for"
        found.append(Problem(name, "learning.scan", network.learning.scan, limit, "learning.scan = 'clocked'"))
    for key, given, usual in forms_of(network.learning):
        if given != usual:
            limit = f"rule {rule!r} learns in forward time: forms and transports are options of replay"
            found.append(Problem(name, f"learning.{key}", given, limit))
    if network.learning.apply == "inplace":
        limit = f"rule {rule!r} accumulates over the sample; writes in place are an option of ssgd-replay"
        found.append(Problem(name, "learning.apply", "inplace", limit))
    if network.learning.regularisers is not None:
        limit = f"rule {rule!r} learns while the sample runs: the spike counts that regularisers need are known after it"
        found.append(Problem(name, "learning.regularisers", "given", limit))
    return found
