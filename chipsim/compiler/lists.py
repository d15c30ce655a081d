"""How long the synapse list of an axon is: memory words by format (docs/neurons.md section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chipsim.compiler.synapses import Synapses

CHUNK = 1 << 19  # synapses looked at together
GAP_FIELD = 5  # bits of a sparse list's header that hold the width of its gaps


@dataclass(frozen=True)
class Widths:
    """Widths in bits of the parts of a synapse list."""

    word: int
    header: int
    weight: int
    delay: int
    tag: int


@dataclass(frozen=True)
class Lists:
    """The axons of one projection that end on one slice; arrays run over the presynaptic neurons [N_pre]."""

    synapses: np.ndarray  # int64 synapses of each axon; 0: there is no axon
    stored: np.ndarray  # int64 words kept for it
    read: np.ndarray  # int64 words a spike reads
    shared: int  # words kept once for all of them (kernel of a convolution)
    alike: bool = False  # dense: every neuron has the same list, and the arrays take no memory (they may be long)

    @property
    def axons(self) -> int:
        """Number of axons."""
        return len(self.synapses) if self.alike else int((self.synapses > 0).sum())

    @property
    def count(self) -> int:
        """Number of synapses."""
        return len(self.synapses) * self.longest if self.alike else int(self.synapses.sum())

    @property
    def longest(self) -> int:
        """Synapses of the longest list."""
        return int(self.synapses[0]) if self.alike else int(self.synapses.max(initial=0))

    @property
    def words(self) -> int:
        """All words kept."""
        return (len(self.stored) * int(self.stored[0]) if self.alike else int(self.stored.sum())) + self.shared


def digits(x: int | np.ndarray) -> int | np.ndarray:
    """Return the number of binary digits of whole numbers; 0 has none."""
    return np.ceil(np.log2(np.asarray(x, dtype=np.float64) + 1)).astype(np.int64)


def lists(kind: str, synapses: Synapses, lo: int, hi: int, widths: Widths) -> Lists:
    """Return the lists of a projection of `kind` onto neurons lo .. hi - 1."""
    count = synapses.sizes[0]
    if not synapses.listed:
        words = up((hi - lo) * (widths.weight + widths.delay + widths.tag) + widths.header, widths.word)
        n, words = (np.broadcast_to(np.int64(x), (count,)) for x in (hi - lo, words))
        return Lists(n, words, words, 0, alike=True)
    inside = (synapses.post >= lo) & (synapses.post < hi)
    which, n, gaps = runs(synapses.pre[inside], synapses.post[inside], np.int64(lo))
    held, read = np.zeros((2, count), dtype=np.int64)
    held[which], read[which] = n, words_read(kind, n, gaps, widths)
    if kind != "conv":
        return Lists(held, read, read, 0)
    kernel = up(synapses.stored * (widths.weight + widths.tag) + widths.header, widths.word)
    return Lists(held, (held > 0).astype(np.int64), read, int(kernel))


def reach(
    kind: str, synapses: Synapses, cuts: list[tuple[int, int]], widths: Widths
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield the synapses of a projection of `kind` onto all slices of its target at once, some presynaptic neurons at a time.

    cuts: the slices lo .. hi - 1, ascending, without gaps. Each time: which neurons, and [neurons, slices] int64 synapses of the axon,
    0: there is none, and words that a spike reads.
    """
    count = synapses.sizes[0]
    if not synapses.listed:
        chains = [lists(kind, synapses, lo, hi, widths) for lo, hi in cuts]
        yield slice(0, count), np.stack([c.synapses for c in chains], axis=1), np.stack([c.read for c in chains], axis=1)
        return
    number = len(cuts)
    lows = np.array([lo for lo, _ in cuts], dtype=np.int64)
    slice_of = np.repeat(np.arange(number), [hi - lo for lo, hi in cuts])  # [N_post]
    begin = 0
    while begin < count:
        end = int(np.searchsorted(synapses.starts, synapses.starts[begin] + CHUNK, side="right")) - 1
        end = max(begin + 1, min(end, begin + CHUNK // number))
        starts = synapses.starts[begin : end + 1]
        post = synapses.post[starts[0] : starts[-1]].astype(np.int64)
        piece = slice_of[post]
        which, n, gaps = runs(np.repeat(np.arange(end - begin) * number, np.diff(starts)) + piece, post, lows[piece])
        held, read = np.zeros((2, (end - begin) * number), dtype=np.int64)
        held[which], read[which] = n, words_read(kind, n, gaps, widths)
        yield slice(begin, end), held.reshape(-1, number), read.reshape(-1, number)
        begin = end


def words_read(kind: str, n: np.ndarray, gaps: np.ndarray, widths: Widths) -> np.ndarray:
    """Return the words that a spike reads of lists of n synapses each, n > 0; gaps: the largest of each list."""
    if kind == "conv":
        return 1 + up(n * widths.weight, widths.word)
    entry, header = widths.weight + widths.delay + widths.tag, widths.header
    if kind == "sparse":
        entry, header = entry + digits(gaps), header + GAP_FIELD
    return up(n * entry + header, widths.word)


def up(bits: np.ndarray | int, word: int) -> np.ndarray | int:
    """Return the words that hold so many bits."""
    return -(-bits // word)


def runs(key: np.ndarray, post: np.ndarray, lo: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lists that synapses of equal key make, keys ascending: key, number of synapses, largest number of neurons skipped.

    lo: the first neuron of the slice on which a synapse ends, [L] or one for all; the first gap starts there.
    """
    first = np.ones(len(key), dtype=np.bool_)
    first[1:] = key[1:] != key[:-1]
    at = np.flatnonzero(first)
    before = np.concatenate([[0], post[:-1]]) if len(post) else post
    gaps = post - np.where(first, lo - 1, before) - 1
    return key[at], np.diff(np.append(at, len(key))), np.maximum.reduceat(gaps, at) if len(at) else gaps
