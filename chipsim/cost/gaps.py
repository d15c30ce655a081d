"""What a sum over phases lacks, and what that leaves of a figure made of it: unknown is never zero, in a ratio least of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chipsim.counters import PHASES

LEARNING = ("backward", "update")


class Gaps(NamedTuple):
    """What a sum over phases lacks.

    unknown: phases that counted something of which nothing has a price. partial: phases in which some event has none, those
    too; "static" stands for a standing cost that is not known. held: phases whose energy an aggregate power holds, undivided.
    what: "a price" or "a time".
    """

    unknown: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    what: str = "a price"

    @classmethod
    def of(cls, parts: dict[str, float | None], unpriced: Iterable[str], what: str) -> Gaps:
        """Return the gaps of a sum. parts: value of each phase, None if it has none; unpriced: "phase.event" of what lacks one."""
        none, lacking = {phase for phase, part in parts.items() if part is None}, {name.partition(".")[0] for name in unpriced}
        return cls(frozenset(none & lacking), frozenset(lacking), frozenset(none - lacking), what)

    def complete(self, phases: Iterable[str]) -> bool:
        """Return whether nothing of these phases lacks a price."""
        return not self.partial & set(phases)

    def why(self, phases: Iterable[str] = PHASES) -> str | None:
        """Return which of these phases has no price at all, as a sentence; None if all have one, or counted nothing."""
        names = [phase for phase in phases if phase in self.unknown]
        return f"nothing that was counted in {' and '.join(names)} has {self.what} on this chip" if names else None

    def why_undivided(self, phases: Iterable[str] = PHASES) -> str | None:
        """Return why some phases cannot be told apart or have no price; None if each has one of its own, or counted nothing."""
        names = [phase for phase in phases if phase in self.held]
        return self.why(phases) or (f"an aggregate power holds {' and '.join(names)} undivided" if names else None)

    def ratio_row(self, interval: NamedTuple | None) -> dict[str, object] | None:
        """Return learning over inference as reports have it: `at_least` if learning lacks something and inference does not."""
        if interval is None:
            return None
        bound = self.complete(("forward",)) and not self.complete(LEARNING)
        return {**interval._asdict(), "complete": self.complete(PHASES), "at_least": bound}


NO_GAPS = Gaps()
