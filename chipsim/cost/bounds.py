"""Bounds of the time of a run of which only summed counts are left: the exact time is between them.

A step takes its slowest core, and which core that is differs from sample to sample. With counts summed over samples the slowest core's
sum is a lower bound (the sum of maxima is at least the maximum of the sums), and the sum over all cores, plus the time that
all packets would take one after the other, is an upper bound. Barriers are counted one by one, so their time is exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.bookings import Booked
from chipsim.cost.links import time_prices
from chipsim.cost.time import LINK, NS, RECEIVE, SEND, barrier_time, core_time, cores_of, nominal_prices, survey
from chipsim.counters import EVENTS, PHASES, Counters
from chipsim.hardware import Chip

STAGES = (("backward", "replay"), ("backward", "walk"), ("update", "replay"), ("update", "forward"))


class Bounds(NamedTuple):
    """Time in s over all samples by phase and in `total`, and the events that have no time."""

    low: dict[str, float | None]
    high: dict[str, float | None]
    unpriced: tuple[str, ...]


def bound_time(counters: Counters, chip: Chip, tiles_used: int) -> Bounds:
    """Return bounds of the time of counts that are summed over samples, [E, T, K] or [M, E, T, K].

    A phase is None where it counted something and nothing of that has a time; the totals are sums of what is known.
    """
    sums = counters.total().counts
    work = Booked.of(Counters(sums, counters.cores))
    linked = chip.network_time != "none"
    prices = nominal_prices(chip, tiles_used)
    send, receive = (core_time(work, prices, "forward", "forward", side) for side in (SEND, RECEIVE))
    plain = np.maximum(send, receive) if chip.core_time == "pipelined" else send + receive
    learning = core_time(work, prices, "backward", "forward")
    low = {"forward": slowest(plain), "backward": 0.0, "update": 0.0}
    high = {"forward": float((send + receive).sum()), "backward": float(learning.sum()), "update": 0.0}
    for phase, stage in STAGES:
        ns = core_time(work, prices, phase, stage)
        low[phase] += slowest(ns)
        high[phase] += float(ns.sum())
    least = slowest(plain + learning) + low["backward"] + low["update"]
    timed, unpriced = survey(sums, len(cores_of(work)), chip, linked)
    for phase in PHASES:
        barriers = float(np.sum(barrier_time(work, prices, phase)))
        low[phase], high[phase], least = low[phase] + barriers, high[phase] + barriers, least + barriers
        high[phase] += packets(sums, chip, phase) if linked else 0.0
    return Bounds(seconds(low, timed, least), seconds(high, timed, sum(high.values())), unpriced)


def slowest(ns: np.ndarray) -> float:
    """Return the sum over steps of the slowest core of [1, T, C, 1] ns."""
    return float(ns.max(axis=-2, initial=0.0).sum())


def packets(sums: np.ndarray, chip: Chip, phase: str) -> float:
    """Return the ns of all hops of a phase one after the other."""
    total, prices = 0.0, time_prices(chip)
    for n, (p, _, event) in enumerate(EVENTS):
        price = prices.get(f"{p}.{event}")
        if p == phase and event in LINK and price is not None:
            total += price.value * int(sums[n].sum())
    return total


def seconds(ns: dict[str, float], timed: dict[str, bool], total: float) -> dict[str, float | None]:
    """Return a bound in s by phase and in total, None for a phase without any time."""
    found: dict[str, float | None] = {phase: ns[phase] * NS if timed[phase] else None for phase in PHASES}
    return {**found, "total": total * NS if any(timed.values()) else None}
