"""Re-pricing a finished run: equal to running again where chips differ in unit costs only, refused or bounded in words elsewhere."""

from __future__ import annotations

import dataclasses

import bridge
import numpy as np
import pytest
from lend import Impatient

import chipsim as cs
from chipsim.counters import HOST, PHASES, events_of
from chipsim.hardware import build_chip
from chipsim.training.recording import Recording

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}
BY = ("core", "phase", "unit", "population")
SAME = ("energy_j_per_sample", "time_s_per_sample", "unpriced", "energy_complete", "time_complete", "counts_per_sample",
        "energy_uncertainty", "time_uncertainty")  # fmt: skip
ROOM = {"compartments_per_core": 7, "tiles_x": 2, "tiles_y": 3, "cores_per_tile": 2, "host_tile": 3, "axons_in_per_core": 10**5,
        "axons_out_per_core": 10**5, "learning_bits_per_core": 10**9, "sram_bits_per_core": 10**9, "log_words_per_core": 10**5,
        "synapse_words_per_core": 10**5}  # fmt: skip
MODELS = {
    "replay": {},
    "online": {"learning.rule": "ssgd-online"},
    "deferred": {"learning.rule": "ssgd-deferred"},
    "pushed form A": {"learning.form": "A", "learning.transport": "push"},
    "loss of every step": {"learning.loss": "step", "learning.write": "residue:16"},
}


def drawn(chip, seed: int, **changes):
    """Return a chip with other unit costs: every price scaled at random, some left out."""
    dice = np.random.default_rng(seed)
    for section in ("energy", "time"):
        prices = getattr(chip, section)
        kept = [key for key in prices if dice.random() < 0.9]
        changes[section] = {
            key: dataclasses.replace(prices[key], value=float(dice.uniform(0, 50)), lo=None, hi=None) for key in kept
        }
    power = {key: dataclasses.replace(p, value=float(dice.uniform(0, 2))) for key, p in chip.power.items()}
    core_time = str(dice.choice(["pipelined", "sequential"]))
    network_time = str(dice.choice(["none", "hottest_link"]))
    return dataclasses.replace(chip, power=power, core_time=core_time, network_time=network_time, **changes)


def quick(chip, changes=None, **more):
    model = cs.load_model("digits", {**SMALL, **(changes or {})})
    return cs.train(model, chip, **{"samples": 40, "passes": 2, **more})


def same(found, run) -> None:
    assert {key: found.summary[key] for key in SAME} == {key: run.summary[key] for key in SAME}
    assert (found.energy, found.time) == (run.energy, run.time)
    assert np.array_equal(found.counters.counts, run.counters.counts)


@pytest.mark.parametrize("model", MODELS)
def test_repricing_is_running_again_bit_for_bit(model, tmp_path):
    first = bridge.toy(**ROOM)
    run = quick(first, MODELS[model], out=tmp_path / "run")
    assert run.image.cores_used > 5 and run.image.tiles_used > 3
    for seed in range(3):
        other = drawn(first, seed)
        again = quick(other, MODELS[model])
        assert again.energy.total_j != run.energy.total_j and again.time.total_s != run.time.total_s
        for what in (run, tmp_path / "run"):
            found = cs.reprice(what, other)
            same(found, again)
            assert found.summary["limits_broken"] == [] and found.summary["time_exact"]
    same(cs.reprice(tmp_path / "run"), run)


def test_a_float_run_with_batches_is_repriced_too(tmp_path):
    first, fixed = bridge.toy(**ROOM), {"schedule.float.batch": 16}
    run = quick(first, fixed, numerics="float32", out=tmp_path / "run", threads=2)
    other = drawn(first, 5)
    found = cs.reprice(tmp_path / "run", other)
    same(found, quick(other, fixed, numerics="float32"))
    assert any("counts are those of the float run" in w for w in found.summary["warnings"]) and run.recording.whole


def test_weights_that_were_given_are_those_of_the_image(tmp_path):
    first = bridge.toy(**ROOM)
    start = quick(first, out=tmp_path / "start")
    run = quick(first, init=tmp_path / "start", seed=3, out=tmp_path / "run")
    same(cs.reprice(tmp_path / "run"), run)
    assert run.energy != start.energy


