"""Fraction bits of the gradient accumulators of a rule whose increments are products of its fields (docs/online.md section 2)."""

from __future__ import annotations

from collections.abc import Sequence

HEADROOM = 11  # bits of an accumulator kept above the fraction


def accumulator_fractions(rule, delta: Sequence[int], weight: Sequence[int], bits: int) -> list[int]:
    """Return [K] fraction bits of accumulators of `bits` bits: those of the increments, as far as there is room.

    delta, weight: [K] fraction bits of the learning signals and of the weights of each projection.
    """
    return [min(bits - HEADROOM, max(rule.increment_fractions(pair))) for pair in zip(delta, weight, strict=True)]
