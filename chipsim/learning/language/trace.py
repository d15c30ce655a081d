"""Counting by tracing: a hook is run on numbers that carry their range and fraction bits and count what is done with them.

The result: operations of one evaluation, the width of the widest intermediate, range and format of the outcome. Every outcome of a
comparison that steers the hook is followed, so the counts have a minimum and a maximum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

MOST_BITS = 62  # compiled integers have 64 bits and wrap silently
MOST_PATHS = 256
OPERATIONS = ("multiply", "add", "shift", "compare", "select")


class TraceError(Exception):
    """A hook does something that integers of known format cannot do; the message says what."""


class Tally:
    """What one run of a hook did, and how it decides comparisons: as `choices` says, then always no."""

    def __init__(self, choices: tuple[bool, ...] = ()):
        self.operations: Counter = Counter()
        self.widest = 1
        self.choices, self.taken = choices, []

    def decide(self) -> bool:
        """Return the outcome of the next comparison that steers the hook."""
        n = len(self.taken)
        self.taken.append(self.choices[n] if n < len(self.choices) else False)
        return self.taken[-1]


class Truth:
    """Outcome of a comparison: it steers the hook when Python asks for it, and is only data for `where`."""

    def __init__(self, tally: Tally):
        self.tally = tally

    def __bool__(self) -> bool:
        return self.tally.decide()

    def refuse(self, *_):
        """Refuse arithmetic: what True is worth differs between languages and chips."""
        raise TraceError("the outcome of a comparison is no number: use cs.where(condition, a, b)")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __abs__ = refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = refuse
    __hash__ = None


class Counted:
    """An integer from lo to hi with `frac` fraction bits; frac None: a number written in the hook."""

    def __init__(self, lo: int, hi: int, frac: int | None, tally: Tally):
        self.lo, self.hi, self.frac, self.tally = lo, hi, frac, tally
        bits = max(int(lo).bit_length(), int(hi).bit_length()) + 1
        tally.widest = max(tally.widest, bits)
        if bits > MOST_BITS:
            raise TraceError(
                f"an intermediate needs {bits} bits and at most {MOST_BITS} bits are computed: use narrower fields or cs.times"
            )

    def number(self, other: object) -> Counted:
        """Return the other operand as a Counted."""
        if isinstance(other, Counted):
            return other
        if isinstance(other, int) and not isinstance(other, bool):
            return Counted(other, other, None, self.tally)
        if isinstance(other, (Truth, bool)):
            Truth(self.tally).refuse()
        if other is None:
            raise TraceError("on some way through it, the hook returns nothing")
        raise TraceError(f"{other!r} is no whole number: declare a cs.Const field, which has fraction bits")

    def aligned(self, other: object, what: str) -> tuple[Counted, int | None]:
        """Return the other operand and the common fraction of a sum or comparison."""
        other = self.number(other)
        known = [n.frac for n in (self, other) if n.frac is not None]
        if len(known) == 2 and known[0] != known[1]:
            raise TraceError(
                f"{what} of numbers with {self.frac} and {other.frac} fraction bits: bring one into the format of the other, "
                "with cs.times(a, b) (a b in the format of b) or another frac of a field"
            )
        literal = next((n for n in (self, other) if n.frac is None), None)
        if known and known[0] and literal is not None and (literal.lo, literal.hi) != (0, 0):
            raise TraceError(f"{what} with the number {literal.lo}, which has no fraction bits: declare a cs.Const field")
        return other, known[0] if known else None

    def did(self, operation: str, lo: int, hi: int, frac: int | None) -> Counted:
        """Count an operation and return its outcome."""
        self.tally.operations[operation] += 1
        return Counted(lo, hi, frac, self.tally)

    def __mul__(self, other):
        other = self.number(other)
        ends = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        nothing = any(n.frac is None and n.lo == n.hi == 0 for n in (self, other))  # 0 is 0 in any format
        frac = None if nothing or (self.frac is None and other.frac is None) else (self.frac or 0) + (other.frac or 0)
        return self.did("multiply", min(ends), max(ends), frac)

    def __add__(self, other):
        other, frac = self.aligned(other, "a sum")
        return self.did("add", self.lo + other.lo, self.hi + other.hi, frac)

    def __sub__(self, other):
        other, frac = self.aligned(other, "a difference")
        return self.did("add", self.lo - other.hi, self.hi - other.lo, frac)

    def __rsub__(self, other):
        return self.number(other) - self

    def __neg__(self):
        return self.did("add", -self.hi, -self.lo, self.frac)

    def __abs__(self):
        low = 0 if self.lo <= 0 <= self.hi else min(abs(self.lo), abs(self.hi))
        return self.did("select", low, max(abs(self.lo), abs(self.hi)), self.frac)

    __rmul__, __radd__ = __mul__, __add__

    def __bool__(self) -> bool:
        """A number steers the hook: it is compared with 0."""
        return bool(self.compared(0))

    def compared(self, other):
        """Count a comparison."""
        self.aligned(other, "a comparison")
        self.tally.operations["compare"] += 1
        return Truth(self.tally)

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = compared
    __hash__ = None


def of(n: object, tally: Tally) -> Counted:
    """Return a number of a hook as a Counted."""
    return n if isinstance(n, Counted) else Counted(0, 0, None, tally).number(n)


def shifted(v: Counted, s: int, frac: int | None) -> Counted:
    """Return v 2^-s, halves rounded up, in another format."""
    half = (1 << s) >> 1
    return v.did("shift", (v.lo + half) >> s, (v.hi + half) >> s, frac)


class Functions:
    """The functions of the language on Counted numbers."""

    def __init__(self, tally: Tally):
        self.tally = tally

    def times(self, a, b, fraction):
        """Product in the format of b."""
        a, b = of(a, self.tally), of(b, self.tally)
        return shifted(a * b, fraction, b.frac)

    def rshift(self, v, s):
        """V 2^-s."""
        v = of(v, self.tally)
        return shifted(v, s, v.frac)

    def where(self, condition, a, b):
        """A select: both sides are evaluated."""
        if not isinstance(condition, (Truth, bool)):
            raise TraceError("the first argument of where is a comparison")
        a, b = of(a, self.tally), of(b, self.tally)
        _, frac = a.aligned(b, "a choice")
        return a.did("select", min(a.lo, b.lo), max(a.hi, b.hi), frac)

    def min(self, a, b):
        """The smaller one."""
        return self.extreme(a, b, min)

    def max(self, a, b):
        """The larger one."""
        return self.extreme(a, b, max)

    def extreme(self, a, b, which: Callable) -> Counted:
        """One of two numbers."""
        a, b = of(a, self.tally), of(b, self.tally)
        _, frac = a.aligned(b, "a choice")
        self.tally.operations["compare"] += 1
        return a.did("select", which(a.lo, b.lo), which(a.hi, b.hi), frac)

    def clip(self, v, low, high):
        """Brought into a range."""
        return self.min(self.max(v, low), high)

    def sgn(self, v):
        """-1, 0 or 1."""
        v = of(v, self.tally)
        self.tally.operations["compare"] += 2
        return v.did("select", -1, 1, 0)

    def abs(self, v):
        """Absolute value."""
        return abs(of(v, self.tally))

    @property
    def names(self) -> dict[str, Callable]:
        """The functions by name."""
        return {name: getattr(self, name) for name in ("times", "rshift", "where", "min", "max", "clip", "sgn", "abs")}


class Count(NamedTuple):
    """What one evaluation of a hook takes. operations: {kind: (least, most)}; widest: bits; the outcome lies in lo .. hi."""

    operations: dict[str, tuple[int, int]]
    widest: int
    lo: int
    hi: int
    frac: int | None


class Range(NamedTuple):
    """What a field can hold."""

    lo: int
    hi: int
    frac: int | None


def count(make: Callable[[dict], Callable], ranges: list[Range]) -> Count:
    """Trace a hook; make: namespace of functions -> the hook; ranges: of its arguments, in order.

    Raises:
        TraceError: widths or formats are impossible, or there are too many ways through the hook.
    """
    waiting, seen, outcomes, widest = [()], [], [], 1
    while waiting:
        tally = Tally(waiting.pop())
        result = of(make(Functions(tally).names)(*(Counted(*r, tally) for r in ranges)), tally)
        outcomes.append(result)
        seen.append(tally.operations)
        widest = max(widest, tally.widest)
        done = tally.taken
        waiting += [(*done[:n], True) for n in range(len(tally.choices), len(done))]
        if len(seen) > MOST_PATHS:
            raise TraceError(f"there are more than {MOST_PATHS} ways through the hook: use cs.where in place of conditions")
    fractions = {r.frac for r in outcomes if r.frac is not None}
    if len(fractions) > 1:
        raise TraceError(
            f"its outcome has {' or '.join(map(str, sorted(fractions)))} fraction bits, depending on the way through it"
        )
    for literal in (r for r in outcomes if r.frac is None and (r.lo, r.hi) != (0, 0) and fractions - {0}):
        raise TraceError(
            f"on one way through it, it returns the number {literal.lo}, which has no fraction bits, on another one with "
            f"{max(fractions)}: declare a cs.Const field"
        )
    operations = {
        kind: (min(s[kind] for s in seen), max(s[kind] for s in seen)) for kind in OPERATIONS if any(s[kind] for s in seen)
    }
    return Count(operations, widest, min(r.lo for r in outcomes), max(r.hi for r in outcomes), next(iter(fractions), None))
