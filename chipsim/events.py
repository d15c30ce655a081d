"""Events: spike trains as lists of events, the core data type of everything event-driven. No dense copy is ever made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chipsim.errors import DataError, Problem, raise_all
from chipsim.state import SpikeLog


@dataclass(frozen=True)
class Events:
    """Input spikes of B samples over T steps and N units: unit[e] spikes in sample[e] at step t[e].

    t, sample, unit: int arrays of one length, in any order (kept sorted by sample, t, unit). shape: (T, B, N).
    value: optional float array of graded values; without it every event is a 0/1 spike. Fixed point takes 0/1 only.

    Raises:
        DataError: lengths differ, an index is out of range, an event is given twice, a value is not finite.
    """

    t: np.ndarray
    sample: np.ndarray
    unit: np.ndarray
    shape: tuple[int, int, int]
    value: np.ndarray | None = None
    start: np.ndarray = field(init=False, repr=False)  # [B * T + 1] int64: events of (sample, t) sit at start[sample * T + t] ...

    def __post_init__(self) -> None:
        arrays = {name: np.asarray(getattr(self, name)) for name in ("t", "sample", "unit")}
        raise_all(event_problems(arrays, self.shape, self.value), DataError)
        steps, samples, units = self.shape
        t, sample, unit = (arrays[name].astype(np.int64) for name in ("t", "sample", "unit"))
        key = (sample * steps + t) * units + unit
        if (np.diff(key) <= 0).any():
            order = np.argsort(key, kind="stable")
            t, sample, unit, key = t[order], sample[order], unit[order], key[order]
            if self.value is not None:
                object.__setattr__(self, "value", np.asarray(self.value)[order])
            twice = np.flatnonzero(np.diff(key) == 0)
            if len(twice):
                e = twice[0]
                where = f"t = {t[e]}, sample = {sample[e]}, unit = {unit[e]}"
                raise DataError(Problem("events", where, "given twice", "each unit spikes at most once per step"))
        start = np.zeros(samples * steps + 1, dtype=np.int64)
        np.cumsum(np.bincount(sample * steps + t, minlength=samples * steps), out=start[1:])
        for name, array in (("t", t), ("sample", sample), ("unit", unit), ("start", start)):
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.t)

    @property
    def samples(self) -> int:
        """Number of samples B."""
        return self.shape[1]

    def spikes(self, number: np.dtype) -> SpikeLog:
        """Return unit and value arrays of all samples in the number type of the kernels; see `of_sample`."""
        value = np.ones(len(self.unit), dtype=number) if self.value is None else np.asarray(self.value).astype(number)
        return SpikeLog(self.unit, value, self.start)

    def of_sample(self, log: SpikeLog, sample: int) -> SpikeLog:
        """Return the view of one sample: start [T + 1] into the arrays of all samples."""
        steps = self.shape[0]
        return SpikeLog(log.unit, log.value, self.start[sample * steps : (sample + 1) * steps + 1])

    def take(self, samples: np.ndarray) -> Events:
        """Return the events of some samples, renumbered in the order given."""
        steps = self.shape[0]
        spans = [slice(self.start[s * steps], self.start[(s + 1) * steps]) for s in samples]
        index = np.concatenate([np.arange(s.start, s.stop) for s in spans]) if spans else np.zeros(0, dtype=np.int64)
        new = np.repeat(np.arange(len(spans)), [s.stop - s.start for s in spans])
        value = None if self.value is None else self.value[index]
        return Events(self.t[index], new, self.unit[index], (steps, len(spans), self.shape[2]), value)


def event_problems(arrays: dict[str, np.ndarray], shape: tuple[int, int, int], value: np.ndarray | None) -> list[Problem]:
    """Return what is wrong with the arrays of `Events`."""
    if len(shape) != 3 or min(shape) < 0 or shape[0] < 1:
        return [Problem("events", "shape", shape, "(T, B, N) with T >= 1 is required")]
    found = []
    for (name, array), limit in zip(arrays.items(), shape, strict=True):
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            found.append(
                Problem(
                    "events", name, f"{array.dtype} array of {array.ndim} dimensions", "a one-dimensional int array is required"
                )
            )
        elif array.size and (array.min() < 0 or array.max() >= limit):
            worst = int(array.min()) if array.min() < 0 else int(array.max())
            found.append(Problem("events", name, worst, f"indices run from 0 to {limit - 1}"))
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim == 1}
    if value is not None:
        lengths["value"] = len(np.asarray(value))
        if not np.isfinite(np.asarray(value, dtype=np.float64)).all():
            found.append(Problem("events", "value", "not finite", "every value must be a finite number"))
    if len(set(lengths.values())) > 1:
        found.append(Problem("events", "length", lengths, "all arrays must have one length"))
    return found


def as_events(x: object, units: int, steps: int | None = None) -> Events:
    """Turn a dense array [T, B, N] into events (non-zero entries), or check given events.

    Raises:
        DataError: the shape is not [T, B, units], T differs from `steps`, or a value is not finite.
    """
    name = "input x"
    if isinstance(x, Events):
        shape, events = x.shape, x
    else:
        dense = np.asarray(x)
        if dense.ndim != 3 or dense.dtype.kind not in "biuf":
            raise DataError(
                Problem(name, "shape", f"{dense.dtype} {list(dense.shape)}", f"a numeric array [T, B, {units}] is required")
            )
        if not np.isfinite(dense).all():
            raise DataError(Problem(name, "value", "NaN or infinite", "every value must be a finite number"))
        by_sample = np.argwhere(dense.transpose(1, 0, 2))
        sample, t, unit = by_sample.T
        value = dense[t, sample, unit]
        events = Events(t, sample, unit, dense.shape, None if (value == 1).all() else value.astype(np.float64))
        shape = dense.shape
    problems = []
    if shape[2] != units:
        problems.append(Problem(name, "shape[2]", shape[2], f"the input population has {units} units ([T, B, N])"))
    if steps is not None and shape[0] != steps:
        problems.append(Problem(name, "shape[0]", shape[0], f"the network runs {steps} steps ([T, B, N])"))
    raise_all(problems, DataError)
    return events


def require_binary(events: Events, why: str) -> None:
    """Refuse graded values where only 0/1 spikes exist."""
    if events.value is not None and not np.isin(events.value, (0, 1)).all():
        odd = events.value[~np.isin(events.value, (0, 1))][0]
        raise DataError(Problem("input x", "value", odd, f"only 0 and 1 are allowed: {why}"))
