"""V4: clock cycles and memory words of ReckOn, step by step, against RTL simulation of the released design."""

from __future__ import annotations

import re

from chipsim.cost.cycles import reckon
from chipsim.validation.fixtures import expected, table
from chipsim.validation.row import Row, equal

TITLE = "ReckOn: cycles and memory words of every step, inference and e-prop"
SOURCE = "RTL simulation of ChFrenkel/ReckOn, commit 5e5c0be"
OUTPUTS = 2  # neurons; below the others, so that they never decide a scan
PHASES = ("cycles_scan", "cycles_done", "cycles_count", "cycles_event", "cycles_trace_extra", "cycles_eprop")


def rows() -> list[Row]:
    """Return two series: 40 inputs on 100 recurrent neurons, 256 on 256."""
    found, facts = [], expected("reckon")
    for n, name in enumerate(facts["cycle_fixtures"]):
        found += series(name, facts["total_cycles_checked"][n], facts["eprop_cycles"][n])
    return found


def series(name: str, total: int, eprop: int) -> list[Row]:
    """Return the rows of one network: mismatching steps of every column, and the totals."""
    n_in, n_rec = (int(n) for n in re.search(r"(\d+)in_(\d+)rec", name).groups())
    label = f"{n_in}/{n_rec}"
    measured = [{key: int(value) for key, value in row.items()} for row in table(name) if row["tick"] != "0"]
    ours = [reckon(n_in, n_rec, OUTPUTS, r["inputs_active"], r["recurrent_active"], bool(r["target_valid"])) for r in measured]
    pairs = {
        "cycles": [(sum(r[p] for p in PHASES), c.cycles) for r, c in zip(measured, ours, strict=True)],
        "weight words read": [(r["words_weight_read"], c.weight_words_read) for r, c in zip(measured, ours, strict=True)],
        "neuron words read": [(r["words_neuron_read"], c.neuron_words_read) for r, c in zip(measured, ours, strict=True)],
        "neuron words written": [
            (r["words_neuron_written"], c.neuron_words_written) for r, c in zip(measured, ours, strict=True)
        ],
    }
    note = (
        "every step but the first of a sample, which enters without a scan; words written depend on traces that were not recorded"
    )
    found = [
        equal(f"{label}: {column}, steps of {len(both)} that differ", 0, sum(a != b for a, b in both), "steps", SOURCE, note)
        for column, both in pairs.items()
    ]
    silent, learning = (reckon(n_in, n_rec, OUTPUTS, 0, 0, learns).cycles for learns in (False, True))
    return [
        *found,
        equal(f"{label}: cycles of all steps", total, sum(c.cycles for c in ours), "cycles", SOURCE),
        equal(f"{label}: cycles that learning adds to a step", eprop, learning - silent, "cycles", SOURCE),
    ]
