"""Accounting: exact counts per core and step as products of what happened per group of neurons with the routing tables.

Every line is one row of the table in docs/semantics.md section 7. Arrays run over [M samples, T steps, S slices or G groups].
"""

from __future__ import annotations

import numpy as np

from chipsim.bookings import Booked, fan_of
from chipsim.compiler import ChipImage
from chipsim.counters import PLASTIC, Counters
from chipsim.learning import is_online
from chipsim.learning.lava.program import Counts
from chipsim.simulator.deferred import book_deferred
from chipsim.simulator.fans import ARRIVES, LEAVES, Ways
from chipsim.simulator.formcounts import book_copies, book_forms
from chipsim.simulator.ledger import Ledger
from chipsim.simulator.online import book_losses, book_online, class_words
from chipsim.simulator.plasticity import Due
from chipsim.state import Activity

FIRST, LAST = slice(0, 1), slice(-1, None)  # steps


def account(image: ChipImage, activity: Activity, learned: bool, plastic: tuple[Counts, Due] | None = None) -> Counters:
    """Return the counts of M samples, [M, E, T, K]; arguments as those of `book`."""
    return book(image, activity, learned, plastic).counters()


def book(
    image: ChipImage, activity: Activity, learned: bool, plastic: tuple[Counts, Due] | None = None, ways: Ways | None = None
) -> Booked:
    """Return the counts of M samples, as products; fields of `activity` carry a leading axis M and must last as long as they.

    learned: the samples were replayed; `activity.updated` says after which of them weights were written. plastic: what projections
    that learn on the way did, [M, T, S] each, and what was due. ways: tables of the image, if they are at hand.
    """
    ledger = Ledger(image, len(activity.updated), ways)
    arrivals = book_forward(image, activity, ledger)
    if image.learning and is_online(image.network.learning.rule):
        if image.logs:
            book_deferred(image, activity, ledger, arrivals, learned)
        else:
            book_online(image, activity, ledger, learned)
    elif image.learning:
        records = book_marking(image, activity, ledger, arrivals)
        if learned:
            book_replay(image, activity, ledger, records)
            book_forms(image, activity, ledger, records)
            if image.circuit.step_loss:
                book_steps(image, ledger)
            else:
                book_loss(image, ledger)
    if learned:
        book_update(image, activity, ledger)
        if image.circuit.push:
            book_copies(image, activity, ledger)
    if plastic is not None:
        book_plastic(*plastic, ledger)
    return ledger


def book_forward(image: ChipImage, a: Activity, ledger: Ledger) -> np.ndarray | None:
    """Book phase forward; return [M, T, S] axons over which spikes arrive at each slice, where logs of a rule need them."""
    routes, stage, circuit, ways = image.routes, ("forward", "forward"), image.circuit, ledger.ways
    arrivals = ledger.per_slice(a.spikes, ways.slice_axons, ARRIVES) if image.learning else None
    biased = np.array([circuit.biased[s.population] for s in image.slices])
    stepped = np.array([s.population > 0 and not circuit.lazy[s.population] for s in image.slices])
    ledger.book(*stage, "inputs_injected", a.spikes, ways.hosted, LEAVES)
    ledger.departures(*stage, "packets", a.spikes)
    if arrivals is None:
        ledger.book(*stage, "packets_in", a.spikes, ways.axons, ARRIVES)
    else:
        ledger.book(*stage, "packets_in", arrivals)
    ledger.book(*stage, "words_read", a.spikes, ways.words, ARRIVES)
    ledger.book(*stage, "synops", a.spikes, ways.synapses, ARRIVES)
    ledger.book(*stage, "updates_active", a.busy)
    ledger.book(
        *stage, "updates_idle", a.busy, ways.once("idle", lambda: ways.cores(-np.diag(stepped | biased).astype(np.int64)))
    )
    ledger.book_at(*stage, "updates_idle", FIRST, np.where(biased, routes.size, 0))
    ledger.book_at(*stage, "updates_idle", slice(1, None), np.where(stepped, routes.size, 0))
    ledger.book(*stage, "spikes", a.spikes, ways.computed)
    ledger.barriers(*stage, slice(0 if biased.any() else 1, None))
    return arrivals


