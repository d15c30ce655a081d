"""What summaries say of a time: unknown where it is unknown, the model that gave it, and why an exact formula did not."""

from __future__ import annotations

import json

import numpy as np
import pytest

import chipsim as cs
from chipsim.bookings import Booked
from chipsim.cli import main
from chipsim.cost import price_time
from chipsim.cost.cycles import Layout, forward_cycles, reckon
from chipsim.counters import HOST, ROW, empty
from chipsim.errors import ConfigError

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}
ONE_CORE = {"placement.strategy": "manual", **{f"placement.cores.{name}": [0] for name in ("hidden1", "hidden2", "out")}}
LARGE = {"limits.learning_bits_per_core.value": 1 << 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("said") / "run"
    cs.train(cs.load_model("digits", SMALL), "loihi1-ssgd", samples=20, passes=1, out=path)
    return path


def on_reckon(rule, **sizes):
    """Train on one core of ReckOn."""
    model = cs.load_model("digits", {"population.hidden1.size": 60, "population.hidden2.size": 40, **sizes, **ONE_CORE})
    return cs.train(model, cs.load_chip("reckon", LARGE, what_if=True), rule=rule, samples=10, passes=1)


def test_a_phase_of_which_only_barriers_have_a_time_has_none(folder):
    found = cs.reprice(folder, "odin")
    time = found.summary["time_s_per_sample"]
    assert (time["backward"], time["update"]) == (None, None) and time["forward"] == time["total"] > 0
    assert not found.summary["time_complete"]
    counts = empty(3, np.array([0, HOST]))
    counts.counts[0, ROW["update", "replay", "barriers"], 0, 1] = 1
    alone = price_time(counts, cs.load_chip("odin"), 1)
    assert alone.update_s == 0.0 and alone.complete, "barriers are all it counted, and they take no time here"


def test_evaluate_says_that_its_time_is_a_lower_bound(tmp_path, capsys):
    run = cs.train(cs.load_model("digits", SMALL), "loihi1-ssgd", samples=20, passes=1, out=tmp_path / "run")
    found = cs.evaluate(tmp_path / "run")
    keys = ("time_s_per_sample", "time_complete", "time_model", "time_uncertainty")
    assert set(keys) <= set(found) and set(keys) <= set(run.summary)
    assert found["time_complete"] is False and found["time_model"] == {"network": "hottest_link", "cycles": None}
    bound = [line for line in found["warnings"] if line.startswith("the time is a lower bound, no time is known for: ")]
    assert bound == ["the time is a lower bound, no time is known for: forward.packets_in"]
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    text = capsys.readouterr().out
    assert "time, at least" in text and bound[0] in " ".join(text.split())


def test_several_cores_are_several_chips_of_one_core_and_no_formula_of_one(folder, capsys):
    found = cs.reprice(folder, "odin")
    summary, chip = found.summary, cs.load_chip("odin")
    assert (summary["cores_used"], summary["chips_used"], summary["time_model"]["cycles"]) == (3, 3, None)
    seconds = found.time.total_s
    standing = 3 * (27.3e-6 + 1.78e-6 * chip.clock["frequency"].value) * seconds
    assert found.energy.static_j == pytest.approx(standing, rel=1e-12)
    said = [line for line in summary["warnings"] if "odin has" in line]
    assert len(said) == 2 and "static power and clock are those of 3 chips" in said[0]
    assert "cycles = odin, but the formula is of one core and the network is on 3" in said[1]
    own = cs.reprice(folder).summary
    assert own["chips_used"] == 1 and not [line for line in own["warnings"] if "chips" in line]
    several = empty(4, np.array([0, 1, HOST]))
    assert forward_cycles("odin", Booked.of(several), Layout(4, 4, 2)) is None
    assert main(["cost", str(folder), "--chip", "odin", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["time_model"] == {"network": "none", "cycles": None}


def test_a_formula_whose_inputs_are_not_counted_is_refused():
    with pytest.raises(ConfigError, match="cycles = 'xylo'"):
        cs.load_chip("odin", {"cycles": "xylo"})


def test_reckon_takes_its_cycles_of_learning_where_the_rule_is_its_own():
    run = on_reckon("reckon")
    steps, samples = run.image.steps, 10
    added = (reckon(64, 100, 10, 0, 0, True).cycles - reckon(64, 100, 10, 0, 0, False).cycles) / 13e6
    assert added == 1624 / 13e6
    assert run.time.backward_s == pytest.approx(samples * (steps - 1) * added) and run.time.update_s == 0.0
    assert run.time.complete and run.summary["time_model"] == {"network": "none", "cycles": "reckon"}
    again = cs.reprice(run)
    assert again.time == run.time and not [line for line in again.summary["warnings"] if "cycles" in line]


def test_other_rules_and_sizes_say_that_no_formula_gave_their_cycles():
    other = on_reckon("ssgd-replay").summary
    assert other["time_model"]["cycles"] == "reckon" and other["time_s_per_sample"]["backward"] > 0
    assert any("the circuit of reckon" in line and "does not learn by ssgd-replay" in line for line in other["warnings"])
    small = on_reckon("reckon", **SMALL).summary
    assert small["time_model"]["cycles"] is None
    assert any("at least as many hidden neurons (36) as inputs (64)" in line for line in small["warnings"])
