"""Time of counted events: each step takes as long as its slowest core (or its hottest link), plus a barrier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chipsim.bookings import Booked
from chipsim.cost.cycles import Layout, forward_cycles, learning_cycles
from chipsim.cost.engine import engine_prices, idle_events
from chipsim.cost.gaps import Gaps
from chipsim.cost.links import time_prices
from chipsim.counters import EVENTS, HOST, PHASES, Counters, Departures, LinkLoads
from chipsim.hardware import Chip

NS = 1e-9  # s
NO_LINKS = NO_CORES = np.zeros((1, 1, 1, 1))
UPDATES = ("updates_active", "updates_idle")
SEND = ("updates_active", "updates_idle", "spikes", "packets")
RECEIVE = ("packets_in", "synops", "words_read")
LINK = ("hops_x", "hops_y", "hops_local", "error_hops_x", "error_hops_y", "error_hops_local")  # time on a link, not in a core


@dataclass(frozen=True)
class Time:
    """Time in s, summed over samples.

    A phase is None if work was counted in it and nothing of that has a time; `total_s` is the sum of the others.
    unpriced: "phase.event" that cores did and that have no time: left out, so the time is a lower bound.
    network: the network time that was really used: that of the chip, or a coarser one if the departures (queue) or the link loads
    (hottest_link) were not given.
    critical_steps: {core: steps it was the slowest core of}, forward and replay, ties to the lowest core id.
    cycles, exact: name of an exact cycle formula, and the phases of which it gave the time; empty: added up from the times of events.
    Where the formula has cycles of learning too, they are the backward time, and the update is inside.
    """

    forward_s: float | None
    backward_s: float | None
    update_s: float | None
    total_s: float | None
    unpriced: tuple[str, ...]
    network: str
    critical_steps: dict[int, int]
    cycles: str = ""
    exact: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that takes time had one."""
        return not self.unpriced

    @property
    def gaps(self) -> Gaps:
        """What the phases lack."""
        return Gaps.of({phase: getattr(self, f"{phase}_s") for phase in PHASES}, self.unpriced, "a time")

    def __add__(self, other: Time) -> Time:
        """Return the time of both, for the batches of a run."""
        parts = [plus(getattr(self, f"{phase}_s"), getattr(other, f"{phase}_s")) for phase in PHASES]
        cores = sorted({*self.critical_steps, *other.critical_steps})
        steps = {core: self.critical_steps.get(core, 0) + other.critical_steps.get(core, 0) for core in cores}
        unpriced = tuple(dict.fromkeys(self.unpriced + other.unpriced))
        network = self.network if self.network == other.network else "none"
        return Time(*parts, total(parts), unpriced, network, steps, self.cycles if self.cycles == other.cycles else "",
                    tuple(phase for phase in self.exact if phase in other.exact))  # fmt: skip

    def per_sample(self, samples: int) -> dict[str, float | None]:
        """Return the `time_s_per_sample` of `chipsim train --json`, in s."""
        values = {name: getattr(self, f"{name}_s") for name in (*PHASES, "total")}
        return {name: None if value is None else value / samples for name, value in values.items()}


def plus(a: float | None, b: float | None) -> float | None:
    """Return the sum of two times of a phase; a phase without a known time stays unknown beside one in which nothing happened."""
    if a is None or b is None:
        return (a or b) or None
    return a + b


