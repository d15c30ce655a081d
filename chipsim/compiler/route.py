"""Routing: which core receives what, over how many hops. Static, so every count of a sample is a product with these tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipsim.compiler.place import Slice
from chipsim.counters import HOST
from chipsim.hardware import Chip


@dataclass(frozen=True)
class Routes:
    """Fan-out tables. S slices, K columns (cores in use, ascending, the host last)."""

    cores: np.ndarray  # [K] int64 core id of each column
    column: np.ndarray  # [S, K] int64 one-hot: the column of the core that holds a slice
    fan: np.ndarray  # [S, S] int64: 1 if a spike of slice a arrives at slice b
    hops: (
        np.ndarray
    )  # [3, S, S] int64: hops x, y, local of a packet from slice a to slice b, if any spike or error takes that way
    size: np.ndarray  # [S] int64 neurons
    loss: int  # slice on the loss core
    score_from: np.ndarray  # [S] int64 score packets a slice sends to the loss core

    @property
    def spike_hops(self) -> np.ndarray:
        """[3, S] int64: hops of all packets of one spike of a slice."""
        return (self.hops * self.fan).sum(axis=2)


def route(slices: list[Slice], chip: Chip | None) -> Routes:
    """Build the tables; without a chip every hop count is 0."""
    used = sorted({s.core for s in slices} - {HOST})
    cores = np.array([*used, HOST], dtype=np.int64)
    place = {core: n for n, core in enumerate(cores.tolist())}
    column = np.zeros((len(slices), len(cores)), dtype=np.int64)
    for n, s in enumerate(slices):
        column[n, place[s.core]] = 1
    fan = np.array([[int(b.population == a.population + 1) for b in slices] for a in slices], dtype=np.int64)
    hops = np.zeros((3, len(slices), len(slices)), dtype=np.int64)
    if chip is not None:
        for a, source in enumerate(slices):
            for b, target in enumerate(slices):
                hops[:, a, b] = chip.mesh.hops(source.core, target.core)
    readout = [n for n, s in enumerate(slices) if s.population == slices[-1].population]
    loss = readout[0]
    size = np.array([s.size for s in slices], dtype=np.int64)
    score = np.zeros(len(slices), dtype=np.int64)
    score[readout[1:]] = size[readout[1:]]
    return Routes(cores, column, fan, hops, size, loss, score)
