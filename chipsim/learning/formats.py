"""Fraction bits of the gradient accumulators of a rule whose increments are products of its fields (docs/online.md section 2)."""

from __future__ import annotations

from collections.abc import Sequence

HEADROOM = 11  # bits of an accumulator kept above the fraction


def accumulator_fractions(rule, delta_fraction: Sequence[int], post: Sequence[int], bits: int) -> list[int]:
    """Return [K] fraction bits of accumulators of `bits` bits: those of the increments, as far as there is room.

    delta_fraction: [P] fraction bits of the learning signals. post: [K] postsynaptic populations.
    """
    return [min(bits - HEADROOM, max(rule.increment_fractions(delta_fraction[q]))) for q in post]
