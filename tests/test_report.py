"""Pictures and text of a finished run: complete, legible, nothing cut off, and honest where a price is missing."""

from __future__ import annotations

import itertools
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipsim import report
from chipsim.cli.frame import print_text
from chipsim.hardware import Mesh
from chipsim.report.result import evaluate_text, train_text
from chipsim.report.units import counted, digits, number, percent, si

NAMES = ("learning.png", "activity.png", "energy.png", "mesh.png")
SHARES = {
    "synapses": {"forward": 5.1, "backward": 2.9, "update": 0.0}, "neurons": {"forward": 4.2, "backward": 0.3, "update": 0.0},
    "network": {"forward": 0.3, "backward": 0.9, "update": 0.0}, "logs": {"forward": 0.0, "backward": 0.45, "update": 0.0},
    "learning": {"forward": 0.0, "backward": 1.4, "update": 1.8}, "static": {"static": 3.9},
}  # fmt: skip
UNPRICED = {"forward.packets_in": 5880, "forward.inputs_injected": 33, "backward.packets_in": 812, "update.barriers": 1}


def made_up_run(cores=5, mesh=(2, 2, 2), passes=20, priced=True, names=("hidden1", "hidden2"), host_tile=0):
    """A run with the attributes that the pictures read, filled with plausible numbers."""
    samples = 1437 * passes
    total = 1e-6 * samples * sum(sum(row.values()) for row in SHARES.values())
    by_unit = {unit: {phase: 1e-6 * samples * x for phase, x in row.items()} for unit, row in SHARES.items()}
    per_core = {core: total / cores * (0.2 + 1.4 * ((7 * core) % 10) / 10) for core in range(cores)} | {-1: 1e-9 * samples}
    held = [names[min(core * len(names) // max(cores - 1, 1), len(names) - 1)] for core in range(cores - 1)] + ["out"]
    energy = SimpleNamespace(
        total_j=total if priced else None, low_j=0.5 * total if priced else None, high_j=2.3 * total if priced else None,
        assumed_share=0.31 if priced else None, unpriced={e: n * samples for e, n in UNPRICED.items()},
        by_unit=by_unit if priced else {}, per_core_j=per_core if priced else {},
    )  # fmt: skip
    metrics = [
        {
            "pass": p, "loss": 2.3 * 0.6**p + 0.1, "train_accuracy": 0.98 - 0.9 * 0.45**p, "test_accuracy": 0.97 - 0.9 * 0.45**p,
            "activity": {n: {"spike_fraction": 0.02 + 0.02 / p, "active_fraction": 0.08 + 0.03 / p} for n in names},
        }
        for p in range(1, passes + 1)
    ]  # fmt: skip
    return SimpleNamespace(
        metrics=metrics,
        energy=energy,
        counters=SimpleNamespace(samples=samples),
        chip=SimpleNamespace(mesh=Mesh(*mesh, host_tile)),
        image=SimpleNamespace(memory=[SimpleNamespace(core=c, populations=(name,)) for c, name in enumerate(held)]),
        summary=made_up_summary(passes),
    )


def made_up_summary(passes=10):
    return {
        "model": "digits", "chip": "loihi1-ssgd", "rule": "ssgd-replay", "numerics": "fixed", "seed": 1, "passes": passes,
        "samples": {"train": 1437, "test": 360}, "accuracy": {"train": 0.9812, "test": 0.9611},
        "activity": {"hidden1": {"spike_fraction": 0.031, "active_fraction": 0.0821}},
        "energy_j_per_sample": {"forward": 3.1e-6, "backward": 1.2e-6, "update": 8.1e-7, "static": 2.1e-6, "total": 7.21e-6,
                                "low": 4e-6, "high": 1.9e-5, "assumed_share": 0.3},
        "energy_complete": False, "unpriced": {"forward.packets_in": 1234567},
        "time_s_per_sample": {"forward": 1.1e-4, "backward": 2e-4, "update": 9e-6, "total": 3.19e-4},
        "memory_bits": {"per_core_max": 507000, "capacity_per_core": 4194304, "total": 1390000, "learning": 1220000},
        "cores_used": 3, "warnings": ["hidden2 never spiked"], "run_dir": "runs/digits-1",
    }  # fmt: skip


RUNS = {
    "1 core, 1 pass": {"cores": 1, "passes": 1},
    "5 cores, 20 passes": {},
    "5 cores, 2 passes": {"passes": 2},
    "30 cores, 20 passes": {"cores": 30, "mesh": (8, 4, 4), "host_tile": 9},
    "30 cores, 1 pass, host at the top": {"cores": 30, "mesh": (8, 4, 4), "passes": 1, "host_tile": 3},
    "one tile of one core": {"cores": 1, "mesh": (1, 1, 1), "names": ("hidden1",)},
    "long names": {
        "cores": 30,
        "mesh": (8, 4, 4),
        "names": ("a-population-with-a-long-name", "another-population-with-a-long-name"),
    },
    "no price": {"priced": False, "passes": 3},
}


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def run(request):
    return made_up_run(**request.param)


def figures(run):
    from chipsim.report import mesh, plots

    return [plots.learning(run), plots.activity(run), plots.energy(run), mesh.floorplan(run)]


def texts(figure):
    from matplotlib.text import Text

    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def test_four_pictures(tmp_path):
    paths = report.pictures(made_up_run(), tmp_path / "run")
    assert [p.name for p in paths] == list(NAMES)
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 10_000 for p in paths)


def test_no_text_is_cut_off_or_covers_another(run):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for figure in figures(run):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in texts(figure)]
        boxes = [(text, box) for text, box in boxes if box.width > 0]
        width, height = figure.bbox.width, figure.bbox.height
        assert not [text for text, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]
        shrunk = [(text, b.expanded(0.96, 0.8)) for text, b in boxes]  # boxes hold room for accents that nothing uses
        assert not [(one, two) for (one, a), (two, b) in itertools.combinations(shrunk, 2) if a.overlaps(b)]


def test_pictures_state_interval_assumptions_and_what_is_left_out():
    from chipsim.report import mesh, plots

    run = made_up_run()
    energy = " ".join(t.get_text().replace("\n", " ") for t in texts(plots.energy(run)))
    for part in ("between 10.6 µJ and 48.9 µJ", "31.0 % rests on assumed prices", "forward.packets_in 5,880", "µJ per sample"):
        assert part in energy
    for part in ("update.barriers 1", "forward", "backward", "update", "static"):
        assert part in energy
    plan = " ".join(t.get_text().replace("\n", " ") for t in texts(mesh.floorplan(run)))
    for part in ("host", "hidden1", "hidden2", "out", "5 of 8 cores", "per sample", "4 kinds of event without a price"):
        assert part in plan


def test_what_has_no_price_is_listed_with_its_amount_or_that_it_is_unknown():
    from chipsim.report.units import without_price

    found = without_price({"static.core_seconds": 0.0, "update.barriers": 3, "forward.packets_in": 5880}, 3)
    assert found == "forward.packets_in 1,960, update.barriers 1, static.core_seconds for an unknown time"


def test_pictures_say_so_when_nothing_has_a_price():
    from chipsim.report import mesh, plots

    run = made_up_run(priced=False)
    for figure in (plots.energy(run), mesh.floorplan(run)):
        assert "the energy is unknown" in " ".join(t.get_text().replace("\n", " ") for t in texts(figure))


def test_pictures_do_not_touch_pyplot(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(sys.path[0])!r}); from test_report import made_up_run; from chipsim import report\n"
        f"assert 'matplotlib' not in sys.modules; report.pictures(made_up_run(), {str(tmp_path)!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    paths = [str(p) for p in sys.path if p]
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8).map(sorted), st.floats(0.1, 10))
def test_labels_are_spread_as_little_as_possible(values, gap):
    from chipsim.report.style import spread

    placed = spread(values, gap)
    assert len(placed) == len(values)
    assert all(b - a >= gap * (1 - 1e-9) - 1e-9 for a, b in zip(placed, placed[1:], strict=False))
    assert sum(placed) == pytest.approx(sum(values), abs=1e-6)
    if all(b - a >= gap for a, b in zip(values, values[1:], strict=False)):
        assert placed == pytest.approx(values)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.234e-6, "J", "1.23 uJ"), (999.9e-9, "J", "1.00 uJ"), (999.4e-9, "J", "999 nJ"), (4.56e-8, "s", "45.6 ns"),
     (0.0, "J", "0 J"), (12345, "bit", "12.3 kbit"), (17, "bit", "17 bit"), (None, "J", "unknown"), (2.5, "s", "2.50 s"),
     (23.6e-12, "J", "23.6 pJ")],
)  # fmt: skip
def test_units(value, unit, text):
    assert si(value, unit) == text