def test_breakdowns_add_up_exactly():
    run = quick(bridge.toy(**ROOM))
    found = cs.reprice(run)
    total = found.summary["energy_j_per_sample"]["total"]
    for by in BY:
        rows = found.breakdown(by)
        energies = [row["energy_j"] for row in rows]
        assert sum(energies) == sum(reversed(energies)) == sum(sorted(energies)) == total
        parts = [part for row in rows for key, part in row.items() if key not in (by, "energy_j")]
        assert sum(parts) == total and min(parts) >= 0
        assert rows[-1][by] == "static" and rows[-1]["energy_j"] == pytest.approx(found.energy.static_j / 80, rel=1e-12)
        for phase in PHASES:
            expected = pytest.approx(getattr(found.energy, f"{phase}_j") / 80, rel=1e-9)
            assert sum(row.get(f"{phase}_j", 0.0) for row in rows) == expected, (by, phase)
    cores = {row["core"]: row["energy_j"] for row in found.breakdown("core")}
    for core, j in found.energy.per_core_j.items():
        assert cores["host" if core == HOST else core] == pytest.approx(j / 80, rel=1e-9)
    names = [row["population"] for row in found.breakdown("population")]
    assert names == ["hidden1", "hidden2", "out", "input", "static"]
    with pytest.raises(cs.ConfigError, match="core, phase, unit, population"):
        found.breakdown("neuron")


def shared():
    """A network of which two populations share cores."""
    cores = {"hidden1": [0, 1, 2], "hidden2": [1, 2, 3], "out": [3]}
    return {"placement.strategy": "manual", "placement.cores": cores}


def test_populations_that_share_cores_are_told_apart_by_the_activity(tmp_path):
    chip = bridge.toy(**{**ROOM, "compartments_per_core": 40})
    run = quick(chip, shared(), out=tmp_path / "run")
    found = cs.reprice(run)
    apart = found.by_population()
    for phase in PHASES:
        for event in events_of(phase):
            assert apart.of(phase, event).sum() == run.counters.of(phase, event).sum(), (phase, event)
    assert apart.of("forward", "neuron_updates").sum(axis=0).tolist() == [20 * 29 * 80, 16 * 29 * 80, 10 * 29 * 80, 0]
    assert apart.of("forward", "inputs_injected").sum(axis=0)[:3].tolist() == [0, 0, 0]
    assert len(found.breakdown("population")) == 5
    (tmp_path / "run" / "activity.npz").unlink()
    with pytest.raises(cs.DataError, match="share core 1.*only the activity"):
        cs.reprice(tmp_path / "run").breakdown("population")


def test_without_activity_energy_is_exact_and_time_bounded(tmp_path):
    first = bridge.toy(**ROOM)
    run = quick(first, out=tmp_path / "run")
    (tmp_path / "run" / "activity.npz").unlink()
    for seed in range(6):
        other = drawn(first, seed)
        exact, found = cs.reprice(run, other), cs.reprice(tmp_path / "run", other)
        for phase in PHASES:
            assert getattr(found.energy, f"{phase}_j") == getattr(exact.energy, f"{phase}_j")
        ends, time = found.summary["time_bounds_s_per_sample"], exact.summary["time_s_per_sample"]
        for key in (*PHASES, "total"):
            assert ends["low"][key] * (1 - 1e-12) <= time[key] <= ends["high"][key] * (1 + 1e-12), key
        assert found.time is None and not found.summary["time_exact"]
        assert found.summary["time_s_per_sample"] == ends["low"]
        assert found.energy.total_j <= exact.energy.total_j * (1 + 1e-12)
        assert exact.energy.high_j <= found.energy.high_j * (1 + 1e-12)
        assert any("only summed counts" in w for w in found.summary["warnings"])
        rows, alike = found.breakdown("population"), exact.breakdown("population")
        assert [r["population"] for r in rows] == [r["population"] for r in alike]
        assert [r["forward_j"] for r in rows[:-1]] == pytest.approx([r["forward_j"] for r in alike[:-1]], rel=1e-9)


