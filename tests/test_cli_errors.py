"""Wrong input on the command line: the right exit code, a message with object, key, value and limit, and nothing written."""

from __future__ import annotations

import json

import pytest

from chipsim.cli import main
from chipsim.cli.absent import ABSENT

MODEL = """
title = "a model for tests"
steps = 10
population = [
  { name = "input", neuron = "input", size = 64 },
  { name = "hidden1", neuron = "delta-lif", size = 20, tau_ms = 10.0 },
  { name = "out", neuron = "leaky-readout", size = 10, tau_ms = 10.0, readout = "sum" },
]
[learning]
rule = "ssgd-replay"
[data]
name = "digits"
"""
CHIP = 'extends = "toy"\ntitle = "a chip for tests"\n'
SOURCE = 'basis = "assumed", source = "a test"'

FILES = {
    "model.toml": MODEL,
    "unknown-key.toml": MODEL.replace("steps = 10", "steps = 10\nstepps = 3"),
    "two-mistakes.toml": MODEL.replace("size = 20", "size = 0").replace("steps = 10", "steps = 10\nstepps = 3"),
    "no-toml.toml": "steps = = 3\n",
    "no-data.toml": MODEL.replace('"digits"', '"no-such-data"'),
    "wide.toml": MODEL.replace("size = 20", "size = 100000"),
    "wrong-unit.toml": CHIP + f'[energy.forward]\nsynops = {{ value = 1.0, unit = "ns", scope = "incremental", {SOURCE} }}\n',
    "negative.toml": CHIP + f'[energy.forward]\nsynops = {{ value = -1.0, unit = "pJ", scope = "incremental", {SOURCE} }}\n',
    "no-source.toml": CHIP
    + '[energy.forward]\nsynops = { value = 1.0, unit = "pJ", scope = "incremental", basis = "assumed" }\n',
}

