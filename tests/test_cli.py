"""The command line as users and scripts meet it: verbs, JSON, run folder, interrupts, and how light it is."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chipsim.cli import interrupt, main
from chipsim.cli.absent import ABSENT
from chipsim.cli.frame import plain
from chipsim.cli.progress import Progress
from chipsim.counters import events_of

ROOT = Path(__file__).resolve().parent.parent
VERBS = ("train", "check", "evaluate", "chips", "models", "datasets", "doctor")
SMALL = ("--chip", "toy", "--passes", "1", "--samples", "40", "--quiet")
PICTURES = {"learning.png", "activity.png", "energy.png", "mesh.png"}
KEYS = {
    "schema", "version", "verb", "model", "chip", "rule", "numerics", "seed", "samples", "passes", "accuracy", "activity",
    "counts_per_sample", "energy_j_per_sample", "energy_complete", "unpriced", "time_s_per_sample", "memory_bits", "cores_used",
    "warnings", "run_dir",
}  # fmt: skip


def command(*arguments, cwd, **options):
    """Run the real command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    line = [sys.executable, "-m", "chipsim", *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, **options)


def objects(text):
    """Return the JSON object that is all of `text`."""
    assert text.count("\n") == 1 and text.endswith("\n")
    return json.loads(text)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One small run through the real command line: (folder, finished process)."""
    folder = tmp_path_factory.mktemp("cli")
    done = command("train", "--json", "--out", "run", *SMALL, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run", done


@pytest.fixture
def call(capsys):
    """Run the command line in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_train_json_is_one_object_with_every_key(trained):
    folder, done = trained
    found = objects(done.stdout)
    assert set(found) >= KEYS
    assert (found["schema"], found["verb"], found["model"], found["chip"], found["numerics"]) == (
        1,
        "train",
        "digits",
        "toy",
        "fixed",
    )
    assert found["samples"]["train"] == 40 and found["samples"]["test"] > 300 and found["passes"] == 1
    assert 0 <= found["accuracy"]["test"] <= 1 and 0 <= found["accuracy"]["train"] <= 1
    for phase in ("forward", "backward", "update"):
        assert set(found["counts_per_sample"][phase]) == set(events_of(phase))
    energy, spent, memory = found["energy_j_per_sample"], found["time_s_per_sample"], found["memory_bits"]
    assert set(energy) == {"forward", "backward", "update", "static", "total", "low", "high", "assumed_share"}
    assert set(spent) == {"forward", "backward", "update", "total"}
    assert set(memory) == {"per_core_max", "capacity_per_core", "total", "learning", "by_kind"}
    assert 0 < energy["low"] <= energy["total"] <= energy["high"]
    assert energy["total"] == pytest.approx(sum(energy[p] or 0 for p in ("forward", "backward", "update", "static")))
    assert spent["total"] == pytest.approx(spent["forward"] + spent["backward"] + spent["update"])
    for row in found["activity"].values():
        assert set(row) >= {"spike_fraction", "active_fraction"}


def test_train_writes_a_run_folder_with_pictures(trained):
    folder, done = trained
    written = {p.name for p in folder.iterdir()}
    assert written >= {"config.toml", "summary.json", "metrics.jsonl", "counters.npz", "weights.npz"} | PICTURES
    assert json.loads((folder / "summary.json").read_text()) == objects(done.stdout)
    assert {p.name for p in folder.parent.iterdir()} == {"run"}


def test_train_quiet_says_nothing_on_stderr(trained):
    assert trained[1].stderr == ""


def test_train_repeats_to_the_same_bits_with_two_threads(trained, tmp_path):
    folder, done = trained
    again = command("train", "--json", "--out", "run", "--threads", "2", *SMALL, cwd=tmp_path)
    assert objects(again.stdout) == objects(done.stdout)
    one, two = np.load(folder / "weights.npz"), np.load(tmp_path / "run" / "weights.npz")
    assert set(one.files) == set(two.files) and all(np.array_equal(one[name], two[name]) for name in one.files)


