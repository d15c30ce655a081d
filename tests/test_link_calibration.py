"""Times on busy links of loihi1-calibrated: the chip file, the page and a live run say what the recorded calibration says."""

from __future__ import annotations

import json
import statistics

import pytest
from lend import ROOT, benchmark

from chipsim.hardware import load_chip


@pytest.fixture(scope="module")
def result():
    return json.loads(benchmark("link_calibration").RESULT.read_text(encoding="utf-8"))


def test_the_chip_file_says_what_the_calibration_found(result):
    chip = load_chip("loihi1-calibrated")
    for name in ("congested_x", "congested_y"):
        number, found = chip.link[name], result[name]
        assert (number.value, number.lo, number.hi, number.basis) == (
            found["value"],
            found.get("lo"),
            found["hi"],
            found["basis"],
        )
    assert f"median of {result['congested_x']['networks']} drawn networks" in chip.link["congested_x"].source
    assert chip.network_time == "hottest_link"


def test_the_result_follows_from_its_networks(result):
    module, chip = benchmark("link_calibration"), load_chip("loihi1-calibrated")
    assert result["seed"] == module.SEED and {k: len(rows) for k, rows in result["networks"].items()} == module.WANTED
    assert module.summary(result["networks"], chip) == {key: result[key] for key in ("congested_x", "congested_y")}
    for kind, rows in result["networks"].items():
        for row in rows:
            assert module.accepted(row, kind, chip)
            assert row["per_packet_ns"] == pytest.approx(row["cycle_ns"] / row[f"hottest_{kind}"], abs=1e-3)
    each = [row["per_packet_ns"] for row in result["networks"]["x"]]
    assert result["congested_x"]["value"] == pytest.approx(statistics.median(each), abs=1e-3)


def test_the_page_says_what_the_calibration_found(result):
    page = " ".join((ROOT / "docs" / "validation.md").read_text(encoding="utf-8").split())
    x, y = result["congested_x"], result["congested_y"]
    assert f"is {x['lo']:.2f} to {x['hi']:.2f} ns on {x['networks']} networks, median {x['value']:.2f}" in page
    apart = [
        max(row["slowest_core_ns"], x["value"] * row["hottest_x"], y["value"] * row["hottest_y"]) / row["cycle_ns"] - 1
        for row in result["networks"]["x"]
    ]
    assert f"{100 * min(apart):+.1f} to {100 * max(apart):+.1f} % off" in page
    longer = [row["cycle_ns"] / row["slowest_core_ns"] - 1 for row in result["networks"]["y"]]
    assert f"a step takes {100 * min(longer):.0f} to {100 * max(longer):.0f} % longer than its slowest core" in page
    assert f"at most the {y['hi']:.2f} ns" in page


@pytest.mark.parametrize("kind", ["x", "y"])
def test_the_networks_are_drawn_again(result, kind):
    _, counted = next(benchmark("link_calibration").networks(kind, load_chip("loihi1-calibrated")))
    assert counted.items() <= result["networks"][kind][0].items()


@pytest.mark.peers
@pytest.mark.xdist_group("sanafe")
@pytest.mark.parametrize("kind", ["x", "y"])
def test_a_recorded_network_takes_as_long_in_a_fresh_process(result, kind):
    module, chip = benchmark("link_calibration"), load_chip("loihi1-calibrated")
    one, _ = next(module.networks(kind, chip))
    assert module.cycle_ns(one, chip) == pytest.approx(result["networks"][kind][0]["cycle_ns"], rel=1e-6)
