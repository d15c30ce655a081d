"""One comparison of a validation case: what was expected, what came out, and how far apart they may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure of the outside world and chipsim's own.

    rule: how they are compared. "equal": no difference. "at most": |deviation| <= tolerance. "more than": |deviation| > tolerance, a
    negative control. "within a factor": 1 / tolerance <= got / expected <= tolerance. "between": low <= got <= high of `band`; expected
    is a published figure inside it, or the band itself. "contains": low <= expected <= high, got is (low, high). "published": a figure
    shown beside the others and compared with nothing; got is None.
    deviation: got / expected - 1; None where one of them is an interval or missing, or where nothing is expected but 0.
    source: who published the expected figure. note: what a reader must know to judge the row.
    """

    name: str
    expected: float | tuple[float, float]
    got: float | tuple[float, float] | None
    unit: str
    rule: str
    tolerance: float
    source: str
    note: str = ""
    band: tuple[float, float] | None = None

    @property
    def deviation(self) -> float | None:
        """Relative difference."""
        if self.got is None or isinstance(self.expected, tuple) or isinstance(self.got, tuple) or not self.expected:
            return None
        return self.got / self.expected - 1

    @property
    def ok(self) -> bool | None:
        """Whether the figure came out as it must; None where nothing is compared."""
        if self.rule == "published":
            return None
        if self.rule == "equal":
            return self.got == self.expected
        if self.rule == "between":
            return self.band[0] <= self.got <= self.band[1]
        if self.rule == "contains":
            return self.got[0] <= self.expected <= self.got[1]
        if self.rule == "within a factor":
            return 1 / self.tolerance <= self.got / self.expected <= self.tolerance
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


def within_factor(name: str, expected: float, got: float, unit: str, factor: float, source: str, note: str = "") -> Row:
    """Return a row whose figure may be up to `factor` times smaller or larger than expected."""
    return Row(name, expected, got, unit, "within a factor", factor, source, note)


def between(
    name: str, band: tuple[float, float], got: float, unit: str, source: str, note: str = "", figure: float | None = None
) -> Row:
    """Return a row whose figure must lie in a band; figure: a published one, of which the deviation is shown."""
    return Row(name, band if figure is None else figure, got, unit, "between", 0.0, source, note, band)


def published(name: str, figure: float, unit: str, source: str, note: str = "") -> Row:
    """Return a row that shows a published figure; nothing is compared, so it never counts as passed."""
    return Row(name, figure, None, unit, "published", 0.0, source, note)


def contains(name: str, expected: float, low: float, high: float, unit: str, source: str, note: str = "") -> Row:
    """Return a row whose reported interval must contain the published figure."""
    return Row(name, expected, (low, high), unit, "contains", 0.0, source, note)
