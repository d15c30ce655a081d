"""Chip descriptions: the shipped numbers, base chips, extensions and overrides."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from chipsim import catalog
from chipsim.counters import EVENTS
from chipsim.errors import ConfigError
from chipsim.hardware import Mesh, Price, Quantity, build_chip, chip_lines, load_chip, one_line
from chipsim.hardware.work import OF_THE_ENGINE

SHIPPED = tuple(catalog.names("hw_configs"))
REPLAY = ("active-flag", "logs", "graded-errors", "replay")
PRICED = {f"{phase}.{event}" for phase, _, event in EVENTS}

# The numbers of Davies et al. 2018, Table 2 and others, stated a second time: (value, lo, hi, key in numbers.toml)
LOIHI_ENERGY = {
    "forward.synops": (23.6, 23.6, None, "synop"),
    "forward.updates_active": (81, None, None, "neuron_update_active"),
    "forward.updates_idle": (52, None, None, "neuron_update_inactive"),
    "forward.packets": (1.7, None, None, "spike_within_tile"),
    "forward.hops_x": (3.0, None, None, "hop_x"),
    "forward.hops_y": (4.0, None, None, "hop_y"),
    "update.evaluations": (120, None, None, "synaptic_update_stdp"),
}
LOIHI_TIME = {
    "forward.synops": (3.5, None, 3.5, "synop"),
    "forward.updates_active": (8.4, None, None, "neuron_update_active"),
    "forward.updates_idle": (5.3, None, None, "neuron_update_inactive"),
    "forward.packets": (2.1, None, None, "spike_within_tile"),
    "forward.hops_x": (4.1, None, None, "hop_x"),
    "forward.hops_y": (6.5, None, None, "hop_y"),
    "update.evaluations": (6.1, None, None, "synaptic_update_stdp"),
}
LOIHI_INCLUDED = {
    "forward.hops_local": "forward.packets",
    "forward.spikes": "forward.updates_active",
    "forward.words_read": "forward.synops",
    "update.visits": "update.evaluations",
    "update.random_draws": "update.evaluations",
    "update.writes": "update.evaluations",
    "update.terms": "update.evaluations",
}
LOIHI_LIMITS = {
    "compartments_per_core": 1024,
    "axons_in_per_core": 4096,
    "axons_out_per_core": 4096,
    "synapse_words_per_core": 16384,
}
LOIHI_WIDTHS = {"weight": 9, "membrane": 24, "current": 24, "threshold": 17, "decay": 12, "delay": 6, "tag": 9, "trace": 7,
                "learning_accumulator": 16, "spike_message": 32}  # fmt: skip


# --- what ships


@pytest.mark.parametrize("section, expected", [("energy", LOIHI_ENERGY), ("time", LOIHI_TIME)])
def test_loihi1_has_the_published_prices_and_no_others(section, expected):
    prices = getattr(load_chip("loihi1"), section)
    assert {k: (p.value, p.lo, p.hi) for k, p in prices.items() if not p.included_in} == {k: v[:3] for k, v in expected.items()}
    assert {k: p.included_in for k, p in prices.items() if p.included_in} == LOIHI_INCLUDED
    assert all(p.value == p.low == p.high == 0 for p in prices.values() if p.included_in)


def test_loihi1_has_the_published_limits_widths_and_power():
    chip = load_chip("loihi1")
    assert {k: chip.limit(k) for k in LOIHI_LIMITS} == LOIHI_LIMITS
    assert {k: chip.width(k) for k in LOIHI_WIDTHS} == LOIHI_WIDTHS
    assert (chip.limit("sram_bits_per_core"), chip.limit("cores"), chip.mesh) == (2 * 2**20, 128, Mesh(8, 4, 4, 0))
    assert (chip.width("axon_entry"), chip.width("compartment_state")) == (20 * 1024 * 8 // 8192, 48)
    assert (chip.width("synapse_word"), chip.width("synapse_list_header")) == (64, 10)
    assert (chip.width("synapse_delay"), chip.width("synapse_tag")) == (0, 0)
    power = chip.power["static_core"]
    assert (power.value, power.hi, power.high, power.low, power.unit) == (0.816, 0.816, 0.816, 0.816 / 1.15, "mW")
    assert (chip.barrier(1), chip.barrier(32), chip.barrier(2)) == (113, 465, pytest.approx(113 + 352 / 31))
    assert any("mixed operating points: power.static_core" in line for line in chip.assumptions)
    assert not set(REPLAY) & set(chip.capabilities)


@pytest.mark.data
def test_loihi1_equals_the_collected_numbers():
    data = os.environ.get("CHIPSIM_DATA")
    if not data:
        pytest.skip("CHIPSIM_DATA is not set")
    path = Path(data).parent / "reference" / "hardware" / "numbers.toml"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} beside the data")
    published, chip = catalog.read_toml(path)["loihi1"], load_chip("loihi1")
    for section, expected in (("energy", LOIHI_ENERGY), ("time", LOIHI_TIME)):
        for event, (*_, key) in expected.items():
            assert_same(getattr(chip, section)[event], published[section][key])
    assert_same(chip.power["static_core"], published["power"]["static_core"])
    for (_, point), key in zip(chip.barrier_points, ("barrier_1_tile", "barrier_32_tiles"), strict=True):
        assert_same(point, published["time"][key])
    for name in LOIHI_LIMITS:
        assert_same(chip.limits[name], published["limits"][name])
    for name in LOIHI_WIDTHS:
        assert_same(chip.widths[name], published["width"][name])
    assert chip.limit("cores") == published["limits"]["cores"]["value"]
    assert chip.mesh.tiles == published["limits"]["tiles"]["value"]
    assert chip.mesh.cores_per_tile == published["limits"]["cores_per_tile"]["value"]


def assert_same(quantity: Quantity, table: dict) -> None:
    """Compare value, range and provenance (notes may be worded otherwise)."""
    names = ("value", "unit", "lo", "hi", "basis", "source", "seen")
    assert [getattr(quantity, n) for n in names] == [table.get(n) for n in names]
    assert quantity.scope == table.get("scope", "")


def test_loihi1_ssgd_is_loihi1_plus_assumptions():
    base, chip = load_chip("loihi1"), load_chip("loihi1-ssgd")
    for name in ("energy", "time", "limits", "widths", "power"):
        mine, theirs = getattr(chip, name), getattr(base, name)
        assert {k: mine[k] for k in theirs} == dict(theirs)
        added = [mine[k] for k in mine if k not in theirs]
        assert all(getattr(q, "included_in", "") or q.basis == "assumed" for q in added)
        assert all(q.source for q in added)
    assert chip.missing(REPLAY) == ()
    assert (chip.limit("log_words_per_core"), chip.limit("learning_bits_per_core")) == (8192, 2097152)
    widths = ("log_word", "delta", "gradient_accumulator", "partial_error", "softmax_table")
    assert [chip.width(n) for n in widths] == [32, 16, 24, 32, 16]
    assert chip.energy["backward.gate_checks"].value == 0.2
    assert chip.energy["backward.log_reads"].value == 5
    assert chip.energy["backward.error_hops_y"].value == 8
    assert chip.energy["backward.rows_skipped"].value == 0
    unpriced = PRICED - set(chip.energy) - OF_THE_ENGINE
    assert unpriced == {"forward.inputs_injected", "forward.packets_in", "forward.barriers", "backward.packets_in",
                        "backward.barriers", "update.barriers", "update.packets_in", "update.optimiser_updates",
                        "update.trace_updates"}  # fmt: skip


def test_toy_prices_every_event_and_holds_the_test_network():
    chip = load_chip("toy")
    assert set(chip.energy) == PRICED - OF_THE_ENGINE
    assert set(chip.time) == {k for k in PRICED - OF_THE_ENGINE if not k.endswith(".barriers")}
    assert chip.missing(REPLAY) == () and chip.power and chip.barrier(3) == 100
    cores = sum(-(-size // chip.limit("compartments_per_core")) for size in (200, 200, 10))
    assert cores == 5 <= chip.limit("cores") == 8


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_number_has_a_source_and_a_known_event(name):
    chip = load_chip(name)
    numbers = [*chip.limits.values(), *chip.widths.values(), *chip.layout.values(), *chip.energy.values(), *chip.time.values()]
    assert len(numbers) > 30
    assert all(q.source for q in numbers)
    assert all(0 <= q.low <= q.value <= q.high for q in numbers)
    assert set(chip.energy) | set(chip.time) <= PRICED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_page_shows_every_number(name):
    chip = load_chip(name)
    page = "\n".join(chip_lines(chip))
    for table in (chip.limits, chip.widths, chip.power, chip.clock, chip.memory, chip.operation, chip.area):
        assert all(key in page and quantity.source in page for key, quantity in table.items())
    assert all(f": {said}" in page for said in (chip.point, chip.style)) and f"visits {chip.engine.visit}" in page
    later = page.count("worked out of memory and operations when the rule is known")
    assert later == 0 or chip.style == "component"
    skipped = page.count("charged only where the engine does it")
    assert page.count("no price: counted") + later + skipped == 2 * len(PRICED) - 3 - len(chip.energy) - len(chip.time)
    assert all(sentence in page for sentence in (*chip.unknown, *chip.assumptions))
    assert one_line(catalog.find("hw_configs", name)).split()[0] == name


def test_hardware_and_cost_load_without_numba():
    code = (
        "import sys, chipsim.hardware, chipsim.cost; sys.exit(any(m in sys.modules for m in ('numba', 'matplotlib', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_chip_is_frozen_and_travels_between_processes():
    chip = load_chip("loihi1-ssgd")
    with pytest.raises(TypeError):
        chip.energy["forward.synops"] = chip.energy["forward.packets"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        chip.name = "other"
    for other in (pickle.loads(pickle.dumps(chip)), copy.deepcopy(chip), build_chip(chip.table, chip.name)):
        assert other == chip
    assert dataclasses.replace(chip, core_time="sequential").core_time == "sequential"


# --- files: base chips, extensions, overrides, what-if


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


CHEAPER = """
extends = "{base}"
title = "mine"
assumptions = ["one more"]
[energy.forward]
synops = {{ value = 1.0, unit = "pJ", basis = "assumed", scope = "incremental", source = "test" }}
"""


def test_a_chip_extends_another_by_name_and_by_relative_path(tmp_path):
    write(tmp_path, "a", CHEAPER.format(base="loihi1"))
    chip = load_chip(write(tmp_path, "b", 'extends = "a.toml"\nextension = "ssgd-extension"\ncore_time = "sequential"'))
    base = load_chip("loihi1")
    assert (chip.name, chip.title, chip.core_time) == ("b", "mine", "sequential")
    assert chip.energy["forward.synops"].value == chip.energy["backward.row_adds"].value == 1
    assert chip.energy["forward.synops"].lo is None  # a number is replaced as a whole
    assert chip.energy["forward.packets"] == base.energy["forward.packets"]
    assert set(base.assumptions) | {"one more"} <= set(chip.assumptions)
    assert chip.missing(REPLAY) == ()


def test_a_chip_that_extends_itself_is_refused(tmp_path):
    write(tmp_path, "a", 'extends = "b.toml"')
    with pytest.raises(ConfigError, match="a -> b -> a"):
        load_chip(write(tmp_path, "b", 'extends = "a.toml"') and tmp_path / "a.toml")


def test_an_unknown_chip_or_extension_is_named(tmp_path):
    with pytest.raises(ConfigError, match="loihi1"):
        load_chip("lohi1")
    with pytest.raises(ConfigError, match="did you mean"):
        load_chip(write(tmp_path, "a", 'extends = "loihi1"\nextension = "sgd-extension"'))
    with pytest.raises(ConfigError, match="extends = 3"):
        load_chip(write(tmp_path, "a", "extends = 3"))


def test_a_chips_own_numbers_win_over_its_extension(tmp_path):
    text = """
