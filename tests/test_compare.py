"""Figures that users compare, and metrics under NeuroBench's names: a tiny network worked out in plain Python."""

from __future__ import annotations

from pathlib import Path
from statistics import quantiles

import numpy as np
import pytest
from test_dense import CHIP, network

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.cost import Time, price_energy
from chipsim.cost.compare import dense_macs, during, per_correct
from chipsim.cost.draws import price_draws
from chipsim.hardware import dense_devices
from chipsim.report.result import train_text
from chipsim.training.compare import dense_image
from chipsim.training.reprice import recount

STEPS, SIZES = 6, (4, 3, 2)  # steps; inputs, hidden, classes


def tiny(**learning):
    """Return a network whose hidden neurons never fire on no input, always on all of it; one weight is 0."""
    first, second = np.full((4, 3), 0.5), np.full((3, 2), 0.1)
    first[0, 0] = 0.0
    populations = [
        {"name": "in", "neuron": "input", "size": 4},
        {"name": "h", "neuron": "delta-lif", "size": 3, "tau_ms": 5.0},
        {"name": "out", "neuron": "leaky-readout", "size": 2, "tau_ms": 6.0},
    ]
    projections = [{"pre": "in", "post": "h", "name": "k0"}, {"pre": "h", "post": "out", "name": "k1"}]
    schedule = {"float": {"passes": 1, "batch": 2, "optimiser": "sgd", "rate": 1e-3}}
    made = cs.Network(steps=STEPS, population=populations, projection=projections, learning=learning, schedule=schedule)
    return made.with_weights({"k0": first, "k1": second})


@pytest.fixture(scope="module")
def run():
    """Two samples, one with every input on, one with the first input alone (its synapses are 0, 0.5, 0.5: it fires nobody)."""
    x = np.zeros((STEPS, 2, 4))
    x[:, 0] = 1
    x[:2, 1, 0] = 1
    made = cs.train(tiny(), cs.load_chip("toy"), (x, np.array([0, 1]), x, np.array([0, 1])), numerics="float64")
    assert made.accuracy.test > 0  # else a right answer would have no price, and its figures nothing to be compared with
    return made


def test_neurobench_by_hand(run):
    """Sample 1: 4 inputs in steps 0 .. 4 (the last is not sent), 3 hidden spikes in steps 1 .. 5 (sent: 1 .. 4). Sample 2: 2 inputs."""
    found = run.summary["neurobench"]
    spikes, inputs, sent = 3 * 5, 4 * 5 + 2, 3 * 4
    assert run.counters.table()["forward"]["spikes"] == spikes
    assert found["activation_sparsity"] == pytest.approx(1 - spikes / (2 * STEPS * 3))
    zeros = sum(int((w == 0).sum()) for w in run.stored.values())
    assert zeros <= 1 and found["connection_sparsity"] == zeros / (4 * 3 + 3 * 2)
    assert (found["effective_acs"], found["effective_macs"]) == ((inputs * 3 + sent * 2) / 2, 0)
    assert found["dense_operations"] == 5 * (4 * 3 + 3 * 2)
    assert found["membrane_updates"] == 5 * (3 + 2)
    memory = run.summary["memory_bits"]
    assert (
        found["footprint_bytes"] * 8 + memory["learning"] == memory["total"] and found["learning_bytes"] * 8 == memory["learning"]
    )
    update = run.counters.table()["update"]
    assert found["updates_effective"] == update["evaluations"] / 2
    assert found["updates_dense"] == (4 * 3 + 3 * 2) / 2  # one update for the batch of two samples
    assert found["writes_per_update"] == update["writes"] / update["evaluations"]


def test_neurobench_from_rasters_as_its_code_counts(run):
    """Its formulas on the arrays of a simulation; the chip also applies the one weight that is 0, and sends nothing in the last step."""
    x = np.zeros((STEPS, 2, 4))
    x[:, 0], x[:2, 1, 0] = 1, 1
    net = tiny()
    sim = cs.simulate(net, x, numerics="float64")
    found, rasters = run.summary["neurobench"], {"k0": sim.spikes["in"], "k1": sim.spikes["h"]}
    activations = sim.spikes["h"]
    assert found["activation_sparsity"] == pytest.approx((activations.size - np.count_nonzero(activations)) / activations.size)
    effective = sum((rasters[name][:-1].astype(int) @ (w != 0)).sum() for name, w in net.weights.items()) / 2
    of_zeros = sum((rasters[name][:-1].astype(int) @ (w == 0)).sum() for name, w in net.weights.items()) / 2
    assert found["effective_acs"] == effective + of_zeros and of_zeros == (5 + 2) / 2
    assert found["dense_operations"] == sum(np.ones(r.shape[2]) @ np.ones(net.weights[k].shape) @ np.ones(net.weights[k].shape[1]) * 5
                                            for k, r in rasters.items())  # fmt: skip