def test_hops_are_counted_again_on_another_mesh(tmp_path):
    first = bridge.toy(**ROOM)
    run = quick(first, out=tmp_path / "run")
    wide = bridge.toy(**{**ROOM, "tiles_x": 6, "tiles_y": 1, "host_tile": 0})
    forked = bridge.toy(axons="multicast", **ROOM)
    for other in (wide, forked):
        same(cs.reprice(tmp_path / "run", other), quick(other))
    assert cs.reprice(run, wide).counters.of("forward", "hops_x").sum() != run.counters.of("forward", "hops_x").sum()
    (tmp_path / "run" / "activity.npz").unlink()
    with pytest.raises(cs.DataError, match="activity.npz.*another mesh"):
        cs.reprice(tmp_path / "run", wide)


def test_broken_limits_are_named_with_number_and_limit():
    run = quick(bridge.toy(**ROOM))
    tight = {**ROOM, "compartments_per_core": 3, "log_words_per_core": 10, "weight": 4, "membrane": 12, "axons_in_per_core": 5,
             "tiles_x": 1, "tiles_y": 1, "host_tile": 0}  # fmt: skip
    table = {**bridge.toy("fired", {"rounding": "nearest"}, **tight).table, "capabilities": ["logs"]}
    found = cs.reprice(run, build_chip(table, "tight"))
    broken = {p["key"]: p["value"] for p in found.summary["limits_broken"]}
    peak = run.summary["log_words"]["peak"]
    assert broken.pop("limits.axons_in_per_core") > 5
    assert broken == {
        "limits.compartments_per_core": 7, "limits.log_words_per_core": peak, "width.weight": run.image.formats.weight_bits,
        "width.membrane": 16, "mesh: core of the run": max(m.core for m in run.image.memory), "capabilities": "logs",
    }  # fmt: skip
    text = " ".join(found.summary["warnings"])
    assert (
        "3" in text
        and "active-flag, graded-errors, replay" in text
        and "as on toy (received_input), not as tight would (fired)" in text
    )
    assert "computes otherwise" in text
    assert np.array_equal(found.counters.counts, run.counters.counts)  # of the run's own mesh


def test_strict_prices_name_every_event_without_a_price():
    run = quick(bridge.toy(**ROOM))
    other = drawn(bridge.toy(**ROOM), 1)
    left = cs.reprice(run, other).summary["unpriced"]
    assert left
    with pytest.raises(cs.ConfigError) as error:
        cs.reprice(run, other, strict=True)
    assert sorted(p.key for p in error.value.problems) == sorted(f"energy.{event}" for event in left)
    assert cs.reprice(run, strict=True).summary["energy_complete"]


def test_a_recording_gives_back_what_was_put_in(tmp_path):
    run = quick(bridge.toy(**ROOM))
    run.recording.save(tmp_path / "a.npz")
    for (a, x), (b, y) in zip(run.recording.blocks(), Recording.load(tmp_path / "a.npz", "run").blocks(), strict=True):
        assert x == y and all(np.array_equal(p, q) and p.dtype == q.dtype for p, q in zip(a, b, strict=True))
    assert run.recording.samples and sum(run.recording.samples) == 80 and len(run.recording.passes) == 2


def test_a_run_too_long_to_record_keeps_its_counts(tmp_path, monkeypatch):
    monkeypatch.setattr("chipsim.training.trainer.Recording", lambda: Recording(most=2000))
    run = quick(bridge.toy(**ROOM), out=tmp_path / "run")
    assert not run.recording.whole and not (tmp_path / "run" / "activity.npz").exists()
    for what in (run, tmp_path / "run"):
        found = cs.reprice(what)
        assert found.energy.forward_j == run.energy.forward_j and not found.summary["time_exact"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run"
    quick("toy", passes=1, out=path)
    return path


def test_an_interrupted_run_has_no_cost(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        quick("toy", out=tmp_path / "run", progress=Impatient(20))
    with pytest.raises(cs.ConfigError, match="interrupted before its end.*checkpoint goes on"):
        cs.reprice(tmp_path / "run")
    for nothing in (5, "", " "):
        with pytest.raises(cs.ConfigError, match="a finished run"):
            cs.reprice(nothing)
    with pytest.raises(cs.ConfigError, match="no such folder"):
        cs.reprice(tmp_path / "nothing")


def test_counts_of_a_stored_run_never_change(folder):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    first = cs.reprice(folder, "loihi1-ssgd").counters.counts.copy()
    assert np.array_equal(cs.reprice(folder, "toy-event").counters.counts, cs.reprice(folder).counters.counts)
    assert np.array_equal(cs.reprice(folder, "loihi1-ssgd").counters.counts, first)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
