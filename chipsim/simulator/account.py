"""Accounting: exact counts per core and step as products of what happened per group of neurons with the routing tables.

Every line is one row of the table in docs/semantics.md section 7. Arrays run over [M samples, T steps, S slices or G groups].
"""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.counters import PLASTIC, Counters
from chipsim.learning import is_online
from chipsim.learning.lava.program import Counts
from chipsim.simulator.deferred import book_deferred
from chipsim.simulator.formcounts import book_copies, book_forms
from chipsim.simulator.ledger import AXES, Ledger, Room, later, sent
from chipsim.simulator.online import book_losses, book_online, class_words
from chipsim.state import Activity

LAST = slice(-1, None)  # step


def account(
    image: ChipImage, activity: Activity, learned: bool, plastic: Counts | None = None, room: Room | None = None
) -> Counters:
    """Return the counts of M samples, [M, E, T, K]; fields of `activity` carry a leading axis M.

    learned: the samples were replayed; `activity.updated` says after which of them weights were written. plastic: what projections
    that learn on the way did, [M, T, S] each. room: memory for the counts, which then last until it is used again.
    """
    ledger = Ledger(image, len(activity.updated), room)
    arrivals = book_forward(image, activity, ledger)
    if image.learning and is_online(image.network.learning.rule):
        if image.logs:
            book_deferred(image, activity, ledger, arrivals, learned)
        else:
            book_online(image, activity, ledger, learned)
    elif image.learning:
        marks = book_marking(image, activity, ledger)
        if learned:
            gathers = book_replay(image, activity, ledger, arrivals, marks)
            book_forms(image, activity, ledger, gathers)
            if image.circuit.step_loss:
                book_steps(image, ledger)
            else:
                book_loss(image, ledger)
    if learned:
        book_update(image, activity, ledger)
        if image.circuit.push:
            book_copies(image, activity, ledger)
    if plastic is not None:
        for event, per_slice in zip(PLASTIC, plastic, strict=True):
            ledger.book("update", "forward", event, per_slice)
    return ledger.counters()


def book_forward(image: ChipImage, a: Activity, ledger: Ledger) -> np.ndarray:
    """Book phase forward; return [M, T, S] axons over which spikes arrive at each slice."""
    routes, stage, circuit = image.routes, ("forward", "forward"), image.circuit
    leaving = sent(a.spikes)
    from_host = routes.home[:, 0] > 0
    arrivals = later(leaving @ routes.axons)
    biased = np.array([circuit.biased[s.population] for s in image.slices])
    stepped = np.array([s.population > 0 and not circuit.lazy[s.population] for s in image.slices])
    updates = np.zeros_like(a.busy)
    updates[:, 1:] = np.where(stepped, routes.size, 0)
    updates[:, 0] = np.where(biased, routes.size, 0)
    ledger.book_home(*stage, "inputs_injected", np.where(from_host, leaving, 0))
    ledger.departures(*stage, "packets", leaving)
    ledger.book(*stage, "packets_in", arrivals)
    ledger.book(*stage, "words_read", later(leaving @ routes.words))
    ledger.book(*stage, "synops", later(leaving @ routes.synapses))
    ledger.book(*stage, "updates_active", a.busy)
    ledger.book(*stage, "updates_idle", np.where(stepped | biased, updates - a.busy, 0))
    ledger.book_home(*stage, "spikes", np.where(from_host, 0, a.spikes))
    ledger.barriers(*stage, slice(0 if biased.any() else 1, None))
    return arrivals


def book_marking(image: ChipImage, a: Activity, ledger: Ledger) -> np.ndarray:
    """Book what learning adds to the forward steps; return [M, T, S] marks that arrive at each slice."""
    routes, stage = image.routes, ("backward", "forward")
    leaving = sent(a.marks)
    marks = later(leaving @ routes.axons)
    ledger.book(*stage, "gate_checks", a.checks)
    ledger.book(*stage, "band_lookups", a.lookups)
    ledger.book_home(*stage, "active_log_entries", a.active + a.resets)
    ledger.book(*stage, "spike_log_entries", later(sent(a.spikes) @ routes.axons) + marks)
    ledger.departures(*stage, "mark_packets", leaving)
    ledger.book(*stage, "packets_in", marks)
    return marks


