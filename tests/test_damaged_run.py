"""Run folders that were damaged or belong to several runs are refused, with file, key, value and limit, before anything is priced."""

from __future__ import annotations

import json
import shutil
import zlib

import numpy as np
import pytest

import chipsim as cs


def swap(path, name, change):
    """Replace one array of an .npz file."""
    with np.load(path) as file:
        arrays = {**file}
    np.savez_compressed(path, **{**arrays, name: change(arrays[name])})


def shorten(path):
    path.write_bytes(path.read_bytes()[:300])


def rewrite(key, value):
    """Return what puts a value at a dotted key of a JSON file."""

    def change(path):
        table = json.loads(path.read_text())
        *way, last = key.split(".")
        place = table
        for step in way:
            place = place[step]
        place[last] = value
        path.write_text(json.dumps(table))

    return change


def swapped(name, change):
    """Return what changes one array of an .npz file."""
    return lambda path: swap(path, name, change)


def without(name):
    """Return what takes one array out of an .npz file."""

    def change(path):
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files if key != name}
        np.savez_compressed(path, **arrays)

    return change


def other_block(raw: bytes):
    """Return what replaces all data by one packed block, in every place where a block stands."""
    packed = np.frombuffer(zlib.compress(raw), np.uint8)

    def change(path):
        with np.load(path) as file:
            arrays = {**file}
        blocks = len(arrays["ends"])
        arrays |= {"data": np.tile(packed, blocks), "ends": len(packed) * np.arange(1, blocks + 1)}
        np.savez_compressed(path, **arrays)

    return change


