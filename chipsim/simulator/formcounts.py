"""Accounting of form A and of pushed errors (docs/semantics.md section 7). Arrays run over [M samples, T steps, S slices]."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.simulator.ledger import AXES, Ledger
from chipsim.state import PUSH_DECAYS, PUSH_WORDS, WALK_ADDS, WALK_DECAYS, WALK_ROWS, WALK_UPDATES, WALK_WORDS, Activity


def book_forms(image: ChipImage, a: Activity, ledger: Ledger, records: np.ndarray) -> None:
    """Book what form A and pushed errors do beside the replay; records: [M, T, S] of the spike logs, by the step of their arrival."""
    if image.circuit.push:
        book_pushed(image, a, ledger)
    if not image.circuit.form_a:
        return
    stage, homes = ("backward", "walk"), ledger.ways.homes
    ledger.book("backward", "replay", "log_rewrites", a.active, homes)
    ledger.book(*stage, "log_reads", a.active, homes)
    ledger.book(*stage, "log_reads", records)
    for event, row in (
        ("trace_decays", WALK_DECAYS),
        ("trace_updates", WALK_UPDATES),
        ("rows_read", WALK_ROWS),
        ("words_read", WALK_WORDS),
        ("row_adds", WALK_ADDS),
    ):
        ledger.book(*stage, event, a.forms[:, row])
    ledger.barriers(*stage, slice(1, None))


def book_pushed(image: ChipImage, a: Activity, ledger: Ledger) -> None:
    """Book ds on its way: a packet in step t, a row of the transposed copy in step t - 1."""
    stage = ("backward", "replay")
    arrived = np.zeros_like(a.live)
    arrived[:, :-1] = a.pushed.sum(axis=2)[:, 1:]
    ledger.book(*stage, "error_packets", a.pushed.sum(axis=3))
    for axis, way in zip(AXES, image.routes.hops, strict=True):
        if way.any():
            ledger.book(*stage, f"error_hops_{axis}", (a.pushed * way).sum(axis=3))
    ledger.book(*stage, "packets_in", arrived)
    ledger.book(*stage, "rows_read", arrived)
    ledger.book(*stage, "words_read", a.forms[:, PUSH_WORDS])
    ledger.book(*stage, "trace_decays", a.forms[:, PUSH_DECAYS])


def book_copies(image: ChipImage, a: Activity, ledger: Ledger) -> None:
    """Book changed weights on their way to the transposed copies, at step 0."""
    stage, first, copied = ("update", "replay"), slice(0, 1), a.copied[:, None]  # [M, 1, S, S] from, to
    received = copied.sum(axis=2)
    ledger.book_at(*stage, "copy_packets", first, copied.sum(axis=3))
    ledger.axes_at(*stage, "hops", first, ((copied * way).sum(axis=3) for way in image.routes.hops))
    ledger.book_at(*stage, "packets_in", first, received)
    ledger.book_at(*stage, "copy_writes", first, received)