def book_marking(image: ChipImage, a: Activity, ledger: Ledger, arrivals: np.ndarray) -> np.ndarray:
    """Book what learning adds to the forward steps; return [M, T, S] records that arrive at each slice: spikes and marks.

    arrivals: those of spikes.
    """
    stage, ways = ("backward", "forward"), ledger.ways
    ledger.book(*stage, "gate_checks", a.checks)
    ledger.book(*stage, "band_lookups", a.lookups)
    ledger.book(*stage, "active_log_entries", a.active, ways.homes)
    ledger.book(*stage, "active_log_entries", a.resets, ways.homes)
    ledger.departures(*stage, "mark_packets", a.marks)
    ledger.book(*stage, "packets_in", a.marks, ways.axons, ARRIVES)
    records = arrivals + ledger.per_slice(a.marks, ways.slice_axons, ARRIVES)
    ledger.book(*stage, "spike_log_entries", records)
    return records


def book_replay(image: ChipImage, a: Activity, ledger: Ledger, records: np.ndarray) -> None:
    """Book the replay steps; the record of (i, t - 1) is read in replay step t, where it also arrived.

    records: [M, T, S] of the spike logs. With form A and push replay reads none of them.
    """
    stage, circuit, ways = ("backward", "replay"), image.circuit, ledger.ways
    read = records * (not (circuit.form_a and circuit.push))
    ledger.book(*stage, "log_reads", a.active, ways.homes)
    ledger.book(*stage, "log_reads", a.resets, ways.homes)
    ledger.book(*stage, "log_reads", read)
    ledger.book(*stage, "trace_decays", a.decays)
    ledger.book(*stage, "error_updates", a.injected)
    ledger.book(*stage, "evaluations", a.active, ways.homes)
    plain = read if circuit.push else book_gathers(a, ledger, read)  # records that spiked only
    live = (a.live > 0) & (not circuit.form_a)
    met = np.where(live, plain, 0)
    others = a.spikes + a.marks - (0 if circuit.push else a.active)
    only = ledger.per_slice(others, ways.slice_words, ARRIVES)  # words of the rows of such records
    ledger.book(*stage, "rows_read", met)
    ledger.book(*stage, "rows_skipped", plain - met)
    ledger.book(*stage, "words_read", np.where(live, only, 0))
    ledger.book(*stage, "row_adds", a.row_adds)
    ledger.book(*stage, "gather_adds", a.gather_adds)
    ledger.barriers(*stage, slice(1, None))


def book_gathers(a: Activity, ledger: Ledger, read: np.ndarray) -> np.ndarray:
    """Book the rows that active events gather, and the partial errors they send home; return what is left of records [M, T, S]."""
    stage, ways = ("backward", "replay"), ledger.ways
    gathered = ledger.per_slice(a.active, ways.slice_axons, ARRIVES)
    for event in ("rows_read", "rows_gathered", "error_packets"):
        ledger.book(*stage, event, gathered)
    ledger.book(*stage, "words_read", a.active, ways.words, ARRIVES)
    ledger.book_axes(*stage, "error_hops", a.active, ways.way_back, ARRIVES)
    ledger.book(*stage, "packets_in", a.active, ways.answers, LEAVES)
    return read - gathered


