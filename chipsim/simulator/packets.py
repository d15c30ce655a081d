"""Packets in the order in which they are sent: the spikes of a step, one after the other, with the routes of the image."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.counters import Departures
from chipsim.state import SpikeLog


class PacketTable:
    """Which packets a spike of each group of neurons sends; made once per image, which must have a chip and send unicast.

    The packets of a spike leave in the order of their cores. Of several axons from one neuron to one slice, each is taken to hold as many
    synapses and words as the next (but for a remainder, which the first ones hold).
    """

    def __init__(self, image: ChipImage):
        routes, slices = image.routes, image.slices
        order = np.argsort([s.core for s in slices], kind="stable")
        group, column = np.nonzero(routes.axons[:, order])
        ends = order[column]
        axons = routes.axons[group, ends].astype(np.int64)
        self.count = np.bincount(group, axons, len(routes.axons)).astype(np.int64)  # [G] packets of a spike
        self.first = np.cumsum(self.count) - self.count
        nth = np.arange(axons.sum()) - np.repeat(np.cumsum(axons) - axons, axons)
        self.target = np.repeat(np.array([s.core for s in slices], dtype=np.int64)[ends], axons)
        self.synops, self.words = (
            np.repeat(part // axons, axons) + (nth < np.repeat(part % axons, axons))
            for part in (routes.synapses[group, ends].astype(np.int64), routes.words[group, ends].astype(np.int64))
        )
        self.image = image
        self.core, self.place, self.neurons = places(image)

    def departures(self, log: SpikeLog, t: int) -> Departures:
        """Return the spikes of step t; what spikes in the last step sends nothing."""
        populations = len(self.image.circuit.lo)
        unit = log.unit[log.start[t * populations] : log.start[(t + 1) * populations]]
        unit = unit[np.lexsort((self.place[unit], self.core[unit]))]
        group = self.image.circuit.group_of[unit]
        sent = self.count[group] * (t < self.image.steps - 1)
        start = np.append(0, np.cumsum(sent))
        at = np.arange(start[-1]) + np.repeat(self.first[group] - start[:-1], sent)
        return Departures(
            self.core[unit], self.place[unit], self.neurons[unit], start, self.target[at], self.synops[at], self.words[at]
        )


def places(image: ChipImage) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return core, place on its core and neurons of its core of every neuron, [N] int64; slices of a core follow each other."""
    core = np.repeat(np.array([s.core for s in image.slices], dtype=np.int64), [s.size for s in image.slices])
    place, neurons = np.zeros_like(core), np.zeros_like(core)
    for c in np.unique(core):
        mine = core == c
        place[mine], neurons[mine] = np.arange(mine.sum()), mine.sum()
    return core, place, neurons
