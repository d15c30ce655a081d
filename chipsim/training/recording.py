"""Recording: what happened in every training sample, small enough to keep, so that a run can be priced again without running again.

Time is the slowest core of every step of every sample, so the sums of counters.npz do not give it for other prices. What accounting
starts from (state.Activity: a few counts per step and slice) does; everything else follows from it and the routes. A block of samples
is stored in the smallest unsigned type per field, zeros not at all, and compressed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chipsim.errors import DataError, Problem
from chipsim.state import Activity

MOST_BYTES = 1 << 26  # compressed; a longer run keeps its summed counts only
LEVEL = 1  # of zlib: the activity is mostly small numbers, higher levels gain little
DIMENSIONS = 3  # of a field of one sample at most


class Recording:
    """Activities in blocks of samples, in the order of training, and where each pass ends. `whole` is False once it grew too large."""

    def __init__(self, most: int = MOST_BYTES):
        self.most, self.whole, self.bytes = most, True, 0
        self.data: list[bytes] = []
        self.sizes: list[list[int]] = []  # [block][field] bytes per number; 0: all zeros
        self.samples: list[int] = []
        self.passes: list[int] = []  # blocks before the end of each pass
        self.shapes: list[tuple[int, ...]] = []

    def add(self, activity: Activity) -> None:
        """Keep a block of samples; fields of `activity` carry a leading axis M."""
        if not self.whole:
            return
        parts, sizes = [], []
        for field in activity:
            top = int(field.max(initial=0))
            kind = np.min_scalar_type(top)
            sizes.append(kind.itemsize if top else 0)
            if top:
                parts.append(field.reshape(len(field), -1).astype(kind).T.tobytes())  # the same entry of all samples is alike
        self.data.append(zlib.compress(b"".join(parts), LEVEL))
        self.sizes.append(sizes)
        self.samples.append(len(activity.updated))
        self.shapes = [field.shape[1:] for field in activity]
        self.bytes += len(self.data[-1])
        if self.bytes > self.most:
            self.whole, self.data, self.sizes, self.samples, self.passes = False, [], [], [], []

    def end_pass(self) -> None:
        """Note that a pass ends here: times are added up pass by pass."""
        self.passes.append(len(self.data))

    def blocks(self) -> Iterator[tuple[Activity, bool]]:
        """Give every block as it was, and whether a pass ends with it."""
        for n, (data, sizes, samples) in enumerate(zip(self.data, self.sizes, self.samples, strict=True)):
            raw, at, fields = zlib.decompress(data), 0, []
            for size, shape in zip(sizes, self.shapes, strict=True):
                count = int(np.prod(shape)) * samples
                if not size:
                    fields.append(np.zeros((samples, *shape), dtype=np.int64))
                    continue
                field = np.frombuffer(raw, f"u{size}", count, at).reshape(-1, samples).T
                fields.append(np.ascontiguousarray(field).astype(np.int64).reshape(samples, *shape))
                at += size * count
            yield Activity(*fields), n + 1 in self.passes

    def save(self, path: Path) -> None:
        """Write an .npz file."""
        shapes = [[*shape, *[-1] * (DIMENSIONS - len(shape))] for shape in self.shapes]
        np.savez(
            path, data=np.frombuffer(b"".join(self.data), np.uint8), ends=np.cumsum([len(d) for d in self.data], dtype=np.int64),
            sizes=np.array(self.sizes, np.uint8), samples=np.array(self.samples), passes=np.array(self.passes),
            shapes=np.array(shapes), fields=np.array(Activity._fields),
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path, name: str) -> Recording:
        """Return what `save` wrote; name: of the run, for messages.

        Raises:
            DataError: the file is damaged, or was written by a version that recorded something else.
        """
        found = cls()
        try:
            with np.load(path) as file:
                arrays = {key: file[key] for key in file.files}
            fields, raw = tuple(arrays["fields"].tolist()), arrays["data"].tobytes()
            ends = [0, *arrays["ends"].tolist()]
            found.data = [raw[a:b] for a, b in zip(ends, ends[1:], strict=False)]
            found.sizes, found.samples, found.passes = (arrays[key].tolist() for key in ("sizes", "samples", "passes"))
            found.shapes = [tuple(n for n in shape if n >= 0) for shape in arrays["shapes"].tolist()]
        except Exception as error:  # a damaged zip makes zipfile, zlib and numpy raise a dozen kinds of error
            limit = "the file cannot be read as recorded activity"
            raise DataError(Problem(name, path.name, type(error).__name__, limit)) from None
        if fields != Activity._fields:
            limit = "this version records other fields: price the run with the version that trained it"
            raise DataError(Problem(name, path.name, ", ".join(fields), limit))
        return found
