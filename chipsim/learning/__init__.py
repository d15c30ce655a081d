"""Learning rules and their axes: one file each and one line here. Importing this package compiles nothing."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple


class Rule(NamedTuple):
    """What must be known of a rule before it is compiled."""

    module: str  # where its kernels are
    needs: tuple[str, ...]  # chip capabilities it cannot do without
    summary: str
    online: bool = False  # learns in forward time (docs/online.md), not by replay


RULES = {
    "ssgd-replay": Rule(
        "chipsim.learning.ssgd",
        ("active-flag", "logs", "graded-errors", "replay"),
        "sparse spiking gradient descent: exact replay of logged events, active neurons only",
    ),
    "ssgd-online": Rule(
        "chipsim.learning.rules.ssgd_online",
        ("active-flag", "graded-errors"),
        "three factors at active neurons: trace, surrogate, error carried down in forward time",
        online=True,
    ),
}
SCORE_BITS = 32  # accumulated class score
EXPONENTIAL_ENTRIES = 256
EXPONENTIAL_BITS = 16


def is_online(name: str) -> bool:
    """Return whether a rule learns in forward time."""
    return name in RULES and RULES[name].online


def rule_object(name: str):
    """Return the rule itself: its fields and hooks (docs/rules.md)."""
    return import_module(RULES[name].module).RULE


def losses_bits(classes: int) -> int:
    """Return the memory in bits of the loss on its core: the exponential table, and score and error of every class."""
    return EXPONENTIAL_ENTRIES * EXPONENTIAL_BITS + classes * (SCORE_BITS + EXPONENTIAL_BITS)
