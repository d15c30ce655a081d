"""`chipsim check`: what does not fit is named with need and limit, and what it proposes compiles."""

from __future__ import annotations

import json
import shlex

import pytest

import chipsim as cs
from chipsim.cli import main
from chipsim.compiler import compile_network, propose
from chipsim.errors import CapacityError
from chipsim.hardware import load_chip
from chipsim.network import load_model

CASES = {  # name -> (arguments of check, word of a broken limit)
    "too many cores": (("digits", "--chip", "toy", "--set", "population.hidden1.size=300"), "cores"),
    "far too large": (("digits", "--chip", "toy", "--set", "population.hidden1.size=3000"), "compartments_per_core"),
    "fan-in": (("digits", "--chip", "toy", "--set", "chip.limits.axons_in_per_core.value=150"), "axons_in_per_core"),
    "synapse words": (
        ("digits", "--chip", "toy", "--set", "chip.limits.synapse_words_per_core.value=300"),
        "synapse_words_per_core",
    ),
    "many steps": (("digits", "--chip", "loihi1-ssgd", "--set", "steps=10000000"), "log_word_bits"),
    "weights of 4 bits": (
        (
            "digits",
            "--chip",
            "toy-event",
            "--set",
            "learning.scan=touched",
            "--set",
            "population.hidden1.size=2000",
            "--set",
            "learning.weight_bits=4",
        ),
        "axons_in_per_core",
    ),
    "learning memory": (("digits", "--set", "chip.limits.learning_bits_per_core.value=270000"), "learning_bits_per_core"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_every_proposal_compiles(case, capsys):
    arguments, word = CASES[case]
    assert main(["check", *arguments, "--json"]) == 3
    caught = capsys.readouterr()
    error = json.loads(caught.out)["error"]
    assert word in {problem["key"] for problem in error["problems"]} and "Traceback" not in caught.err
    assert all(isinstance(problem["value"], int) for problem in error["problems"])
    assert error["proposals"] and all(proposal in caught.err for proposal in error["proposals"])
    for proposal in error["proposals"]:
        assert main(["check", *without(arguments, proposal), *shlex.split(proposal)]) == 0
        assert "fits" in capsys.readouterr().out


def without(arguments, proposal) -> list[str]:
    """Return the arguments without the --set of a key that the proposal sets anew (a key may be given once)."""
    keys = {part.partition("=")[0] for part in shlex.split(proposal)}
    found, it = [], iter(arguments)
    for argument in it:
        value = next(it) if argument == "--set" else None
        found += [argument] if value is None else [argument, value] if value.partition("=")[0] not in keys else []
    return found


def test_proposals_are_the_nearest_that_fit():
    """One neuron more than proposed does not fit; proposals come smallest change first."""
    chip, network = load_chip("toy"), load_model("digits", {"population.hidden1.size": 300})
    found = propose(network, chip, True)
    assert [p.change for p in found] == sorted(p.change for p in found)
    size = next(p.overrides["population.hidden1.size"] for p in found if "population.hidden1.size" in p.overrides)
    compile_network(load_model("digits", {"population.hidden1.size": size}), chip)
    with pytest.raises(CapacityError):
        compile_network(load_model("digits", {"population.hidden1.size": size + 1}), chip)
    assert propose(load_model("digits", {"population.hidden1.size": 50, "population.hidden2.size": 50}), chip, True) == []


def test_a_proposal_names_the_projection_as_set_does(tmp_path, capsys):
    text = """steps = 5
population = [{ name = "in", neuron = "input", size = 90 }, { name = "a", neuron = "if", size = 1 }]
projection = [{ pre = "in", post = "a", name = "few", kind = "sparse", density = 0.9 }]"""
    (tmp_path / "m.toml").write_text(text)
    arguments = ["check", str(tmp_path / "m.toml"), "--chip", "toy", "--inference"]
    limit = ["--set", "chip.limits.synapse_words_per_core.value=40"]
    assert main([*arguments, *limit, "--json"]) == 3
    proposals = json.loads(capsys.readouterr().out)["error"]["proposals"]
    (density,) = [proposal for proposal in proposals if "density" in proposal]
    assert "projection.few.density" in density and main([*arguments, *limit, *shlex.split(density)]) == 0


def test_nothing_is_proposed_for_what_no_number_mends(capsys):
    assert main(["check", "digits", "--chip", "loihi1"]) == 3
    caught = capsys.readouterr()
    assert "capabilities" in caught.err and "each of these changes" not in caught.err


def test_check_reports_what_quantising_loses(capsys):
    assert main(["check", "digits", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    image = compile_network(load_model("digits"), load_chip("loihi1-ssgd"))
    kept = image.real_weights(image.weights)
    for name, given in load_model("digits").weights.items():
        row, error = facts["quantization"][name], kept[name] - given
        assert row["rms"] == pytest.approx((error**2).mean() ** 0.5) and row["largest"] == pytest.approx(abs(error).max())
        assert row["largest"] <= row["lsb"] / 2 and row["saturated"] == 0 and row["bits"] == 8
    rows = {(row["of"], row["field"]): row for row in facts["fields"]}
    assert rows["hidden1", "v"] == {
        "of": "hidden1", "field": "v", "bits": 24, "fraction": 12, "signed": True, "overflow": "saturate",
        "rounding": "toward-zero, stepped",
    }  # fmt: skip
    assert {row["bits"] for key, row in rows.items() if key[1] == "weight"} == {8}


def test_check_prints_every_core_and_the_weights(capsys):
    assert main(["check", "digits", "--set", "learning.weight_bits=4"]) == 0
    text = capsys.readouterr().out
    assert "what storing the weights loses" in text and text.count(" dB") == 3
    assert all(f"{name} (" in text for name in ("hidden1", "hidden2", "out"))


def test_a_mantissa_weight_outside_its_range_is_reported():
    model = cs.Network(
        steps=3, population=[{"name": "a", "neuron": "input", "size": 2}, {"name": "b", "neuron": "loihi-lif", "size": 2, "dv": 0}],
        projection=[{"pre": "a", "post": "b", "units": "mantissa", "weight_bits": 6}],
    ).with_weights({"b": [[-301, 3], [301, 0]]})  # fmt: skip
    image = compile_network(model, load_chip("loihi1"), learn=False)
    assert image.weights.tolist() == [-256, 0, 248, 0]
    errors = image.formats.errors[0]
    assert errors.saturated == 0.5 and errors.largest == 53 and errors.lost == 0.25
