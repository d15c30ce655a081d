"""Events: spike trains as lists of events, the core data type of everything event-driven. No dense copy is ever made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral

import numpy as np

from chipsim.errors import DataError, Problem, raise_all
from chipsim.state import SpikeLog

MOST_CELLS = 1 << 30  # steps x samples: the index of events takes 8 bytes each


@dataclass(frozen=True)
class Events:
    """Input spikes of B samples over T steps and N units: unit[e] spikes in sample[e] at step t[e].

    t, sample, unit: int arrays of one length, in any order (kept sorted by sample, t, unit). shape: (T, B, N).
    value: optional graded values (a value of 0 is no event); without them every event is a 0/1 spike. Fixed point takes 0/1 only.

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
        arrays, value = readable(self.t, self.sample, self.unit, self.value)
        raise_all(event_problems(arrays, self.shape, value), DataError)
        steps, samples, units = self.shape
        kept = slice(None) if value is None else value != 0  # an event of value 0 is none
        t, sample, unit = (arrays[name].astype(np.int64)[kept] for name in ("t", "sample", "unit"))
        value = None if value is None or (value[kept] == 1).all() else value[kept]
        key = (sample * steps + t) * units + unit
        if (np.diff(key) <= 0).any():
            order = np.argsort(key, kind="stable")
            t, sample, unit, key = t[order], sample[order], unit[order], key[order]
            value = None if value is None else value[order]
            twice = np.flatnonzero(np.diff(key) == 0)
            if len(twice):
                e = twice[0]
                where = f"t = {t[e]}, sample = {sample[e]}, unit = {unit[e]}"
                raise DataError(Problem("events", where, "given twice", "each unit spikes at most once per step"))
        start = np.zeros(samples * steps + 1, dtype=np.int64)
        np.cumsum(np.bincount(sample * steps + t, minlength=samples * steps), out=start[1:])
        for name, array in (("t", t), ("sample", sample), ("unit", unit), ("start", start), ("value", value)):
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.t)

    @property
    def samples(self) -> int:
        """Number of samples B."""
        return self.shape[1]

    def spikes(self, number: np.dtype) -> SpikeLog:
        """Return unit and value arrays of all samples in the number type of the kernels; see `of_sample`."""
        value = np.ones(len(self.unit), dtype=number) if self.value is None else self.value.astype(number)
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


def readable(t: object, sample: object, unit: object, value: object) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the arrays of `Events`, value as float64.

    Raises:
        DataError: something is no array of numbers.
    """
    found, problems = {}, []
    for name, given in (("t", t), ("sample", sample), ("unit", unit), ("value", value)):
        if given is None and name == "value":
            continue
        try:
            found[name] = np.asarray(given, dtype=np.float64 if name == "value" else None)
        except (TypeError, ValueError):
            problems.append(Problem("events", name, type(given).__name__, "a one-dimensional array of numbers is required"))
    raise_all(problems, DataError)
    graded = found.pop("value", None)
    return found, graded


def shape_problems(shape: object) -> list[Problem]:
    """Return what is wrong with the shape of events."""
    wanted = "(T, B, N) in whole numbers with T >= 1 is required"
    if not isinstance(shape, (tuple, list)) or len(shape) != 3 or not all(isinstance(n, Integral) and n >= 0 for n in shape):
        return [Problem("events", "shape", shape, wanted)]
    if shape[0] < 1:
        return [Problem("events", "shape", shape, wanted)]
    if shape[0] * shape[1] > MOST_CELLS or shape[0] * shape[1] * shape[2] >= 2**62:
        return [Problem("events", "shape", shape, f"at most {MOST_CELLS} steps x samples fit into the index of events")]
    return []


def event_problems(arrays: dict[str, np.ndarray], shape: tuple[int, int, int], value: np.ndarray | None) -> list[Problem]:
    """Return what is wrong with the arrays of `Events`."""
    found = shape_problems(shape)
    if found:
        return found
    for (name, array), limit in zip(arrays.items(), shape, strict=True):
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            given = f"{array.dtype} array of {array.ndim} dimensions"
            found.append(Problem("events", name, given, "a one-dimensional int array is required"))
        elif array.size and (array.min() < 0 or array.max() >= limit):
            worst = int(array.min()) if array.min() < 0 else int(array.max())
            found.append(Problem("events", name, worst, f"indices run from 0 to {limit - 1}"))
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim == 1}
    if value is not None and value.ndim != 1:
        found.append(Problem("events", "value", f"array of {value.ndim} dimensions", "a one-dimensional array is required"))
    elif value is not None:
        lengths["value"] = len(value)
        if not np.isfinite(value).all():
            found.append(Problem("events", "value", value[~np.isfinite(value)][0], "every value must be finite"))
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
        try:
            dense = np.asarray(x)
        except ValueError:  # rows of different lengths
            raise DataError(
                Problem(name, "shape", "rows of different lengths", f"an array [T, B, {units}] is required")
            ) from None
        if dense.ndim != 3 or dense.dtype.kind not in "biuf":
            raise DataError(
                Problem(name, "shape", f"{dense.dtype} {list(dense.shape)}", f"a numeric array [T, B, {units}] is required")
            )
        if not np.isfinite(dense).all():
            raise DataError(Problem(name, "value", "NaN or infinite", "0 and 1 (in float numerics any finite value)"))
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


def require_whole(events: Events) -> None:
    """Refuse payloads that no graded spike can carry: whole numbers of 32 bits."""
    if events.value is not None:
        odd = events.value[(events.value != np.rint(events.value)) | (np.abs(events.value) >= 2**31)]
        if len(odd):
            raise DataError(Problem("input x", "value", odd[0], "graded spikes carry whole numbers below 2^31 in magnitude"))
