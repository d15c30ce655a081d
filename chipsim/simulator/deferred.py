"""Accounting of rules that walk their logs forward a second time (docs/online.md section 6)."""

from __future__ import annotations

import numpy as np

from chipsim.bookings import fan_of
from chipsim.compiler import ChipImage
from chipsim.simulator.fans import ARRIVES, LEAVES
from chipsim.simulator.ledger import Ledger
from chipsim.simulator.online import STAGE, Paths, book_marks, book_pulled, book_walk, paths_of
from chipsim.state import Activity

WALK = ("backward", "replay")


def book_deferred(image: ChipImage, a: Activity, ledger: Ledger, arrivals: np.ndarray, learned: bool) -> None:
    """Book the logs of the forward steps, then the loss and the second walk; arrivals: [M, T, S] of spikes."""
    ways = ledger.ways
    paths = ways.once("paths", lambda: paths_of(image))
    marks = ledger.per_slice(a.marks, ways.once("marking", lambda: fan_of(image.marking)), ARRIVES)
    ledger.book(*STAGE, "gate_checks", a.checks)
    ledger.book(*STAGE, "band_lookups", a.lookups)
    ledger.book(*STAGE, "active_log_entries", a.active, ways.homes)
    ledger.book(*STAGE, "spike_log_entries", arrivals + marks)
    book_marks(a, paths, LEAVES, ledger)
    ledger.book(*STAGE, "packets_in", marks)
    if not learned:
        return
    ledger.book(*WALK, "log_reads", a.active, ways.homes)
    ledger.book(*WALK, "log_reads", arrivals + marks)
    book_walk(a, ledger, WALK)
    book_pulled(a, paths, ledger, WALK)
    book_scores(image, paths, ledger)
    ledger.barriers(*WALK, slice(1, None))


def book_scores(image: ChipImage, paths: Paths, ledger: Ledger) -> None:
    """Book the loss, in the last step: scores to the loss core, softmax, errors to the cores that use them."""
    routes, slices = image.routes, len(image.slices)
    words, last = score_words(image, paths), slice(-1, None)
    at_loss = np.zeros(slices, dtype=np.int64)
    at_loss[routes.loss] = 1
    ledger.book_at(*WALK, "score_packets", last, routes.score_from)
    ledger.book_at(*WALK, "softmax_evaluations", last, at_loss * image.circuit.classes)
    ledger.book_at(*WALK, "broadcasts", last, at_loss * words.sum())
    ledger.book_at(*WALK, "packets_in", last, words + at_loss * routes.score_from.sum())
    ways = (routes.score_from * h[:, routes.loss] + at_loss * (h[routes.loss] @ words) for h in routes.hops)
    ledger.axes_at(*WALK, "error_hops", last, ways)


def score_words(image: ChipImage, paths: Paths) -> np.ndarray:
    """Return [S] words of error that a slice gets once: q of every class, and where it is not at the readout also t* (readout max)."""
    classes, summed = image.circuit.classes, image.network.readout == "sum"
    last = len(image.network.populations) - 1
    there = np.array([s.population == last for s in image.slices])
    return np.where(paths.direct, np.where(there | summed, classes, 2 * classes), 0)
