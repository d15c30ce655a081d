"""Chip descriptions: what a wrong one is told, and how units, spreads, routes and loans come out."""

from __future__ import annotations

import copy
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest

from chipsim import catalog
from chipsim.counters import HOST
from chipsim.errors import ConfigError
from chipsim.hardware import Mesh, Quantity, build, build_chip, load_chip, sections, work
from chipsim.hardware.tables import EnginePolicy, Header, Included, Loan, Point


def number(**changes: object) -> dict:
    """Return an energy as it stands in a file."""
    seen = {} if changes.get("basis", "assumed") == "assumed" else {"seen": "read in source"}
    return {"value": 1.0, "unit": "pJ", "basis": "assumed", "scope": "incremental", "source": "test", **seen, **changes}


def loan(event: str, **changes: object) -> dict:
    """Return a price borrowed from another event as it stands in a file."""
    return {"as": event, "basis": "assumed", "source": "a test", **changes}


def put(table: dict, path: str, value: object) -> dict:
    """Return a copy of the tables with one entry set (or taken out, for `...`)."""
    table = copy.deepcopy(table)
    *folders, last = path.split(".")
    inner = table
    for folder in folders:
        inner = inner.setdefault(folder, {})
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return table


@pytest.fixture(scope="module")
def toy() -> dict:
    return catalog.read_toml(catalog.find("hw_configs", "toy"))


def problems(table: dict, name: str = "mine") -> list:
    with pytest.raises(ConfigError) as caught:
        build_chip(table, name)
    return list(caught.value.problems)


# --- quantities and mesh


@pytest.mark.parametrize(
    "changes, low, high",
    [
        ({"basis": "silicon"}, 10 / 1.15, 11.5),
        ({"basis": "pre-silicon"}, 10 / 1.5, 15),
        ({"basis": "synthesis"}, 10 / 1.5, 15),
        ({"basis": "assumed"}, 10 / 3, 30),
        ({"basis": "architectural"}, 10, 10),
        ({"basis": "derived", "inputs": "silicon"}, 10 / 1.15, 11.5),
        ({"basis": "derived"}, 10 / 3, 30),
        ({"basis": "silicon", "seen": "recalled"}, 10 / 3, 30),
        ({"basis": "pre-silicon", "lo": 10}, 10, 15),
        ({"basis": "pre-silicon", "hi": 10}, 10 / 1.5, 10),
        ({"basis": "assumed", "lo": 9, "hi": 12}, 9, 12),
    ],
)
def test_spread(changes, low, high):
    quantity = Quantity(10, "pJ", source="test", **changes)
    assert (quantity.low, quantity.high) == (pytest.approx(low), pytest.approx(high))


def test_mesh_routes_x_then_y():
    mesh = Mesh(8, 4, 4, host_tile=5)
    assert (mesh.tiles, mesh.cores, mesh.tile(HOST), mesh.position(HOST), mesh.position(127)) == (32, 128, 5, (1, 1), (7, 3))
    assert mesh.hops(0, 3) == (0, 0, 1)
    assert mesh.hops(0, 127) == (7, 3, 0)
    assert mesh.hops(HOST, 5 * 4) == (0, 0, 1)
    assert mesh.links(4 * 9, 4 * 3) == [("x", 9, 5), ("x", 5, 1), ("y", 1, 2), ("y", 2, 3)]  # (2, 1) to (0, 3)
    assert mesh.links(0, 3) == []


@pytest.mark.parametrize("source", [HOST, 0, 5, 31])
@pytest.mark.parametrize("target", [0, 2, 17, 31])
def test_links_agree_with_hops(source, target):
    mesh = Mesh(4, 2, 4, host_tile=3)
    links, (x, y, local) = mesh.links(source, target), mesh.hops(source, target)
    assert [kind for kind, _, _ in links] == ["x"] * x + ["y"] * y
    assert local == (not links) and mesh.hops(target, source) == (x, y, local)
    assert all(a[2] == b[1] for a, b in pairwise(links))


