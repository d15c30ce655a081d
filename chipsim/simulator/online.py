"""Accounting of online rules: what learning adds to the forward steps (docs/online.md section 4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.route import departures
from chipsim.learning import rule_of
from chipsim.learning.online.setup import distances
from chipsim.learning.online.signals import ALIGN
from chipsim.learning.online.state import EVENTS, FIRST_EVENT, SIGNAL_ADDS, STATE_DECAYS, TRACE_DECAYS, TRACE_UPDATES
from chipsim.simulator.ledger import Ledger, later
from chipsim.state import Activity

STAGE = ("backward", "forward")


class Paths(NamedTuple):
    """How the learning signals travel."""

    source: str  # learning.online.signals.SOURCES
    ahead: int  # steps between an active event and the errors it uses
    axons: np.ndarray  # [G, S] int64 axons toward the readout
    words: np.ndarray  # [G, S] int64 words of their rows
    packets: np.ndarray  # [G] int64 packets of one mark, which goes to these axons alone
    mark_hops: np.ndarray  # [3, G] int64 their hops
    hidden: np.ndarray  # [S] bool
    readout: np.ndarray  # [S] bool

    @property
    def pulls(self) -> bool:
        """Whether active neurons ask for their error."""
        return self.source in ("sym", "fa")

    def answered(self, events: np.ndarray) -> np.ndarray:
        """Return events [M, T, G] for which an error is left: not those of the last steps."""
        found = events.copy()
        found[:, events.shape[1] - self.ahead :] = 0
        return found

    def used(self, counts: np.ndarray) -> np.ndarray:
        """Return counts of active events at the steps whose errors they use."""
        return later(counts) if self.ahead else counts


def paths_of(image: ChipImage) -> Paths:
    """Return how the learning signals of the image's rule travel."""
    rule, circuit, routes = rule_of(image.network.learning), image.circuit, image.routes
    learn = rule.learn
    away = np.array(distances(circuit.pre.tolist(), circuit.post.tolist(), len(circuit.lo)))
    population = np.array([s.population for s in image.slices])
    down = away[population[routes.slice_of]][:, None] > away[population][None]
    last = population == len(circuit.lo) - 1
    source = learn.source if learn else "none"
    return Paths(
        source,
        ALIGN[getattr(learn, "align", None) or "next"],
        routes.axons * down,
        routes.words * down,
        *mark_ways(image, routes.axons * down),
        (population > 0) & ~last,
        last,
    )


def mark_ways(image: ChipImage, axons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return packets [G] and hops [3, G] of a mark of each group, sent to so many axons [G, S] of each slice."""
    routes = image.routes
    if np.array_equal(axons, routes.axons):  # the way of a spike
        return routes.packets, routes.spike_hops
    return departures(image.chip if routes.multicast else None, list(image.slices), routes.home, axons, routes.hops)


def book_online(image: ChipImage, a: Activity, ledger: Ledger, learned: bool) -> None:
    """Book what learning adds to the forward steps; learned: the rule was run, not only the active test."""
    ledger.book(*STAGE, "gate_checks", a.checks)
    ledger.book(*STAGE, "band_lookups", a.lookups)
    if not learned:
        return
    for event, row in (("trace_decays", TRACE_DECAYS), ("trace_updates", TRACE_UPDATES), ("eligibility_decays", STATE_DECAYS)):
        ledger.book(*STAGE, event, a.rule[:, row])
    for n, event in enumerate(EVENTS):
        ledger.book(*STAGE, f"rules_{event}", a.rule[:, FIRST_EVENT + n])
    ledger.book(*STAGE, "gather_adds", a.rule[:, SIGNAL_ADDS])
    paths = paths_of(image)
    book_losses(image, loss_words(image, paths), ledger)
    if paths.source == "label":  # one word with the label, before the sample
        ledger.counts[:, :, 1:2] += label_words(image, paths)
    if paths.pulls:
        book_pulled(image, a, paths, ledger)


def book_losses(image: ChipImage, to: np.ndarray, ledger: Ledger) -> None:
    """Book the loss of every step: scores to the loss core, softmax, and the errors back; to: [S] words of error to each slice."""
    routes, classes, slices = image.routes, image.circuit.classes, len(image.slices)
    steps = ledger.counts.shape[2]
    every = np.zeros((1, steps, slices), dtype=np.int64)

    def each(values: np.ndarray) -> np.ndarray:
        found = every.copy()
        found[0, 1:] = values
        return found

    def at_loss(value: int) -> np.ndarray:
        values = np.zeros(slices, dtype=np.int64)
        values[routes.loss] = value
        return values

    score = routes.score_from
    ledger.book(*STAGE, "score_packets", each(score))
    ledger.book(*STAGE, "softmax_evaluations", each(at_loss(classes)))
    ledger.book(*STAGE, "broadcasts", each(at_loss(int(to.sum()))))
    ledger.book(*STAGE, "packets_in", each(to + at_loss(int(score.sum()))))
    ways = [score * h[:, routes.loss] + at_loss(int(h[routes.loss] @ to)) for h in routes.hops]
    ledger.hops(*STAGE, "error_hops", np.stack([each(way) for way in ways]))


def loss_words(image: ChipImage, paths: Paths) -> np.ndarray:
    """Return [S] how many words of error the loss core sends to each slice in every step."""
    to = paths.readout | paths.hidden if paths.source in ("dfa", "sdfa") else paths.readout
    return np.where(to, image.circuit.classes, 0)


def label_words(image: ChipImage, paths: Paths) -> np.ndarray:
    """Return [1, E, 1, K] what it takes to tell every hidden core the label."""
    routes, own = image.routes, Ledger(image, 1, 1)
    to = np.where(paths.hidden, 1, 0)
    source = np.zeros(len(image.slices), dtype=np.int64)
    source[routes.loss] = 1
    own.book(*STAGE, "broadcasts", (source * to.sum())[None, None])
    own.book(*STAGE, "packets_in", to[None, None])
    own.hops(*STAGE, "error_hops", np.stack([(source * (h[routes.loss] @ to))[None, None] for h in routes.hops]))
    return own.counts


def book_pulled(image: ChipImage, a: Activity, paths: Paths, ledger: Ledger) -> None:
    """Book errors that an active neuron pulls through its weights: a mark if it is silent, a row and a partial error at every core."""
    routes = image.routes
    marks, asked, used = paths.answered(a.marks), paths.answered(a.active), paths.used
    ledger.book_home(*STAGE, "mark_packets", marks * paths.packets)
    ledger.hops(*STAGE, "hops", np.stack([(marks * way) @ routes.home for way in paths.mark_hops]))
    ledger.book(*STAGE, "packets_in", used(marks @ paths.axons))
    gathered = used(asked @ paths.axons)
    ledger.book(*STAGE, "rows_gathered", gathered)
    ledger.book(*STAGE, "words_read", used(asked @ paths.words))
    ledger.book(*STAGE, "error_packets", gathered)
    back = routes.hops[:, :, routes.slice_of].transpose(0, 2, 1) * paths.axons  # [3, G, S]: hops of a partial error back home
    ledger.hops(*STAGE, "error_hops", np.stack([used(asked @ way) for way in back]))
    ledger.book_home(*STAGE, "packets_in", used(asked * paths.axons.sum(axis=1)))
