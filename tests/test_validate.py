"""`chipsim validate`: its keys and exit codes, a chip file that was broken on purpose, the formulas, and the page made from it."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from lend import ROOT, benchmark

import chipsim.validation.cases.frady as frady
import chipsim.validation.counted as by_hand
from chipsim import catalog
from chipsim.bookings import Booked
from chipsim.cli import main
from chipsim.cost import price_energy, price_time
from chipsim.cost.cycles import (
    CYCLES,
    FORMULAS,
    Layout,
    forward_cycles,
    odin,
    reckon,
)
from chipsim.counters import ROW, Counters, empty
from chipsim.errors import ConfigError
from chipsim.hardware import load_chip
from chipsim.validation import CASES, grid, run_cases
from chipsim.validation.cases import ratios, reckon_cycles, renner
from chipsim.validation.cases.odin import counted
from chipsim.validation.fixtures import expected, table
from chipsim.validation.row import between, close, contains, equal, misses, published, within_factor

KEYS = {"case", "title", "name", "expected", "got", "unit", "rule", "tolerance", "deviation", "source", "note", "band", "ok"}
pytestmark = pytest.mark.xdist_group("validate")  # the cases run once


@pytest.fixture(scope="module")
def answer():
    return benchmark("validation_page").verdict()


def test_every_case_holds_and_says_what_it_compared(answer):
    assert (answer["verb"], answer["ok"]) == ("validate", True)
    assert {row["case"] for row in answer["cases"]} == set(CASES)
    for row in answer["cases"]:
        assert set(row) == KEYS and row["ok"] is (None if row["rule"] == "published" else True) and row["source"], row
    assert sum(row["ok"] is True for row in answer["cases"]) >= 94


def test_the_page_shows_what_the_verb_says(answer):
    module = benchmark("validation_page")
    text = module.PAGE.read_text(encoding="utf-8")
    assert module.put(text, answer["cases"]) == text
    assert {name for name in CASES if f"| `{name}` |" not in text} == set()


def test_the_page_says_how_far_the_network_times_lie(answer):
    got = {row["name"]: row for row in answer["cases"] if row["case"] == "mesh-simulator"}
    lines = benchmark("validation_page").PAGE.read_text(encoding="utf-8").replace("**", "").splitlines()
    for level in ("none", "hottest_link", "queue"):
        (line,) = [line for line in lines if line.startswith(f"| `{level}` | ")]
        apart = []
        for name in "ABCD":
            cycle = got[f"{name}: time, cycle (queue)"]["expected"]
            ours = got[f"{name}: time, simple (none)" if level == "none" else f"{name}: time, cycle ({level})"]["got"]
            apart.append(f"{100 * (ours / cycle - 1):+.1f} %")
        assert [cell.strip() for cell in line.split("|")[2:6]] == apart


def apart_with(name, **link):
    """Return the % by which the hottest link misses the cycle-level time of a network if these numbers were in [link]."""
    fact, chip = expected("sanafe")[name], dataclasses.replace(load_chip("loihi1-calibrated"), link=link)
    one = grid.Grid(fact["neurons"], fact["neurons_per_core"], fact["target_stride"], fact["firing"])
    time = price_time(grid.closed_form(one, chip.mesh), chip, fact["tiles"], grid.link_loads(one, chip.mesh))
    assert time.network == "hottest_link"
    return 100 * (time.total_s * 1e9 / fact["time_cycle_ns"] - 1)


def test_the_page_says_what_the_ends_of_the_range_would_give():
    link = dict(load_chip("loihi1-calibrated").link)
    ends = [dataclasses.replace(link["congested_x"], value=end) for end in (link["congested_x"].lo, link["congested_x"].hi)]
    b, c = ([apart_with(name, **{**link, "congested_x": end}) for end in ends] for name in "BC")
    text = f"B is {-b[0]:.1f} and {-b[1]:.1f} % too short, C {-c[0]:.1f} % too short and {c[1]:.1f} % too long"
    assert text in " ".join(benchmark("validation_page").PAGE.read_text(encoding="utf-8").split())


def test_the_page_says_what_the_time_of_a_hop_would_give():
    apart = [f"{apart_with(name):+.1f} %" for name in "ABCD"]
    lines = benchmark("validation_page").PAGE.read_text(encoding="utf-8").replace("**", "").splitlines()
    (line,) = [line for line in lines if line.startswith("| the same, time of a hop | ")]
    assert [cell.strip() for cell in line.split("|")[2:6]] == apart


def test_every_module_of_cases_is_registered():
    files = {file.stem for file in (ROOT / "chipsim" / "validation" / "cases").glob("*.py")} - {"__init__"}
    assert files == set(CASES.values())


def test_a_broken_chip_file_fails_the_case(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "hw_configs"
    shutil.copytree(catalog.roots("hw_configs"), folder)
    text = (folder / "odin.toml").read_text(encoding="utf-8")
    assert "value = 8.43," in text
    (folder / "odin.toml").write_text(text.replace("value = 8.43,", "value = 8.9,"), encoding="utf-8")
    monkeypatch.setattr(catalog, "roots", lambda kind, known=catalog.roots: folder if kind == "hw_configs" else known(kind))
    assert main(["validate", "odin-power", "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    failed = {row["name"] for row in found["cases"] if not row["ok"]}
    assert failed == {f"{point}, {kind}" for point in ("accelerated", "biological") for kind in ("end to end", "power law")}
    assert main(["validate", "odin-power"]) == 4
    assert "4 FAILED" in capsys.readouterr().out


def test_a_case_that_does_not_exist_is_refused(capsys):
    assert main(["validate", "odin-powr", "--json"]) == 2
    problem = json.loads(capsys.readouterr().out)["error"]["problems"][0]
    assert problem["value"] == "odin-powr" and "odin-power" in problem["hint"]


def test_one_case_runs_alone(capsys):
    assert main(["validate", "xylo-cycles"]) == 0
    text = capsys.readouterr().out
    assert "xylo-cycles" in text and "reckon" not in text and "4 comparisons, all ok" in text
    assert [name for name, _, _ in run_cases(["xylo-cycles"])] == ["xylo-cycles"]


@pytest.mark.parametrize(
    ("row", "ok"),
    [
        (equal("n", 3, 3, "", "s"), True), (equal("n", 3, 4, "", "s"), False), (equal("n", 0, 1, "", "s"), False),
        (close("n", 100.0, 110.0, "", 0.11, "s"), True), (close("n", 100.0, 89.0, "", 0.1, "s"), False),
        (misses("n", 100.0, 50.0, "", 0.4, "s"), True), (misses("n", 100.0, 70.0, "", 0.4, "s"), False),
        (between("n", (2.0, 5.0), 2.5, "", "s"), True), (between("n", (2.0, 5.0), 5.1, "", "s"), False),
        (between("n", (2.0, 5.0), 5.1, "", "s", figure=4.9), False), (within_factor("n", 1.0, 1.9, "", 2.0, "s"), True),
        (within_factor("n", 1.0, 2.1, "", 2.0, "s"), False), (within_factor("n", 1.0, 0.51, "", 2.0, "s"), True),
        (within_factor("n", 1.0, 0.49, "", 2.0, "s"), False), (published("n", 3.4, "", "s"), None),
        (contains("n", 0.6, 0.2, 0.9, "", "s"), True), (contains("n", 0.6, 0.7, 0.9, "", "s"), False),
    ],
)  # fmt: skip
def test_a_row_holds_or_not(row, ok):
    assert row.ok is ok and row.facts()["ok"] is ok


def halved(counters, chip, *more):
    """Return an energy in which everything costs half."""
    energy = price_energy(counters, chip, *more)
    return dataclasses.replace(energy, total_j=energy.total_j / 2)


@pytest.mark.parametrize("case", ["odin-power", "truenorth-power", "loihi-query"])
def test_prices_that_are_halved_fail_every_power_and_every_control(case, monkeypatch):
    monkeypatch.setattr(by_hand, "price_energy", halved)
    monkeypatch.setattr(frady, "price_energy", halved)
    ((_, _, rows),) = run_cases([case])
    failed = {row.name for row in rows if not row.ok}
    kept = {row.name for row in rows if row.ok}
    assert {name for name in kept if f"{name} by hand" not in failed} <= {"synaptic operations in one second"}
    assert len(failed) >= 4


def test_seneca_is_met_with_reuse_and_missed_without():
    ((_, _, (held, each)),) = run_cases(["seneca-synop"])
    assert (held.rule, each.rule, held.expected, each.expected) == ("at most", "more than", 2.8, 2.8)
    assert held.got == pytest.approx(0.51 * 3.7 + 1.4)  # 51 words of 16 bits for 100 weights; one addition
    assert each.got == pytest.approx(held.got + 3.7 + 3.9)


def test_a_published_figure_is_shown_and_not_counted(capsys):
    assert main(["validate", "training-ratios"]) == 0
    text = capsys.readouterr().out
    assert "3 comparisons, all ok; 7 published figures shown" in text and text.count("not compared") == 7
    assert main(["validate", "training-ratios", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["cases"]}
    shown, ours = rows["EMSTDP on loihi1, energy"], rows["two phases, energy"]
    assert (shown["ok"], shown["got"], shown["deviation"]) == (None, None, None)
    assert ours["deviation"] == pytest.approx(ours["got"] / 3.401 - 1) and ours["band"] == [2.0, 5.0]
    assert (rows["two phases, time"]["expected"], rows["two phases, time"]["tolerance"]) == (2.0, 0.1)


def test_the_fixtures_agree_with_each_other():
    shown = {row.name: row.expected for row in ratios.measured()}
    facts = expected("ratios")
    for system, key in (("EMSTDP on loihi1", "emstdp_loihi"), ("SPOON on spoon", "spoon"), ("nBP on loihi1", "nbp_loihi"),
                        ("S-STDP on loihi1", "sstdp_loihi")):  # fmt: skip
        for kind, ratio in facts[key].items():
            assert shown.pop(f"{system}, {kind}") == pytest.approx(ratio, rel=1e-3)
    assert not shown
    facts, ours = expected("renner"), renner.structure()
    assert {key: facts[key]["visits"] if key.startswith("visits") else facts[key] for key in ours} == ours
    facts = expected("frady")
    assert facts["patterns"] * facts["steps"] == facts["neuron_updates"]
    assert [spikes * facts["patterns"] for spikes in facts["input_spikes"]] == facts["synops"]


def test_the_recorded_steps_of_reckon_are_whole_and_obey_its_rule_of_writing():
    facts = expected("reckon")
    for n, name in enumerate(facts["cycle_fixtures"]):
        rows = [{key: int(value) for key, value in row.items()} for row in table(name) if row["tick"] != "0"]
        assert len(rows) == facts["rows_checked"][n]
        block = -(-int(name.split("rec.")[0].split("_")[-1]) // 16)
        written = [row["words_weight_written"] for row in rows if row["target_valid"]]
        assert written == facts["weight_words_written_in_learning_ticks"][n]
        for row in rows:
            assert row["words_weight_written"] % block == 0 and row["words_weight_written"] <= row["words_weight_read"]
            assert row["target_valid"] or row["words_weight_written"] == 0
    assert {row.name for row in reckon_cycles.rows()} & {"40/100: cycles, steps of 63 that differ"}


def test_cycle_formulas():
    assert set(CYCLES) == set(FORMULAS) - {"xylo"}
    assert odin(256) == 512 and odin(256, events=1) == 513  # one spike event, and its way into the scheduler
    assert odin(0, time_references=1) == 512 and odin(0, bistability=1) == 32768
    silent, both = reckon(40, 100, 2, 0, 0, False), reckon(40, 100, 2, 3, 3, False, both=1)
    assert silent.cycles == 100 + 100 + 1 and both.cycles == silent.cycles + 5 * 100
    assert both.weight_words_read == 7 * 6 and both.neuron_words_written == 50 * 6
    with pytest.raises(ValueError, match="n_in = 101"):
        reckon(101, 100, 2, 0, 0, False)


def test_a_chip_with_exact_cycles_takes_them():
    counters = counted()
    sample = Counters(counters.counts[None], counters.cores)
    steps = int(counters.of("forward", "barriers").sum())
    cycles = 2 * 655_360 + 2560 + 512 * steps  # every operation, every source event into the scheduler, every time reference
    chip = load_chip("odin")
    exact, added = price_time(sample, chip, 1, layout=Layout(256, 256, 0)), price_time(sample, chip, 1)
    assert (exact.cycles, added.cycles, (exact + added).cycles, (exact + exact).cycles) == ("odin", "", "", "odin")
    assert exact.forward_s == pytest.approx(cycles / 75e6) and exact.complete
    assert added.forward_s == pytest.approx((cycles - 2560) / 75e6)  # the host's events have no time of their own


def test_forward_cycles_of_reckon_are_the_formula_step_by_step():
    rng, counters, layout = np.random.default_rng(0), empty(9, np.array([0, -1]), samples=2), Layout(40, 100, 2)
    inputs, spikes = rng.integers(0, 30, (2, 9)), rng.integers(0, 30, (2, 9))
    for event, values, column in (("inputs_injected", inputs, 1), ("spikes", spikes, 0), ("barriers", np.ones((2, 9)), 1)):
        counters.counts[:, ROW["forward", "forward", event], :, column] = values
    wanted = [
        [reckon(*layout[:3], a, b, False).cycles for a, b in zip(*pair, strict=True)] for pair in zip(inputs, spikes, strict=True)
    ]
    assert forward_cycles("reckon", Booked.of(counters), layout).tolist() == wanted
    assert forward_cycles("reckon", Booked.of(counters), Layout(101, 100, 2)) is None  # no formula is known


def test_a_formula_needs_a_clock():
    with pytest.raises(ConfigError, match="clock.frequency"):
        load_chip("toy", {"cycles": "odin"})
