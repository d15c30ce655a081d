"""docs/performance.md shows the stored benchmark: every table, every picture, and only what passed its comparisons."""

from __future__ import annotations

import argparse
import json
import re

import pytest
from lend import benchmark

from chipsim.bench import plots

page = benchmark("performance_page")
NOTHING = argparse.Namespace(quick=True, peers=False, python=None, rounds=1)


@pytest.fixture(scope="module")
def stored():
    return json.loads(page.RESULTS.read_text())


def test_the_page_shows_the_stored_results(stored):
    text = page.PAGE.read_text()
    assert page.put(text, stored) == text
    assert ("nothing to quote" in text) == any(facts["quick"] for facts in stored.values())
    for name in page.BLOCKS:
        begin, end = (mark.format(name) for mark in page.MARKS)
        assert len(text.split(begin)[1].split(end)[0].splitlines()) >= 3, name


def test_every_part_is_stored_and_equal_and_says_nothing_of_folders(stored):
    assert list(stored) == list(page.PARTS) and all(facts["ok"] for facts in stored.values())
    assert not re.search(r'"[^"]*(/home|/root|/tmp|/work|/usr)/', json.dumps(stored))
    rows = [row for part in ("training", "chip", "rules") for case in stored[part][part]["cases"] for row in case["equality"]]
    assert len(rows) > 30 and all(row["ok"] for row in rows)
    assert all(case["comparisons"] > 1 for part in stored if part.startswith("sweep") for case in stored[part]["sweep"]["cases"])


def test_the_pictures_are_those_of_the_page(stored):
    shown = set(re.findall(r"\]\(performance/([a-z0-9-]+\.png)\)", page.PAGE.read_text()))
    assert shown == {file.name for file in page.PICTURES.iterdir()} and {"growth-chip.png", "growth-training.png"} <= shown


def test_growth_has_a_panel_per_sweep_and_a_line_per_subject(stored):
    for topic, parts in page.sweeps(stored).items():
        figure = plots.growth(parts)
        assert [axes.get_xlabel() for axes in figure.axes] == [over for over, of in page.SWEEPS.items() if of == topic]
        for axes, (sweep, _) in zip(figure.axes, parts, strict=True):
            drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
            assert set(drawn) == set(sweep["points"][0]["values"])
            for name, y in drawn.items():
                assert list(y) == [point["values"][name] for point in sweep["points"] if name in point["values"]]


def test_what_is_not_measured_is_said(stored):
    text = page.put(page.PAGE.read_text(), {"rules": stored["rules"]})
    assert text.count("Not measured yet: training.") == 3 and text.count("Not measured yet: chip.") == 1
    assert page.put(text, stored) == page.PAGE.read_text()


def test_what_fails_is_not_stored(monkeypatch):
    asked = []
    monkeypatch.setattr(page, "chipsim", lambda arguments: asked.append(arguments) or 4)
    with pytest.raises(
        SystemExit, match=r"sweep-cores: chipsim bench --sweep cores --json --quick --rounds 1 ended with 4; it is not stored"
    ):
        page.measure("sweep-cores", NOTHING)
    assert asked == [["bench", "--sweep", "cores", "--json", "--quick", "--rounds", "1"]]


def test_a_part_is_stored_without_folders(monkeypatch):
    reason = "torch not installed in /a/bin/python (Python 3.11.7), /b/python3 (Python 3.10.13)"
    facts = {
        "schema": 1,
        "verb": "bench",
        "pythons": [{"path": "/a"}],
        "files": [],
        "ok": True,
        "chip": {"cases": [{"reason": reason}]},
    }
    monkeypatch.setattr(page, "chipsim", lambda arguments: print(json.dumps(facts)) or 0)
    assert page.measure("chip", NOTHING) == {"ok": True, "chip": {"cases": [{"reason": "torch not installed"}]}}


def test_unknown_parts_are_refused(monkeypatch, capsys):
    for arguments, words in ((["--run", "sweeps"], "no such part: sweeps"), (["chip"], "give --run too")):
        monkeypatch.setattr("sys.argv", ["performance_page.py", *arguments])
        with pytest.raises(SystemExit):
            page.main()
        assert words in capsys.readouterr().err