# name -> (arguments, exit code, words that the message must hold)
CASES = {
    "model not there": (("train", "absent.toml"), 2, ("model", "absent.toml", "no such file")),
    "model name unknown": (("train", "digts"), 2, ("digts", "did you mean 'digits'")),
    "chip not there": (("train", "model.toml", "--chip", "absent.toml"), 2, ("chip", "absent.toml", "no such file")),
    "chip name unknown": (("check", "model.toml", "--chip", "loihi9"), 2, ("chip", "loihi9", "loihi1")),
    "unknown key in a model": (("train", "unknown-key.toml"), 2, ("unknown-key", "stepps", "did you mean 'steps'")),
    "two mistakes at once": (("check", "two-mistakes.toml"), 2, ("2 problems", "stepps", "size = 0")),
    "no TOML": (("train", "no-toml.toml"), 2, ("no-toml.toml", "line 1")),
    "wrong unit in a chip": (("train", "model.toml", "--chip", "wrong-unit.toml"), 2, ("energy.forward.synops", "ns", "pJ")),
    "negative price": (("check", "model.toml", "--chip", "negative.toml"), 2, ("energy.forward.synops", "-1.0")),
    "price without source": (("chips", "no-source.toml"), 2, ("energy.forward.synops", "source")),
    "number out of range": (
        ("train", "model.toml", "--set", "learning.half_width=-0.1"),
        2,
        ("learning.half_width", "-0.1", "greater than 0"),
    ),
    "too large for the chip": (("check", "wide.toml", "--chip", "toy"), 3, ("hidden1", "100000", "toy")),
    "too large to train": (("train", "wide.toml", "--chip", "toy"), 3, ("hidden1", "100000", "toy")),
    "rule the chip cannot do": (
        ("train", "model.toml", "--chip", "loihi1"),
        3,
        ("loihi1", "ssgd-replay", "graded-errors", "--what-if"),
    ),
    "rule the chip cannot hold": (("check", "model.toml", "--chip", "loihi1"), 3, ("loihi1", "ssgd-replay", "--what-if")),
    "unknown rule": (("train", "model.toml", "--rule", "backprop"), 2, ("rule", "backprop", "ssgd-replay")),
    "unknown key in --set": (("train", "model.toml", "--set", "schedule.fixd.passes=3"), 2, ("schedule.fixd", "fixed")),
    "unknown model key in --set": (("train", "model.toml", "--set", "learning.half_widht=0.1"), 2, ("half_widht", "half_width")),
    "unknown chip key in --set": (("train", "--set", "chip.limits.neurons=3"), 2, ("limits.neurons", "3")),
    "--set without a value": (("check", "--set", "steps"), 2, ("--set", "steps", "key=value")),
    "bad numerics": (("train", "model.toml", "--numerics", "int8"), 2, ("--numerics", "int8", "fixed, float, float32, float64")),
    "negative passes": (("train", "model.toml", "--passes", "-1"), 2, ("--passes", "-1", "at least 1")),
    "no samples": (("train", "model.toml", "--samples", "0"), 2, ("--samples", "0", "at least 1")),
    "no threads": (("evaluate", "run", "--threads", "0"), 2, ("--threads", "0", "at least 1", "weights.npz")),
    "passes no number": (("train", "model.toml", "--passes", "many"), 2, ("--passes", "many")),
    "folder exists": (("train", "model.toml", "--out", "full"), 2, ("full", "exists", "--force")),
    "folder is no run": (("train", "model.toml", "--out", "full", "--force"), 2, ("full",)),
    "init of no run": (("train", "model.toml", "--init", "nowhere"), 2, ("--init", "nowhere", "weights.npz")),
    "evaluate no run": (("evaluate", "nowhere"), 2, ("RUN", "nowhere", "weights.npz")),
    "data set unknown": (("train", "no-data.toml"), 2, ("data.name", "no-such-data", "digits")),
    "data folder not there": (("train", "model.toml", "--data-dir", "nowhere"), 2, ("--data-dir", "nowhere", "folder")),
    "input does not fit": (
        ("train", "model.toml", "--set", "population.input.size=10"),
        2,
        ("population.input.size", "10", "64"),
    ),
    "unknown flag": (("train", "--chipp", "toy"), 2, ("--chipp", "--chip")),
    "unknown verb": (("trian",), 2, ("trian",)),
    "everything at once": (
        ("train", "unknown-key.toml", "--chip", "negative.toml", "--numerics", "int8", "--passes", "0"),
        2,
        ("4 problems", "stepps", "energy.forward.synops", "--numerics", "--passes"),
    ),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the files above and one folder that is in use, as the working directory."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHIPSIM_DATA", raising=False)
    return tmp_path


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_mistake_is_named_and_nothing_is_written(case, place, capsys):
    arguments, code, words = case
    before = contents(place)
    quiet = ["--quiet"] if arguments[0] == "train" else []
    assert main([*arguments, *quiet, "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and "Traceback" not in captured.err and "internal error" not in captured.err
    assert "\n\n" not in captured.err.strip()
    assert not [word for word in words if word not in captured.err]
    found = json.loads(captured.out)
    assert found["schema"] == 1 and found["verb"] in (arguments[0], "") and found["error"]["exit_code"] == code
    assert found["error"]["problems"]
    for problem in found["error"]["problems"]:
        assert set(problem) == {"object", "key", "value", "limit", "hint"}
        assert problem["object"] and problem["key"] and problem["limit"] and problem["value"] is not None
    assert contents(place) == before


def test_without_json_nothing_is_on_stdout(place, capsys):
    assert main(["train", "absent.toml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1


def test_what_if_lets_a_chip_learn_that_cannot(place, capsys):
    assert main(["check", "model.toml", "--chip", "loihi1", "--what-if", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fits"] is True
    small = ["--passes", "1", "--samples", "20", "--quiet", "--json", "--out", "run"]
    assert main(["train", "model.toml", "--chip", "loihi1", "--what-if", *small]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chip"].startswith("loihi1") and any("what-if" in w for w in found["warnings"])
    assert 0 < found["energy_j_per_sample"]["assumed_share"] < 1


@pytest.mark.parametrize("verb", ABSENT)
def test_verbs_of_later_versions_say_so(verb, place, capsys):
    before = contents(place)
    assert main([verb, "digits", "--seeds", "5", "--json"]) == 2
    captured = capsys.readouterr()
    assert "does not have it yet" in captured.err
    assert json.loads(captured.out)["error"]["problems"][0]["value"] == verb
    assert main([verb, "--help"]) == 2 and main([verb]) == 2
    assert contents(place) == before


def broken(*_):
    raise ZeroDivisionError("a mistake of ours")


def test_our_own_mistakes_show_a_traceback_only_with_debug(monkeypatch, capsys):
    monkeypatch.setattr("chipsim.catalog.names", broken)
    assert main(["models"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "internal error" in said and "a mistake of ours" in said and "--debug" in said
    assert main(["models", "--debug", "--json"]) == 1
    captured = capsys.readouterr()
    assert "Traceback" in captured.err and json.loads(captured.out)["error"]["exit_code"] == 1


def test_what_a_verb_prints_by_accident_is_kept_off_stdout(monkeypatch, capsys):
    from chipsim import catalog

    names = catalog.names
    monkeypatch.setattr(catalog, "names", lambda kind: print("noise") or names(kind))
    assert main(["models", "--json"]) == 0
    captured = capsys.readouterr()
    assert "noise" in captured.err and json.loads(captured.out)["verb"] == "models"
