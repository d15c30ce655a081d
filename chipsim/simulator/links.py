"""Packets on each link of the mesh, step by step: a product of departures with the routes, as all other counts."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from chipsim.bookings import Fan, fan_of
from chipsim.compiler import ChipImage
from chipsim.counters import LinkLoads
from chipsim.learning import is_online
from chipsim.simulator.deferred import score_words
from chipsim.simulator.fans import ARRIVES, LEAVES, product
from chipsim.simulator.online import Paths, loss_words, paths_of
from chipsim.state import Activity


class LinkTable:
    """Which links the packets of a slice take; made once per image, which must have a chip."""

    def __init__(self, image: ChipImage):
        self.image = image
        slices, mesh = image.slices, image.chip.mesh
        ways = [[mesh.links(a.core, b.core) for b in slices] for a in slices]
        links = sorted({link for row in ways for way in row for link in way})
        self.kinds = tuple(kind for kind, _, _ in links)
        number = {link: n for n, link in enumerate(links)}
        self.way = np.zeros((len(slices), len(slices), len(links)), dtype=np.int64)  # [from, to, link]
        for a, row in enumerate(ways):
            for b, way in enumerate(row):
                for link in way:
                    self.way[a, b, number[link]] += 1

    def loads(self, activity: Activity, learned: bool) -> LinkLoads:
        """Return the packets of M samples on each link; fields of `activity` carry a leading axis M."""
        forward = self.product(activity.spikes, self.spikes, LEAVES)
        if is_online(self.image.network.learning.rule):
            way = self.deferred if self.image.logs else self.online
            return LinkLoads(self.kinds, forward, *way(activity, learned))
        marking = self.product(activity.marks, self.spikes, LEAVES)
        replay, signals, copies = np.zeros_like(forward), np.zeros_like(forward), np.zeros_like(forward)
        if learned:
            if self.image.circuit.push:
                replay = np.einsum("mtab,abl->mtl", activity.pushed, self.way)
                copies[:, 0] = np.einsum("mab,abl->ml", activity.copied, self.way)
            else:
                replay = self.product(activity.active, self.answers, ARRIVES)
            if self.image.circuit.step_loss:
                signals[:, 1:] += self.loss_packets()
            else:
                replay[:, -1] += self.loss_packets()
        return LinkLoads(self.kinds, forward, marking, replay, signals, copies)

    def product(self, values: np.ndarray, fan: Fan, at: int) -> np.ndarray:
        """Return [M, T, L] packets of [M, T, G] events; none of events that were not looked for."""
        if not values.shape[1]:
            return self.nothing(len(values))
        return product(values, fan, at, len(self.kinds))

    def nothing(self, samples: int) -> np.ndarray:
        """Return [M, T, L] zeros."""
        return np.zeros((samples, self.image.steps, len(self.kinds)), dtype=np.int64)

    @cached_property
    def spikes(self) -> Fan:
        """The way of a spike from each group."""
        return fan_of(self.departures(self.image.routes.axons))

    @cached_property
    def answers(self) -> Fan:
        """The ways back of the partial errors of an active event."""
        return fan_of(self.back(self.image.routes.axons))

    @cached_property
    def paths(self) -> Paths:
        """How the learning signals of an online rule travel."""
        return paths_of(self.image)

    @cached_property
    def asked(self) -> Fan:
        """The ways back of the errors for which an active event asks."""
        return fan_of(self.back(self.paths.axons))

    @cached_property
    def marks(self) -> Fan:
        """The way of a mark of an online rule."""
        return fan_of(self.departures(self.image.marking if self.image.logs else self.paths.axons))

    def back(self, axons: np.ndarray) -> np.ndarray:
        """Return [G, L] int64 packets on each link when every one of so many axons [G, S] sends one back home."""
        home = self.way[:, self.image.routes.slice_of].transpose(1, 0, 2)  # [G, S, L]: from every receiver back home
        return np.einsum("gb,gbl->gl", axons, home)

    def departures(self, axons: np.ndarray) -> np.ndarray:
        """Return [G, L] int64 packets on each link when a neuron of each group sends to so many axons [G, S] of each slice."""
        ways = self.way[self.image.routes.slice_of]  # [G, S, L]
        if self.image.routes.multicast:  # one packet on each distinct link of the tree
            return (ways * (axons > 0)[:, :, None]).max(axis=1)
        return np.einsum("gb,gbl->gl", axons, ways)

    def online(self, activity: Activity, learned: bool) -> tuple[np.ndarray, ...]:
        """Return the packets of marks, of replay and of learning signals on each link."""
        none = self.nothing(len(activity.marks))
        if not learned:
            return none, none, none
        paths, signals = self.paths, none.copy()
        words = loss_words(self.image, paths)
        signals[:, 1:] += np.einsum("ab,abl->l", words.scores + words.errors, self.way)
        if paths.source == "label":
            signals[:, 1:2] += paths.hidden.astype(np.int64) @ self.way[self.image.routes.loss]
        if not paths.pulls:
            return none, none, signals
        asked = self.product(activity.active, self.asked, paths.uses)
        return self.product(activity.marks, self.marks, paths.asks), none, signals + asked

    def deferred(self, activity: Activity, learned: bool) -> tuple[np.ndarray, ...]:
        """As `online`, for a rule that walks its logs after the sample."""
        paths, loss, marks = self.paths, self.image.routes.loss, self.product(activity.marks, self.marks, LEAVES)
        replay = np.zeros_like(marks)
        if learned:
            replay = self.product(activity.active, self.asked, paths.uses)
            replay[:, -1] += self.image.routes.score_from @ self.way[:, loss] + score_words(self.image, paths) @ self.way[loss]
        return marks, replay, np.zeros_like(marks)

    def loss_packets(self) -> np.ndarray:
        """Return [L] int64: score packets to the loss core and the broadcast of the errors, once per sample or step."""
        routes, slices = self.image.routes, self.image.slices
        readout = [n for n, s in enumerate(slices) if s.population == slices[-1].population]
        scores = routes.score_from @ self.way[:, routes.loss]
        return scores + self.image.network.populations[-1].size * self.way[routes.loss, readout].sum(axis=0)
