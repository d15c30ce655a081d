"""Accounting of online rules: what learning adds to the forward steps, or a second walk after them (docs/online.md section 4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.route import departures
from chipsim.learning import rule_of
from chipsim.learning.online.setup import distances
from chipsim.learning.online.signals import ALIGN
from chipsim.learning.online.state import DRAWS, EVENTS, FIRST_EVENT, SIGNAL_ADDS, STATE_DECAYS, TRACE_DECAYS, TRACE_UPDATES
from chipsim.simulator.fans import ARRIVES, HERE, LEAVES
from chipsim.simulator.ledger import Ledger
from chipsim.state import Activity

STAGE = ("backward", "forward")
PULLED, DIRECT = ("sym", "sym-trace", "fa", "adaptive", "deferred"), ("dfa", "sdfa", "deferred")


class Paths(NamedTuple):
    """How the learning signals travel."""

    source: str  # learning.language.given.SOURCES
    ahead: int  # steps between an active event and the errors it uses
    axons: np.ndarray  # [G, S] int64 axons toward the readout, of the groups that ask for their errors
    words: np.ndarray  # [G, S] int64 words of their rows
    packets: np.ndarray  # [G] int64 packets of one mark, which goes to these axons alone
    mark_hops: np.ndarray  # [3, G] int64 their hops
    hidden: np.ndarray  # [S] bool
    direct: np.ndarray  # [S] bool: gets the errors of the classes
    judges: np.ndarray  # [S] int64: slice that forms the errors of a slice: the loss, or the first of its population (local)

    @property
    def pulls(self) -> bool:
        """Whether active neurons ask for their error."""
        return self.source in PULLED

    @property
    def asks(self) -> int:
        """When active events ask for their error: at their step; with errors a step ahead none is left for the last."""
        return LEAVES if self.ahead else HERE

    @property
    def uses(self) -> int:
        """When they use it: at the step of the error."""
        return ARRIVES if self.ahead else HERE


class LossWords(NamedTuple):
    """Words of one step's losses."""

    judge: np.ndarray  # slices that evaluate a softmax
    scores: np.ndarray  # [S, S] int64 words of scores, from and to
    errors: np.ndarray  # [S, S] int64 words of errors, from and to


def paths_of(image: ChipImage) -> Paths:
    """Return how the learning signals of the image's rule travel."""
    rule, circuit, routes = rule_of(image.network.learning), image.circuit, image.routes
    learn = rule.learn
    away = np.array(distances(circuit.pre.tolist(), circuit.post.tolist(), len(circuit.lo)))
    population = np.array([s.population for s in image.slices])
    from_here = away[population[routes.slice_of]][:, None]
    down = from_here > away[population][None]
    last = population == len(circuit.lo) - 1
    source = learn.source if learn else "none"
    hidden = (population > 0) & ~last
    direct = hidden & (source in DIRECT)
    if source == "deferred":  # carried by the weights to those next to the readout, sent to the others
        down, direct = down & (from_here == 1), direct & (away[population] > 1)
    first = np.array([circuit.first_slice[p] if source == "local" else routes.loss for p in population])
    axons = routes.axons * down
    return Paths(
        source, ALIGN[getattr(learn, "align", None) or "next"], axons, routes.words * down, *mark_ways(image, axons), hidden,
        last | direct, np.where(last, routes.loss, first),
    )  # fmt: skip