def total(parts: list[float | None]) -> float | None:
    """Return the sum of what is known; None if nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def price_time(
    counters: Counters | Booked,
    chip: Chip,
    tiles_used: int,
    link_loads: LinkLoads | None = None,
    departures: Callable[[int, int], Departures] | None = None,
    layout: Layout | None = None,
) -> Time:
    """Return the time of counted events on a chip.

    Forward step: a core takes max(send, receive) if pipelined, else their sum; the step takes the slowest core, or the hottest
    link if that is slower. What learning adds to forward steps (gate checks, logs, marks) comes on top of the core's time; the
    difference to the step without it counts as backward. Replay steps: the slowest core's sum of all work plus the hottest link; steps
    of the walk of form A: the slowest core's sum. The update: the slowest core's sum of all work, in every step that has one, plus the
    hottest link, which takes changed weights to transposed copies; what learns in forward steps may hide in them (engine.overlap).
    Each counted barrier adds its time over `tiles_used` tiles. The host is no core.

    departures: on a chip with network_time = "queue", (sample, step) -> the spikes and packets of that forward step; its forward steps
    then take as long as its packets through the mesh (cost.queue), and everything else as with "hottest_link".
    layout: neurons of the network; on a chip with an exact cycle formula the forward steps then take its cycles. What learning adds
    stays added up from the times of events, unless the rule is the one that is fixed in the circuit.
    counters: counts [M, E, T, K], one block per sample ([E, T, K] of a single sample will do), or the same as products.
    """
    work = counters if isinstance(counters, Booked) else Booked.of(counters)
    ids = cores_of(work)
    prices, loads = nominal_prices(chip, tiles_used), None if chip.network_time == "none" else link_loads
    queued = departures if chip.network_time == "queue" else None
    steps, busy = step_times(work, chip, prices, loads)
    if queued is not None:
        updates = on_every_core(work, core_time(work, prices, "forward", "forward", UPDATES))[..., 0]
        steps["forward"] = queue_steps(chip, updates, ids, queued).sum() + barrier_time(work, prices, "forward")
    timed, unpriced = survey(work.sums.counts, len(ids), chip, loads is not None or queued is not None)
    exact = {} if layout is None or chip.cycles is None else exact_cycles(chip.cycles, work, layout)
    for phase, cycles in exact.items():
        steps[phase] = cycles.sum() * 1e3 / chip.clock["frequency"].value + barrier_time(work, prices, phase)
        timed[phase], unpriced = True, tuple(name for name in unpriced if not name.startswith(f"{phase}."))
    parts = [float(np.ravel(steps[p])[0]) * NS if timed[p] else None for p in PHASES]
    network = "queue" if queued is not None else "none" if loads is None else "hottest_link"
    return Time(*parts, total(parts), unpriced, network, critical(busy[..., 0], ids), chip.cycles if exact else "",
                tuple(exact))  # fmt: skip


def exact_cycles(name: str, work: Booked, layout: Layout) -> dict[str, np.ndarray]:
    """Return {phase: [M, T] cycles} of the phases that a formula gives exactly; learning in forward steps holds the update."""
    forward, learning = forward_cycles(name, work, layout), learning_cycles(name, work, layout)
    found = {} if forward is None else {"forward": forward}
    return found if learning is None else {**found, "backward": learning, "update": np.zeros_like(learning)}


def cores_of(work: Booked) -> np.ndarray:
    """Return the ids of the cores, [C]: the columns but the last, the host's."""
    return work.cores[work.cores != HOST]


def on_every_core(work: Booked, times: np.ndarray, trials: int = 1) -> np.ndarray:
    """Return times as [M, T, C, R], also the one zero of what did not occur."""
    return np.broadcast_to(times, (work.samples, work.steps, len(cores_of(work)), trials))


class TimePrices(NamedTuple):
    """Times in ns, each [R]: R prices at once, 1 for the nominal ones, or one for each trial of a Monte Carlo."""

    events: Mapping[str, np.ndarray]  # by "phase.event"
    barrier: np.ndarray | None  # of one barrier over the tiles in use; None: not known

    @property
    def trials(self) -> int:
        """R."""
        return len(next(iter(self.events.values()), np.zeros(1)))


def nominal_prices(chip: Chip, tiles: int) -> TimePrices:
    """Return the times of a chip as they are, hops as they keep links busy, R = 1."""
    each = chip.barrier(tiles)
    return TimePrices({name: np.array([p.value]) for name, p in time_prices(chip).items()},
                      None if each is None else np.array([each]))  # fmt: skip


