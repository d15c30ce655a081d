"""Every shipped chip: it loads, shows, prices, trains the digits or says what it lacks; its numbers are the collected ones."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs
from chipsim import catalog
from chipsim.cli import main
from chipsim.cost import price_energy
from chipsim.counters import EVENTS, HOST, ROW, empty
from chipsim.errors import CapacityError, ConfigError
from chipsim.hardware import Quantity, build, chip_lines, load_chip, sections, work
from chipsim.hardware.quantity import UNITS
from chipsim.hardware.tables import EnginePolicy, Header

SHIPPED = tuple(catalog.names("hw_configs"))
MADE_UP = {"toy", "toy-event", "template"}
REPLAYS = {"loihi1-ssgd", "toy", "generic-45nm", "generic-7nm", "seneca", "spinnaker2"}  # train the digits as they are
LACKING = {  # chip -> what it is told to lack for the rule of the digits
    "loihi1": "active-flag, logs, graded-errors, replay", "loihi1-calibrated": "active-flag, logs, graded-errors, replay",
    "loihi2": "active-flag, logs, replay", "loihi2-scaled": "active-flag, logs, replay", "truenorth": "active-flag, logs",
    "odin": "active-flag, logs, graded-errors, replay", "reckon": "logs, replay", "template": "active-flag, logs",
}  # fmt: skip
WHAT_IF = {"loihi1", "loihi1-calibrated", "loihi2", "loihi2-scaled", "template"}  # train with the assumed extension


def test_every_chip_is_in_one_list_or_the_other():
    assert REPLAYS | set(LACKING) | {"toy-event"} == set(SHIPPED) and not REPLAYS & set(LACKING)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_prices_any_counts(name):
    chip = load_chip(name)
    counts = empty(1, np.array([0, HOST]))
    counts.counts[..., 0] = 1
    energy = price_energy(counts, chip, 1e-6, 1)
    priced = [f"{p}.{e}" in chip.energy or f"{p}.{e}" in work.OF_THE_ENGINE for p, _, e in EVENTS]
    assert energy.complete == bool(all(priced) and {"static_core", "static_chip"} & set(chip.power))
    average = {p.scope for p in chip.energy.values()} >= {"aggregate"}  # it holds all of its phase
    missing = {
        f"{p}.{e}" for (p, _, e), known in zip(EVENTS, priced, strict=True) if not known and not (average and p == "forward")
    }
    assert {event for event in energy.unpriced if not event.startswith("static.")} - work.OF_THE_ENGINE == missing
    assert (energy.total_j is None) == (not chip.energy)


@pytest.mark.parametrize("name", sorted(REPLAYS))
def test_it_trains_the_digits(name):
    run = cs.train("digits", name, samples=100, passes=1)
    energy = run.energy
    assert energy.total_j > 0 and energy.forward_j > 0
    assert energy.complete == (name == "toy")
    if name != "spinnaker2":
        assert energy.backward_j > 0 and energy.update_j > 0
    if load_chip(name).style == "component":
        left = {event.partition(".")[2].removeprefix("error_") for event in energy.unpriced}
        assert left <= {"hops_local", "hops_x", "hops_y", "inputs_injected", "barriers", "core_seconds", "random_draws"}


@pytest.mark.parametrize("name", sorted(LACKING))
def test_it_says_what_it_lacks(name):
    with pytest.raises(CapacityError, match=f'chip "{name}": capabilities = .* it must offer {LACKING[name]}') as caught:
        cs.train("digits", name, samples=20, passes=1)
    assert "--what-if" in str(caught.value)


@pytest.mark.parametrize("name", sorted(WHAT_IF))
def test_with_the_assumed_extension_it_trains(name):
    run = cs.train("digits", name, samples=50, passes=1, what_if=True)
    assert run.energy.forward_j is None if name == "loihi2" else run.energy.forward_j > 0
    assert any("what-if" in warning for warning in run.chip.assumptions)


def test_what_does_not_fit_is_named():
    with pytest.raises(CapacityError, match=r'synapse_words_per_core = .* limit 8192 of chip "odin'):
        cs.train("digits", "odin", samples=20, passes=1, what_if=True)
    with pytest.raises(CapacityError, match="learning_bits_per_core = .* limit 9044"):
        cs.train("digits", "reckon", rule="reckon", samples=20, passes=1)
    with pytest.raises(CapacityError, match="learning.weight_bits = 8, but .* at most 2 bits"):
        cs.train("digits", "truenorth", samples=20, passes=1, what_if=True)


def test_an_average_price_stays_alone_under_what_if(tmp_path):
    sizes = {"population.hidden1.size": 60, "population.hidden2.size": 40}
    cores = {"placement.strategy": "manual", **{f"placement.cores.{p}": [0] for p in ("hidden1", "hidden2", "out")}}
    chip = load_chip("reckon", {"limits.learning_bits_per_core.value": 1 << 20}, what_if=True)
    run = cs.train(cs.load_model("digits", {**sizes, **cores}), chip, samples=50, passes=1)
    synops = run.counters.of("forward", "synops").sum()
    assert run.energy.total_j == run.energy.forward_j == pytest.approx(5.3e-12 * synops) and not run.energy.complete
    assert any("is an average" in sentence for sentence in run.chip.assumptions)
    (tmp_path / "more.toml").write_text('extends = "reckon"\nextension = "ssgd-extension"', encoding="utf-8")
    with pytest.raises(ConfigError, match="aggregate holds static and shared power"):
        load_chip(tmp_path / "more.toml")


# --- single chips


def counted(chip: cs.Chip, **events: int) -> float:
    """Return the J of forward events."""
    counts = empty(1, np.array([0, HOST]))
    for event, times in events.items():
        counts.counts[0, ROW["forward", "forward", event], 0, 0] = times
    return price_energy(counts, chip, 0.0, 1).total_j


def test_loihi1_calibrated_prices_a_network_in_closed_form():
    chip = load_chip("loihi1-calibrated")
    energy = counted(
        chip, synops=5100, words_read=900, updates_active=1000, updates_idle=24, spikes=51, packets=51, packets_in=51
    )
    assert energy == pytest.approx(
        1e-12 * (181_050.0 + 78_081.5 + 5_661.0), rel=1e-12
    )  # 1024 neurons, 51 firing, 100 targets each
    assert [chip.barrier(n) for n in (1, 2, 3, 4, 28, 29, 32)] == [600, 1000, 1000, 1400, 1400, 1800, 1800]


def test_odin_has_its_power_law():
    chip = load_chip("odin")
    watts = chip.power["static_core"].value + chip.power["clock"].value * chip.clock["frequency"].value  # mW
    total = watts * 1e-3 + counted(chip, synops=37_500_000)  # in one second
    assert total == pytest.approx(476.925e-6, rel=1e-9) and total == pytest.approx(477e-6, rel=0.01)
    assert chip.time["forward.synops"].value == pytest.approx(2 * 1000 / 75)
    assert load_chip("odin", {"clock.frequency.value": 1.0}).time["forward.synops"].value == pytest.approx(2000)


def test_truenorth_meets_a_total_that_it_was_not_fitted_to():
    chip = load_chip("truenorth")
    events = round(1_048_576 * 20.07 * 128)
    total = chip.power["static_chip"].value * 1e-3 + counted(chip, synops=events, words_read=events, hops_x=events)
    assert total == pytest.approx(71e-3, rel=0.01)
    assert chip.mesh.cores == 4096 and chip.barrier(1) == chip.barrier(4096) == 1e6


def test_loihi2_scaled_says_so_at_every_price():
    base, scaled = load_chip("loihi1"), load_chip("loihi2-scaled")
    for event, price in scaled.energy.items():
        assert price.value == base.energy[event].value / 2
        assert price.included_in or (
            price.basis == "assumed" and "half of Loihi 1" in price.source and price.high == 3 * price.value
        )
    assert {event: price.value for event, price in scaled.time.items()} == {
        event: price.value for event, price in base.time.items()
    }
    assert not load_chip("loihi2").energy and not load_chip("loihi2").time


def test_the_template_names_every_key():
    text = catalog.find("hw_configs", "template").read_text(encoding="utf-8")
    keys = {*Header.model_fields, *EnginePolicy.model_fields, *sections.MESH, *sections.LIMITS, *sections.LEARNING_LIMITS,
            *sections.LOG_LIMITS, *sections.WIDTHS, *sections.OPTIONAL_WIDTHS, *sections.POWERS, *sections.AREAS, *sections.CLOCK,
            *sections.QUEUE, *sections.CONGESTED, *sections.ENGINE, *work.OPERATIONS, *build.SECTIONS, *build.REPLAY}  # fmt: skip
    assert {key for key in keys if key not in text} == set()


def test_the_page_tells_of_every_chip_and_its_component_example_is_one(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "chips.md").read_text(encoding="utf-8")
    table = page.partition("## Shipped chips")[2].partition("\n## ")[0]
    assert {name for name in SHIPPED if f"`{name}`" not in table} == set()
    example = page.partition("    style = ")[2].partition("\n\n")[0]
    tables = catalog.read_toml(catalog.find("hw_configs", "loihi1"))
    (tmp_path / "part.toml").write_text(textwrap.dedent("    style = " + example), encoding="utf-8")
    written = catalog.read_toml(tmp_path / "part.toml")
    chip = build.build({**tables, **written, "energy": {}, "power": {}}, "mine")
    assert set(chip.energy) == {"forward.words_read", "backward.words_read", "update.visits"}


# --- the collected numbers


def collected() -> dict | None:
    """Return the collected numbers, None where they are not at hand."""
    data = os.environ.get("CHIPSIM_DATA")
    path = Path(data).parent / "reference" / "hardware" / "numbers.toml" if data else None
    return catalog.read_toml(path) if path and path.is_file() else None


def rows(table: dict) -> list[dict]:
    """Return every number of nested tables."""
    if "value" in table and "unit" in table:
        return [table]
    return [row for inner in table.values() if isinstance(inner, dict) for row in rows(inner)]


def same(number: Quantity, row: dict) -> bool:
    """Return whether a number of a chip is the collected one: value, range, basis, source and how it was seen."""
    units = (*UNITS.values(), {"Mbit": 2**20, "bit": 1})
    factor = next((each[row["unit"]] for each in units if row["unit"] in each and number.unit in each), None)
    if row["unit"] == "cycle" or factor is None:
        return row["unit"] == "cycle" and row["source"] == number.source and row["basis"] == number.basis
    ends = [None if row.get(end) is None else pytest.approx(row[end] * factor) for end in ("value", "lo", "hi")]
    said = (row["basis"], row["source"], row["seen"])
    return [number.value, number.lo, number.hi] == ends and (number.basis, number.source, number.seen) == said


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(set(SHIPPED) - MADE_UP))
def test_its_numbers_are_the_collected_ones(name):
    table = collected()
    if table is None:
        pytest.skip("the collected numbers are not beside the data")
    known, chip = rows(table), load_chip(name)
    tables = (
        chip.layout,
        chip.limits,
        chip.widths,
        chip.energy,
        chip.time,
        chip.power,
        chip.clock,
        chip.memory,
        chip.operation,
        chip.area,
    )
    numbers = {(n, key): q for n, each in enumerate(tables) for key, q in each.items()}
    numbers |= {("barrier", tiles): q for tiles, q in chip.barrier_points}
    worked = {key for key, q in numbers.items() if q.basis in ("derived", "assumed") or getattr(q, "included_in", "")}
    assert [key for key, q in numbers.items() if key not in worked and not any(same(q, row) for row in known)] == []
    sources = {row["source"].partition(",")[0] for row in known}
    derived = [key for key in worked if numbers[key].seen and not any(s in numbers[key].source for s in sources)]
    assert derived == []


def test_chips_shows_all_of_it(capsys):
    def shown(*words: str) -> str:
        assert main(list(words)) == 0
        return capsys.readouterr().out

    listed = shown("chips").splitlines()
    assert [line.split()[0] for line in listed] == list(SHIPPED)
    assert next(line for line in listed if line.startswith("seneca")).split()[3] == "component"
    odin = shown("chips", "odin")
    assert all(
        said in odin
        for said in ("cycles: the exact formula of odin", "[clock]", "frequency", "[area]", "learning engine: visits active")
    )
    facts = json.loads(shown("chips", "seneca", "--json"))["chip"]
    assert facts["style"] == "component" and facts["memory"]["synapses.read"]["value"] == pytest.approx(3.7 / 16)
    assert (
        facts["operation"]["add"]["low"] < 1.4 and facts["area"]["core"]["unit"] == "mm2" and facts["engine"]["visit"] == "active"
    )
    assert "\n".join(chip_lines(load_chip("odin"))) in odin