def mark_ways(image: ChipImage, axons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return packets [G] and hops [3, G] of a mark of each group, sent to so many axons [G, S] of each slice."""
    routes = image.routes
    if np.array_equal(axons, routes.axons):  # the way of a spike
        return routes.packets, routes.spike_hops
    return departures(image.chip if routes.multicast else None, list(image.slices), routes.slice_of, axons, routes.hops)


def book_online(image: ChipImage, a: Activity, ledger: Ledger, learned: bool) -> None:
    """Book what learning adds to the forward steps; learned: the rule was run, not only the active test."""
    ledger.book(*STAGE, "gate_checks", a.checks)
    ledger.book(*STAGE, "band_lookups", a.lookups)
    if not learned:
        return
    book_walk(a, ledger, STAGE)
    ways = ledger.ways
    paths = ways.once("paths", lambda: paths_of(image))
    book_losses(image, ways.once("loss words", lambda: loss_words(image, paths)), ledger)
    if paths.source == "label":  # one word with the label, before the sample
        book_label(image, paths, ledger)
    if paths.pulls:
        book_marks(a, paths, paths.asks, ledger)
        ledger.book(*STAGE, "packets_in", a.marks, ways.once("asked axons", lambda: ways.cores(paths.axons)), paths.uses)
        book_pulled(a, paths, ledger, STAGE)


def book_marks(a: Activity, paths: Paths, at: int, ledger: Ledger) -> None:
    """Book packets and hops of marks where they leave, at their steps or all but those of the last."""
    ways = ledger.ways
    ledger.book(*STAGE, "mark_packets", a.marks, ways.once("mark packets", lambda: ways.home(paths.packets)), at)
    ledger.book_axes(*STAGE, "hops", a.marks, ways.once("mark hops", lambda: [ways.home(way) for way in paths.mark_hops]), at)


def book_walk(a: Activity, ledger: Ledger, stage: tuple[str, str]) -> None:
    """Book traces, states, hooks and sums of signals, in forward steps or in a walk after them."""
    for event, row in (
        ("trace_decays", TRACE_DECAYS),
        ("trace_updates", TRACE_UPDATES),
        ("eligibility_decays", STATE_DECAYS),
        ("random_draws", DRAWS),
    ):
        ledger.book(*stage, event, a.rule[:, row])
    for n, event in enumerate(EVENTS):
        ledger.book(*stage, f"rules_{event}", a.rule[:, FIRST_EVENT + n])
    ledger.book(*stage, "gather_adds", a.rule[:, SIGNAL_ADDS])


def book_losses(image: ChipImage, table: LossWords, ledger: Ledger) -> None:
    """Book the loss of every step: scores to the core that forms it, softmax, and the errors back to the cores that use them.

    Local readouts do the same in every hidden population, with partial scores of all its cores.
    """
    each, judging = slice(1, None), np.bincount(table.judge, minlength=len(image.slices)) * image.circuit.classes
    ledger.book_at(*STAGE, "score_packets", each, table.scores.sum(axis=1))
    ledger.book_at(*STAGE, "softmax_evaluations", each, judging)
    ledger.book_at(*STAGE, "broadcasts", each, table.errors.sum(axis=1))
    words = table.scores + table.errors  # [S, S] from, to
    ledger.book_at(*STAGE, "packets_in", each, words.sum(axis=0))
    ledger.axes_at(*STAGE, "error_hops", each, ((words * h).sum(axis=1) for h in image.routes.hops))


def class_words(image: ChipImage, to: np.ndarray) -> LossWords:
    """Return who sends how many words to whom in every step for the loss of the network; to: [S] bool, who gets its errors."""
    routes, classes, slices = image.routes, image.circuit.classes, len(image.slices)
    scores, errors = (np.zeros((slices, slices), dtype=np.int64) for _ in range(2))
    scores[:, routes.loss] = routes.score_from
    errors[routes.loss, to] = classes
    return LossWords(np.array([routes.loss]), scores, errors)


def loss_words(image: ChipImage, paths: Paths) -> LossWords:
    """Return the same with the local readouts of a rule."""
    found, classes = class_words(image, paths.direct), image.circuit.classes
    if paths.source != "local":
        return found
    for s in np.flatnonzero(paths.hidden):
        found.scores[s, paths.judges[s]] = classes * (s != paths.judges[s])
        found.errors[paths.judges[s], s] = classes
    return found._replace(judge=np.array([*found.judge, *sorted(set(paths.judges[paths.hidden].tolist()))]))


def book_label(image: ChipImage, paths: Paths, ledger: Ledger) -> None:
    """Book what it takes to tell every hidden core the label, at step 1."""
    routes, at = image.routes, slice(1, 2)
    to = np.where(paths.hidden, 1, 0)
    source = np.zeros(len(image.slices), dtype=np.int64)
    source[routes.loss] = 1
    ledger.book_at(*STAGE, "broadcasts", at, source * to.sum())
    ledger.book_at(*STAGE, "packets_in", at, to)
    ledger.axes_at(*STAGE, "error_hops", at, (source * (h[routes.loss] @ to) for h in routes.hops))


def book_pulled(a: Activity, paths: Paths, ledger: Ledger, stage: tuple[str, str]) -> None:
    """Book errors that an active neuron pulls through its weights: a row and a partial error at every core above."""
    ways, at = ledger.ways, paths.uses
    axons = ways.once("asked axons", lambda: ways.cores(paths.axons))
    ledger.book(*stage, "rows_gathered", a.active, axons, at)
    ledger.book(*stage, "words_read", a.active, ways.once("asked words", lambda: ways.cores(paths.words)), at)
    ledger.book(*stage, "error_packets", a.active, axons, at)
    ledger.book_axes(*stage, "error_hops", a.active, ways.once("asked back", lambda: ways.back(paths.axons)), at)
    ledger.book(*stage, "packets_in", a.active, ways.once("asked home", lambda: ways.home(paths.axons.sum(axis=1))), at)
