"""The two tables of docs/rule-study.md from the results that rule_study.py has stored."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "rule_study.json"
PAGE = HERE.parent / "docs" / "rule-study.md"
COLUMNS = {"paper": "paper, 0.2", "box": "box, 0.2", "triangle": "triangle, 0.5"}


def alignment_table(stored: dict[str, Any]) -> str:
    """Return the cosines: hidden1 / hidden2 / readout, at the start and after a pass, for each surrogate."""
    cells = [(s, state, stored["cells"].get(f"alignment|{s}|{state}", {})) for s in COLUMNS for state in ("start", "trained")]
    rows = list(dict.fromkeys(title for *_, found in cells for title in found))
    lines = ["| rule, signal | " + " | ".join(f"{COLUMNS[s]}, {state}" for s, state, _ in cells) + " |", "| --- " * 7 + "|"]
    for title in rows:
        shown = [" / ".join(f"{c:.2f}" for c in found[title]) if title in found else "" for *_, found in cells]
        lines.append(f"| {title} | {' | '.join(shown)} |")
    return "\n".join(lines)


def accuracy_table(stored: dict[str, Any]) -> str:
    """Return the test accuracies in per cent: mean and standard deviation over the seeds, and the ratio c that was chosen."""
    found = {tuple(key.split("|")[1:]): cell for key, cell in stored["cells"].items() if key.startswith("accuracy|")}
    rows = sorted({title for title, _ in found}, key=lambda title: (not title.startswith("ssgd-replay"), title))
    lines = ["| rule, signal | " + " | ".join(COLUMNS.values()) + " |", "| --- " * 4 + "|"]
    for title in rows:
        shown = [accuracy(found[title, s]) if (title, s) in found else "-" for s in COLUMNS]
        lines.append(f"| {title} | {' | '.join(shown)} |")
    return "\n".join(lines)


def accuracy(cell: dict[str, Any]) -> str:
    """Return one cell."""
    reached = [100 * run["test"] for run in cell["runs"]]
    spread = f" +- {statistics.stdev(reached):.1f}" if len(reached) > 1 else " (one seed)"
    return f"{statistics.mean(reached):.1f}{spread}" + (f", c {cell['ratio']}" if cell["ratio"] else "")


def marks(name: str) -> tuple[str, str]:
    """Return what stands before and after a table in the page."""
    return f"<!-- {name}: made by benchmarks/rule_study.py -->\n", f"\n<!-- end of {name} -->"


def put(page: str, stored: dict[str, Any]) -> str:
    """Return the text of the page with both tables replaced."""
    for name, table in (("alignment", alignment_table), ("accuracy", accuracy_table)):
        begin, end = marks(name)
        before, rest = page.split(begin)
        page = f"{before}{begin}{table(stored)}{end}{rest.split(end)[1]}"
    return page


def put_into_page(stored: dict[str, Any]) -> None:
    """Write both tables into docs/rule-study.md."""
    PAGE.write_text(put(PAGE.read_text(), stored))
