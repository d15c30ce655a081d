"""One comparison of a validation case: what was expected, what came out, and how far apart they may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure of the outside world and chipsim's own.

    rule: how they are compared. "equal": no difference. "at most": |deviation| <= tolerance. "more than": |deviation| > tolerance, a
    negative control. "between": low <= got <= high, expected is (low, high). "contains": low <= expected <= high, got is (low, high).
    deviation: got / expected - 1; None where one of them is an interval, or where nothing is expected but 0.
    source: who published the expected figure. note: what a reader must know to judge the row.
    """

    name: str
    expected: float | tuple[float, float]
    got: float | tuple[float, float]
    unit: str
    rule: str
    tolerance: float
    source: str
    note: str = ""

    @property
    def deviation(self) -> float | None:
        """Relative difference."""
        if isinstance(self.expected, tuple) or isinstance(self.got, tuple) or not self.expected:
            return None
        return self.got / self.expected - 1

    @property
    def ok(self) -> bool:
        """Whether the figure came out as it must."""
        if self.rule == "equal":
            return self.got == self.expected
        if self.rule == "between":
            return self.expected[0] <= self.got <= self.expected[1]
        if self.rule == "contains":
            return self.got[0] <= self.expected <= self.got[1]
        within = abs(self.deviation) <= self.tolerance
        return within if self.rule == "at most" else not within

    def facts(self) -> dict[str, object]:
        """Return the row as a table of `chipsim validate --json`."""
        plain = {key: list(v) if isinstance(v, tuple) else v for key, v in vars(self).items()}
        return {**plain, "deviation": self.deviation, "ok": self.ok}


def equal(name: str, expected: float, got: float, unit: str, source: str, note: str = "") -> Row:
    """Return a row whose two figures must be the same number."""
    return Row(name, expected, got, unit, "equal", 0.0, source, note)


def close(name: str, expected: float, got: float, unit: str, tolerance: float, source: str, note: str = "") -> Row:
    """Return a row whose figures may differ by `tolerance`, relative to the expected one."""
    return Row(name, expected, got, unit, "at most", tolerance, source, note)


def misses(name: str, expected: float, got: float, unit: str, least: float, source: str, note: str = "") -> Row:
    """Return a negative control: the figures must differ by more than `least`."""
    return Row(name, expected, got, unit, "more than", least, source, note)


def between(name: str, low: float, high: float, got: float, unit: str, source: str, note: str = "") -> Row:
    """Return a row whose figure must lie in a band."""
    return Row(name, (low, high), got, unit, "between", 0.0, source, note)


def contains(name: str, expected: float, low: float, high: float, unit: str, source: str, note: str = "") -> Row:
    """Return a row whose reported interval must contain the published figure."""
    return Row(name, expected, (low, high), unit, "contains", 0.0, source, note)
