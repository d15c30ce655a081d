"""`chipsim bench`: workloads drawn as recorded, equality before time, absent peers named, wrong flags refused. Nothing is timed here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs
from chipsim.bench import chip, equality, process, roofline, sweep, timing, training, workloads
from chipsim.bench.adjoint import dense_adjoint
from chipsim.bench.peers import CHIP, OURS, TRAINING, Peer
from chipsim.bench.ring import reference, ring
from chipsim.bench.run import SWEEPS
from chipsim.bench.text import text
from chipsim.bench.topics import training as topic
from chipsim.cli import main
from chipsim.errors import RunError

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"hidden": 12, "density": 0.05, "batch": 4, "steps": 14}
NOWHERE = [process.Python("/nowhere/python", "3.9", {})]


class Quiet:
    def start(self, total, text):
        pass

    update = stop = lambda self, *done: None


@pytest.fixture(scope="module")
def main_case():
    return workloads.synthetic()


@pytest.fixture
def short(monkeypatch):
    """Only our float32 step, on the smallest case."""
    monkeypatch.setattr(topic, "rows_of", lambda threads: training.OWN[:1])
    monkeypatch.setattr(topic, "QUICK", SMALL)


def test_input_and_weights_are_the_recorded_ones(main_case):
    wanted = workloads.recorded()["weights"]["sha256"]
    assert [workloads.digest(w) for w in main_case.weights] == wanted
    assert (len(main_case.t), main_case.used, main_case.density) == (200704, 198705, 0.01)
    assert [workloads.synthetic(200, d).used for d in (0.003, 0.03)] == [59721, 590272]


def test_events_and_loss_of_the_main_workload_are_the_recorded_ones(main_case):
    rows = equality.workload_rows(main_case, dense_adjoint(main_case, workloads.HALF_WIDTH, workloads.ALPHA))
    assert len(rows) == 6 and all(row.ok for row in rows)
    assert [row.got for row in rows[:5]] == [198705, 152004, 249842, 153339, 259950]


def test_another_input_is_another_workload(main_case):
    one = workloads.Case(**{**vars(main_case), "t": (main_case.t + 1) % 100})
    rows = equality.workload_rows(one, dense_adjoint(one, workloads.HALF_WIDTH, workloads.ALPHA))
    assert not all(row.ok for row in rows)


def test_gains_are_found_as_the_recorded_ones_were(main_case):
    first, second = workloads.calibrate(main_case.dense()[:, :16], 200)
    wanted = main_case.recorded["gains"]
    assert first == pytest.approx(wanted[0], rel=1e-6) and second == pytest.approx(wanted[1], rel=2e-3)  # one halving in float64


def test_the_dense_adjoint_is_the_gradient():
    case = workloads.synthetic(**SMALL)
    dense = dense_adjoint(case, workloads.HALF_WIDTH, workloads.ALPHA)
    network = training.network_of(case, workloads.TAU, workloads.HALF_WIDTH)
    found = cs.gradients(network, case.dense().astype(float), case.labels)
    assert dense.loss == pytest.approx(found.loss, rel=1e-12) and dense.active[0] > 20
    for ours, wanted in zip(found.weights.values(), dense.gradients, strict=True):
        assert np.linalg.norm(wanted) > 0 and equality.apart(ours, wanted) < 1e-12


def test_a_ring_counts_and_fires_as_its_reference(tmp_path):
    from chipsim.bench.peers.ours_chip import Subject

    network = ring(60, 10)
    network.save(tmp_path)
    subject = Subject(str(tmp_path), 70, cores=4)
    first = subject.first(str(tmp_path / "answer.npz"))
    counts, v, _ = reference(network, first["steps"], network.start)
    rows = chip.own_rows(chip.Runner("ours", None, first, {}), network, tmp_path)
    assert counts.sum() == first["spikes"] > 60 and len(rows) == 4 and all(row.ok for row in rows)
    late = subject.in_phase(60)
    assert late["energy_j"] > 0 and late["synops"] == 10 * int(reference(network, 60, 0 * v)[0].sum())


def test_the_roofline_of_the_recorded_run():
    """Baselines, H = 200: U = 71.7 M, D = 52.6 M, 6.0 and 11.9 ms at 12 and 9.5 G/s."""
    events = {"input": 198705, "spikes_1": 152004, "spikes_2": 153339, "active_1": 249842, "active_2": 259950}
    needed = roofline.work(events, 200, 10)
    assert (round(needed.adds / 1e6, 1), round(needed.dots / 1e6, 1)) == (71.7, 52.6)
    assert [round(1e3 * s, 1) for s in roofline.limits(needed, {"add": 12e9, "rmw": 9.5e9})] == [6.0, 11.9]


def test_medians_minima_and_ratios():
    ours = timing.phases([[1.0, 2.0, 3.0, 4.0], [3.0, 2.0, 3.0, 4.0], [2.0, 2.0, 9.0, 9.0]])
    assert ours["forward"] == {"cpu_ms": 2000, "cpu_ms_min": 1000, "wall_ms": 2000, "wall_ms_min": 2000}
    assert ours["total"]["cpu_ms"] == 6000 and ours["backward"]["wall_ms"] == 4000
    assert timing.ratio(timing.phases([[4.0, 1.0, 6.0, 1.0]]), ours)["total"] == pytest.approx(10 / 6)


@pytest.mark.parametrize("registry", [TRAINING, CHIP], ids=["training", "chip"])
def test_every_peer_has_a_file_and_its_pinned_version_in_the_requirements(registry):
    lines = (ROOT / "benchmarks" / "requirements-peers.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", lines, flags=re.MULTILINE))
    assert len(registry) >= 3
    for peer in (*registry.values(), OURS):
        assert peer.path.is_file() and peer.needs.items() <= pins.items()


def test_absent_peers_are_named_with_the_reason():
    facts = training.measure(workloads.synthetic(**SMALL), NOWHERE, 0, Quiet(), training.OWN[:1])
    assert facts["ok"] and [one["name"] for one in facts["absent"]] == list(TRAINING)
    for one in facts["absent"]:
        assert "not installed in /nowhere/python (Python 3.9)" in one["reason"]
    assert "torch" in facts["absent"][0]["reason"] and facts["subjects"][0]["memory_mb"] > 0


def test_a_subject_that_fails_says_why(tmp_path):
    (tmp_path / "bad.py").write_text('print("noise")\nraise ValueError("no such thing")\n')
    subject = process.Subject("bad", Peer(str(tmp_path / "bad"), {}, ""))
    with pytest.raises(RunError, match="ValueError: no such thing"):
        subject.start("training", folder="", threads=1)
    subject.stop()


def test_json_has_its_keys_and_the_folder_its_files(short, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(training.roofline, "rates", lambda shapes: pytest.fail("only the subject measures rates"))
    out = tmp_path / "out"
    assert main(["bench", "training", "--quick", "--rounds", "1", "--json", "--quiet", "--out", str(out)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {"schema", "version", "verb", "machine", "load_average", "quick", "pythons", "training", "ok", "files"} <= set(facts)
    (case,) = facts["training"]["cases"]
    assert {"workload", "equality", "ok", "subjects", "absent", "load_average_before", "load_average_after"} <= set(case)
    (ours,) = case["subjects"]
    assert {"name", "kind", "threads", "time", "ratio", "roofline", "memory_mb", "peak_mb", "held_bytes", "loss"} <= set(ours)
    assert ours["ratio"] == {"forward": 1.0, "backward": 1.0, "total": 1.0} and ours["steps"] == timing.OWN_STEPS
    assert sorted(file.name for file in out.iterdir()) == sorted(facts["files"]) == ["bench.json", "training-1.png"]
    assert any("equality: 5 comparisons, all ok" in str(part) for part in text(facts))


def test_equality_that_fails_gives_exit_code_4_and_times_nothing(short, monkeypatch, capsys):
    monkeypatch.setitem(equality.GRADIENT, "float32", 0.0)
    monkeypatch.setattr(timing, "rounds", lambda *arguments: pytest.fail("timed"))
    assert main(["bench", "training", "--quick", "--json", "--quiet"]) == 4
    facts = json.loads(capsys.readouterr().out)
    (case,) = facts["training"]["cases"]
    assert facts["ok"] is case["ok"] is False and case["subjects"] == [] and "load_average_after" not in case
    assert main(["bench", "training", "--quick", "--quiet"]) == 4
    assert "equality FAILED" in capsys.readouterr().out


BAD = {
    "topic": (["bench", "trainig"], ("TOPIC", "trainig", "did you mean 'training'")),
    "sweep": (["bench", "--sweep", "layers"], ("--sweep", "layers", "hidden, activity")),
    "rounds": (["bench", "--rounds", "0"], ("--rounds", "at least 1")),
    "hidden": (["bench", "--hidden", "0"], ("--hidden", "1 to 10000")),
    "hidden of the chip": (["bench", "chip", "--hidden", "20"], ("--hidden", "training step")),
    "sweep of another topic": (["bench", "chip", "--sweep", "batch"], ("--sweep", "belongs to training")),
    "threads": (["bench", "training", "--threads", "0"], ("--threads", "at least 1")),
    "threads of the chip": (["bench", "chip", "--threads", "2"], ("--threads", "topics training and memory")),
    "python without peers": (["bench", "--python", "python3"], ("--python", "needs --peers")),
    "no python": (["bench", "--peers", "--python", "/no/such/python"], ("--python", "/no/such/python")),
    "out": (["bench", "--out", "/dev/null/x", "--quick"], ("--out", "it must be a folder")),
    "several": (["bench", "trainig", "--rounds", "0"], ("2 problems", "trainig", "--rounds")),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_flags_are_refused(name, capsys):
    arguments, words = BAD[name]
    assert main(arguments) == 2
    found = capsys.readouterr().err
    assert not [word for word in words if word not in found], found


def test_threads_give_the_further_rows():
    assert [row[2] for row in training.rows_of(4)] == [1, 1, 1, 4, 4, 4] and len(training.rows_of(1)) == 3
    assert training.rows_of(4)[-1] == ("fixed, 4 threads", "fixed", 4)


def test_growth_is_the_exponent_from_the_first_point_to_the_last():
    points = [{"x": 2, "values": {"a": 3.0, "b": 5.0}}, {"x": 4, "values": {"a": 6.0, "b": 20.0}}]
    assert sweep.exponents(points) == {"a": pytest.approx(1.0), "b": pytest.approx(2.0)}
    assert set(sweep.SIZES) == set(SWEEPS)
