"""Synapses as the kernels walk them: dense rows by position, everything else as lists sorted by presynaptic neuron."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from chipsim.network import Network, Population, Projection


@dataclass(frozen=True)
class Synapses:
    """The synapses of one projection; L of them. A dense projection without delays has no lists (starts is None)."""

    shape: tuple[int, ...]  # of its weights
    sizes: tuple[int, int]  # N_pre, N_post
    stored: int  # weights in memory: N_pre x N_post, the synapses of a sparse projection, or the kernel
    depth: int  # largest delay + 1; 0: no delays
    starts: np.ndarray | None = None  # [N_pre + 1] int64: synapses of neuron i are starts[i] .. starts[i + 1]
    post: np.ndarray | None = None  # [L] int; ascending within one neuron
    places: np.ndarray | None = None  # [L] int64 positions in the stored weights; None: one after the other
    late: np.ndarray | None = None  # [L] int64 delays; None: all 0
    mask: np.ndarray | None = None  # sparse: [N_pre, N_post] bool

    @property
    def listed(self) -> bool:
        """Whether the synapses are listed one by one."""
        return self.starts is not None

    @property
    def count(self) -> int:
        """Number of synapses."""
        return len(self.post) if self.listed else self.stored

    @cached_property
    def pre(self) -> np.ndarray:
        """[L] int64 presynaptic neuron, ascending."""
        return np.repeat(np.arange(self.sizes[0]), np.diff(self.starts))

    @cached_property
    def weight(self) -> np.ndarray:
        """[L] int64 position in the stored weights."""
        return np.arange(self.count) if self.places is None else self.places

    @cached_property
    def delay(self) -> np.ndarray:
        """[L] int64."""
        return np.zeros(self.count, dtype=np.int64) if self.late is None else self.late

    def transposed(self) -> Synapses:
        """Return the same synapses sorted by target, pre and post exchanged; weights keep their place."""
        sizes = self.sizes[::-1]
        if not self.listed:
            return Synapses(self.shape, sizes, self.stored, self.depth)
        order = np.lexsort((self.pre, self.post))
        columns = (self.pre[order], self.weight[order], self.delay[order])
        return Synapses(self.shape, sizes, self.stored, self.depth, starts_of(self.post, sizes[0]), *columns)

    def pack(self, weights: np.ndarray) -> np.ndarray:
        """Return weights in their shape as the stored, flat ones."""
        return weights[self.mask] if self.mask is not None else weights.ravel()

    def unpack(self, flat: np.ndarray) -> np.ndarray:
        """Return stored weights in their shape (dense and convolution: a view)."""
        if self.mask is None:
            return flat.reshape(self.shape)
        full = np.zeros(self.shape, dtype=flat.dtype)
        full[self.mask] = flat
        return full


def synapses_of(network: Network, k: int) -> Synapses:
    """Return the synapses of projection k."""
    projection, (a, b) = network.projection[k], network.ends[k]
    pre, post = network.population[a], network.population[b]
    sizes, delays, mask = (pre.size, post.size), network.delays(k), network.mask(k)
    if projection.kind == "conv":
        return convolve(projection, pre, post)
    if mask is None and delays is None and projection.kind == "dense":
        return Synapses(sizes, sizes, pre.size * post.size, 0)
    present = np.ones(sizes, dtype=np.bool_) if mask is None else mask
    i, j = np.nonzero(present)
    late = None if delays is None else delays[i, j]
    depth = 0 if delays is None else int(late.max(initial=0)) + 1  # delays of synapses that do not exist do not count
    kept = present if projection.kind == "sparse" else None
    return Synapses(sizes, sizes, len(i), depth, starts_of(i, pre.size), j, None, late, kept)


def starts_of(pre: np.ndarray, size: int) -> np.ndarray:
    """Return [N + 1] int64: where the synapses of each of N neurons begin, from the neuron of each synapse."""
    return np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=size))]).astype(np.int64)


def convolve(projection: Projection, pre: Population, post: Population) -> Synapses:
    """Return the synapses of a convolution, with shared weights.

    o[x, y, k] = sum over i, j, c of W[k, kx-1-i, ky-1-j, c] s[x st + i dil - pad, y st + j dil - pad, c + group offset]
    (docs/neurons.md section 4).
    """
    (sx, sy, sc), (ox, oy, filters) = pre.shape, post.shape
    (kx, ky), (st0, st1), (p0, p1), (d0, d1) = projection.kernel, projection.stride, projection.padding, projection.dilation
    per_group, channels = filters // projection.groups, sc // projection.groups
    shape = (filters, kx, ky, channels)
    x, y, f, c = np.meshgrid(np.arange(ox), np.arange(oy), np.arange(filters), np.arange(channels), indexing="ij")
    found: list[tuple[np.ndarray, ...]] = []
    for i, j in product(range(kx), range(ky)):
        from_x, from_y = x * st0 + i * d0 - p0, y * st1 + j * d1 - p1
        inside = (from_x >= 0) & (from_x < sx) & (from_y >= 0) & (from_y < sy)
        source = (from_x * sy + from_y) * sc + c + channels * (f // per_group)
        target = (x * oy + y) * filters + f
        weight = ((f * kx + kx - 1 - i) * ky + ky - 1 - j) * channels + c
        found.append((source[inside], target[inside], weight[inside]))
    source, target, weight = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((target, source))
    stored = int(np.prod(shape))
    starts = starts_of(source, pre.size)
    return Synapses(shape, (pre.size, post.size), stored, 0, starts, target[order], weight[order])
