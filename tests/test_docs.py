"""What the pages say is what the code does: event table, README numbers, README commands."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pytest
from lend import ROOT, benchmark

import chipsim as cs
from chipsim.counters import EVENTS
from chipsim.learning import rule_object


def test_the_event_table_of_the_semantics_is_the_one_in_the_code():
    found = []
    for line in (ROOT / "docs" / "semantics.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) >= 5 and cells[0] in ("forward", "backward", "update"):
            found += [(cells[0], cells[1], event.strip()) for event in cells[2].split(",")]
    assert len(found) == len(EVENTS) > 40 and set(found) == set(EVENTS)


def test_the_readme_shows_the_stored_results():
    module, rows = benchmark("digits"), json.loads((ROOT / "benchmarks" / "results" / "digits.json").read_text())
    readme = (ROOT / "README.md").read_text()
    assert module.put(readme, module.table(rows)) == readme and "%" in module.table(rows)
    fixed = [r["accuracy"]["test"] for r in rows if r["numerics"] == "fixed"]
    floats = [r["accuracy"]["test"] for r in rows if r["numerics"] == "float"]
    assert len(fixed) == len(floats) == 3 and min(fixed) >= 0.95 and sum(floats) / 3 >= 0.96


def test_the_stored_fixed_point_results_come_out_again_bit_for_bit():
    rows = json.loads((ROOT / "benchmarks" / "results" / "digits.json").read_text())
    stored = next(r for r in rows if (r["numerics"], r["seed"]) == ("fixed", 1))
    again = json.loads(json.dumps(benchmark("digits").measure("fixed", 1)))
    assert {k: again[k] for k in ("accuracy", "activity", "memory_bits")} == {
        k: stored[k] for k in ("accuracy", "activity", "memory_bits")
    }
    for key in ("energy_j_per_sample", "time_s_per_sample"):
        assert again[key] == pytest.approx(stored[key], rel=1e-12)


def test_the_float_reference_reaches_its_accuracy_again():
    assert cs.train("digits", "loihi1-ssgd", numerics="float", seed=1).accuracy.test >= 0.96


def test_the_readme_names_the_two_commands_and_every_verb_it_shows_exists():
    from chipsim.cli.app import app

    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if not command.hidden}
    readme = (ROOT / "README.md").read_text()
    assert (
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/chipsim train" in readme
        and "sh setup.sh test" in readme
    )
    assert "setup.sh test" in (ROOT / ".ci" / "run").read_text()
    shown = set(re.findall(r"^ +chipsim (\w+)", readme, flags=re.MULTILINE))
    assert len(shown) >= 5 and shown <= verbs


def test_the_example_of_the_readme_runs():
    import numpy as np

    import chipsim as cs

    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    block = next(b for b in blocks if "min-traffic" in b)
    x = (np.random.default_rng(0).random((60, 3, 40)) < 0.05).astype(float)
    scope = {"cs": cs, "x": x}
    exec(block, scope)
    assert 0.005 < scope["sim"].spikes["exc"].mean() < 0.5 and scope["sim"].v["exc"].shape == (60, 3, 80)


def test_the_page_of_the_rule_study_shows_the_stored_results():
    tables = benchmark("rule_tables")
    stored, page = json.loads(tables.RESULTS.read_text()), tables.PAGE.read_text()
    assert tables.put(page, stored) == page
    assert benchmark("rule_study").jobs(None, stored["cells"]) == [], "every cell of both tables is measured"
    assert all(tables.alignment_table(stored).count(f"| {title} |") == 1 for title in stored["cells"]["alignment|box|start"])


def test_every_row_of_the_rule_study_stands_for_a_shipped_rule():
    from chipsim.learning import RULES

    study = benchmark("rule_study")
    assert {row["rule"] for row in study.accuracy_rows().values()} == set(RULES)
    assert {row["rule"] for row in study.alignment_rows().values()} == {name for name in RULES if study.follows_gradient(name)}
    assert {"ssgd-online", "sltt", "eprop", "etlp"} <= {row["rule"] for row in study.alignment_rows().values()}
    assert not study.follows_gradient("stdp") and not study.follows_gradient("ssgd-replay")
    assert {title: study.surrogates_of(title) for title in ("delta", "etlp")} == {
        "delta": ["box"],
        "etlp": list(study.SURROGATES),
    }
    assert study.cosine(np.array([1.0, 0.0]), np.array([3.0, 4.0])) == pytest.approx(0.6)


def test_the_rule_study_reads_its_data_where_it_says(tmp_path, monkeypatch):
    study, dice = benchmark("rule_study"), np.random.default_rng(3)
    pixels, labels = dice.integers(0, 256, (20, 784), dtype=np.uint8), np.arange(20, dtype=np.uint8) % 10
    (tmp_path / "fashion_mnist").mkdir()
    monkeypatch.setenv("CHIPSIM_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=r"Fashion-MNIST is required"):
        study.images("train")
    for name, head, body in (("images-idx3", 16, pixels), ("labels-idx1", 8, labels)):
        (tmp_path / "fashion_mnist" / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(bytes(head) + body.tobytes()))
    events, y = study.drawn("train", 5, 10)
    order = np.random.default_rng(0).permutation(20)[5:15]
    assert events.shape == (60, 10, 784) and y.tolist() == labels[order].tolist()
    seen = np.unique(np.stack([events.sample, events.unit]), axis=1)
    expected = np.stack(np.nonzero(pixels[order] / 255 > 0.22))
    assert set(map(tuple, seen.T)) <= set(map(tuple, np.stack(np.nonzero(pixels[order] / 255 >= 0.2)).T))
    assert set(map(tuple, expected.T)) <= set(map(tuple, seen.T))


def test_the_page_of_cost_events_names_every_event_and_shows_the_stored_benchmark():
    module = benchmark("accounting")
    page = module.PAGE.read_text()
    assert module.put(page, json.loads(module.RESULTS.read_text())) == page and "%" in page
    families = {re.sub(r"^rules_.*", "rules_*", re.sub(r"_(x|y|local)$", "_x", event)) for _, _, event in EVENTS}
    assert len(families) > 40 and not {name for name in families if name not in page}


def test_every_rule_that_follows_a_gradient_reaches_the_digits():
    from chipsim.learning import RULES
    from chipsim.learning.axes import axes_of

    module = benchmark("rule_digits")
    found, page = json.loads(module.RESULTS.read_text()), module.PAGE.read_text()
    assert set(found) == set(RULES) and module.put(page, module.table(found)) == page
    gradient = [name for name in RULES if axes_of(rule_object(name))["signal"] not in (["none"], ["reward"])]
    assert len(gradient) >= 11
    assert {name: found[name]["accuracy"]["test"] for name in gradient if found[name]["accuracy"]["test"] < 0.88} == {}


@pytest.mark.parametrize("rule", ["drtp", "etlp"])  # those nearest to the limit
def test_the_digits_are_reached_again_bit_for_bit(rule):
    found = json.loads(benchmark("rule_digits").RESULTS.read_text())[rule]
    run = cs.train("digits", "loihi1-ssgd", rule=rule)
    assert {"train": run.accuracy.train, "test": run.accuracy.test} == found["accuracy"]
    assert run.summary["memory_bits"] == found["memory_bits"]
