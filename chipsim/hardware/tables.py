"""The tables of a chip file, checked one by one so that every wrong number is found at once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from chipsim.counters import EVENTS, PHASES, SUMS
from chipsim.errors import Problem
from chipsim.hardware.quantity import CYCLE, UNITS, Price, Quantity
from chipsim.schema import as_problem

PRICED = tuple(dict.fromkeys(f"{phase}.{event}" for phase, _, event in EVENTS))  # what [energy] and [time] may name
Basis = Literal["silicon", "pre-silicon", "synthesis", "derived", "assumed", "architectural"]
Scope = Literal["incremental", "aggregate"]


class Table(BaseModel):
    """Base of the tables: unknown keys and quiet type conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Arithmetic(Table):
    """How the chip computes: docs/neurons.md section 2. The defaults are Loihi's."""

    overflow_v: Literal["saturate", "wrap"] = "saturate"
    overflow_u: Literal["saturate", "wrap"] = "wrap"
    rounding: Literal["toward-zero", "nearest", "floor", "stochastic"] = "toward-zero"
    decay: Literal["stepped", "lazy"] = "stepped"
    decay_table: Annotated[int, Field(ge=2, le=4096)] = 256
    source: str = "as Loihi computes"


class EnginePolicy(Table):
    """What the learning engine visits, reads and writes (cost model, `[learning]`). The defaults are what chipsim's rules do."""

    visit: Literal["all", "presynaptic", "postsynaptic", "active"] = "active"
    read: Literal["always", "gated"] = "gated"
    write: Literal["always", "changed"] = "changed"
    overlap: Literal["none", "with_spiking"] = "none"
    source: str = "as chipsim's rules: only what is active is visited, only what changed is written"


class Header(Table):
    """What stands at the top level of a chip file, besides the tables of numbers."""

    title: str
    description: str = ""
    point: str
    active_update: Literal["fired", "received_input", "state_changed"]
    core_time: Literal["pipelined", "sequential"]
    network_time: Literal["none", "hottest_link", "queue"]
    style: Literal["lumped", "component"] = "lumped"
    cycles: Literal["odin", "reckon"] | None = None
    axons: Literal["unicast", "multicast"] = "unicast"
    arithmetic: Arithmetic = Arithmetic()
    capabilities: list[str] = []
    unknown: list[str] = []
    assumptions: list[str] = []
    allow_recalled: bool = False


class Number(Table):
    """An inline table with a value."""

    value: float
    unit: str
    basis: Basis
    source: str
    lo: float | None = None
    hi: float | None = None
    scope: Scope | None = None
    seen: Literal["read in source", "transcribed by third party", "recalled"] | None = None  # required unless it is assumed
    note: str = ""
    inputs: Literal["silicon", "pre-silicon", "synthesis", "assumed", "architectural"] | None = None
    point: str = ""
    mixed_point: bool = False


class Point(Number):
    """A number at one count of tiles, for [barrier]."""

    tiles: int


class Included(Table):
    """A documented zero: the price of another event holds this one."""

    included_in: str
    source: str = ""
    note: str = ""


# A price borrowed from another event; "as" is a keyword of Python, hence the call.
LOAN = {"as": (str, ...), "basis": (Basis, ...), "source": (str, ...), "times": (float, 1.0), "note": (str, "")}
Loan = create_model("Loan", __base__=Table, **LOAN)

T = TypeVar("T", bound=Table)
Read = tuple[Number, Quantity]