def book_replay(image: ChipImage, a: Activity, ledger: Ledger, arrivals: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Book the replay steps; the record of (i, t - 1) is read in replay step t, where it also arrived.

    Returns [M, T, S] records of the spike logs (form A reads them again). With form A and push replay reads none of them.
    """
    routes, stage, circuit = image.routes, ("backward", "replay"), image.circuit
    records = arrivals + marks
    read = records * (not (circuit.form_a and circuit.push))
    leaving, active = sent(a.active) * (not circuit.push), a.active @ routes.home
    gathered = later(leaving @ routes.axons)
    plain = read - gathered  # records that spiked only
    live = (a.live > 0) & (not circuit.form_a)
    met = np.where(live, plain, 0)
    only = later((sent(a.spikes) + sent(a.marks) - leaving) @ routes.words)  # words of the rows of such records
    ledger.book(*stage, "log_reads", active + a.resets @ routes.home + read)
    ledger.book(*stage, "trace_decays", a.decays)
    ledger.book(*stage, "error_updates", a.injected)
    ledger.book(*stage, "evaluations", active)
    ledger.book(*stage, "rows_read", gathered + met)
    ledger.book(*stage, "rows_skipped", plain - met)
    ledger.book(*stage, "rows_gathered", gathered)
    ledger.book(*stage, "words_read", later(leaving @ routes.words) + np.where(live, only, 0))
    ledger.book(*stage, "row_adds", a.row_adds)
    ledger.book(*stage, "gather_adds", a.gather_adds)
    ledger.book(*stage, "error_packets", gathered)
    back = routes.hops[:, :, routes.slice_of].transpose(0, 2, 1) * routes.axons  # [3, G, S]: hops of a partial error back home
    ledger.hops(*stage, "error_hops", (later(leaving @ way) if way.any() else None for way in back))
    ledger.book_home(*stage, "packets_in", leaving * routes.axons.sum(axis=1))
    ledger.barriers(*stage, slice(1, None))
    return records


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
    for axis, h in zip(AXES, routes.hops, strict=True):
        ledger.book_at(*stage, f"error_hops_{axis}", LAST, score * h[:, routes.loss] + at_loss * (h[routes.loss] @ broadcast))


def book_steps(image: ChipImage, ledger: Ledger) -> None:
    """Book the loss of every step while the sample runs, and its errors: written to the logs of the readout cores, read in replay."""
    errors = np.zeros((1, ledger.steps, len(image.slices)), dtype=np.int64)
    errors[0, 1:] = image.routes.readout
    book_losses(image, class_words(image, image.routes.readout > 0), ledger)
    ledger.book("backward", "forward", "active_log_entries", errors)
    ledger.book("backward", "replay", "log_reads", errors)
    if image.circuit.form_a:
        ledger.book("backward", "walk", "log_reads", errors)


def book_update(image: ChipImage, a: Activity, ledger: Ledger) -> None:
    """Book the weight update: at step 0 after the replay, or in the replay steps that write in place."""
    stage = ("update", "replay")
    for event, per_slice in (
        ("visits", a.visits + a.followed),
        ("evaluations", a.evaluations),
        ("random_draws", a.draws),
        ("writes", a.writes + a.followed),
        ("writes_skipped", a.evaluations - a.writes),
        ("optimiser_updates", a.optimised),
    ):
        ledger.book(*stage, event, per_slice)
    ledger.row(*stage, "barriers")[:, 0, -1] += a.updated[:, 0]
    book_engine(image, a, ledger)


def book_engine(image: ChipImage, a: Activity, ledger: Ledger) -> None:
    """Book what an engine would do beyond what is active: words of plastic rows that no update fetched, and its epochs."""
    steps = np.zeros(a.visits.shape[:2], dtype=np.int64)  # [M, T] updates
    steps[:, 0] = a.updated[:, 0]
    if image.network.learning.apply == "inplace":
        steps[:, 1:] = 1
    plastic = ledger.plastic_words
    ledger.book("update", "replay", "visits_skipped", steps[:, :, None] * plastic - a.visits)
    epochs = ledger.row("update", "replay", "epochs")
    epochs += steps[:, :, None] * (plastic @ image.routes.column > 0)
