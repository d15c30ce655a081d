"""Learning rules and their axes: one file each and one line here. Importing this package compiles nothing."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """What must be known of a rule before it is compiled."""

    module: str  # where its kernels are
    needs: tuple[str, ...]  # chip capabilities it cannot do without
    summary: str


RULES = {
    "ssgd-replay": Rule(
        "chipsim.simulator.replay",
        ("active-flag", "logs", "graded-errors", "replay"),
        "sparse spiking gradient descent: exact replay of logged events, active neurons only",
    ),
}
SCORE_BITS = 32  # accumulated class score
EXPONENTIAL_ENTRIES = 256
EXPONENTIAL_BITS = 16


def losses_bits(classes: int) -> int:
    """Return the memory in bits of the loss on its core: the exponential table, and score and error of every class."""
    return EXPONENTIAL_ENTRIES * EXPONENTIAL_BITS + classes * (SCORE_BITS + EXPONENTIAL_BITS)
