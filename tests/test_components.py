"""Component style: prices worked out by hand, scaling with widths, nothing charged twice, what is unknown stays so."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chipsim as cs
from chipsim import catalog
from chipsim.compiler import for_network
from chipsim.cost import price_energy
from chipsim.counters import EVENTS, HOST, ROW, Counters
from chipsim.errors import ConfigError
from chipsim.hardware import build_chip
from chipsim.hardware.tables import PRICED
from chipsim.hardware.work import BY_RULE, COMMON, HOLDS, KINDS, MEMORIES, OF_THE_ENGINE, OPERATIONS, OUTSIDE, Within, Work

BIT = {
    f"{kind}.{way}": 1.0 + n for n, (kind, way) in enumerate((k, w) for k in MEMORIES for w in ("read", "write"))
}  # pJ per bit
ONCE = {name: 1000.0 * (n + 1) for n, name in enumerate(OPERATIONS)}  # pJ
WIDE = {"axon_entry": 20, "synapse_word": 64, "current": 24, "compartment_state": 48, "log_word": 32, "delta": 16,
        "partial_error": 32, "gradient_accumulator": 24, "weight": 9, "membrane": 24, "trace": 7}  # fmt: skip


def price(value: float, unit: str, **more: object) -> dict:
    return {"value": value, "unit": unit, "basis": "assumed", "scope": "incremental", "source": "test", **more}


@pytest.fixture
def table() -> dict:
    """Return a component chip in which every memory, way and operation has a price of its own."""
    base = copy.deepcopy(catalog.read_toml(catalog.find("hw_configs", "generic-45nm")))
    base["memory"] = {kind: {way: price(BIT[f"{kind}.{way}"], "pJ/bit") for way in ("read", "write")} for kind in MEMORIES}
    base["operation"] = {name: price(ONCE[name], "pJ") for name in OPERATIONS}
    return base


HAND = {  # event: pJ, with the widths of WIDE and the prices of BIT and ONCE written out
    "forward.packets": 20 * 15,
    "forward.words_read": 64 * 1,
    "forward.synops": 24 * 3 + 24 * 4 + 1000,
    "forward.updates_idle": 48 * 3 + 48 * 4 + 2000 + 3000 + 2 * 1000 + 4000,
    "backward.gate_checks": 2 * 4000,
    "backward.active_log_entries": 32 * 12,
    "backward.log_reads": 32 * 11,
    "backward.gather_adds": 16 * 13 + 2000 + 1000,
    "backward.error_packets": 20 * 15 + 32 * 13 + 32 * 14 + 1000,
    "backward.random_draws": 6000,
    "update.visits": 64 * 1,
    "update.writes": 9 * 2,
    "update.terms": 7 * 5 + 2000 + 3000 + 1000,
}


def test_prices_worked_out_by_hand(table):
    chip = build_chip(table, "mine")
    assert {name: chip.width(name) for name in WIDE} == WIDE
    assert {event: chip.energy[event].value for event in HAND} == HAND
    words = chip.energy["forward.words_read"]
    assert (words.basis, words.inputs, words.scope, words.unit, words.source) == (
        "derived",
        "assumed",
        "incremental",
        "pJ",
        "test",
    )
    assert words.note.startswith("64 bit of synapses.read: ") and (words.lo, words.hi) == (
        pytest.approx(64 / 3),
        pytest.approx(192),
    )


def test_prices_of_a_replayed_and_of_an_online_rule_by_hand(table):
    chip, network = build_chip(table, "mine"), cs.load_model("digits")
    replay = for_network(chip, network, True).energy
    assert replay["backward.trace_decays"].value == 16 * 13 + 16 * 14 + 2000 + 3000
    assert replay["backward.row_adds"].value == 16 * 13 + 24 * 7 + 24 * 8 + 1000
    assert replay["update.evaluations"].value == 24 * 7 + 24 * 8 + 3000 + 1000 + 2 * 4000
    assert replay["backward.rows_gathered"].included_in == "backward.rows_read"
    online = for_network(chip, network.but(learning={"rule": "ssgd-online"}), True).energy
    trace = 12 * 5  # one trace of 12 bits is read; gain and error belong to the event
    accumulate = 24 * 7 + 24 * 8 + 3000 + 1000 + 2 * 4000
    # -x * times(psi, L): a product, its shift, a product, a sign (counted as an addition)
    work = 2 * 2000 + 3000 + 1000
    assert online["backward.rules_active"].value == trace + accumulate + work
    assert online["backward.trace_decays"].value == 12 * 5 + 12 * 6 + 2000 + 3000
    assert online["backward.rows_gathered"].value == 20 * 15
    assert "backward.row_adds" not in online and "backward.rules_active" not in replay


def test_further_state_of_a_neuron_model_is_charged(table):
    chip, keys = (
        build_chip(table, "mine"),
        {"population.hidden1.neuron": "adaptive-lif", "population.hidden1.tau_adapt_ms": 100.0},
    )
    for learn in (True, False):
        plain = for_network(chip, cs.load_model("digits"), learn).energy["forward.updates_idle"]
        mixed = for_network(chip, cs.load_model("digits", keys), learn).energy["forward.updates_idle"]
        assert plain == chip.energy["forward.updates_idle"]
        assert mixed.value - plain.value == 24 * (BIT["neurons.read"] + BIT["neurons.write"])  # the threshold, as wide as V
        assert mixed.lo == plain.lo  # hidden2 and the readout have none


def test_state_of_a_write_policy_is_written_once(table):
    chip, network = build_chip(table, "mine"), cs.load_model("digits")
    plain = for_network(chip, network, True).energy["update.evaluations"].value
    kept = for_network(chip, network.but(learning={"write": "residue:10"}), True).energy["update.evaluations"].value
    assert kept - plain == 10 * BIT["optimiser.write"]  # its words are fetched by the visit


def test_the_adapting_threshold_is_charged_only_where_there_is_one(table):
    chip, network = build_chip(table, "mine"), cs.load_model("digits").but(learning={"rule": "eprop"})
    adaptive = cs.load_model(
        "digits",
        {"population.hidden1.neuron": "adaptive-lif", "population.hidden1.tau_adapt_ms": 100.0, "learning.rule": "eprop"},
    )
    plain, more = (for_network(chip, n, True).energy["backward.rules_active"].value for n in (network, adaptive))
    assert more > plain


@pytest.mark.parametrize("width, factor, events", [
    ("synapse_word", 2, {"forward.words_read", "backward.words_read", "update.visits"}),
    ("log_word", 2, {"backward.active_log_entries", "backward.spike_log_entries", "backward.log_rewrites", "backward.log_reads"}),
])  # fmt: skip
def test_prices_scale_with_widths(table, width, factor, events):
    narrow = build_chip(table, "mine").energy
    wide = build_chip(table, "mine", {f"width.{width}.value": WIDE[width] * factor}).energy
    assert {event for event in narrow if wide[event].value != narrow[event].value} == events
    assert all(wide[event].value == factor * narrow[event].value for event in events)


def test_every_event_has_one_row_or_a_reason_why_not():
    for kind, rows in KINDS.items():
        assert not set(COMMON) & set(rows), kind
        assert set(rows) <= BY_RULE
    assert not set(COMMON) & (BY_RULE | OUTSIDE) and not BY_RULE & OUTSIDE
    assert set(PRICED) - OF_THE_ENGINE == set(COMMON) | BY_RULE | OUTSIDE
    for rows in (COMMON, *KINDS.values()):
        for row in rows.values():
            assert row.why
            if isinstance(row, Work):
                assert {where.partition(".")[0] for where in row.moves} <= set(MEMORIES) and set(row.does) <= set(OPERATIONS)
                assert row.moves or row.does
    assert all(row.event in PRICED for row in COMMON.values() if isinstance(row, Within))


@pytest.mark.parametrize("missing, lost", [
    ("memory.synapses.read", {"forward.words_read", "backward.words_read", "update.visits"}),
    ("memory.neurons", {"forward.synops", "forward.updates_active", "forward.updates_idle", "forward.spikes", "backward.score_packets"}),
    ("operation.random", {"backward.random_draws", "update.random_draws"}),
    ("width.trace", {"update.terms", "update.trace_updates"}),
])  # fmt: skip
def test_what_is_unknown_stays_unknown(table, missing, lost):
    full = set(build_chip(table, "mine").energy)
    *folders, last = missing.split(".")
    inner = table
    for folder in folders:
        inner = inner[folder]
    del inner[last]
    assert full - set(build_chip(table, "mine").energy) == lost
    assert not OUTSIDE & full


def test_a_named_price_takes_the_place_of_one_worked_out(table):
    table["energy"] = {"forward": {"packets": price(7.0, "pJ")}, "backward": {"mark_packets": {
        "as": "forward.packets_in", "basis": "assumed", "source": "a loan from a price that is worked out"}}}  # fmt: skip
    chip = build_chip(table, "mine")
    assert chip.energy["forward.packets"].value == 7 and chip.energy["backward.mark_packets"].value == HAND["forward.packets"]


@pytest.mark.parametrize("event", HOLDS)
def test_a_lumped_price_beside_the_words_it_may_hold_is_refused(table, event):
    phase, _, name = event.partition(".")
    table["energy"] = {phase: {name: {"as": "forward.packets", "basis": "assumed", "source": "a loan may hold them too"}}}
    with pytest.raises(ConfigError, match=f"energy.{event} = "):
        build_chip(table, "mine")
    table["energy"] = {phase: {name: price(20.0, "pJ")}}
    with pytest.raises(ConfigError, match=f"energy.{event} = ") as caught:
        build_chip(table, "mine")
    assert all(other in str(caught.value) for other in HOLDS[event])
    table["energy"][phase] |= {other.partition(".")[2]: {"included_in": event} for other in HOLDS[event]}
    chip = build_chip(table, "mine")
    assert chip.energy[event].value == 20 and all(chip.energy[other].value == 0 for other in HOLDS[event])


def test_a_spike_is_charged_once_from_source_to_synapse(table):
    counts = np.zeros((1, len(EVENTS), 1, 2), dtype=np.int64)
    happened = {"packets": 1, "packets_in": 1, "words_read": 3, "synops": 20, "updates_active": 20, "spikes": 1}
    for event, times in happened.items():
        counts[0, ROW["forward", "forward", event], 0, 0] = times
    energy = price_energy(Counters(counts, np.array([0, HOST])), build_chip(table, "mine"), 0.0, 1)
    tables, words = (20 + 20) * BIT["axons.read"], 3 * 64 * BIT["synapses.read"]
    sums = 20 * (24 * (BIT["neurons.read"] + BIT["neurons.write"]) + ONCE["add"])
    updates = 20 * (
        48 * (BIT["neurons.read"] + BIT["neurons.write"]) + sum(ONCE[k] for k in ("multiply", "shift", "add", "add", "compare"))
    )
    assert energy.total_j == pytest.approx(1e-12 * (tables + words + sums + updates), rel=1e-12)


def test_the_weakest_basis_and_the_ends_of_all_parts(table):
    table["operation"]["add"] |= {"basis": "silicon", "seen": "recalled", "lo": 900.0, "hi": 2000.0, "source": "who measured"}
    table["memory"]["neurons"]["read"] |= {"basis": "synthesis", "seen": "read in source"}
    table["memory"]["neurons"]["write"] |= {"basis": "synthesis", "seen": "transcribed by third party"}
    table["allow_recalled"] = True
    synop = build_chip(table, "mine").energy["forward.synops"]
    assert (synop.inputs, synop.rests_on, synop.seen, synop.source) == (
        "synthesis",
        "synthesis",
        "recalled",
        "test; who measured",
    )
    assert synop.lo == pytest.approx((24 * 3 + 24 * 4) / 1.5 + 900) and synop.hi == pytest.approx((24 * 3 + 24 * 4) * 1.5 + 2000)


def test_a_named_event_of_a_rule_keeps_its_price_and_lumped_chips_are_left_alone(table):
    table["energy"] = {"backward": {"rules_active": price(5.0, "pJ")}}
    chip, network = build_chip(table, "mine"), cs.load_model("digits").but(learning={"rule": "ssgd-online"})
    assert for_network(chip, network, True).energy["backward.rules_active"].value == 5
    lumped = cs.load_chip("loihi1-ssgd")
    assert for_network(lumped, network, True) is lumped


def test_another_rule_replaces_the_prices_of_the_one_before(table):
    chip, network = build_chip(table, "mine"), cs.load_model("digits")
    online = network.but(learning={"rule": "eprop"})
    assert for_network(for_network(chip, online, True), network, True) == for_network(chip, network, True)
    assert (
        for_network(chip, network, False).energy["update.evaluations"].value == 1000 + 2 * 4000
    )  # projections that learn on the way
