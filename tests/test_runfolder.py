"""Run folders: reserved, whole, repeatable; damage and interrupts are said in words and destroy nothing."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from lend import Impatient

import chipsim as cs
from chipsim import catalog
from chipsim.hardware import build_chip

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}


def quick(out, **more):
    model = more.pop("model", None) or cs.load_model("digits", SMALL)
    if "data" not in more:
        more = {"samples": 60, **more}
    return cs.train(model, "toy", out=out, **{"passes": 1, **more})


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_runs_that_start_together_get_folders_of_their_own(tmp_path):
    runs = {}
    pattern = str(tmp_path / "runs" / "digits-{n}")
    jobs = [threading.Thread(target=lambda s=s: runs.update({s: quick(pattern, seed=s)})) for s in (1, 2, 3)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert {r.run_dir.name for r in runs.values()} == {"digits-1", "digits-2", "digits-3"}
    for seed, run in runs.items():
        assert catalog.read_toml(run.run_dir / "config.toml")["run"]["seed"] == seed
        assert cs.evaluate(run.run_dir)["accuracy"]["test"] == run.accuracy.test


def test_a_run_repeats_from_its_folder(tmp_path):
    first = quick(tmp_path / "a")
    quick(tmp_path / "b", init=tmp_path / "a", seed=4)
    config = catalog.read_toml(tmp_path / "b" / "config.toml")
    before = hashlib.sha256((tmp_path / "a" / "weights.npz").read_bytes()).hexdigest()
    assert config["run"]["weights"] == "explicit" and config["run"]["init_sha256"] == before
    assert config["run"]["init"] == str(tmp_path / "a")
    assert config["run"]["version"] == cs.__version__ and config["run"]["data"] == "digits"
    with np.load(tmp_path / "b" / "initial_weights.npz") as file:
        start = {name: file[name] for name in file.files}
    assert all(np.array_equal(start[n], first.weights[n]) for n in start)
    chip = build_chip(catalog.read_toml(tmp_path / "b" / "chip.toml"), config["run"]["chip"])
    model = {**config["model"], "schedule": {"fixed": config["schedule"]}}
    again = cs.train(cs.Network(**model).with_weights(start), chip, seed=config["run"]["seed"], samples=config["run"]["samples"])
    with np.load(tmp_path / "b" / "weights.npz") as file:
        assert all(np.array_equal(again.stored[n], file[n]) for n in again.stored)


def test_own_data_must_be_given_again_to_evaluate(tmp_path):
    rng = np.random.default_rng(0)
    data = (rng.random((40, 64)), np.arange(40) % 10, rng.random((20, 64)), np.arange(20) % 10)
    run = quick(tmp_path / "own", data=data)
    assert catalog.read_toml(tmp_path / "own" / "config.toml")["run"]["data"] == "given"
    with pytest.raises(cs.ConfigError, match="data of your own"):
        cs.evaluate(tmp_path / "own")
    found = cs.evaluate(tmp_path / "own", data=data)
    assert found["accuracy"]["test"] == run.accuracy.test and found["samples"] == {"test": 20}


def test_an_interrupted_run_leaves_what_is_needed_to_go_on(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="go on with --init .*checkpoint"):
        quick(tmp_path / "run", progress=Impatient(30))
    assert files(tmp_path / "run") == [
        "checkpoint",
        "checkpoint/metrics.jsonl",
        "checkpoint/weights.npz",
        "chip.toml",
        "config.toml",
    ]
    with pytest.raises(cs.ConfigError, match="never overwritten"):
        quick(tmp_path / "run")
    quick(tmp_path / "next", init=tmp_path / "run" / "checkpoint")
    quick(tmp_path / "run", force=True)
    assert "summary.json" in files(tmp_path / "run") and "checkpoint" not in files(tmp_path / "run")


def test_an_interrupt_never_touches_the_older_run(tmp_path):
    quick(tmp_path / "run")
    before = {p: (tmp_path / "run" / p).read_bytes() for p in files(tmp_path / "run")}
    with pytest.raises(KeyboardInterrupt, match="run-interrupted-1"):
        quick(tmp_path / "run", force=True, seed=2, progress=Impatient(30))
    assert {p: (tmp_path / "run" / p).read_bytes() for p in files(tmp_path / "run")} == before
    assert (tmp_path / "run-interrupted-1" / "checkpoint" / "weights.npz").is_file()


def test_an_interrupt_in_the_last_evaluation_saves_the_weights(tmp_path, monkeypatch):
    measure = cs.training.trainer.evaluate_accuracy

    def impatient(image, weights, events, *more):
        if events.samples == 60:  # the training samples: every pass is done
            raise KeyboardInterrupt
        return measure(image, weights, events, *more)

    monkeypatch.setattr("chipsim.training.trainer.evaluate_accuracy", impatient)
    with pytest.raises(KeyboardInterrupt, match="after 1 whole passes; weights saved"):
        quick(tmp_path / "run")
    assert "checkpoint/weights.npz" in files(tmp_path / "run")


def test_an_interrupted_run_with_a_long_name_is_saved_too(tmp_path):
    name = "x" * 200
    quick(tmp_path / name)
    with pytest.raises(KeyboardInterrupt, match="-interrupted-1"):
        quick(tmp_path / name, force=True, progress=Impatient(30))
    assert len(list(tmp_path.glob("x*-interrupted-1/checkpoint/weights.npz"))) == 1


@pytest.mark.parametrize("what", [OSError(28, "no space left"), KeyboardInterrupt()])
def test_the_older_run_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch, what):
    quick(tmp_path / "run")
    before = {p: (tmp_path / "run" / p).read_bytes() for p in files(tmp_path / "run")}
    rename = Path.rename

    def failing(self, target):
        if self.name.startswith(".run."):
            raise what
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(type(what)):
        patch.setattr(Path, "rename", failing)
        quick(tmp_path / "run", force=True, seed=2)
    assert {p: (tmp_path / "run" / p).read_bytes() for p in files(tmp_path / "run")} == before
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_vanished_during_training_is_no_loss(tmp_path):
    class Careless(Impatient):
        def update(self, done, text=""):
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            shutil.rmtree(tmp_path / "first", ignore_errors=True)

    quick(tmp_path / "first")
    quick(tmp_path / "run", init=tmp_path / "first", progress=Careless(30))
    assert cs.evaluate(tmp_path / "run")["samples"]["test"] > 0


def test_a_run_that_fails_later_gives_its_folder_back(tmp_path):
    chip = cs.load_chip("toy", {"limits.log_words_per_core.value": 20})
    with pytest.raises(cs.CapacityError, match="log words"):
        cs.train(cs.load_model("digits", SMALL), chip, samples=20, passes=1, out=tmp_path / "deep" / "run")
    assert files(tmp_path) == []


def cut(path):
    path.write_bytes(path.read_bytes()[:200])


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 40] = bytes(40)
    path.write_bytes(bytes(raw))


def lose(path):
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files if name != "hidden2"}
    np.savez_compressed(path, **kept)


def method(path):
    """Give the first entry of the directory a compression method that nobody has."""
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 10] = 77
    path.write_bytes(bytes(raw))


def plain(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def far(path):
    with np.load(path) as file:
        arrays = {**file}
    np.savez_compressed(path, **{**arrays, "fractions": np.full(3, -5000)})


DAMAGE = [cut, flip, lose, method, plain, far, lambda p: p.write_bytes(b""), lambda p: p.unlink()]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_weights_are_refused_in_words(tmp_path, damage):
    quick(tmp_path / "run")
    damage(tmp_path / "run" / "weights.npz")
    for action in (lambda: cs.evaluate(tmp_path / "run"), lambda: quick(tmp_path / "next", init=tmp_path / "run")):
        with pytest.raises(cs.DataError, match="weights") as error:
            action()
        assert error.value.exit_code == 2
    assert not (tmp_path / "next").exists()


def test_a_damaged_config_or_chip_is_refused_in_words(tmp_path):
    quick(tmp_path / "run")
    for table in ("run", "model"):
        shutil.copytree(tmp_path / "run", tmp_path / f"no-{table}")
        config = catalog.read_toml(tmp_path / f"no-{table}" / "config.toml")
        for instead in ({}, {table: 3}, {table: "chip seed data population"}):
            rest = {key: value for key, value in config.items() if key != table}
            (tmp_path / f"no-{table}" / "config.toml").write_text(tomli_w.dumps({**rest, **instead}))
            with pytest.raises(cs.ConfigError, match=rf"config.toml: {table}\."):
                cs.evaluate(tmp_path / f"no-{table}")
    (tmp_path / "run" / "chip.toml").unlink()
    with pytest.raises(cs.ConfigError, match="chip.toml"):
        cs.evaluate(tmp_path / "run")


@pytest.mark.parametrize("init", [5, b"run", "", " "])
def test_an_init_that_is_no_folder_is_refused_in_words(tmp_path, init):
    with pytest.raises(cs.DataError, match="the folder of a finished run is required"):
        quick(tmp_path / "run", init=init)
    assert files(tmp_path) == []


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    quick(tmp_path / "run")
    with pytest.raises(cs.DataError, match=r"hidden1 = 'shape \[64, 20\]'.*\[64, 30\] is required"):
        quick(tmp_path / "next", init=tmp_path / "run", model=cs.load_model("digits", {**SMALL, "population.hidden1.size": 30}))


@pytest.mark.parametrize("out", ["", "  ", 5, "x" * 300, "x" * 300 + "/run", "a\0b", "/proc/chipsim/run"])
def test_a_place_that_cannot_be_used_is_refused_before_training(out, monkeypatch):
    monkeypatch.setattr("chipsim.training.trainer.execute", lambda *_: pytest.fail("trained first"))
    with pytest.raises(cs.ConfigError, match="run folder: out"):
        quick(out)


@pytest.mark.parametrize("out", ["file/run", "file/run-{n}", "new/" + "x" * 300 + "/run-{n}"])
def test_a_place_that_cannot_be_made_is_refused_and_leaves_nothing(out, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr("chipsim.training.trainer.execute", lambda *_: pytest.fail("trained first"))
    with pytest.raises(cs.ConfigError, match="run folder: out"):
        quick(str(tmp_path / out))
    assert files(tmp_path) == ["file"]
