"""Provenance cannot be bypassed: what a chip file must say, all of it read at once; keys of the newer sections."""

from __future__ import annotations

import copy

import pytest

from chipsim import catalog
from chipsim.cli import main
from chipsim.errors import ConfigError
from chipsim.hardware import build_chip, load_chip

FINE = 'unit = "pJ", basis = "silicon", scope = "incremental", source = "who", seen = "read in source"'
WRONG = f"""
extends = "odin"
[energy.forward]
synops = {{ value = 8.43, unit = "pJ", basis = "silicon", scope = "aggregate", source = "who", seen = "read in source" }}
spikes = {{ value = 2.0, point = "28 nm FDSOI, 0.8 V", {FINE} }}
packets = {{ value = 2.0, unit = "pJ", basis = "silicon", scope = "incremental", source = "who", seen = "recalled" }}
packets_in = {{ value = 2.0, basis = "silicon", scope = "incremental", source = "who", seen = "read in source" }}
hops_x = {{ value = 2.0, unit = "pJ", scope = "incremental", source = "who", seen = "read in source" }}
hops_y = {{ value = 2.0, unit = "pJ", basis = "silicon", scope = "incremental", seen = "read in source" }}
hops_local = {{ value = 2.0, unit = "pJ", basis = "silicon", scope = "incremental", source = "who" }}
words_read = {{ value = 2.0, lo = 3.0, {FINE} }}
updates_active = {{ value = 2.0, hi = 1.0, {FINE} }}
updates_idle = {{ value = 2.0, unit = "kWh", basis = "silicon", scope = "incremental", source = "who", seen = "read in source" }}
inputs_injected = {{ value = -1.0, {FINE} }}
synop = {{ value = 2.0, {FINE} }}
"""
FOUND = {  # key: words of the limit or the hint
    "energy.forward.synops.scope": "cannot stand beside",
    "energy.forward.spikes.point": "mixed_point = true",
    "energy.forward.packets.seen": "allow_recalled = true",
    "energy.forward.packets_in.unit": "required",
    "energy.forward.hops_x.basis": "required",
    "energy.forward.hops_y.source": "required",
    "energy.forward.hops_local.seen": "how the source was seen",
    "energy.forward.words_read.lo": "must not exceed the value",
    "energy.forward.updates_active.hi": "must not be below the value",
    "energy.forward.updates_idle.unit": "energy is given in",
    "energy.forward.inputs_injected.value": "must not be negative",
    "energy.forward.synop": 'did you mean "synops"',
}


def test_every_breach_of_provenance_is_told_at_once(tmp_path, capsys):
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_chip(path)
    found = {p.key: f"{p.limit} {p.hint}" for p in caught.value.problems}
    assert set(found) == set(FOUND) and len(caught.value.problems) == len(FOUND)
    assert all(words in found[key] for key, words in FOUND.items())
    assert {p.object for p in caught.value.problems} == {'chip "wrong"'}
    assert main(["chips", str(path)]) == 2
    told = capsys.readouterr().err
    assert all(key in told for key in FOUND)


@pytest.fixture(scope="module")
def toy() -> dict:
    return catalog.read_toml(catalog.find("hw_configs", "toy"))


def assumed(value: float, unit: str, **more: object) -> dict:
    return {"value": value, "unit": unit, "basis": "assumed", "scope": "incremental", "source": "test", **more}


def put(table: dict, path: str, value: object) -> dict:
    """Return a copy of the tables with one entry set."""
    table = copy.deepcopy(table)
    *folders, last = path.split(".")
    inner = table
    for folder in folders:
        inner = inner.setdefault(folder, {})
    inner[last] = value
    return table


def said(table: dict) -> list[str]:
    """Return what is wrong with some tables."""
    with pytest.raises(ConfigError) as caught:
        build_chip(table, "mine")
    return [str(p) for p in caught.value.problems]


