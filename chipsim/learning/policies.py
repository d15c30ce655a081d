"""Write policies and optimisers by name: what a model may ask for, and the state that each keeps per synapse (docs/semantics.md section 6).

The kernels that carry them out are in learning.writes; the float optimisers in training.optimise.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_SHIFT = 32  # bits of one random word: a larger shift could not be rounded without bias
MASTER_BITS = (16, 24)  # of `master` without a number, and at most


class Policy(NamedTuple):
    """A write policy: code for the kernels, the number that may follow its name, and what it does."""

    code: int
    takes: str  # what NAME:number means; nothing: no number
    title: str


class Optimiser(NamedTuple):
    """An optimiser: code for the kernels (-1: in float only), words of state per synapse, and what it does."""

    code: int
    words: int
    title: str


class Chosen(NamedTuple):
    """A policy as a model asks for it; number: what follows the colon (master: its bits; residue: 0, as wide as an accumulator)."""

    name: str
    code: int
    number: int


POLICIES = {
    "stochastic": Policy(0, "", "dw = (acc + r) >> S, r uniform in [0, 2^S): unbiased"),
    "nearest": Policy(1, "", "dw = acc / 2^S rounded: less than half a weight LSB is lost"),
    "one-lsb": Policy(2, "", "dw = sign(acc) with probability min(1, |acc| 2^-S)"),
    "sign": Policy(3, "", "dw = sign(acc / 2^S rounded)"),
    "residue": Policy(4, "bits of the residue", "e += acc; dw = e >> S; what is left stays in e for the next sample"),
    "master": Policy(5, "bits of the master weight", "a finer weight accumulates; the forward pass uses its rounded top bits"),
}
OPTIMISERS = {
    "sgd": Optimiser(0, 0, "W -= rate g"),
    "sign": Optimiser(1, 0, "W -= rate sign(g)"),
    "momentum": Optimiser(2, 1, "v = momentum v + g; W -= rate v"),
    "adam": Optimiser(-1, 2, "Kingma & Ba 2015; a square root and a division for every synapse"),
}


def parse_policy(text: str) -> Chosen:
    """Return the policy that `learning.write` names.

    Raises:
        ValueError: there is no such policy, or its number is out of range.
    """
    name, colon, number = text.partition(":")
    if name not in POLICIES:
        raise ValueError(f"it must be one of {', '.join(POLICIES)}; residue:BITS and master:BITS set the width of their state")
    policy = POLICIES[name]
    if colon and not policy.takes:
        raise ValueError(f"{name} takes no number")
    low, high = (1, MOST_SHIFT) if name == "residue" else (3, MASTER_BITS[1])
    if colon and not (number.isascii() and number.isdigit() and low <= int(number) <= high):
        raise ValueError(f"{policy.takes} must be a whole number from {low} to {high}")
    return Chosen(name, policy.code, int(number) if colon else MASTER_BITS[0] if name == "master" else 0)


def policy_of(learning) -> Chosen:
    """Return the write policy of a description of learning: its own, else that of its rule, else stochastic."""
    from chipsim.errors import ConfigError
    from chipsim.learning import rule_object

    if learning.write:
        return parse_policy(learning.write)
    try:
        rule = rule_object(learning.rule)
    except ConfigError:  # there is no such rule: said where it is looked up
        rule = None
    return parse_policy(getattr(rule, "write", None) or "stochastic")


def policy_bits(learning, accumulator: int) -> int:
    """Return the bits that the write policy keeps per synapse; accumulator: bits of a gradient accumulator."""
    chosen = policy_of(learning)
    return {"residue": chosen.number or accumulator, "master": chosen.number - learning.weight_bits}.get(chosen.name, 0)


def state_bits(learning, optimiser: str, accumulator: int) -> int:
    """Return the bits that write policy and optimiser keep per synapse; accumulator: bits of a gradient accumulator."""
    return policy_bits(learning, accumulator) + max(0, OPTIMISERS[optimiser].words * accumulator)


def most_shift(learning, optimiser: str, accumulator: int) -> int:
    """Return the largest shift S of a write: the bits of a random word or of the residue; where +-1 would be rounded away, none."""
    chosen, bits = policy_of(learning), policy_bits(learning, accumulator)
    if chosen.name == "residue":
        return min(MOST_SHIFT, bits)
    if optimiser == "sign" and chosen.name in ("nearest", "sign", "master"):
        return bits
    return MOST_SHIFT
