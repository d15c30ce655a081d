"""Learning rules and their axes: one file each and one line in `RULES`. Importing this package compiles nothing.

A rule is a language.Rule (fields and hooks, run in forward time) or a replayed.Replayed (kernels that walk the logs in reverse). It is
known by its name here, or as FILE.py:CLASS.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from chipsim.errors import Problem

if TYPE_CHECKING:
    from chipsim.learning.language import Rule
    from chipsim.learning.replayed import Replayed

RULES = {  # name -> module with the object RULE
    "ssgd-replay": "chipsim.learning.rules.ssgd_replay",
    "bptt": "chipsim.learning.rules.bptt",
    "ssgd-online": "chipsim.learning.rules.ssgd_online",
    "ssgd-deferred": "chipsim.learning.rules.ssgd_deferred",
    "ottt": "chipsim.learning.rules.ottt",
    "sltt": "chipsim.learning.rules.sltt",
    "eprop": "chipsim.learning.rules.eprop",
    "etlp": "chipsim.learning.rules.etlp",
    "drtp": "chipsim.learning.rules.drtp",
    "decolle": "chipsim.learning.rules.decolle",
    "reckon": "chipsim.learning.rules.reckon",
    "delta": "chipsim.learning.rules.delta",
    "stdp": "chipsim.learning.rules.stdp",
    "stdp-triplet": "chipsim.learning.rules.stdp_triplet",
    "rstdp": "chipsim.learning.rules.rstdp",
    "sdsp": "chipsim.learning.rules.sdsp",
}
SCORE_BITS = 32  # accumulated class score
EXPONENTIAL_ENTRIES = 256
EXPONENTIAL_BITS = 16
own: dict[str, Rule] = {}  # rules made in Python, not in a file


def rule_object(name: str) -> Rule | Replayed:
    """Return a rule by its name, or from FILE.py:CLASS.

    Raises:
        ConfigError: there is no such rule, or its file cannot be read.
    """
    if name in RULES:
        return shipped(name)
    from chipsim.errors import ConfigError
    from chipsim.learning.language.load import load_rule

    if name in own:
        return own[name]
    if ".py:" in name:
        return load_rule(name)
    raise ConfigError(unknown("rule", name))


@cache
def shipped(name: str) -> Rule | Replayed:
    """Return a shipped rule; asked for in every sample."""
    return import_module(RULES[name]).RULE


def rule_of(learning) -> Rule | Replayed:
    """Return the rule that a description of learning names, with the signal and alignment that it sets.

    Raises:
        ConfigError: there is no such rule, or it has no signal to exchange.
    """
    from dataclasses import replace

    from chipsim.errors import raise_all

    rule = rule_object(learning.rule)
    changes = {key: value for key, value in (("source", learning.signal), ("align", learning.align)) if value is not None}
    if not changes:
        return rule
    if not hasattr(rule, "fields"):  # replayed: it has no signal; network.trainable says so
        return rule
    name = next((n for n, f in rule.fields.items() if f is rule.learn), None)
    if not any(name in hook.arguments for hook in rule.hooks if hook.event != "on_readout"):
        limit = f"rule {learning.rule!r} has no learning signal for hidden neurons that could be exchanged"
        raise_all(
            [Problem("run", f"learning.{'signal' if key == 'source' else key}", value, limit) for key, value in changes.items()]
        )
    if "deferred" in (learning.signal, rule.learn.source) and learning.signal not in (None, rule.learn.source):
        limit = "deferred errors come after the sample and enter the readout in another way: use rule ssgd-deferred, as it is"
        raise_all([Problem(f'rule "{rule.name}"', "learning.signal", learning.signal, limit)])
    signal = replace(rule.learn, **changes)
    raise_all(signal.problems(f'rule "{rule.name}", field {name}'))
    return replace(rule, fields={**rule.fields, name: signal})


def unknown(key: str, name: object) -> Problem:
    """Return the problem of a rule that does not exist."""
    return Problem("run", key, name, f"known: {', '.join(RULES)}; or a rule of your own, FILE.py:CLASS")


def rule_name(rule: object) -> str:
    """Return the name under which a rule, given by name or as an object, is found.

    Raises:
        ConfigError: it is no rule.
    """
    from chipsim.learning.language import Rule

    if isinstance(rule, Rule):
        if rule.name not in RULES or rule_object(rule.name) is not rule:
            own[rule.path] = rule
            return rule.path
        return rule.name
    name = rule if isinstance(rule, str) else repr(rule)
    rule_object(name)
    return name


def is_online(name: str) -> bool:
    """Return whether a rule learns in forward time."""
    from chipsim.learning.language import Rule

    return isinstance(rule_object(name), Rule)


def step_loss(learning) -> bool:
    """Return whether a rule that is replayed takes the loss of every step in place of that of the class scores."""
    return learning.loss == "step" and not is_online(learning.rule)


def is_dense(name: str) -> bool:
    """Return whether a rule evaluates every hidden neuron in every step (in float numerics only)."""
    return getattr(rule_object(name), "dense", False)


def forms(learning) -> bool:
    """Return whether replay runs in another form than B with gathered errors."""
    return learning.form == "A" or learning.transport == "push"


def losses_bits(classes: int) -> int:
    """Return the memory in bits of the loss on its core: the exponential table, and score and error of every class."""
    return EXPONENTIAL_ENTRIES * EXPONENTIAL_BITS + classes * (SCORE_BITS + EXPONENTIAL_BITS)
