"""From the bits of masks to a list of ids.

    walk      64 bits, one id after the other: for masks with few bits, of which many are 0
    append    16 bits without a branch per id: a table holds, for each byte, the numbers of the bits set in it

The lists of `append` grow by 8 entries at a time: an array needs room for two bytes of entries beyond its last (state.SLACK).
"""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import inner
from chipsim.kernels.lane_kinds import as_int64, low_bit, ones
from chipsim.kernels.lanes import LANES, load, put, store_half

BYTE, WORD = 8, 64


def bit_numbers() -> np.ndarray:
    """Return [256 * 16] uint8: for each byte the numbers of its bits that are set, ascending, then zeros."""
    table = np.zeros((1 << BYTE, LANES), dtype=np.uint8)
    for byte in range(1 << BYTE):
        found = [k for k in range(BYTE) if byte >> k & 1]
        table[byte, : len(found)] = found
    return table.ravel()


TABLE = bit_numbers()


@inner
def append(found, base, ids, at):
    """Write base + k to ids[at ...] for every bit k that is set in the 16 bits `found`; return the place after the last."""
    low, high = found & 255, found >> BYTE
    store_half(ids, at, as_int64(load(TABLE, low * LANES)) + base)
    at += ones(low)
    store_half(ids, at, as_int64(load(TABLE, high * LANES)) + (base + BYTE))
    return at + ones(high)


@inner
def walk(word, base, ids, at):
    """Write base + k to ids[at ...] for every bit k that is set in 64 bits; return the place after the last."""
    while word != 0:
        put(ids, at, base + low_bit(word))
        at += 1
        word &= word - 1
    return at