def test_graded_input_multiplies():
    x = np.zeros((STEPS, 2, 4))
    x[:, 0] = 0.5
    found = cs.train(tiny(), cs.load_chip("toy"), (x, np.array([0, 1]), x, np.array([0, 1])), numerics="float64").summary[
        "neurobench"
    ]
    assert found["effective_macs"] == 5 * 4 * 3 / 2 and found["effective_acs"] + found["effective_macs"] > 0


def test_dense_macs_by_hand():
    image = compile_network(tiny(), cs.load_chip("toy"), numerics="float64")
    found = dense_macs(image, 4, True)
    weights = 4 * 3 + 3 * 2
    assert found == (5 * (weights + 5), 5 * (weights + 3 * 2 + 2 * 5), weights / 4)
    assert dense_macs(image, 4, False) == (5 * (weights + 5), 0, 0)


def test_figures_in_plain_python(run):
    """All five figures from the draws of energy and time of the run."""
    found, energy, time = run.summary["comparison"], run.energy, run.time
    draws = {phase: d.values.tolist() for phase, d in energy.uncertainty.draws.items()}
    spread = run.summary["time_uncertainty"]

    def interval(nominal, values, **more):
        cut = quantiles(values, n=20, method="inclusive")
        return {"nominal": pytest.approx(nominal), "p05": pytest.approx(cut[0]), "p95": pytest.approx(cut[-1]), **more}

    learning = [(b + u) / f for b, u, f in zip(draws["backward"], draws["update"], draws["forward"], strict=True)]
    nominal = (energy.backward_j + energy.update_j) / energy.forward_j
    assert run.summary["energy_uncertainty"]["learning_to_inference"] == interval(
        nominal, learning, complete=True, at_least=False
    )
    assert spread["learning_to_inference"]["nominal"] == pytest.approx((time.backward_s + time.update_s) / time.forward_s)

    product = found["energy_delay_j_s"]
    assert product["nominal"] == pytest.approx(energy.total_j * time.total_s / 4)
    ends = [run.summary["energy_uncertainty"][end] * spread[end] for end in ("p05", "p95")]
    assert ends[0] < product["p05"] < product["nominal"] < product["p95"] < ends[1]

    share, took = time.forward_s / time.total_s, recount(run.image, run.recording).costs()[1].draws
    shares = (took["forward"].values / took["total"].values).tolist()
    assert run.accuracy.test
    rows = zip(draws["forward"], draws["static"], shares, strict=True)
    alone = [(f + part * s) / (2 * run.accuracy.test) for f, s, part in rows]
    wanted = (energy.forward_j + share * energy.static_j) / (2 * run.accuracy.test)
    assert found["j_per_correct"] == interval(wanted, alone, complete=True)

    gpu, price = found["gpu"], dense_devices()["gpu"]
    macs = sum(gpu["macs"].values())
    assert gpu["j_per_sample"] == interval(
        macs * 0.3e-9, [macs * p * 1e-12 for p in price_draws(price, "devices.gpu", "").tolist()]
    )
    assert gpu["chip_to_gpu"]["nominal"] == pytest.approx(energy.total_j / 2 / (macs * 0.3e-9))
    assert gpu["source"].startswith("Degnan") and gpu["phases"] == ["forward", "backward", "update"]

    dense = found["dense"]
    for phase in ("forward", "backward", "update", "total"):
        saved = 1 - getattr(energy, f"{phase}_j") / 2 / dense["energy_j_per_sample"][phase]
        assert dense["saved"][phase]["nominal"] == pytest.approx(saved) and 0 < saved < 1


def test_no_right_answer_has_no_price():
    chip = cs.load_chip("toy")
    from test_cost import counters

    energy = price_energy(counters(("forward", "forward", "synops", 1, 0, 7)), chip, 0.0, 1)
    time = Time(1e-9, 0.0, 0.0, 1e-9, (), "none", {})
    assert per_correct(energy, time, None, 1, 0.0)[::2] == (None, "no right answer")
    found = per_correct(energy, time, None, 1, 0.5).interval.nominal
    assert found == pytest.approx(14e-12) == 2 * during(energy, time, None, ("forward",)).nominal
    nothing = price_energy(counters(("backward", "replay", "row_adds", 1, 0, 7)), chip, 0.0, 1)
    assert per_correct(nothing, time, None, 1, 0.5).interval is None