# --- wrong descriptions: path, value, then words that the message must hold

SYNOPS, SPIKES = "energy.forward.synops", "energy.forward.spikes"
WRONG = [
    ("limits.axons_in_per_cor", number(unit="count"), "limits.axons_in_per_cor", 'did you mean "axons_in_per_core"'),
    ("limits.synapse_words_per_core", ..., "limits.synapse_words_per_core", "this number is required"),
    ("limits.log_words_per_core", ..., "limits.log_words_per_core", "this number is required"),
    ("limits.compartments_per_core.value", 3.5, "limits.compartments_per_core.value = 3.5", "whole number"),
    ("limits.compartments_per_core.unit", "bit", "limits.compartments_per_core.unit = 'bit'", "'bit' is a unit of bits"),
    ("width.membrane", ..., "width.membrane", "this number is required"),
    ("width", 3, "width = 3", "it is a table of numbers"),
    ("mesh.tiles_x.value", 0, "mesh.tiles_x.value = 0", "at least 1"),
    ("mesh.host_tile.value", 4, "mesh.host_tile.value = 4", "0 to 3"),
    ("core_time", "pipelinet", "core_time = 'pipelinet'", 'did you mean "pipelined"'),
    ("active_update", ..., "active_update = '(nothing)'", "this key is required"),
    ("titel", "x", "titel = 'x'", "did you mean 'title'"),
    ("capabilities", "replay", "capabilities = 'replay'", "valid list"),
    (SYNOPS, number(unit="ns"), "synops.unit = 'ns'", "'ns' is a unit of time"),
    (SYNOPS, number(unit="pj"), "synops.unit = 'pj'", 'did you mean "pJ"'),
    ("time.forward.synops", number(unit="pJ"), "time.forward.synops.unit = 'pJ'", "'pJ' is a unit of energy"),
    (SYNOPS, number(value=-1.0), "synops.value = -1.0", "must not be negative"),
    (SYNOPS, number(value=float("nan")), "synops.value = nan", "finite"),
    (SYNOPS, number(value="23.6"), "synops.value = '23.6'", "valid number"),
    (SYNOPS, number(lo=2.0), "synops.lo = 2.0", "must not exceed the value 1"),
    (SYNOPS, number(hi=0.5), "synops.hi = 0.5", "must not be below the value 1"),
    (SYNOPS, number(source=" "), "synops.source = ' '", "every number needs a source"),
    (f"{SYNOPS}.source", ..., "synops.source = '(nothing)'", "this key is required"),
    (SYNOPS, number(basis="silicone"), "synops.basis = 'silicone'", 'did you mean "silicon"'),
    (SYNOPS, number(scope=None), "synops.scope = '(nothing)'", "incremental, aggregate"),
    (SYNOPS, number(basis="derived"), "synops.inputs", "the basis of its inputs"),
    (SYNOPS, number(vlaue=1.0), "synops.vlaue = 1.0", "did you mean 'value'"),
    (SYNOPS, 23.6, "energy.forward.synops", "dictionary"),
    ("energy.forward.synop", number(), "energy.forward.synop =", 'did you mean "synops"'),
    ("energy.forward.hops", number(), "energy.forward.hops =", "price its parts: hops_x, hops_y, hops_local"),
    ("energy.foward.synops", number(), "energy.foward =", 'did you mean "forward"'),
    ("energy", [], "energy = []", "[energy.forward], [energy.backward], [energy.update]"),
    ("energy.forward", [], "energy.forward = []", "table of prices"),
    ("time.forward.barriers", number(unit="ns"), "time.forward.barriers =", "[[barrier.points]]"),
    (SYNOPS, number(value=0.0), "synops.value = 0.0", "a note that says why"),
    (SYNOPS, number(value=0.0, basis="silicon", note="so"), "synops.value = 0.0", 'basis = "assumed"'),
    (SYNOPS, number(scope="aggregate"), "synops.scope = 'aggregate'", "cannot stand beside"),
    ("power.static_core.scope", "aggregate", "power.static_core.scope = 'aggregate'", "cannot stand beside energy.forward"),
    ("point", "", "point = ''", "the operating point at which power."),
    ("point", " ", "point = ' '", "is required"),
    (SYNOPS, number(point="28 nm"), "synops.point = '28 nm'", "mixed_point = true"),
    ("power.static_core.point", "28 nm", "power.static_core.point = '28 nm'", 'the price list holds at "toy"'),
    ("power.static_core.seen", "recalled", "power.static_core.seen = 'recalled'", "allow_recalled = true"),
    ("power.static_cor", number(unit="mW"), "power.static_cor =", 'did you mean "static_core"'),
    ("barrier.point", [], "barrier.point = []", 'did you mean "points"'),
    ("barrier.points", [number(unit="ns")], "barrier.points[0].tiles = '(nothing)'", "this key is required"),
    ("barrier.points", [number(unit="ns", tiles=1), number(unit="ns", tiles=3)], "barrier.points = [1, 3]", "cover 1 to 4 tiles"),
    ("barrier.points", [number(unit="ns", tiles=4), number(unit="ns", tiles=1)], "barrier.points = [4, 1]", "must ascend"),
    (SPIKES, {"included_in": "forward.update"}, "spikes.included_in = 'forward.update'", "phase.event"),
    (SPIKES, {"included_in": "forward.spikes"}, "spikes.included_in", "is not charged"),
    (SPIKES, loan("forward.synop"), "spikes.as", "forward.synops"),
    (SPIKES, {"as": "forward.synops"}, "spikes.basis = '(nothing)'", "this key is required"),
    (SPIKES, loan("forward.synops", times=0.0), "spikes.times = 0.0", "above 0"),
    (SPIKES, loan("forward.spikes"), "spikes.as = 'forward.spikes'", "itself"),
]  # fmt: skip


