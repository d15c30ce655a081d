"""cs.train through the public interface: same bits, real keys, run folder, data and starts of every kind, clear refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lend import Impatient

import chipsim as cs
from chipsim.events import Events

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16, "schedule.float.batch": 20}


CHAIN = [{"pre": a, "post": b} for a, b in (("input", "hidden1"), ("hidden1", "hidden2"), ("hidden2", "out"))]


def small(**more):
    return cs.load_model("digits", {**SMALL, **more})


def quick(numerics="fixed", chip="toy", model=None, **more):
    samples = None if "data" in more else 120
    return cs.train(model or small(), chip, numerics=numerics, **{"passes": 2, "samples": samples, **more})


def same(a, b):
    assert all(np.array_equal(a.stored[name], b.stored[name]) for name in a.stored) and set(a.stored) == set(b.stored)
    assert np.array_equal(a.counters.counts, b.counters.counts) and a.metrics == b.metrics
    assert {**a.summary, "run_dir": None} == {**b.summary, "run_dir": None}


@pytest.mark.parametrize("numerics", ["fixed", "float32", "float64"])
def test_same_seed_same_bits_with_one_or_two_threads(numerics):
    first = quick(numerics)
    same(first, quick(numerics, threads=2))
    other = quick(numerics, seed=2)
    assert any(not np.array_equal(first.stored[n], other.stored[n]) for n in first.stored)


def test_placement_changes_neither_weights_nor_accuracy():
    one, many = quick(), quick(chip=cs.load_chip("toy", {"limits.compartments_per_core.value": 7}))
    assert many.summary["cores_used"] > one.summary["cores_used"] == 3
    assert all(np.array_equal(one.stored[n], many.stored[n]) for n in one.stored) and one.accuracy == many.accuracy


def test_training_changes_weights_and_learns():
    run = cs.train(small(), "toy", samples=600, passes=3)
    assert run.accuracy.test > 0.5 and run.metrics[-1]["loss"] < run.metrics[0]["loss"]
    assert all(w.dtype == np.int32 and abs(w).max() <= 127 for w in run.stored.values())
    scales = [run.image.formats.unit[k] for k in range(3)]
    assert all(np.array_equal(run.weights[n], run.stored[n] * s) for n, s in zip(run.stored, scales, strict=True))


@pytest.mark.parametrize("told", [{}, {"rule": "ssgd-online"}, {"rule": "ssgd-online", "signal": "adaptive"}], ids=str)
def test_an_update_in_float_is_counted_once(told):
    """Adam fetches and evaluates every synapse in every update; feedback that adapts adds at most its own weights."""
    model = small(**{f"learning.{key}": value for key, value in told.items()}, **{"schedule.float.optimiser": "adam"})
    run = quick("float32", model=model)
    circuit, updates = run.image.circuit, 2 * 6
    found = {name: int(run.counters.of("update", name).sum()) for name in ("barriers", "visits", "evaluations", "writes")}
    followed = found["visits"] - updates * int(circuit.row_words.sum())
    assert found["barriers"] == updates and found["evaluations"] == updates * len(run.image.weights)
    if "signal" in told:
        assert 0 < followed <= updates * (20 * 16 + 16 * 10)  # weights that lead on from hidden neurons
    else:
        assert followed == 0 < found["writes"] <= found["evaluations"]


def test_sums_of_the_summary_agree():
    run = quick()
    s, energy = run.summary, run.summary["energy_j_per_sample"]
    assert s["energy_complete"] and s["unpriced"] == {}
    assert energy["total"] == pytest.approx(sum(energy[p] for p in ("forward", "backward", "update", "static")))
    assert energy["low"] < energy["total"] < energy["high"] and 0 <= energy["assumed_share"] <= 1
    assert run.energy.total_j == pytest.approx(energy["total"] * run.counters.samples) and run.counters.samples == 240
    time = s["time_s_per_sample"]
    assert time["total"] == pytest.approx(time["forward"] + time["backward"] + time["update"]) and time["forward"] > 0
    counts = s["counts_per_sample"]["forward"]
    assert counts["neuron_updates"] == counts["updates_active"] + counts["updates_idle"] == 29 * 46
    assert counts["hops"] == counts["hops_x"] + counts["hops_y"] + counts["hops_local"] > 0
    memory = s["memory_bits"]
    assert sum(memory["by_kind"].values()) == memory["total"] and memory["per_core_max"] <= memory["capacity_per_core"]
    assert all(0 < row[key] < 1 for row in s["activity"].values() for key in ("spike_fraction", "active_fraction"))


def test_run_folder_holds_everything_and_evaluates_to_the_same_accuracy(tmp_path):
    run = quick(out=tmp_path / "run")
    names = {p.name for p in (tmp_path / "run").iterdir()}
    tables = {"config.toml", "chip.toml", "summary.json", "metrics.jsonl", "counters.npz", "activity.npz", "weights.npz"}
    assert names == tables | {"learning.png", "activity.png", "energy.png", "mesh.png"}
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == json.loads(json.dumps(run.summary))
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 2
    with np.load(tmp_path / "run" / "counters.npz") as file:
        assert np.array_equal(file["counts"], run.counters.counts) and len(file["events"]) == file["counts"].shape[0]
    found = cs.evaluate(tmp_path / "run")
    assert found["accuracy"]["test"] == run.accuracy.test
    assert found["energy_j_per_sample"]["forward"] > 0 and found["energy_j_per_sample"]["backward"] == 0


def test_a_run_can_start_from_another(tmp_path):
    first = quick(out=tmp_path / "run")
    again = quick(init=tmp_path / "run", seed=5, passes=1)
    longer = quick(seed=5, passes=1)
    assert again.metrics[0]["loss"] < longer.metrics[0]["loss"]
    assert first.summary["run_dir"] == str(tmp_path / "run")


def test_a_float_run_is_quantised_and_tuned_on_the_chip(tmp_path):
    trained = quick("float32", out=tmp_path / "float", passes=4, samples=400)
    tuned = quick(init=tmp_path / "float", passes=1, samples=400)
    scratch = quick(passes=1, samples=400)
    assert tuned.stored["hidden1"].dtype == np.int32 and tuned.metrics[0]["loss"] < scratch.metrics[0]["loss"]
    assert trained.stored["hidden1"].dtype == np.float32


def test_existing_folder_is_kept_without_force(tmp_path):
    quick(out=tmp_path / "run", passes=1)
    before = (tmp_path / "run" / "summary.json").read_bytes()
    with pytest.raises(cs.ConfigError, match="never overwritten without --force"):
        quick(out=tmp_path / "run", passes=1)
    assert (tmp_path / "run" / "summary.json").read_bytes() == before
    quick(out=tmp_path / "run", passes=1, seed=3, force=True)
    assert (tmp_path / "run" / "summary.json").read_bytes() != before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(cs.ConfigError, match="replaces run folders only"):
        quick(out=tmp_path / "mine", passes=1, force=True)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


def test_an_interrupt_saves_the_weights(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="weights saved"):
        quick(out=tmp_path / "run", progress=Impatient(50))
    assert (tmp_path / "run" / "checkpoint" / "weights.npz").is_file()
    assert quick(init=tmp_path / "run" / "checkpoint", passes=1).accuracy.test >= 0


def test_own_data_as_intensities_spikes_and_events():
    rng = np.random.default_rng(0)
    y = np.arange(20) % 10
    x = np.clip(rng.random((20, 64)), 0, 1)
    dense = np.zeros((30, 20, 64))
    dense[rng.integers(0, 29, 200), rng.integers(0, 20, 200), rng.integers(0, 64, 200)] = 1
    t, sample, unit = np.nonzero(dense)
    events = Events(t, sample, unit, dense.shape)
    assert quick(data=(x, y, x, y)).summary["samples"] == {"train": 20, "test": 20}
    a, b = quick(data=(dense, y, dense, y)), quick(data=(events, y, events, y))
    same(a, b)


def test_what_if_lends_the_extension():
    with pytest.raises(cs.CapacityError, match="graded-errors.*what-if") as error:
        quick(chip="loihi1")
    assert error.value.exit_code == 3
    assert any("what-if" in w for w in quick(chip="loihi1", what_if=True, passes=1).summary["warnings"])


def spikes(value=1.0, samples=4):
    x = np.zeros((30, samples, 64))
    x[3, :, 5] = value
    return x


Y = np.array([0, 1, 2, 3])
WRONG = {
    "graded": (dict(data=(spikes(0.5), Y, spikes(), Y)), "only 0 and 1 are allowed"),
    "one class": (dict(data=(spikes(), 0 * Y, spikes(), Y)), "at least two classes"),
    "empty": (dict(data=(spikes(samples=0), Y[:0], spikes(), Y)), "at least one sample"),
    "label": (dict(data=(spikes(), Y + 7, spikes(), Y)), "integers from 0 to 9"),
    "steps": (dict(data=(spikes()[:9], Y, spikes(), Y)), "runs 30 steps"),
    "NaN": (dict(data=(spikes(np.nan), Y, spikes(), Y)), "finite"),
    "intensity": (dict(data=(np.full((4, 64), 3.0), Y, np.zeros((4, 64)), Y)), r"\[0, 1\]"),
    "parts": (dict(data=(spikes(), Y)), "train_x, train_y, test_x, test_y"),
    "samples": (dict(samples=2000), "samples = 2000, but there are 1437"),
    "rule": (dict(rule="hebb"), "rule = 'hebb'.*known: ssgd-replay"),
    "numerics": (dict(numerics="int4"), "numerics = 'int4'"),
    "passes and threads": (dict(passes=0, threads=-1), "passes = 0.*threads = -1"),
    "seed": (dict(seed=-1), "seed = -1"),
    "types": (dict(seed=1.5, passes="3"), "seed = 1.5.*passes = '3'"),
    "no chip": (dict(chip=None), "chip = None, but a Chip, a name or a path"),
    "init": (dict(init="no/such/run"), "weights.npz"),
    "model": (dict(model="digitz"), "digits"),
    "batch on the chip": (dict(model=small(**{"schedule.fixed.batch": 4})), "batch 1 with optimiser 'sgd'"),
    "data set": (dict(model=small(**{"data.name": "mnist"})), "known: digits"),
    "classes": (dict(model=small(**{"population.out.size": 7})), "has 10 classes"),
    "no gradient": (dict(model=small(**{"projection": CHAIN})), "rms gradient = 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_refused_in_words(case, tmp_path):
    more, text = WRONG[case]
    with pytest.raises(cs.ChipsimError, match=f"(?s){text}"):
        quick(out=tmp_path / "run", **more)
    assert not any(tmp_path.iterdir())


def test_log_overflow_stops_before_the_update():
    chip = cs.load_chip("toy", {"limits.log_words_per_core.value": 10})
    with pytest.raises(
        cs.CapacityError, match=r"core \d+: log words of sample \d+ = \d+, but the log memory holds 10 words"
    ) as error:
        quick(chip=chip)
    assert error.value.exit_code == 3