def step_times(work: Booked, chip: Chip, prices: TimePrices, loads: LinkLoads | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return {phase: [R] ns} of all steps and barriers, and [M, 3 T, C, R] ns of every core in forward, replay and walk steps."""
    send, receive = (core_time(work, prices, "forward", "forward", side) for side in (SEND, RECEIVE))
    plain = np.maximum(send, receive) if chip.core_time == "pipelined" else send + receive  # [M, T, C, R] ns
    learning = plain + core_time(work, prices, "backward", "forward")
    replay, walk = (core_time(work, prices, "backward", stage) for stage in ("replay", "walk"))
    update, on_the_way = (core_time(work, prices, "update", stage) for stage in ("replay", "forward"))

    stages = ("forward", "marking", "replay", "signals", "copies")
    spikes, marks, errors, signals, copies = (link_time(prices, loads, stage) for stage in stages)
    forward_steps, learning_steps = slowest(plain, spikes), slowest(learning, spikes + marks + signals)  # [M, T, R] ns
    replay_steps = slowest(replay, NO_LINKS) + slowest(NO_CORES, errors)  # replay sends when it has computed: one after the other
    update_steps = slowest(update, NO_LINKS) + slowest(NO_CORES, copies)
    beside = learning_steps if chip.engine.overlap == "with_spiking" else 0.0  # what learns in a forward step may hide in it
    update_steps = update_steps + np.maximum(slowest(on_the_way, NO_LINKS) - beside, 0.0)
    found = {
        "forward": over_steps(forward_steps),
        "backward": over_steps(learning_steps - forward_steps) + over_steps(replay_steps) + over_steps(slowest(walk, NO_LINKS)),
        "update": over_steps(update_steps),
    }
    barriers = {phase: barrier_time(work, prices, phase) for phase in PHASES}
    busy = [on_every_core(work, learning, prices.trials), *(cores for cores in (replay, walk) if cores is not NO_CORES)]
    return {phase: ns + barriers[phase] for phase, ns in found.items()}, np.concatenate(busy, axis=1)


def over_steps(steps: np.ndarray) -> np.ndarray:
    """Return the sum of [M, T, R] over samples and steps, [R]."""
    return steps.sum(axis=(0, 1))


def queue_steps(chip: Chip, updates: np.ndarray, ids: np.ndarray, departures: Callable[[int, int], Departures]) -> np.ndarray:
    """Return [M, T] ns of each forward step with its packets sent one by one; updates: [M, T, C] ns of the cores `ids`."""
    from chipsim.cost.queue import step_times

    every = np.zeros((*updates.shape[:2], chip.mesh.cores))
    every[..., ids] = updates
    spent = step_times(chip, ((departures(m, t), every[m, t]) for m, t in np.ndindex(updates.shape[:2])))
    return np.array(spent).reshape(updates.shape[:2])


def rows_of(phase: str, stage: str, events: tuple[str, ...] | None = None) -> list[int]:
    """Return the rows of `EVENTS` that take time in a core: all of a phase and stage, or those named."""
    mine = [(n, e) for n, (p, s, e) in enumerate(EVENTS) if (p, s) == (phase, stage)]
    return [n for n, e in mine if (e in events if events else e not in LINK and e != "barriers")]


def core_time(work: Booked, prices: TimePrices, phase: str, stage: str, events: tuple[str, ...] | None = None) -> np.ndarray:
    """Return [M, T, C, R] ns of the named events (default: all that take time in a core); those without a time add nothing.

    One zero, [1, 1, 1, 1], if nothing of that occurred.
    """
    names = {row: f"{phase}.{EVENTS[row][2]}" for row in rows_of(phase, stage, events)}
    ns = work.charged(
        {row: prices.events[name] for row, name in names.items() if name in prices.events and prices.events[name].any()}
    )
    return NO_CORES if ns is None else ns[:, :, : len(cores_of(work))]


def link_time(prices: TimePrices, loads: LinkLoads | None, stage: str) -> np.ndarray:
    """Return [M, T, L, R] ns that the packets of a stage keep each link busy (cost.links); [1, 1, 1, 1] zeros without loads."""
    if loads is None or not loads.kinds:
        return NO_LINKS
    event = {"forward": "forward.hops_", "marking": "backward.hops_", "copies": "update.hops_"}.get(stage, "backward.error_hops_")
    none = np.zeros(prices.trials)
    return getattr(loads, stage)[..., None] * np.stack([prices.events.get(event + kind, none) for kind in loads.kinds])


def slowest(cores: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Return [M, T, R] ns of each step: its slowest core or its hottest link."""
    return np.maximum(largest(cores), largest(links))


def largest(times: np.ndarray) -> np.ndarray:
    """Return the largest of [..., C, R] times of each step, [..., R]; column by column, since they are few and numpy's max is slow then."""
    found = np.zeros(times.shape[:-2] + times.shape[-1:])
    for column in range(times.shape[-2]):
        np.maximum(found, times[..., column, :], out=found)
    return found


def barrier_time(work: Booked, prices: TimePrices, phase: str) -> np.ndarray | float:
    """Return the ns of all barriers of a phase, [R]; 0 if their time is not known."""
    rows = [n for n, (p, _, e) in enumerate(EVENTS) if p == phase and e == "barriers"]
    number = int(work.sums.counts[rows].sum())
    return 0.0 if prices.barrier is None else number * prices.barrier


def survey(sums: np.ndarray, cores: int, chip: Chip, with_links: bool) -> tuple[dict[str, bool], tuple[str, ...]]:
    """Return {phase: something of what it counted has a time, or it counted nothing} and the events that have none.

    The time of barriers alone is no time of a phase that did more.
    sums: [E, T, K] counts of all samples, the host the last column; cores: how many there are.
    """
    on_cores, anywhere = sums[..., :cores].any(axis=(1, 2)), sums.any(axis=(1, 2))  # [E]
    known: dict[str, list[bool]] = {phase: [] for phase in PHASES}
    waits = dict.fromkeys(PHASES, True)  # whether the barriers of a phase have a time, if it has any
    prices, idle = engine_prices(chip, "time"), idle_events(chip, "time")
    unpriced = []
    for n, (phase, _, event) in enumerate(EVENTS):
        barrier = event == "barriers"
        if not (anywhere if barrier else on_cores)[n] or (event in LINK and not with_links) or f"{phase}.{event}" in idle:
            continue
        has_time = bool(chip.barrier_points) if barrier else f"{phase}.{event}" in prices
        if barrier:
            waits[phase] = has_time
        else:
            known[phase].append(has_time)
        if not has_time:
            unpriced.append(f"{phase}.{event}")
    return {phase: any(flags) if flags else waits[phase] for phase, flags in known.items()}, tuple(dict.fromkeys(unpriced))


def critical(cores: np.ndarray, ids: np.ndarray) -> dict[int, int]:
    """Return {core: steps in which it took longest} of [M, T, C] ns; steps without work count for nobody."""
    if not len(ids):
        return {}
    busy = largest(cores[..., None])[..., 0] > 0
    steps = np.bincount(cores.argmax(axis=-1)[busy], minlength=len(ids))
    return {int(core): int(n) for core, n in zip(ids, steps, strict=True)}