@pytest.mark.parametrize("path, value, found, hint", WRONG, ids=[f"{n}-{w[0]}" for n, w in enumerate(WRONG)])
def test_a_wrong_description_says_object_key_value_and_limit(toy, path, value, found, hint):
    messages = [str(p) for p in problems(put(toy, path, value))]
    assert any(m.startswith('chip "mine": ') and found in m and hint in m for m in messages), messages


def test_one_wrong_number_gives_one_problem(toy):
    assert len(problems(put(toy, "energy.forward.synops", number(unit="ns")))) == 1
    loihi1 = catalog.read_toml(catalog.find("hw_configs", "loihi1"))  # here words_read is included in synops
    assert len(problems(put(loihi1, "energy.forward.synops.unit", "ns"))) == 1


def test_all_problems_come_at_once(toy):
    table = put(toy, "limits.axons_in_per_core", ...)
    table = put(table, "energy.forward.synops", number(value=-1.0, unit="ns", source=""))
    table = put(table, "time.update.visit", number(unit="ns"))
    table = put(table, "network_time", "cycle")
    table = put(table, "power.static_core.point", "28 nm")
    found = problems(table)
    assert {p.key for p in found} >= {"limits.axons_in_per_core", "energy.forward.synops.value", "energy.forward.synops.unit",
                                      "energy.forward.synops.source", "time.update.visit", "network_time"}  # fmt: skip
    assert {p.object for p in found} == {'chip "mine"'}


def test_units_are_converted(toy):
    table = put(toy, "energy.forward.synops", number(value=0.5, lo=0.25, hi=1.0, unit="nJ"))
    table = put(table, "time.forward.synops", number(value=2.0, unit="us"))
    chip = build_chip(put(table, "power.static_core.unit", "uW"), "mine")
    synop = chip.energy["forward.synops"]
    assert (synop.value, synop.lo, synop.hi, synop.unit) == (500, 250, 1000, "pJ")
    assert (chip.time["forward.synops"].value, chip.time["forward.synops"].unit) == (2000, "ns")
    assert chip.power["static_core"].value == pytest.approx(1e-4)


