"""Philox4x32-10, the counter-based random words of the reference chip.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

WORD = 0xFFFFFFFF
MULTIPLY = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
WRITE_STREAM = 1


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the four 32-bit output words of ten rounds."""
    a, b, c, d = (x & WORD for x in counter)
    k0, k1 = (x & WORD for x in key)
    for _ in range(10):
        first, second = MULTIPLY[0] * a, MULTIPLY[1] * c
        a, b, c, d = (second >> 32) ^ b ^ k0, second & WORD, (first >> 32) ^ d ^ k1, first & WORD
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    return a, b, c, d


def write_word(seed: int, synapse: int, sample: int, pass_index: int, step: int = 0) -> int:
    """Return the random word of one weight write: key (seed, stream 1), counter (synapse, step, sample, pass)."""
    return philox((synapse, step, sample, pass_index), (seed, WRITE_STREAM))[0]