def test_train_as_text_begins_with_the_verdict(tmp_path):
    done = command("train", *SMALL[:-1], "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("test accuracy ")
    for word in ("forward", "backward", "update", "total", "memory:", "cores", "run folder: run"):
        assert word in done.stdout
    assert "40 of 40" in done.stderr and "Traceback" not in done.stderr


def test_run_folders_are_numbered(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [json.loads(call("train", "--json", *SMALL)[1])["run_dir"] for _ in range(2)]
    assert folders == ["runs/digits-toy-1", "runs/digits-toy-2"]


def test_force_replaces_and_init_continues(call, trained, tmp_path):
    out = tmp_path / "run"
    assert call("train", "--json", "--out", out, *SMALL)[0] == 0
    code, text, _ = call("train", "--json", "--out", out, "--force", "--init", trained[0], *SMALL)
    assert code == 0 and json.loads(text)["run_dir"] == str(out)


def test_set_changes_model_and_chip(call, tmp_path):
    changes = ("--set", "learning.half_width=0.4", "--set", "chip.energy.forward.synops.value=1000.0")
    found = objects(call("train", "--json", "--out", tmp_path / "run", *SMALL, *changes)[1])
    assert found["energy_j_per_sample"]["forward"] >= 1000e-12 * found["counts_per_sample"]["forward"]["synops"]
    assert "half_width = 0.4" in (tmp_path / "run" / "config.toml").read_text()


def test_evaluate(call, trained):
    code, text, _ = call("evaluate", trained[0], "--json")
    found = objects(text)
    assert code == 0 and found["verb"] == "evaluate" and found["schema"] == 1
    assert found["accuracy"]["test"] == objects(trained[1].stdout)["accuracy"]["test"]
    assert call("evaluate", trained[0])[1].startswith("test accuracy ")


def test_check(call):
    code, text, _ = call("check", "digits", "--chip", "toy", "--json")
    found = objects(text)
    assert code == 0 and found["fits"] is True and found["cores_used"] == len(found["per_core"]) <= found["cores"] == 8
    for core in found["per_core"]:
        assert all(need <= limit for need, limit in core["limits"].values())
    text = call("check", "digits", "--chip", "toy")[1]
    assert text.startswith("digits fits toy with learning: ") and "limit" in text and "hidden1" in text
    smaller = objects(call("check", "--chip", "toy", "--inference", "--json")[1])
    assert smaller["memory_bits"]["learning"] == 0


def test_chips(call):
    listed = objects(call("chips", "--json")[1])["chips"]
    assert {c["name"] for c in listed} >= {"loihi1", "loihi1-ssgd", "toy"}
    assert len(call("chips")[1].splitlines()) == len(listed)
    code, text, _ = call("chips", "loihi1-ssgd")
    assert code == 0 and "23.6" in text and "assumed" in text
    chip = objects(call("chips", "loihi1-ssgd", "--json")[1])["chip"]
    for table in ("limits", "widths", "energy", "time"):
        assert chip[table]
        for number in chip[table].values():
            assert number["unit"] and number["basis"] and number["source"] and number["low"] <= number["value"] <= number["high"]


def test_models_and_datasets(call):
    assert "digits" in {m["name"] for m in objects(call("models", "--json")[1])["models"]}
    model = objects(call("models", "digits", "--json")[1])["model"]
    assert [p["name"] for p in model["population"]][0] == "input"
    assert "hidden1" in call("models", "digits")[1]
    assert {"digits"} <= {d["name"] for d in objects(call("datasets", "--json")[1])["datasets"]}
    assert call("datasets", "digits")[1].startswith("digits")
    assert call("datasets", "nothing-like-it")[0] == 2


def test_doctor(call):
    found = objects(call("doctor", "--json")[1])
    assert found["packages"]["numpy"] == np.__version__
    assert any(extra["package"] == "lava-nc" and extra["how"] for extra in found["extras"])
    assert "numba" in call("doctor")[1]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_json(call, verb):
    code, text, _ = call(verb, "--help")
    assert code == 0 and "--json" in text and "--debug" in text


def test_help_lists_what_is_there_and_what_is_not(call):
    code, text, _ = call("--help")
    commands = text.partition("Commands:")[2].partition("Not in this version")
    assert code == 0 and commands[1]
    assert all(f"  {verb}" in commands[0] for verb in VERBS)
    assert all(f"  {verb}" not in commands[0] for verb in ABSENT)


def test_version_and_no_arguments(call):
    assert call("--version")[1].strip()[0].isdigit()
    code, text, _ = call()
    assert code == 2 and "Commands:" in text


@pytest.mark.parametrize("arguments", [("--help",), ("chips",), ("models",), ("train", "--help")], ids=" ".join)
def test_light_verbs_import_nothing_heavy(arguments):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from chipsim.cli import main; main({list(arguments)!r})\n"
        "sys.exit(','.join({'numba', 'matplotlib', 'sklearn', 'scipy', 'lava'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "\n" or not done.stderr, done.stderr


def test_a_closed_pipe_is_no_error(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = f"{sys.executable} -m chipsim chips loihi1 | true"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def take_interrupts():
    """Undo what a shell does to its jobs in the background: they ignore interrupts, and so do their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupt_saves_and_exits_with_130(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [
        sys.executable,
        "-m",
        "chipsim",
        "train",
        "--json",
        "--out",
        "run",
        "--passes",
        "2000",
        "--samples",
        "50",
        "--chip",
        "toy",
    ]
    running = subprocess.Popen(
        line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=take_interrupts
    )
    try:
        assert any("pass 1 of 2000" in said for said in running.stderr)  # waits until the first pass is reported
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130 and "Traceback" not in err
    error = objects(out)["error"]
    assert error["exit_code"] == 130 and "--init" in error["message"]
    (place,) = tmp_path.rglob("weights.npz")
    assert str(place.parent.relative_to(tmp_path)) in error["message"]
    assert main(["train", "--json", "--init", str(place.parent), "--out", str(tmp_path / "next"), *SMALL]) == 0


def test_an_interrupt_that_is_dropped_is_raised_at_the_next_report():
    """As in the callback of a weak reference, whose errors Python prints and forgets."""
    progress = Progress(quiet=True)
    progress.start(2, "work")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), interrupt.noted():
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            progress.update(1)
        progress.update(2)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_plain_keeps_to_json():
    table = {"a": np.float32(1.5), 2: np.arange(3), "path": Path("x"), "nan": float("nan"), "inf": [float("inf")], "none": None}
    assert plain(table) == {"a": 1.5, "2": [0, 1, 2], "path": "x", "nan": None, "inf": [None], "none": None}
