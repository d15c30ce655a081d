"""How long the synapse list of an axon is: memory words by format (docs/neurons.md section 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipsim.compiler.synapses import Synapses

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
    pre, post = synapses.pre[inside], synapses.post[inside]
    n = np.bincount(pre, minlength=count).astype(np.int64)
    if kind == "conv":
        kernel = up(synapses.stored * (widths.weight + widths.tag) + widths.header, widths.word)
        return Lists(n, (n > 0).astype(np.int64), np.where(n > 0, 1 + up(n * widths.weight, widths.word), 0), int(kernel))
    entry, header = widths.weight + widths.delay + widths.tag, widths.header
    if kind == "sparse":
        entry, header = entry + digits(largest_gaps(pre, post, lo, count)), header + GAP_FIELD
    words = np.where(n > 0, up(n * entry + header, widths.word), 0)
    return Lists(n, words, words, 0)


def up(bits: np.ndarray | int, word: int) -> np.ndarray | int:
    """Return the words that hold so many bits."""
    return -(-bits // word)


def largest_gaps(pre: np.ndarray, post: np.ndarray, lo: int, count: int) -> np.ndarray:
    """Return [N_pre] int64 the largest number of neurons skipped in each list; the first gap starts at `lo`."""
    first = np.ones(len(pre), dtype=np.bool_)
    first[1:] = pre[1:] != pre[:-1]
    before = np.concatenate([[0], post[:-1]]) if len(post) else post
    gaps = post - np.where(first, lo - 1, before) - 1
    largest = np.zeros(count, dtype=np.int64)
    np.maximum.at(largest, pre, gaps)
    return largest