def test_numbers_as_people_read_them():
    assert [percent(x) for x in (0.9583, 0.0042, 3.4e-7, 0.0, 1.0, None)] == [
        "95.8 %",
        "0.42 %",
        "3.4e-05 %",
        "0.0 %",
        "100.0 %",
        "unknown",
    ]
    assert [digits(x) for x in (0.1234, 1.234, 12.34, 123.4, 1234.0)] == ["0.123", "1.23", "12.3", "123", "1,234"]
    assert [counted(1, "pass"), counted(2, "pass"), counted(3, "core")] == ["1 pass", "2 passes", "3 cores"]


@given(st.floats(1e-17, 1e11))
def test_a_prefix_never_loses_more_than_half_a_percent(value):
    number, unit = si(value, "J").split()
    scale = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit[:-1]]
    assert float(number.replace(",", "")) * scale == pytest.approx(value, rel=5.1e-3)


def printed(parts, capsys):
    print_text(parts)
    return capsys.readouterr().out


def test_result_of_a_run_as_text(capsys):
    text = printed(train_text(made_up_summary()), capsys)
    assert text.startswith("test accuracy 96.1 %, train accuracy 98.1 %")
    energy = ("3.10 uJ", "1.20 uJ", "810 nJ", "2.10 uJ", "7.21 uJ", "between 4.00 uJ and 19.0 uJ", "30.0 % of the total rests on")
    time = ("110 us", "200 us", "9.00 us", "319 us")
    memory = ("507 kbit of 4.19 Mbit (12.1 %)", "3 cores", "87.8 % of it for learning")
    closing = (
        f"forward.packets_in {number(1234567 / 1437 / made_up_summary()['passes'])}",
        "hidden2 never spiked",
        "run folder: runs/digits-1",
    )
    assert not [part for part in (*energy, *time, *memory, *closing) if part not in text]


def test_result_without_a_price_is_unknown_not_zero(capsys):
    summary = made_up_summary()
    summary["energy_j_per_sample"] = dict.fromkeys(summary["energy_j_per_sample"])
    text = printed(train_text(summary), capsys)
    assert "energy: unknown" in text and "0 J" not in text


def test_evaluation_as_text_has_no_column_for_what_did_not_happen(capsys):
    facts = made_up_summary() | {
        "accuracy": {"test": 0.9611},
        "samples": {"test": 360},
        "counts_per_sample": {"forward": {"synops": 12.5}},
    }
    facts["energy_j_per_sample"] |= {"backward": 0.0, "update": 0.0}
    facts["time_s_per_sample"] = {"forward": 1e-4, "backward": 0.0, "update": 0.0, "total": 1e-4}
    text = printed(evaluate_text(facts), capsys)
    assert "test accuracy 96.1 %" in text and "synops 12.5" in text
    assert "backward" not in text and "learning costs" not in text