def book_loss(image: ChipImage, ledger: Ledger) -> None:
    """Book gathering the scores, the softmax and the broadcast of the errors, all in the last step."""
    routes, stage = image.routes, ("backward", "replay")
    classes, score = image.circuit.classes, routes.score_from
    broadcast = np.where(routes.readout, classes, 0)
    at_loss = np.zeros(len(image.slices), dtype=np.int64)
    at_loss[routes.loss] = 1
    ledger.book_at(*stage, "score_packets", LAST, score)
    ledger.book_at(*stage, "broadcasts", LAST, at_loss * broadcast.sum())
    ledger.book_at(*stage, "softmax_evaluations", LAST, at_loss * classes)
    ledger.book_at(*stage, "packets_in", LAST, broadcast + at_loss * score.sum())
    ways = (score * h[:, routes.loss] + at_loss * (h[routes.loss] @ broadcast) for h in routes.hops)
    ledger.axes_at(*stage, "error_hops", LAST, ways)


def book_steps(image: ChipImage, ledger: Ledger) -> None:
    """Book the loss of every step while the sample runs, and its errors: written to the logs of the readout cores, read in replay."""
    errors, each = image.routes.readout, slice(1, None)
    book_losses(image, class_words(image, errors > 0), ledger)
    ledger.book_at("backward", "forward", "active_log_entries", each, errors)
    ledger.book_at("backward", "replay", "log_reads", each, errors)
    if image.circuit.form_a:
        ledger.book_at("backward", "walk", "log_reads", each, errors)


def book_update(image: ChipImage, a: Activity, ledger: Ledger) -> None:
    """Book the weight update: at step 0 after the replay, or in the replay steps that write in place."""
    stage = ("update", "replay")
    for event, per_slice in (
        ("visits", a.visits),
        ("visits", a.followed),
        ("evaluations", a.evaluations),
        ("random_draws", a.draws),
        ("writes", a.writes),
        ("writes", a.followed),
        ("writes_skipped", a.evaluations),
        ("optimiser_updates", a.optimised),
    ):
        ledger.book(*stage, event, per_slice)
    ledger.book(*stage, "writes_skipped", a.writes, ledger.ways.fewer)
    ledger.book_at(*stage, "barriers", FIRST, a.updated[:, None], ledger.ways.host)
    book_engine(image, a, ledger)


def book_plastic(done: Counts, due: Due, ledger: Ledger) -> None:
    """Book what projections that learn on the way did at the end of their epochs, and what they left out of all that was due."""
    stage = ("update", "forward")
    for event, per_slice in zip(PLASTIC, done, strict=True):
        ledger.book(*stage, event, per_slice)
    ledger.book(*stage, "visits_skipped", np.maximum(due.words - done.visits, 0))  # a word may be fetched twice
    ledger.book(*stage, "evaluations_skipped", due.synapses - done.evaluations)
    ledger.book(*stage, "writes_skipped", done.evaluations - done.writes)
    columns = len(ledger.routes.cores)
    epochs = (due.words @ ledger.routes.column > 0).astype(np.int64)  # [T, K]
    ledger.book(*stage, "epochs", epochs[None], fan_of(np.eye(columns, dtype=np.int64)))


def book_engine(image: ChipImage, a: Activity, ledger: Ledger) -> None:
    """Book what an engine would do beyond what is active: words and synapses of plastic rows that no update fetched, and its epochs."""
    steps = np.zeros(a.visits.shape[:2], dtype=np.int64)  # [M, U] updates
    steps[:, 0] = a.updated[:, 0]
    if image.network.learning.apply == "inplace":
        steps[:, 1:] = 1
    ways, plastic = ledger.ways, ledger.ways.plastic_words
    engine = ways.once("engine", lambda: ways.cores(plastic[None]))
    ledger.book("update", "replay", "visits_skipped", steps[:, :, None], engine)
    ledger.book("update", "replay", "visits_skipped", a.visits, ways.fewer)
    synapses = ways.once("synapses", lambda: ways.cores(ways.plastic_synapses[None]))
    ledger.book("update", "replay", "evaluations_skipped", steps[:, :, None], synapses)
    ledger.book("update", "replay", "evaluations_skipped", a.evaluations, ways.fewer)
    held = ways.once("epochs", lambda: fan_of((plastic @ image.routes.column > 0).astype(np.int64)[None]))
    ledger.book("update", "replay", "epochs", steps[:, :, None], held)