def test_a_second_operating_point_may_be_mixed_in_and_is_said(toy):
    chip = build_chip(put(toy, "energy.forward.synops", number(point="28 nm", mixed_point=True)), "mine")
    assert 'mixed operating points: energy.forward.synops at "28 nm", the rest at "toy"' in chip.assumptions


def test_an_aggregate_may_stand_alone(toy):
    table = put(put(toy, "energy", {"forward": {"synops": number(scope="aggregate")}}), "power", {})
    assert set(build_chip(table, "mine").energy) == {"forward.synops"}


def test_recalled_figures_may_be_let_in(toy):
    table = put(put(toy, "power.static_core.seen", "recalled"), "allow_recalled", True)
    assert build_chip(table, "mine").power["static_core"].seen == "recalled"


# --- loans


def test_a_loan_scales_and_an_assumed_one_drops_the_published_range(toy):
    table = put(toy, "energy.forward.synops", number(value=10.0, lo=9.0, hi=12.0, basis="silicon"))
    table = put(table, "energy.backward.row_adds", loan("forward.synops", times=2.0, note="why"))
    table = put(table, "energy.backward.gather_adds", loan("forward.synops", times=2.0, basis="derived"))
    chip = build_chip(table, "mine")
    assumed, derived = chip.energy["backward.row_adds"], chip.energy["backward.gather_adds"]
    assert (assumed.value, assumed.low, assumed.high, assumed.note) == (20, pytest.approx(20 / 3), 60, "why")
    assert (derived.value, derived.low, derived.high, derived.same_as) == (20, 18, 24, "forward.synops")


def test_loans_follow_each_other_and_the_base_chips_overrides(toy):
    table = put(toy, "energy.backward.row_adds", loan("forward.synops", times=2.0))
    table = put(table, "energy.backward.gather_adds", loan("backward.row_adds", times=3.0))
    chip = build_chip(table, "mine", {"energy.forward.synops.value": 4.0})
    assert chip.energy["backward.gather_adds"].value == 24


def test_what_is_lent_or_included_by_an_unpriced_event_stays_unpriced(toy):
    table = put(toy, "energy.forward.synops", ...)
    table = put(table, "energy.backward.row_adds", loan("forward.synops"))
    table = put(table, "energy.backward.words_read", {"included_in": "backward.row_adds"})
    chip = build_chip(table, "mine")
    assert not {"forward.synops", "backward.row_adds", "backward.words_read"} & set(chip.energy)


def test_a_circle_of_loans_is_refused(toy):
    table = put(toy, "energy.backward.row_adds", loan("backward.gather_adds"))
    table = put(table, "energy.backward.gather_adds", loan("backward.row_adds"))
    assert {p.key for p in problems(table)} == {"energy.backward.row_adds.as", "energy.backward.gather_adds.as"}


# --- the page about all this


def test_the_page_on_chips_names_every_key_and_its_example_works(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "chips.md").read_text(encoding="utf-8")
    keys = {
        *sections.MESH,
        *sections.LIMITS,
        *sections.LEARNING_LIMITS,
        *sections.LOG_LIMITS,
        *sections.WIDTHS,
        *sections.OPTIONAL_WIDTHS,
        *sections.POWERS,
        *sections.CLOCK,
        *sections.AREAS,
        *sections.WAYS,
        *sections.ENGINE,
        *work.MEMORIES,
        *work.OPERATIONS,
        *build.SECTIONS,
    }
    keys |= {
        *Header.model_fields,
        *EnginePolicy.model_fields,
        *Point.model_fields,
        *Loan.model_fields,
        *Included.model_fields,
        *build.REPLAY,
        "extends",
        "extension",
    }
    assert {key for key in keys if f"`{key}`" not in page and f"{key} = " not in page} == set()
    example = page.partition("    extends =")[2].partition("\n\nWhat you write")[0]
    path = tmp_path / "half.toml"
    path.write_text(textwrap.dedent("    extends =" + example), encoding="utf-8")
    chip = load_chip(path)
    assert chip.energy["backward.row_adds"].value == chip.energy["forward.synops"].value == 11.8
