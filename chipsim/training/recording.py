"""Recording: what happened in every training sample, small enough to keep, so that a run can be priced again without running again.

Time is the slowest core of every step of every sample, so the sums of counters.npz do not give it for other prices. What accounting
starts from (state.Activity: a few counts per step and slice) does; everything else follows from it and the routes. A block of samples
is stored column by column, each in the smallest unsigned type that holds it, those of zeros not at all, and compressed.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chipsim.errors import DataError, Problem, raise_all
from chipsim.simulator.engine import fields_of
from chipsim.state import Activity

FILE = "activity.npz"
STORED = ("data", "ends", "samples", "passes", "shapes", "fields")  # its arrays
MOST_BYTES = 1 << 26  # compressed; a longer run keeps its summed counts only
LEVEL = 1  # of zlib: the activity is mostly small numbers and zeros, for which higher levels and longer matches gain little
DIMENSIONS = 3  # of a field of one sample at most
WIDTHS = (1, 2, 4, 8)  # bytes of a number


class Recording:
    """Activities in blocks of samples, in the order of training, and where each pass ends. `whole` is False once it grew too large."""

    def __init__(self, most: int = MOST_BYTES):
        self.name, self.most, self.whole, self.bytes = "run", most, True, 0  # name: of the run, for messages
        self.data: list[
            bytes
        ] = []  # of each block: bytes per number of every entry (0: zeros), then the numbers, narrow ones first
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
        """Give every block as it was, and whether a pass ends with it.

        Raises:
            DataError: a block is damaged.
        """
        entries = sum(math.prod(shape) for shape in self.shapes)
        for n, (data, samples) in enumerate(zip(self.data, self.samples, strict=True)):
            try:
                rows = unpack(data, samples, entries)
            except ValueError as error:
                limit = f"it must hold {samples} samples of {entries} numbers"
                raise DataError(Problem(self.name, f"{FILE}: data of block {n}", str(error), limit)) from None
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
        try:
            with np.load(path) as file:
                arrays = {key: file[key] for key in file.files}
        except Exception as error:  # a damaged zip makes zipfile, zlib and numpy raise a dozen kinds of error
            limit = "the file cannot be read as recorded activity"
            raise DataError(Problem(name, path.name, type(error).__name__, limit)) from None
        missing = [key for key in STORED if key not in arrays]
        raise_all(
            [Problem(name, f"{path.name}: {key}", "(nothing)", "recorded activity has this array") for key in missing], DataError
        )
        fields = tuple(str(field) for field in arrays["fields"].ravel())
        if fields != Activity._fields:
            limit = "this version records other fields: price the run with the version that trained it"
            raise DataError(Problem(name, f"{path.name}: fields", ", ".join(fields), limit))
        raise_all(array_problems(arrays, name, path.name), DataError)
        found, raw = cls(), arrays["data"].tobytes()
        ends = [0, *arrays["ends"].tolist()]
        found.name, found.data = name, [raw[a:b] for a, b in zip(ends, ends[1:], strict=False)]
        found.samples, found.passes = (arrays[key].tolist() for key in ("samples", "passes"))
        found.shapes = [tuple(n for n in shape if n >= 0) for shape in arrays["shapes"].tolist()]
        return found

    def require(self, samples: int, passes: int, shapes: list[tuple[int, ...]]) -> None:
        """Refuse activity of another run: other numbers of samples or passes, or fields of other shapes.

        Raises:
            DataError: names each that differs.
        """
        wanted = {"samples": (sum(self.samples), samples), "passes": (len(self.passes), passes), "shapes": (self.shapes, shapes)}
        limits = {
            "samples": f"the run trained on {samples}", "passes": f"the run made {passes}",
            "shapes": f"config.toml and chip.toml give {shapes}",
        }  # fmt: skip
        raise_all([Problem(self.name, f"{FILE}: {key}", got, limits[key]) for key, (got, want) in wanted.items() if got != want],
                  DataError)  # fmt: skip


def array_problems(arrays: dict[str, np.ndarray], name: str, file: str) -> list[Problem]:
    """Return what is wrong with the arrays of a file, taken together."""
    forms = {"ends": 1, "samples": 1, "passes": 1, "shapes": 2}
    found = []
    if arrays["data"].dtype != np.uint8 or arrays["data"].ndim != 1:
        found.append(Problem(name, f"{file}: data", kind_of(arrays["data"]), "it is a row of bytes, uint8"))
    for key, axes in forms.items():
        if arrays[key].dtype.kind not in "iu" or arrays[key].ndim != axes:
            found.append(Problem(name, f"{file}: {key}", kind_of(arrays[key]), f"it holds whole numbers along {axes} axes"))
    if found:
        return found
    ends, samples, passes, shapes = (arrays[key] for key in forms)
    size, blocks, fields = len(arrays["data"]), len(ends), len(Activity._fields)
    rules = {
        "ends": (rising(ends, size), f"it rises to the {size} bytes of data"),
        "samples": (len(samples) == blocks and (samples > 0).all(), f"there is one number, at least 1, for each of {blocks} blocks"),
        "passes": (rising(passes, blocks), f"it rises to the {blocks} blocks of ends"),
        "shapes": (shapes.shape == (fields, DIMENSIONS) and (shapes >= -1).all(),
                   f"it has {fields} rows of {DIMENSIONS} numbers, -1 for none"),
    }  # fmt: skip
    return [Problem(name, f"{file}: {key}", arrays[key].tolist(), limit) for key, (good, limit) in rules.items() if not good]


def rising(values: np.ndarray, last: int) -> bool:
    """Return whether whole numbers rise from above 0 to `last`."""
    numbers = [0, *values.tolist()]
    return len(numbers) > 1 and numbers[-1] == last and all(a < b for a, b in zip(numbers, numbers[1:], strict=False))


def kind_of(array: np.ndarray) -> str:
    """Return type and shape of an array, for messages."""
    return f"{array.dtype} of shape {list(array.shape)}"


def unpack(data: bytes, samples: int, entries: int) -> np.ndarray:
    """Return the numbers of a block, [samples, entries] integers of 32 or 64 bits, as in a run.

    Raises:
        ValueError: the bytes are no such block.
    """
    packed = zlib.decompressobj()
    try:
        raw = packed.decompress(data, entries * (1 + max(WIDTHS) * samples) + 1)
    except zlib.error as error:
        raise ValueError(f"the bytes cannot be unpacked: {error}") from None
    widths = np.frombuffer(raw[:entries], np.uint8)
    if len(raw) != entries + samples * int(widths.sum()) or not packed.eof or not np.isin(widths, (0, *WIDTHS)).all():
        raise ValueError(f"{len(raw)} bytes are not those of {samples} samples of {entries} numbers")
    rows, at = np.zeros((samples, entries), dtype=np.int64 if widths.max(initial=0) > 2 else np.int32), entries
    for width in WIDTHS:
        columns = np.flatnonzero(widths == width)
        rows[:, columns] = np.frombuffer(raw, f"u{width}", len(columns) * samples, at).reshape(-1, samples).T
        at += width * len(columns) * samples
    if rows.min(initial=0) < 0:
        raise ValueError("a count is larger than a word of 63 bits")
    return rows


def widths_of(top: np.ndarray) -> np.ndarray:
    """Return the bytes that hold each number, uint8: 0 for 0, else 1, 2, 4 or 8."""
    return np.select([top == 0, top < 1 << 8, top < 1 << 16, top < 1 << 32], [0, 1, 2, 4], 8).astype(np.uint8)
