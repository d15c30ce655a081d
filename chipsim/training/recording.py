"""Recording: what happened in every training sample, small enough to keep, so that a run can be priced again without running again.

Time is the slowest core of every step of every sample, so the sums of counters.npz do not give it for other prices. What accounting
starts from (state.Activity: a few counts per step and slice) does; everything else follows from it and the routes. A block of samples
is stored column by column, each in the smallest unsigned type that holds it, those of zeros not at all, and compressed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chipsim.errors import DataError, Problem
from chipsim.simulator.engine import fields_of
from chipsim.state import Activity

MOST_BYTES = 1 << 26  # compressed; a longer run keeps its summed counts only
LEVEL = 1  # of zlib: the activity is mostly small numbers and zeros, for which higher levels and longer matches gain little
DIMENSIONS = 3  # of a field of one sample at most
WIDTHS = (1, 2, 4, 8)  # bytes of a number


class Recording:
    """Activities in blocks of samples, in the order of training, and where each pass ends. `whole` is False once it grew too large."""

    def __init__(self, most: int = MOST_BYTES):
        self.most, self.whole, self.bytes = most, True, 0
        self.data: list[
            bytes
        ] = []  # of each block: bytes per number of every entry (0: all zeros), then the numbers, narrow ones first
        self.samples: list[int] = []
        self.passes: list[int] = []  # blocks before the end of each pass
        self.shapes: list[tuple[int, ...]] = []

    def add(self, rows: np.ndarray, shapes: list[tuple[int, ...]]) -> None:
        """Keep a block of samples, [M, entries] integers of all fields one after the other; shapes: of these fields, for one sample."""
        if not self.whole:
            return
        widths = widths_of(rows.max(axis=0))
        parts = [widths.tobytes()]
        for width in WIDTHS:
            columns = np.flatnonzero(widths == width)
            if len(columns):
                parts.append(rows[:, columns].astype(f"u{width}").T.tobytes())  # the same entry of all samples is alike
        packing = zlib.compressobj(LEVEL, strategy=zlib.Z_RLE)
        self.data.append(packing.compress(b"".join(parts)) + packing.flush())
        self.samples.append(len(rows))
        self.shapes = shapes
        self.bytes += len(self.data[-1])
        if self.bytes > self.most:
            self.whole, self.data, self.samples, self.passes = False, [], [], []

    def end_pass(self) -> None:
        """Note that a pass ends here: times are added up pass by pass."""
        self.passes.append(len(self.data))

    def blocks(self) -> Iterator[tuple[Activity, bool]]:
        """Give every block as it was, and whether a pass ends with it."""
        entries = sum(int(np.prod(shape)) for shape in self.shapes)
        for n, (data, samples) in enumerate(zip(self.data, self.samples, strict=True)):
            raw, at = zlib.decompress(data), entries
            widths = np.frombuffer(raw, np.uint8, entries)
            rows = np.zeros((samples, entries), dtype=np.int64 if widths.max(initial=0) > 2 else np.int32)
            for width in WIDTHS:
                columns = np.flatnonzero(widths == width)
                rows[:, columns] = np.frombuffer(raw, f"u{width}", len(columns) * samples, at).reshape(-1, samples).T
                at += width * len(columns) * samples
            yield Activity(*fields_of(rows, self.shapes)), n + 1 in self.passes

    def save(self, path: Path) -> None:
        """Write an .npz file."""
        shapes = [[*shape, *[-1] * (DIMENSIONS - len(shape))] for shape in self.shapes]
        np.savez(
            path, data=np.frombuffer(b"".join(self.data), np.uint8), ends=np.cumsum([len(d) for d in self.data], dtype=np.int64),
            samples=np.array(self.samples), passes=np.array(self.passes), shapes=np.array(shapes), fields=np.array(Activity._fields),
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
            found.samples, found.passes = (arrays[key].tolist() for key in ("samples", "passes"))
            found.shapes = [tuple(n for n in shape if n >= 0) for shape in arrays["shapes"].tolist()]
        except Exception as error:  # a damaged zip makes zipfile, zlib and numpy raise a dozen kinds of error
            limit = "the file cannot be read as recorded activity"
            raise DataError(Problem(name, path.name, type(error).__name__, limit)) from None
        if fields != Activity._fields:
            limit = "this version records other fields: price the run with the version that trained it"
            raise DataError(Problem(name, path.name, ", ".join(fields), limit))
        return found


def widths_of(top: np.ndarray) -> np.ndarray:
    """Return the bytes that hold each number, uint8: 0 for 0, else 1, 2, 4 or 8."""
    return np.select([top == 0, top < 1 << 8, top < 1 << 16, top < 1 << 32], [0, 1, 2, 4], 8).astype(np.uint8)