def test_a_network_in_which_nothing_is_sparse_saves_nothing():
    net, chip = network("recurrent"), cs.load_chip("toy", CHIP)
    x, y = np.ones((net.steps, 2, 5)), np.array([0, 1])
    dense = cs.train(net, chip, (x, y, x, y), numerics="float64").summary["comparison"]["dense"]
    assert {phase: row["nominal"] for phase, row in dense["saved"].items()} == pytest.approx(
        dict.fromkeys(dense["saved"], 0.0), abs=1e-9
    )
    assert set(dense["saved"]) == {"forward", "backward", "update", "static", "total"}
    assert dense["log_words"]["peak"] > 0


def test_online_rules_are_compared_with_replay():
    image = compile_network(tiny(rule="eprop"), cs.load_chip("toy"))
    other = dense_image(image)
    assert other.network.learning.rule == "ssgd-replay" and other.formats.fixed and other.logs
    assert dense_image(other) is other


def test_a_chip_that_cannot_replay_says_why():
    chip = cs.load_chip("toy")
    table = {**chip.table, "capabilities": [c for c in chip.capabilities if c != "replay"]}
    from chipsim.hardware import build_chip

    x = np.ones((STEPS, 2, 4))
    run = cs.train(
        tiny(rule="eprop", half_width=100.0),
        build_chip(table, "no-replay"),
        (x, np.array([0, 1]), x, np.array([0, 1])),
        numerics="float64",
    )
    assert "replay" in run.summary["comparison"]["dense"]["unavailable"]


def test_evaluation_compares_inference_alone(tmp_path):
    run = cs.train("digits", "loihi1-ssgd", samples=40, passes=1, out=tmp_path / "run")
    found = cs.evaluate(tmp_path / "run")
    assert found["comparison"]["gpu"]["macs"]["backward"] == found["comparison"]["gpu"]["macs"]["update"] == 0
    assert set(found["comparison"]["dense"]["saved"]) == {"forward", "static", "total"}
    assert found["energy_uncertainty"]["learning_to_inference"] is None and found["neurobench"]["updates_effective"] == 0
    energy, right = found["energy_j_per_sample"], found["accuracy"]["test"]
    assert found["comparison"]["j_per_correct"]["nominal"] == pytest.approx(energy["total"] / right)
    assert run.summary["neurobench"]["connection_sparsity"] == found["neurobench"]["connection_sparsity"]


def test_the_page_on_cost_names_every_key(run):
    page = (Path(cs.__file__).parent.parent / "docs" / "cost.md").read_text()
    s = run.summary
    keys = [*s["energy_uncertainty"], *s["time_uncertainty"], *s["comparison"], *s["neurobench"], *s["comparison"]["gpu"]]
    keys += [*s["comparison"]["dense"], *s["energy_uncertainty"]["largest_terms"][0]]
    assert len(keys) > 30 and not [key for key in keys if f"`{key}`" not in page]


def test_the_text_of_a_run_is_short_on_it(run):
    lines = [line for line in train_text(run.summary) if isinstance(line, str)]
    spread = run.summary["energy_uncertainty"]
    (line,) = [line for line in lines if "draws of the prices" in line]
    assert all(row["term"] in line for row in spread["largest_terms"][:2]) and spread["largest_terms"][2]["term"] not in line
    ratio = spread["learning_to_inference"]
    (line,) = [line for line in lines if line.startswith("learning costs")]
    assert (
        line
        == f"learning costs {ratio['nominal']:.2f} times the energy of the forward phase (90 %: {ratio['p05']:.2f} to {ratio['p95']:.2f})"
    )
    assert len([line for line in lines if "of the draws" in line]) == 1
    loihi = [train_text(run.summary | {"energy_uncertainty": spread | {"one_sided": {"forward.synops": "minimum"}}})]
    assert "published limits, not ranges: forward.synops" in str(loihi)
    ends = [train_text(run.summary | {"energy_uncertainty": spread | {"one_sided": {"forward.synops": "upper end"}}})]
    assert "nominal price at an end of its range: forward.synops (upper end)" in str(ends) and "limits" not in str(ends)
