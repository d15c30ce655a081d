"""`chipsim cost` as users and scripts meet it: JSON that adds up, text, exit codes."""

from __future__ import annotations

import json

import pytest

import chipsim as cs
from chipsim.cli import main

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}
KEYS = {
    "schema", "version", "verb", "model", "rule", "numerics", "seed", "samples", "passes", "run_dir", "run_chip", "chip",
    "counts_per_sample", "energy_j_per_sample", "energy_complete", "unpriced", "time_s_per_sample", "time_complete", "time_exact",
    "cores_used", "limits_broken", "warnings", "energy_uncertainty", "time_uncertainty", "time_model", "chips_used", "time_breakdown",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small run in its folder."""
    return cs.train(
        cs.load_model("digits", SMALL), "loihi1-ssgd", samples=40, passes=1, out=tmp_path_factory.mktemp("cost") / "run"
    )


@pytest.fixture
def cost(run, capsys):
    """Run the verb in this process: (exit code, stdout, stderr)."""

    def call(*arguments, folder=run.run_dir):
        code = main(["cost", str(folder), *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_runs_own_chip_gives_what_train_said(run, cost):
    code, out, err = cost("--json")
    found = json.loads(out)
    assert (code, err, set(found)) == (0, "", KEYS)
    numbers = ("energy_j_per_sample", "time_s_per_sample", "energy_complete", "unpriced", "counts_per_sample", "cores_used")
    for key in (*numbers, "energy_uncertainty", "time_uncertainty", "time_model"):
        assert found[key] == json.loads(json.dumps(run.summary[key])), key
    assert (found["verb"], found["chip"], found["run_chip"], found["limits_broken"]) == ("cost", "loihi1-ssgd", "loihi1-ssgd", [])


@pytest.mark.parametrize("by", ["core", "phase", "unit", "population"])
def test_a_breakdown_sums_to_the_total_as_printed(cost, by):
    code, out, _ = cost("--chip", "toy", "--breakdown", by, "--json")
    found = json.loads(out)
    rows, total = found["breakdown"]["rows"], found["energy_j_per_sample"]["total"]
    assert code == 0 and found["breakdown"]["by"] == by and len(rows) > 3
    assert sum(row["energy_j"] for row in rows) == total > 0
    assert sum(value for row in rows for key, value in row.items() if key not in (by, "energy_j")) == total
    code, out, _ = cost("--chip", "toy", "--breakdown", by)
    assert code == 0 and all(str(row[by]) in out for row in rows) and "static" in out


def test_text_begins_with_the_verdict_and_names_broken_limits(run, cost, tmp_path):
    code, out, err = cost("--chip", "toy")
    assert code == 0 and err == "" and " at the prices of toy" in out.splitlines()[0]
    tight = tmp_path / "tight.toml"
    tight.write_text(
        'extends = "toy"\n[limits]\ncompartments_per_core = { value = 2, unit = "count", basis = "assumed", source = "test" }\n'
    )
    code, out, err = cost("--chip", tight)
    assert code == 0 and "limits.compartments_per_core = 20" in out and "this chip has 2" in out


def test_a_time_that_is_only_bounded_is_said_to_be(run, tmp_path, cost):
    import shutil

    shutil.copytree(run.run_dir, tmp_path / "run")
    (tmp_path / "run" / "activity.npz").unlink()
    code, out, _ = cost(folder=tmp_path / "run")
    assert code == 0 and "and at least " in out.splitlines()[0] and "time between " in out
    code, out, _ = cost("--json", folder=tmp_path / "run")
    found = json.loads(out)
    assert found["time_exact"] is False and set(found["time_bounds_s_per_sample"]) == {"low", "high"}


WRONG = {
    "no such run": ((), {"folder": "nothing"}, ("nothing", "no such folder")),
    "breakdown of nothing known": (("--breakdown", "neuron"), {}, ("breakdown", "neuron", "core, phase, unit, population")),
    "no such chip": (("--chip", "loihi9"), {}, ("chip", "loihi9")),
    "missing prices": (("--strict-prices",), {}, ("energy.forward.packets_in", "energy.forward.inputs_injected", "no price")),
    "a flag nobody has": (("--prices", "3"), {}, ("--prices",)),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_exits_with_2_and_names_it(cost, what):
    arguments, more, words = WRONG[what]
    code, out, err = cost(*arguments, **more)
    assert (code, out) == (2, "") and all(word in err for word in words), err
    code, out, _ = cost(*arguments, "--json", **more)
    assert code == 2 and json.loads(out)["error"]["exit_code"] == 2


def test_everything_wrong_is_said_at_once(cost, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text('extends = "toy"\ncore_time = "never"\n[energy.forward]\nsynopps = { value = 1, unit = "pJ" }\n')
    code, _, err = cost("--chip", broken, "--breakdown", "x", folder=tmp_path)
    assert code == 2 and all(word in err for word in ("core_time", "synopps", "breakdown", "config.toml", "counters.npz"))


def test_strict_prices_pass_where_every_event_has_one(cost):
    assert cost("--chip", "toy", "--strict-prices")[0] == 0