extends = "loihi1"
extension = "ssgd-extension"
[limits]
log_words_per_core = { value = 64, unit = "count", basis = "assumed", source = "test" }
"""
    assert load_chip(write(tmp_path, "a", text)).limit("log_words_per_core") == 64


def test_an_extension_with_unknown_keys_is_refused(tmp_path):
    write(tmp_path, "more", 'capabilitys = ["x"]')
    with pytest.raises(ConfigError, match="capabilitys"):
        load_chip(write(tmp_path, "a", 'extends = "toy"\nextension = "more.toml"'))


def test_what_if_adds_the_extension_only_where_it_lacks():
    plain, extended = load_chip("loihi1"), load_chip("loihi1", what_if=True)
    assert extended.missing(REPLAY) == () and plain.missing(REPLAY) == REPLAY
    assert dict(extended.energy) == dict(load_chip("loihi1-ssgd").energy)
    assert any("what-if" in a for a in extended.assumptions)
    assert plain.with_extension() == extended
    for name in ("loihi1-ssgd", "toy"):
        assert load_chip(name, what_if=True) == load_chip(name)
        assert load_chip(name).with_extension() == load_chip(name)


BARRIER = {"value": 1.0, "unit": "pJ", "basis": "assumed", "scope": "incremental", "source": "test"}


def test_with_extension_takes_tables_and_paths(tmp_path):
    chip = load_chip("loihi1")
    table = {"title": "own", "capabilities": ["x"], "energy": {"forward": {"barriers": BARRIER}}}
    assert chip.with_extension(table).energy["forward.barriers"].value == 1
    assert "x" in chip.with_extension(str(write(tmp_path, "e", 'capabilities = ["x"]'))).capabilities
    assert "forward.barriers" not in chip.energy


def test_overrides_reach_numbers_and_name_wrong_keys():
    chip = load_chip("loihi1-ssgd", {"energy.forward.synops.value": 30.0, "limits.log_words_per_core.value": 5})
    assert chip.energy["forward.synops"].value == chip.energy["backward.row_adds"].value == 30
    assert chip.limit("log_words_per_core") == 5
    with pytest.raises(ConfigError, match="synops"):
        load_chip("loihi1", {"energy.forward.synop.value": 30.0})
    with pytest.raises(ConfigError, match=r"energy\.forward\.synops\.lo"):
        load_chip("loihi1", {"energy.forward.synops.value": 20.0})  # below the published minimum


@pytest.mark.parametrize("name", SHIPPED)
def test_prices_are_prices_and_the_rest_quantities(name):
    chip = load_chip(name)
    assert {type(p) for table in (chip.energy, chip.time) for p in table.values()} <= {Price}  # loihi2 has none
    assert {type(q) for table in (chip.limits, chip.widths, chip.power) for q in table.values()} == {Quantity}
