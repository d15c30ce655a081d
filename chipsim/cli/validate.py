"""`chipsim validate`: runs the validation cases and prints what was expected, what came out, and how far apart they are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chipsim.cli.frame import Answer, header

Names = Annotated[list[str] | None, typer.Argument(help="Only these cases; none: all.", metavar="CASE")]


def validate(case: Names = None) -> Answer:
    """Run the validation cases: silicon, RTL, another simulator."""
    from chipsim.validation import run_cases

    cases: list[dict[str, Any]] = []
    for name, title, rows in run_cases(case or ()):
        cases += [{"case": name, "title": title, **row.facts()} for row in rows]
    failed = [row for row in cases if row["ok"] is False]
    facts = {**header("validate"), "cases": cases, "ok": not failed}
    return Answer(facts, text(cases), exit_code=4 if failed else 0)


def text(cases: list[dict[str, Any]]) -> list[object]:
    """Return a table per case and a sentence at the end."""
    from rich.table import Table

    parts: list[object] = []
    for name in dict.fromkeys(row["case"] for row in cases):
        mine = [row for row in cases if row["case"] == name]
        table = Table("", "expected", "got", "unit", "deviation", "rule", "ok", box=None, title=f"{name}: {mine[0]['title']}",
                      title_justify="left", pad_edge=False)  # fmt: skip
        for row in mine:
            table.add_row(row["name"], figure(row["expected"]), figure(row["got"]), row["unit"], percent(row["deviation"]),
                          rule_text(row), judged(row["ok"], "ok", "FAILED"))  # fmt: skip
        sources = dict.fromkeys(row["source"] for row in mine)
        notes = dict.fromkeys(row["note"] for row in mine if row["note"])
        parts += [table, *(f"  source: {source}" for source in sources), *(f"  note: {note}" for note in notes), ""]
    compared = [row["ok"] for row in cases if row["ok"] is not None]
    failed, shown = compared.count(False), len(cases) - len(compared)
    also = f"; {shown} published figures shown" if shown else ""
    return [*parts, f"{len(compared)} comparisons, " + (f"{failed} FAILED" if failed else "all ok") + also]


def judged(ok: bool | None, good: str, bad: str) -> str:
    """Return the word for a comparison; none where nothing is compared."""
    return "" if ok is None else good if ok else bad


def figure(value: float | list[float] | None, digits: int = 8) -> str:
    """Return a number, or an interval; whole ones in full, others in so many digits; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " .. ".join(figure(end, digits) for end in value)
    return f"{round(value):,}" if value == round(value) else f"{value:,.{digits}g}"


def percent(deviation: float | None) -> str:
    """Return a relative difference in per cent."""
    if deviation is None:
        return ""
    if abs(deviation) < 1e-12:  # rounding of floating point
        return "0 %"
    return f"{100 * deviation:+.2g} %" if abs(deviation) < 1e-4 else f"{100 * deviation:+.2f} %"


def rule_text(row: dict[str, Any]) -> str:
    """Return how the two figures are compared."""
    if row["rule"] in ("at most", "more than"):
        return f"{row['rule']} {100 * row['tolerance']:g} %"
    if row["rule"] == "within a factor":
        return f"within a factor of {row['tolerance']:g}"
    if row["rule"] == "between":
        return f"within {figure(row['band'])}"
    return {"equal": "equal", "contains": "published one inside", "published": "published, not compared"}[row["rule"]]