@pytest.mark.parametrize("path, value, found, hint", [
    ("style", "components", "style = 'components'", 'did you mean "component"'),
    ("style", "component", "style = 'component'", "neither is given"),
    ("memory.synapses.read", assumed(0.1, "pJ/bit"), "memory = '(given)'", 'style = "component"'),
    ("memory.synapse", {}, "memory.synapse =", 'did you mean "synapses"'),
    ("memory.logs.red", assumed(0.1, "pJ/bit"), "memory.logs.red =", 'did you mean "read"'),
    ("memory.logs.read", assumed(0.1, "pJ"), "memory.logs.read.unit = 'pJ'", "'pJ' is a unit of energy"),
    ("memory", 3, "memory = 3", "[memory.synapses]"),
    ("operation.addd", assumed(0.1, "pJ"), "operation.addd =", 'did you mean "add"'),
    ("operation.add", {**assumed(0.1, "pJ"), "scope": None}, "operation.add.scope", "says its scope"),
    ("operation.add", assumed(0.1, "pJ", scope="aggregate"), "operation.add.scope = 'aggregate'", "cannot stand beside"),
    ("power.static_chip", assumed(1.0, "mJ"), "power.static_chip.unit = 'mJ'", "'mJ' is a unit of energy"),
    ("power.static_chip", assumed(1.0, "mW", scope="aggregate"), "power.static_chip.scope", "cannot stand beside"),
    ("power.clock", assumed(1.0, "uW/MHz"), "power.clock =", "give clock.frequency"),
    ("power.clock", assumed(1.0, "uW"), "power.clock.unit = 'uW'", "'uW' is a unit of power"),
    ("clock.frequency", assumed(0.0, "MHz"), "clock.frequency.value = 0", "above 0"),
    ("clock.frequncy", assumed(1.0, "MHz"), "clock.frequncy =", 'did you mean "frequency"'),
    ("time.forward.synops", assumed(2.0, "cycle"), "time.forward.synops.unit = 'cycle'", "give clock.frequency"),
    ("learning.visit", "actve", "learning.visit = 'actve'", 'did you mean "active"'),
    ("learning.read", "always", "learning.source", "who says"),
    ("learning.lanes", assumed(0, "count"), "learning.lanes.value = 0", "above 0"),
    ("learning.lane", 3, "learning.lane = 3", "did you mean"),
    ("learning", 3, "learning = 3", "it is a table"),
    ("area.core", assumed(1.0, "um2/bit"), "area.core.unit = 'um2/bit'", "'um2/bit' is a unit of area per bit"),
    ("area.synapses", assumed(1.0, "mm2"), "area.synapses.unit = 'mm2'", "'mm2' is a unit of area"),
    ("energy.forward.spikes", {"included_in": "power.static_chip"}, "spikes.included_in = 'power.static_chip'", "not given in [power]"),
    ("time.forward.spikes", {"included_in": "power.static_core"}, "spikes.included_in = 'power.static_core'", "phase.event"),
    ("cycles", "odn", "cycles = 'odn'", 'did you mean "odin"'),
    ("network_time", "que", "network_time = 'que'", 'did you mean "queue"'),
])  # fmt: skip
def test_a_wrong_section_says_object_key_value_and_limit(toy, path, value, found, hint):
    messages = said(put(toy, path, value))
    assert any(m.startswith('chip "mine": ') and found in m and hint in m for m in messages), messages


def test_units_of_the_new_sections_are_converted(toy):
    table = put(put(toy, "power.clock", assumed(1.78, "uW/MHz")), "clock.frequency", assumed(1.3, "GHz"))
    table = put(put(table, "area.core", assumed(86000.0, "um2")), "learning", {"source": "test", "epoch": assumed(3.0, "us")})
    table = put(table, "time.forward.synops", assumed(2.0, "cycle", lo=1.0, hi=4.0))
    chip = build_chip(table, "mine")
    assert chip.power["clock"].value == pytest.approx(1.78e-3) and chip.power["clock"].unit == "mW/MHz"
    assert (chip.clock["frequency"].value, chip.area["core"].value) == (pytest.approx(1300), pytest.approx(0.086))
    synop = chip.time["forward.synops"]
    assert [synop.value, synop.lo, synop.hi] == pytest.approx([2 / 1.3, 1 / 1.3, 4 / 1.3]) and synop.unit == "ns"
    assert chip.engine.epoch.value == 3000 and chip.engine.visit == "active" and chip.engine.lanes is None


def test_an_event_may_be_inside_a_standing_power(toy):
    chip = build_chip(put(toy, "energy.forward.updates_idle", {"included_in": "power.static_core"}), "mine")
    idle = chip.energy["forward.updates_idle"]
    assert (idle.value, idle.included_in) == (0, "power.static_core") and idle.source == chip.power["static_core"].source


def test_conflicting_sources_are_an_interval_and_one_sided_ends_stay_so():
    synop = load_chip("spinnaker2").energy["forward.synops"]
    assert (synop.lo, synop.value, synop.hi) == (10, 450, 450) and "CONFLICT" in synop.note
    static = load_chip("loihi1").power["static_core"]
    assert static.lo is None and static.high == static.hi == static.value


def test_every_entry_of_the_engine_has_the_ways_of_today_by_default(toy):
    engine = build_chip(toy, "mine").engine
    assert (engine.visit, engine.read, engine.write, engine.overlap) == ("active", "gated", "changed", "none") and engine.source
    reckon = load_chip("reckon").engine
    assert (reckon.visit, reckon.read, reckon.write, reckon.lanes.value) == ("all", "always", "changed", 16)