DAMAGE = {
    "counters cut": ("counters.npz", shorten, "counters.npz"),
    "counters of another run": ("counters.npz", lambda p: swap(p, "counts", lambda c: c + 1), "activity.npz gives"),
    "counters of fewer steps": ("counters.npz", lambda p: swap(p, "counts", lambda c: c[:, 1:]), "shape"),
    "an event nobody knows": ("counters.npz", lambda p: swap(p, "events", lambda e: np.array(["a.b.c", *e[1:]])), "a.b.c"),
    "activity cut": ("activity.npz", shorten, "activity.npz"),
    "activity of other fields": ("activity.npz", lambda p: swap(p, "fields", lambda f: f[1:]), "other fields"),
    "counts of another number of samples": (
        "counters.npz",
        swapped("samples", lambda n: 2 * n),
        "counters.npz: samples = 80.* are 40",
    ),
    "counts of no sample": ("counters.npz", swapped("samples", lambda n: 0 * n), "counters.npz: samples = 0.* are 40"),
    "samples in words": (
        "counters.npz",
        swapped("samples", lambda n: np.array("many")),
        "counters.npz: samples = 'many'.* are 40",
    ),
    "samples of every core": ("counters.npz", swapped("samples", lambda n: np.array([n, n])), "counters.npz: samples"),
    "samples with a point": ("counters.npz", swapped("samples", lambda n: n + 0.0), "counters.npz: samples"),
    "counts with a point": (
        "counters.npz",
        swapped("counts", lambda c: c + 0.25),
        "counters.npz: counts = 'float64.*whole numbers",
    ),
    "counts below zero": ("counters.npz", swapped("counts", lambda c: -c), "counters.npz: counts.*from 0"),
    "an event twice": ("counters.npz", swapped("events", lambda e: np.array([e[0], e[0], *e[2:]])), "counted once"),
    "activity without ends": ("activity.npz", without("ends"), "activity.npz: ends = '.nothing.'"),
    "activity of fewer bytes": ("activity.npz", swapped("data", lambda d: d[:-9]), "activity.npz: ends.*bytes of data"),
    "activity of other bytes": ("activity.npz", swapped("data", lambda d: d ^ 85), "activity.npz: data of block 0.*unpacked"),
    "activity in words": ("activity.npz", swapped("data", lambda d: d.astype("U3")), "activity.npz: data = '<U3.*uint8"),
    "blocks of too few bytes": ("activity.npz", other_block(b"\x01"), "activity.npz: data of block 0"),
    "blocks of odd widths": ("activity.npz", other_block(b"\x03" * 10**6), "activity.npz: data of block 0"),
    "more samples than data": ("activity.npz", swapped("samples", lambda s: s + 1), "activity.npz: samples = 4"),
    "a block without samples": ("activity.npz", swapped("samples", lambda s: s * 0), "activity.npz: samples.*at least 1"),
    "samples of no block": ("activity.npz", swapped("samples", lambda s: np.append(s, 1)), "activity.npz: samples.*each of"),
    "samples of blocks with a point": ("activity.npz", swapped("samples", lambda s: s + 0.5), "activity.npz: samples = 'float64"),
    "a pass that never ends": ("activity.npz", swapped("passes", lambda p: p[:0]), "activity.npz: passes = ..,"),
    "a pass beyond the end": ("activity.npz", swapped("passes", lambda p: p + 7), "activity.npz: passes"),
    "shapes of another network": (
        "activity.npz",
        swapped("shapes", lambda s: np.where(s > 1, s + 1, s)),
        "activity.npz: shapes.*give",
    ),
    "shapes of fewer fields": ("activity.npz", swapped("shapes", lambda s: s[1:]), "activity.npz: shapes.*rows"),
    "shapes below zero": ("activity.npz", swapped("shapes", lambda s: s - 5), "activity.npz: shapes"),
    "fields as a number": ("activity.npz", swapped("fields", lambda f: np.array(3)), "activity.npz: fields = '3'"),
    "no log words": (
        "summary.json",
        rewrite("log_words", None),
        "summary.json: log_words.peak = '.nothing.'.*whole number from 0",
    ),
    "log words without a peak": ("summary.json", rewrite("log_words", {}), "summary.json: log_words.peak = '.nothing.'"),
    "log words in words": ("summary.json", rewrite("log_words.peak", "9"), "summary.json: log_words.peak = '9'"),
    "a seed in words": ("summary.json", rewrite("seed", "one"), "summary.json: seed = 'one'.*whole number from 0 to 4294967295"),
    "a seed with a point": ("summary.json", rewrite("seed", 1.5), "summary.json: seed = 1.5"),
    "a seed below zero": ("summary.json", rewrite("seed", -1), "summary.json: seed = -1"),
    "numerics nobody knows": ("summary.json", rewrite("numerics", ["fixed"]), "summary.json: numerics.*one of fixed"),
    "no samples": ("summary.json", rewrite("samples", None), "summary.json: samples.train = '.nothing.'"),
    "samples of another run": ("summary.json", rewrite("samples.train", 41), "counters.npz: samples = 40.* are 41"),
    "passes of another run": ("summary.json", rewrite("passes", 2), "counters.npz: samples = 40.* are 80"),
    "passes in words": ("summary.json", rewrite("passes", True), "summary.json: passes = True"),
    "a model without a name": ("summary.json", rewrite("model", None), "summary.json: model = None"),
    "summary no JSON": ("summary.json", lambda p: p.write_text("{"), "summary.json"),
    "summary without keys": ("summary.json", lambda p: p.write_text("{}"), "summary.json"),
    "chip gone": ("chip.toml", lambda p: p.unlink(), "chip.toml"),
    "config gone": ("config.toml", lambda p: p.unlink(), "config.toml"),
    "counters gone": ("counters.npz", lambda p: p.unlink(), "counters.npz"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run"
    small = {"population.hidden1.size": 20, "population.hidden2.size": 16}
    cs.train(cs.load_model("digits", small), "toy", samples=40, passes=1, out=path)
    return path


@pytest.mark.parametrize("what", ["counts of another number of samples", "counts with a point", "a seed in words"])
def test_damage_is_seen_without_activity_too(what, folder, tmp_path):
    name, damage, said = DAMAGE[what]
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "activity.npz").unlink()
    damage(tmp_path / "run" / name)
    with pytest.raises(cs.DataError, match=said):
        cs.reprice(tmp_path / "run")


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_run_is_refused_in_words(what, folder, tmp_path):
    name, damage, said = DAMAGE[what]
    shutil.copytree(folder, tmp_path / "run")
    damage(tmp_path / "run" / name)
    with pytest.raises((cs.ConfigError, cs.DataError), match=said) as error:
        cs.reprice(tmp_path / "run")
    assert error.value.exit_code == 2
