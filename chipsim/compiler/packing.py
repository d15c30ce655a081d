"""Packed synapses: target and weight in one word of 32 bits, for projections whose weights never change.

    word         target << bits | weight + 2^(bits - 1)                 target: delay * N_post + neuron
    accumulator  number of synapses added << below | their sum          32 bits; a sum below 0 borrows from the number

With |sum| < 2^(below - 1) the sum is the low bits of the accumulator, in two's complement, and the accumulator is 0 only if nothing was
added: that is how it is known whether something arrived. Spikes carry no payload here. With delays the accumulators are a ring over
the steps in which something is due; sums of several steps then meet before they are scaled, so scaling must lose nothing and nothing
may wrap. What does not fit stays a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from chipsim.compiler.synapses import Synapses

WORD, SUM = 32, 31  # bits of a word; of an accumulator, its sign apart
CHUNK = 1 << 20  # synapses


class Packed(NamedTuple):
    """The synapses of one projection."""

    words: np.ndarray  # [L] uint32
    bits: int  # of the weight
    below: int  # bits of the sum


def pack(synapses: Synapses, weights: np.ndarray, exponent: int, wrap: int) -> Packed | None:
    """Return packed synapses, None if they do not fit.

    weights: as stored. exponent: sums are scaled by 2^exponent. wrap: width at which they wrap then, 0: never.
    """
    width, depth = synapses.sizes[1], max(synapses.depth, 1)
    most, largest, common = 0, 0, 0
    into = np.zeros(width, dtype=np.int64)
    for part, values in chunks(synapses, weights):
        into += np.bincount(synapses.post[part], minlength=width)
        largest = max(largest, int(np.abs(values).max()))
        common |= int(np.bitwise_or.reduce(values))  # its trailing zeros are those of all weights
    most = int(into.max(initial=0))
    bits, below = (largest).bit_length() + 1, (most * largest).bit_length() + 1
    if (width * depth - 1).bit_length() + bits > WORD or below + most.bit_length() > SUM:
        return None
    if depth > 1 and not harmless(most * largest, common, exponent, wrap):
        return None
    words = np.empty(len(synapses.post), dtype=np.uint32)
    for part, values in chunks(synapses, weights):
        target = synapses.post[part].astype(np.int64)
        if synapses.late is not None:
            target += synapses.late[part] * width
        words[part] = (target << bits) + values + (1 << (bits - 1))
    return Packed(words, bits, below)


def harmless(largest: int, common: int, exponent: int, wrap: int) -> bool:
    """Return whether scaling any sum of weights loses no bit and does not wrap. common: the bits that occur in some weight."""
    if exponent < 0 and common & ((1 << -exponent) - 1):
        return False
    return wrap == 0 or largest * 2.0**exponent < 2.0 ** (wrap - 1)


def chunks(synapses: Synapses, weights: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield places of some synapses, and their weights, int64."""
    for at in range(0, len(synapses.post), CHUNK):
        part = slice(at, at + CHUNK)
        yield part, weights[part if synapses.places is None else synapses.places[part]].astype(np.int64)