class Report:
    """Collects what is wrong with one chip description."""

    def __init__(self, chip: str):
        """Start without problems; `chip` is the name in messages."""
        self.object = f'chip "{chip}"'
        self.problems: list[Problem] = []
        self.cycle_ns: float | None = None  # period of the chip's clock, if it has one
        self.powers: dict[str, Quantity] = {}  # standing powers, which may hold the price of an event

    def add(self, key: str, value: object, limit: str, hint: str = "") -> None:
        """Note one problem."""
        self.problems.append(Problem(self.object, key, value, limit, hint))

    def read(self, kind: type[T], key: str, table: Any) -> T | None:
        """Return the table as `kind`, or None with its problems noted under `key`."""
        try:
            return kind.model_validate(table)
        except ValidationError as error:
            for each in error.errors():
                problem = as_problem(each, kind, self.object)
                if each["type"] == "literal_error":
                    problem = problem._replace(hint=meant(str(each["input"]), re.findall("'([^']*)'", each["ctx"]["expected"])))
                self.problems.append(problem._replace(key=f"{key}.{problem.key}" if key else problem.key))
            return None

    def known(self, key: str, table: dict[str, Any], allowed: Iterable[str], what: str) -> None:
        """Note every name of a table that is not allowed, with a suggestion."""
        allowed = list(allowed)
        for name in table:
            if name not in allowed:
                self.add(f"{key}.{name}", table[name], f"{what}: {', '.join(allowed)}", meant(name, allowed))


def meant(name: str, allowed: Iterable[str]) -> str:
    """Return a did-you-mean hint, whatever the case, or nothing."""
    lower = {word.lower(): word for word in allowed}
    close = difflib.get_close_matches(name.lower(), lower, n=1)
    return f'did you mean "{lower[close[0]]}"?' if close else ""


def read_number(
    report: Report, key: str, table: Any, dimension: str, charged: bool = False, kind: type[Number] = Number
) -> Read | None:
    """Return a number as written and as a Quantity in the unit chipsim computes in, or None with its problems noted.

    charged: it is a price, a power or a barrier, which says its scope and what it was derived from.
    """
    number = report.read(kind, key, table)
    if number is None:
        return None
    before = len(report.problems)
    factor = factor_of(report, key, number, dimension)
    check_value(report, key, number, dimension)
    check_origin(report, key, number)
    if charged:
        check_charged(report, key, number)
    if len(report.problems) > before:
        return None
    lo, hi = (None if end is None else end * factor for end in (number.lo, number.hi))
    return number, Quantity(number.value * factor, next(iter(UNITS[dimension])), number.basis, number.source, lo, hi,
                            number.scope or "", number.seen or "", number.note, number.inputs or "", number.point)  # fmt: skip


def factor_of(report: Report, key: str, number: Number, dimension: str) -> float:
    """Return what one of the number's unit is in the unit chipsim computes in; note a unit of something else."""
    units = UNITS[dimension]
    if number.unit in units:
        return units[number.unit]
    if dimension == "time" and number.unit == CYCLE:
        if report.cycle_ns is None:
            report.add(f"{key}.unit", CYCLE, "cycles need the clock of the chip", "give clock.frequency")
        return report.cycle_ns or 1.0
    other = next((d for d, known in UNITS.items() if number.unit in known), "")
    hint = f"{number.unit!r} is a unit of {other}" if other else meant(number.unit, units)
    report.add(f"{key}.unit", number.unit, f"{dimension} is given in {', '.join(units)}", hint)
    return 1.0


def check_origin(report: Report, key: str, number: Number) -> None:
    """Note a number that does not say who says so, or how it was seen; an assumption was seen nowhere."""
    if not number.source.strip():
        report.add(f"{key}.source", number.source, "every number needs a source", "an assumption says here what is assumed")
    if number.seen is None and number.basis != "assumed":
        limit = "it says how the source was seen: read in source, transcribed by third party, recalled"
        report.add(f"{key}.seen", "(nothing)", limit, 'only what has basis = "assumed" needs none')


def check_value(report: Report, key: str, number: Number, dimension: str) -> None:
    """Note a value that is negative, outside its own range, or broken where only whole numbers make sense."""
    for name in ("value", "lo", "hi"):
        given = getattr(number, name)
        if given is not None and given < 0:
            report.add(f"{key}.{name}", given, "it must not be negative")
    if number.lo is not None and number.lo > number.value:
        report.add(f"{key}.lo", number.lo, f"it must not exceed the value {number.value:g}")
    if number.hi is not None and number.hi < number.value:
        report.add(f"{key}.hi", number.hi, f"it must not be below the value {number.value:g}")
    if dimension in ("count", "bits") and number.value != math.floor(number.value):
        report.add(f"{key}.value", number.value, "it must be a whole number")


