"""The results in docs/validation.md, as `chipsim validate --json` gives them: python benchmarks/validation_page.py."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from chipsim.cli import main
from chipsim.cli.validate import figure, judged, percent, rule_text

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"
BEGIN, END = "<!-- results: made by benchmarks/validation_page.py -->\n", "<!-- end of results -->"
DIGITS = 6  # printed; enough to see a deviation, few enough for every machine to print the same


def verdict() -> dict[str, Any]:
    """Return the object that the verb prints."""
    text = io.StringIO()
    with redirect_stdout(text):
        main(["validate", "--json"])
    return json.loads(text.getvalue())


def results(cases: list[dict[str, Any]]) -> str:
    """Return one table per case, with sources and notes."""
    parts = []
    for name in dict.fromkeys(row["case"] for row in cases):
        mine = [row for row in cases if row["case"] == name]
        parts += [f"### {name}: {mine[0]['title']}", ""]
        parts += ["| | expected | got | unit | deviation | rule | ok |", "| --- | --- | --- | --- | --- | --- | --- |"]
        for row in mine:
            shown = (
                figure(row["expected"], DIGITS),
                figure(row["got"], DIGITS),
                row["unit"],
                percent(row["deviation"]),
                rule_text(row),
            )
            parts.append(f"| {row['name']} | {' | '.join(shown)} | {judged(row['ok'], 'yes', '**no**')} |")
        sources, notes = (dict.fromkeys(row[key] for row in mine if row[key]) for key in ("source", "note"))
        parts += ["", f"Source: {'; '.join(sources)}.", "", *(f"- {note}" for note in notes), *([""] if notes else [])]
    return "\n".join(parts)


def put(page: str, cases: list[dict[str, Any]]) -> str:
    """Return the text of the page with its results replaced."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}{results(cases)}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), verdict()["cases"]), encoding="utf-8")
