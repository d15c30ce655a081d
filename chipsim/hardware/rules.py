"""Rules between the numbers of one price list: nothing charged twice, nothing mixed silently, every loan resolved."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chipsim.hardware.quantity import Price
from chipsim.hardware.tables import Included, Loan, Number, Report, Table
from chipsim.hardware.work import HOLDS

Rows = Mapping[str, tuple[Table | None, Price | None]]


def check_scopes(report: Report, tables: Mapping[str, Number]) -> None:
    """Refuse an aggregate number beside any other of `tables` (dotted key -> as written)."""
    charged = {key: n for key, n in tables.items() if not isinstance(n, Included) and getattr(n, "value", 1) != 0}
    for key, number in charged.items():
        if getattr(number, "scope", None) == "aggregate" and len(charged) > 1:
            others = [other for other in charged if other != key]
            named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
            limit = f"an aggregate holds static and shared power already and cannot stand beside {named}"
            report.add(f"{key}.scope", "aggregate", limit, "keep either the aggregate or the others")


def check_points(report: Report, point: str, tables: Mapping[str, Table]) -> list[str]:
    """Refuse another operating point than the chip's unless it says mixed_point; return a sentence for each one mixed in.

    A chip that states none must have no number that holds at one.
    """
    if tables and not point.strip():
        limit = f"the operating point at which {', '.join(list(tables)[:3])} hold is required"
        report.add("point", point, limit, 'for example "28 nm, 0.8 V"; say so if the source does not state it')
    mixed: dict[str, list[str]] = {}
    for key, number in tables.items():
        other = getattr(number, "point", "")
        if other and other != point:
            mixed.setdefault(other, []).append(key)
            if not number.mixed_point:
                hint = "mixed_point = true mixes them, and reports say so"
                report.add(f"{key}.point", other, f'the price list holds at "{point}"', hint)
    return [f'mixed operating points: {", ".join(keys)} at "{other}", the rest at "{point}"' for other, keys in mixed.items()]


def check_held(report: Report, prices: Rows, named: Collection[str]) -> None:
    """Refuse, in component style, a number that may hold what another event moves unless the file says what that one costs too."""
    for event, others in HOLDS.items():
        open_ones = [other for other in others if other not in named]
        if event in prices and isinstance(prices[event][0], (Number, Loan)) and open_ones:
            limit = f"a lumped price may hold what {', '.join(open_ones)} move, which would be worked out and charged beside it"
            hint = f'name them too: {{ included_in = "{event}" }}, or a price of their own'
            report.add(f"energy.{event}", "(given)", limit, hint)


def check_recalled(report: Report, allowed: bool, tables: Mapping[str, Table]) -> None:
    """Refuse figures from memory unless the file allows them."""
    for key, number in tables.items():
        if getattr(number, "seen", None) == "recalled" and not allowed:
            report.add(f"{key}.seen", "recalled", "a figure nobody looked up is refused", "allow_recalled = true lets it in")


def resolve(report: Report, section: str, rows: Rows) -> dict[str, Price]:
    """Return the prices of a section by "phase.event": loans priced like their lender, inclusions as documented zeros.

    A loan from an event without a price stays without a price, and so does what is included in such a loan.
    """
    prices = {}
    for name in rows:
        price = resolve_one(report, section, rows, name, ())
        if price is not None:
            prices[name] = price
    return prices


def resolve_one(report: Report, section: str, rows: Rows, name: str, path: tuple[str, ...]) -> Price | None:
    """Return the price of one event, following loans; note a loan that leads back to itself."""
    written, price = rows[name]
    if isinstance(written, Included):
        return include(report, section, rows, name, written)
    if not isinstance(written, Loan):
        return price
    lender = getattr(written, "as")
    if name in path:
        if name == path[0]:
            report.add(f"{section}.{name}.as", lender, f"it leads back to itself: {' -> '.join((*path, name))}")
        return None
    if lender not in rows or isinstance(rows[lender][0], Included):
        return None
    lent = resolve_one(report, section, rows, lender, (*path, name))
    return lent and lent.borrowed(lender, written.times, written.basis, written.source, written.note)


def include(report: Report, section: str, rows: Rows, name: str, written: Included) -> Price | None:
    """Return the documented zero of an event whose cost another price holds; note a target that is not charged."""
    target = written.included_in
    if target.startswith("power."):
        return standing(report, f"{section}.{name}.included_in", written)
    if any(problem.key.startswith(f"{section}.{target}.") for problem in report.problems):
        return None
    if target not in rows or isinstance(rows[target][0], Included):
        hint = "name the event whose price holds it"
        report.add(f"{section}.{name}.included_in", target, f"that event is not charged in [{section}]", hint)
        return None
    held = resolve_one(report, section, rows, target, (name,))
    unit = {"energy": "pJ", "time": "ns"}[section]
    return held and Price(0.0, unit, "architectural", written.source or held.source, note=written.note, included_in=target)


def standing(report: Report, key: str, written: Included) -> Price | None:
    """Return the documented zero of an event whose cost a standing power holds; note a power that the chip does not state."""
    power = report.powers.get(written.included_in.removeprefix("power."))
    if power is None:
        report.add(key, written.included_in, "that power is not given in [power]", "name the power or the event that holds it")
        return None
    return Price(0.0, "pJ", "architectural", written.source or power.source, note=written.note, included_in=written.included_in)