def read_price(report: Report, key: str, table: Any, dimension: str) -> tuple[Table, Price | None] | None:
    """Return a price as written and, where it has a value of its own, as a Price; None with its problems noted."""
    written = dict(table) if isinstance(table, dict) else {}
    if "as" in written or "included_in" in written:
        return read_reference(report, key, written)
    read = read_number(report, key, table, dimension, charged=True)
    if read is None:
        return None
    number, quantity = read
    if number.value == 0 and not (number.basis == "assumed" and number.note.strip()):
        report.add(f"{key}.value", number.value, 'a price of zero needs basis = "assumed" and a note that says why it is zero',
                   "leave the price out if it is not known")  # fmt: skip
        return None
    return number, Price(**vars(quantity))


def check_charged(report: Report, key: str, number: Number) -> None:
    """Note what a number that is charged (a price, a power, a barrier) lacks."""
    if number.scope is None:
        report.add(f"{key}.scope", "(nothing)", "a price says its scope: incremental, aggregate")
    if number.basis == "derived" and not number.inputs and (number.lo is None or number.hi is None):
        report.add(f"{key}.inputs", "(nothing)", "a derived price without lo and hi says the basis of its inputs",
                   'for example inputs = "silicon"')  # fmt: skip


def read_reference(report: Report, key: str, written: dict[str, Any]) -> tuple[Table, None] | None:
    """Return a loan or an inclusion, its target checked against the events; None with its problems noted."""
    word = "as" if "as" in written else "included_in"
    reference = report.read(Loan if word == "as" else Included, key, written)
    if reference is None:
        return None
    before = len(report.problems)
    target = getattr(reference, word)
    standing = word == "included_in" and key.startswith("energy.") and target.startswith("power.")  # rules.include looks it up
    if target not in PRICED and not standing:
        report.add(f"{key}.{word}", target, 'it must be a counted event, written "phase.event"', meant(target, PRICED))
    if word == "as" and not reference.source.strip():
        report.add(f"{key}.source", reference.source, "every number needs a source", "an assumption says here what is assumed")
    if word == "as" and not reference.times > 0:
        report.add(f"{key}.times", reference.times, "it must be above 0")
    return None if len(report.problems) > before else (reference, None)


def read_prices(report: Report, section: str, tables: Any) -> dict[str, tuple[Table, Price | None]]:
    """Return {"phase.event": (as written, price)} of [energy.*] or [time.*]."""
    prices: dict[str, tuple[Table, Price | None]] = {}
    if not isinstance(tables, dict):
        report.add(section, tables, f"it is a table of tables: {', '.join(f'[{section}.{p}]' for p in PHASES)}")
        return prices
    report.known(section, tables, PHASES, "the phases are")
    for phase, rows in ((p, tables[p]) for p in PHASES if p in tables):
        if not isinstance(rows, dict):
            report.add(f"{section}.{phase}", rows, "it is a table of prices, one per event")
            continue
        for event, table in rows.items():
            key = f"{section}.{phase}.{event}"
            if check_event(report, section, phase, event, table):
                read = read_price(report, key, table, section)
                if read is not None:
                    prices[f"{phase}.{event}"] = read
    return prices


def check_event(report: Report, section: str, phase: str, event: str, table: Any) -> bool:
    """Return whether an event can have a price here; note why not."""
    events = [name.partition(".")[2] for name in PRICED if name.startswith(f"{phase}.")]
    key = f"{section}.{phase}.{event}"
    if event in SUMS:
        report.add(key, table, f"it is a sum; price its parts: {', '.join(SUMS[event])}")
    elif event not in events:
        report.add(key, table, f"the events of phase {phase} are: {', '.join(events)}", meant(event, events))
    elif section == "time" and event == "barriers":
        report.add(key, table, "the time of a barrier depends on the tiles in use", "give it as [[barrier.points]]")
    else:
        return True
    return False
