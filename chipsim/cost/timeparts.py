"""Where the time went: which part every step waited for, which cores were the slowest, and how long each core had nothing to do.

A step lasts as long as its slowest core or its hottest link, so all of it belongs to what it waited for: `network` if that is a link,
else what the slowest core did (`send` or `receive`, the longer one if they overlap, both if not; `learn`). `barrier` stands apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chipsim.bookings import Booked
from chipsim.cost.time import (
    RECEIVE,
    SEND,
    LinkLoads,
    Time,
    TimePrices,
    barrier_time,
    core_time,
    largest,
    link_time,
    nominal_prices,
    on_every_core,
)  # fmt: skip
from chipsim.cost.timespread import Subset
from chipsim.counters import HOST, PHASES, Counters
from chipsim.hardware import Chip

Parts = dict[tuple[str, str], float]  # ns by (phase, part)


def time_breakdown(subset: Subset, cores: np.ndarray, chip: Chip, tiles: int, time: Time) -> dict[str, Any] | None:
    """Return the `time_breakdown` of a summary; None if nothing has a time.

    cores: [K] id of each column, the host last. time: of the whole run. Shares within a phase, and idle times, are those of the samples
    that `subset` kept. A phase whose time an exact formula gave is one part, `cycles`; then nothing is known of idle times.
    """
    if not subset.kept or not time.total_s:
        return None
    ids, prices = cores[cores != HOST], nominal_prices(chip, tiles)
    found: Parts = {}
    busy = np.zeros(len(ids))
    for counts, loads in subset.kept:
        work = Booked.of(Counters(counts, cores))
        one, own = sample_parts(work, chip, prices, None if chip.network_time == "none" else batch_of(loads))
        found = {key: found.get(key, 0.0) + ns for key, ns in one.items()}
        busy += own
    most, spent = sum(time.critical_steps.values()), sum(found.values())
    order = sorted(time.critical_steps.items(), key=lambda row: (-row[1], row[0]))
    idle = {str(core): max(0.0, 1 - float(ns) / spent) for core, ns in zip(ids.tolist(), busy, strict=True)} if spent else {}
    return {
        "samples": len(subset.kept), "shares": shares(found, time),
        "critical_cores": {str(core): steps / most for core, steps in order if steps}, "idle": None if time.cycles else idle,
    }  # fmt: skip


def batch_of(loads: LinkLoads) -> LinkLoads:
    """Return the loads [T, L] of a sample as those of a batch of one; stages that do not occur have one row."""
    return LinkLoads(loads.kinds, *(stage[None] for stage in loads[1:]))


def shares(found: Parts, time: Time) -> dict[str, dict[str, float]]:
    """Return {phase: {part: share of the total time}}; together they are 1."""
    rows: dict[str, dict[str, float]] = {}
    for phase in PHASES:
        seconds, mine = getattr(time, f"{phase}_s"), {part: ns for (p, part), ns in found.items() if p == phase and ns > 0}
        if not seconds:
            continue
        if phase in time.exact or not mine:
            mine = {"cycles": 1.0}
        whole = sum(mine.values()) * time.total_s / seconds
        rows[phase] = {part: ns / whole for part, ns in mine.items()}
    return rows


def sample_parts(work: Booked, chip: Chip, prices: TimePrices, loads: LinkLoads | None) -> tuple[Parts, np.ndarray]:
    """Return the ns of each part of one sample, and [C] ns in which each core works."""
    send, receive = (
        on_every_core(work, core_time(work, prices, "forward", "forward", side))[0, ..., 0] for side in (SEND, RECEIVE)
    )
    together = chip.core_time == "pipelined"
    plain = np.maximum(send, receive) if together else send + receive  # [T, C]
    adds, replay, walk, update, on_the_way = (
        on_every_core(work, core_time(work, prices, *stage))[0, ..., 0]
        for stage in (
            ("backward", "forward"),
            ("backward", "replay"),
            ("backward", "walk"),
            ("update", "replay"),
            ("update", "forward"),
        )
    )
    spikes, marks, errors, signals, copies = (
        link_time(prices, loads, stage) for stage in ("forward", "marking", "replay", "signals", "copies")
    )
    parts = forward_parts(send, receive, plain, hottest(spikes), together)
    core, link = slowest(plain + adds), hottest(spikes + marks + signals)
    more = np.maximum(core, link) - np.maximum(slowest(plain), hottest(spikes))  # [T], what learning adds to the forward steps
    beside = np.maximum(core, link) if chip.engine.overlap == "with_spiking" else 0.0
    hidden = np.maximum(slowest(on_the_way) - beside, 0.0)
    parts |= {
        ("backward", "learn"): float((more * (core >= link)).sum() + slowest(replay).sum() + slowest(walk).sum()),
        ("backward", "network"): float((more * (core < link)).sum() + hottest(errors).sum()),
        ("update", "learn"): float(slowest(update).sum() + hidden.sum()),
        ("update", "network"): float(hottest(copies).sum()),
        **{(phase, "barrier"): float(np.sum(barrier_time(work, prices, phase))) for phase in PHASES},
    }
    return parts, (plain + adds + replay + walk + update + on_the_way).sum(axis=0)


def forward_parts(send: np.ndarray, receive: np.ndarray, plain: np.ndarray, link: np.ndarray, together: bool) -> Parts:
    """Return what forward steps waited for; send, receive, plain: [T, C] ns, link: ns of the hottest link in every step."""
    core = slowest(plain)
    of_core, first = core >= link, plain.argmax(axis=1)
    sent, received = (np.take_along_axis(side, first[:, None], axis=1)[:, 0] for side in (send, receive))
    if together:
        sent, received = np.where(sent >= received, sent, 0.0), np.where(sent >= received, 0.0, received)
    return {
        ("forward", "send"): float((sent * of_core).sum()), ("forward", "receive"): float((received * of_core).sum()),
        ("forward", "network"): float((np.maximum(core, link) * ~of_core).sum()),
    }  # fmt: skip


def slowest(cores: np.ndarray) -> np.ndarray:
    """Return [T] ns of the slowest core of [T, C]."""
    return cores.max(axis=1, initial=0.0)


def hottest(links: np.ndarray) -> np.ndarray:
    """Return [T] ns (or one zero) of the hottest link of [1, T, L, 1]."""
    return largest(links)[0, :, 0]
