"""How sure a time is: the price of every event drawn, the slowest core found anew in every trial (docs/cost.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chipsim.bookings import Booked
from chipsim.cost.draws import TRIALS, price_draws
from chipsim.cost.gaps import Gaps
from chipsim.cost.links import drawn_as, time_prices
from chipsim.cost.terms import Lasting
from chipsim.cost.time import LinkLoads, Time, TimePrices, step_times
from chipsim.cost.uncertainty import Draws, Interval, learning_ratio
from chipsim.counters import HOST, PHASES, Counters
from chipsim.hardware import Chip, Quantity

CELLS = 1024  # cores x steps of the samples that are kept: what 1,000 trials work through in some hundredths of a second
HEAD = 3  # columns before the trials: nominal, all times at their lower end, all at their upper end


class Subset:
    """Some samples of a run, evenly spread over it, with their counts and link loads: the first, then every second, fourth ..."""

    def __init__(self, steps: int, columns: int):
        self.most = max(1, CELLS // (steps * columns))
        self.apart, self.seen = 1, 0
        self.kept: list = []  # (counts [E, T, K], LinkLoads [T, L]) of one sample each

    def add(self, counted: Booked, loads: LinkLoads) -> None:
        """Look at a block of samples; the counts of those that stay are worked out."""
        while len(self.kept) + len(self.due(counted.samples)) > self.most:
            self.halve()
        self.kept += [(counted.of_sample(m).counts[0], sample_loads(loads, m)) for m in self.due(counted.samples)]
        self.seen += counted.samples

    def due(self, samples: int) -> range:
        """Return which of the next so many samples are to be kept at the distance of now."""
        return range(-self.seen % self.apart, samples, self.apart)

    def absorb(self, other: Subset) -> None:
        """Add the samples another subset has kept, those of a later part of the run; both at the same distance from now on."""
        apart = max(self.apart, other.apart)
        self.kept = self.kept[:: apart // self.apart] + other.kept[:: apart // other.apart]
        self.apart, self.seen = apart, self.seen + other.seen
        while len(self.kept) > self.most:
            self.halve()

    def halve(self) -> None:
        """Leave out every second sample."""
        self.kept, self.apart = self.kept[::2], 2 * self.apart


def sample_loads(loads: LinkLoads, m: int) -> LinkLoads:
    """Return the loads of one sample of a block, [T, L]; stages that do not occur are the same for all samples."""
    stages = (getattr(loads, stage) for stage in loads._fields[1:])
    return LinkLoads(loads.kinds, *(stage[m if len(stage) > 1 else 0].copy() for stage in stages))


@dataclass(frozen=True)
class TimeUncertainty:
    """What the prices leave open of a time: 90 % intervals in s, of all samples of the run.

    low, high: corners, with all times of the chip at their lower and at their upper end, or an end of the interval beyond: the slowest
    of many cores can be later than each of them alone.
    learning_to_inference: (backward + update) / forward; None where a phase has no time, `unknown` says which.
    samples: how many of them the trials were made on.
    core_changes: share of the trials in which another core than nominally is the slowest one in most steps;
    step_changes: share of steps x trials in which another core than nominally is the slowest. draws: {phase or "total"}.
    """

    total: Interval
    low: float
    high: float
    phases: dict[str, Interval]
    learning_to_inference: Interval | None
    samples: int
    core_changes: float
    step_changes: float
    unknown: dict[str, str]
    gaps: Gaps
    draws: dict[str, Draws] = field(repr=False, compare=False)

    @property
    def lasting(self) -> Lasting:
        """The time in shares of its nominal value, for what lasts as long."""
        nominal, found = self.total.nominal, self.draws["total"]
        return Lasting(self.low / nominal, self.high / nominal, found.values / nominal)

    def summary(self, samples: int) -> dict[str, Any]:
        """Return what `chipsim train --json` says of it, times in s per sample of the run."""
        return {
            "trials": TRIALS, "samples": self.samples, "low": self.low / samples, "high": self.high / samples,
            "p05": self.total.p05 / samples, "p95": self.total.p95 / samples,
            "phases": {phase: row.times(1 / samples)._asdict() for phase, row in self.phases.items()},
            "learning_to_inference": self.gaps.ratio_row(self.learning_to_inference), "unknown": self.unknown,
            "critical_core_changes": self.core_changes, "critical_step_changes": self.step_changes,
        }  # fmt: skip


def spread_time(subset: Subset, cores: np.ndarray, chip: Chip, tiles: int, time: Time) -> TimeUncertainty | None:
    """Return the uncertainty of the time of a run; None if nothing has a time.

    cores: [K] id of each column, the host last. time: of all samples; the trials give what each phase is relative to its nominal time.
    On a chip with an event queue that ratio is the one of the hottest link: packets are not sent anew in every trial. Cycles that a
    formula gives are exact.
    """
    if not subset.kept or not time.total_s:
        return None
    used, prices = int((cores != HOST).sum()), drawn_prices(chip, tiles)
    sums = {phase: np.zeros(HEAD + TRIALS) for phase in PHASES}
    tops = []
    for counts, loads in (part for sample in subset.kept for part in parts_of(*sample)):
        work = Booked.of(Counters(counts, cores))
        steps, busy = step_times(work, chip, prices, None if chip.network_time == "none" else loads)
        for phase in PHASES:
            sums[phase] += steps[phase]
        tops.append(slowest_core(busy[0, busy[0, ..., 0].any(axis=-1)]))
    exact = {phase: phase in time.exact or not sums[phase][0] for phase in PHASES}
    shares = {phase: np.ones(HEAD + TRIALS) if exact[phase] else sums[phase] / sums[phase][0] for phase in PHASES}
    found = {phase: getattr(time, f"{phase}_s") * shares[phase] for phase in PHASES if getattr(time, f"{phase}_s")}
    draws = {phase: Draws(float(ns[0]), ns[HEAD:]) for phase, ns in found.items()}
    whole = sum(draws.values(), Draws(0.0, np.zeros(TRIALS)))
    low, high = (float(sum(ns[end] for ns in found.values())) for end in (1, 2))
    least, most = whole.interval[1:]
    ratio, why = learning_ratio(draws, time.gaps)
    return TimeUncertainty(
        whole.interval, min(low, least), max(high, most), {phase: row.interval for phase, row in draws.items()}, ratio,
        len(subset.kept), *changed(np.concatenate(tops)[:, [0, *range(HEAD, HEAD + TRIALS)]], used),
        {} if why is None else {"learning_to_inference": why}, time.gaps, {**draws, "total": whole},
    )  # fmt: skip


def parts_of(counts: np.ndarray, loads: LinkLoads) -> Iterator[tuple[np.ndarray, LinkLoads]]:
    """Cut a sample [E, T, K] into spans of steps that 1,000 trials have memory for; yields [1, E, t, K] and their loads [1, t, L]."""
    steps, columns = counts.shape[1:]
    at_once = max(1, CELLS // columns)
    for t in range(0, steps, at_once):
        span = slice(t, t + at_once)
        stages = (stage[None, span] if len(stage) == steps else stage[None] for stage in loads[1:])
        yield counts[None, :, span], LinkLoads(loads.kinds, *stages)


def drawn_prices(chip: Chip, tiles: int) -> TimePrices:
    """Return the times of a chip, [HEAD + TRIALS]: nominal, all at their lower and at their upper end, then those of every trial."""
    events = {name: column(p, drawn_as(name, p), chip.point) for name, p in time_prices(chip).items()}
    if not chip.barrier_points:
        return TimePrices(events, None)
    at = [n for n, _ in chip.barrier_points]
    weights = [float(np.interp(tiles, at, row)) for row in np.eye(len(at))]
    points = [column(q, f"barrier.{n}", chip.point) for n, q in chip.barrier_points]
    return TimePrices(events, sum(w * p for w, p in zip(weights, points, strict=True)))


def column(price: Quantity, name: str, point: str) -> np.ndarray:
    """Return [HEAD + TRIALS] values of one price."""
    return np.concatenate([(price.value, price.low, price.high), price_draws(price, name, point)])


def slowest_core(busy: np.ndarray) -> np.ndarray:
    """Return [steps, R] the core that takes longest of [steps, C, R] ns, the first of equals; column by column, since they are few."""
    first = np.zeros((len(busy), busy.shape[-1]), dtype=np.int64)
    if not busy.shape[1]:
        return first[:0]
    most = busy[:, 0].copy()
    for core in range(1, busy.shape[1]):
        longer = busy[:, core] > most
        first[longer] = core
        np.maximum(most, busy[:, core], out=most)
    return first


def changed(slowest: np.ndarray, cores: int) -> tuple[float, float]:
    """Return (share of trials with another most critical core, share of steps x trials with another slowest core).

    slowest: [steps, 1 + TRIALS] column of the slowest core, the nominal one first; cores: how many there are.
    """
    if not len(slowest):
        return 0.0, 0.0
    trials = slowest.shape[1]
    times = np.bincount((slowest + cores * np.arange(trials)).ravel(), minlength=cores * trials).reshape(trials, cores)
    most = times.argmax(axis=1)
    return float((most[1:] != most[0]).mean()), float((slowest[:, 1:] != slowest[:, :1]).mean())
