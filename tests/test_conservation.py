"""Nothing is lost or found twice between counts and bill, on real runs: cores, phases, engines of learning, static energy."""

from __future__ import annotations

import copy
import dataclasses

import bridge
import numpy as np
import pytest

import chipsim as cs
from chipsim.cost import price_energy, price_time
from chipsim.cost.engine import engine_prices, idle_events
from chipsim.counters import HOST, PHASES, Counters, events_of
from chipsim.hardware import build_chip
from chipsim.hardware.work import OF_THE_ENGINE

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}
ROOM = {"compartments_per_core": 7, "tiles_x": 2, "tiles_y": 3, "cores_per_tile": 2, "host_tile": 3, "axons_in_per_core": 10**5,
        "axons_out_per_core": 10**5, "learning_bits_per_core": 10**9, "sram_bits_per_core": 10**9, "log_words_per_core": 10**5,
        "synapse_words_per_core": 10**5}  # fmt: skip
PJ, NS = 1e-12, 1e-9


def engine(chip=None, **learning):
    """Return the toy chip (or another) with a [learning] table."""
    table = copy.deepcopy(dict((chip or bridge.toy(**ROOM)).table))
    table["learning"] = {"source": "a test", **table.get("learning", {}), **learning}
    return build_chip(table, "engine")


def number(value, unit):
    return {"value": value, "unit": unit, "basis": "assumed", "source": "a test", "scope": "incremental"}


@pytest.fixture(scope="module")
def run():
    return cs.train(cs.load_model("digits", SMALL), bridge.toy(**ROOM), samples=40, passes=1)


def test_sums_over_cores_are_those_of_the_network(run):
    """One core per population and no chip: what does not depend on the cut is the same in sum; energy is shared out whole."""
    alone = cs.train(cs.load_model("digits", SMALL), bridge.toy(**{**ROOM, "compartments_per_core": 100}), samples=40, passes=1)
    assert run.image.cores_used > 2 * alone.image.cores_used == 6
    same = {"forward": ("synops", "neuron_updates", "spikes", "inputs_injected"), "backward": ("row_adds", "gather_adds", "evaluations"),
            "update": ("evaluations", "random_draws", "writes", "writes_skipped")}  # fmt: skip
    for phase, events in same.items():
        for event in events:
            assert run.counters.of(phase, event).sum() == alone.counters.of(phase, event).sum() > 0, (phase, event)
    dynamic = sum(getattr(run.energy, f"{phase}_j") for phase in PHASES)
    assert sum(run.energy.per_core_j.values()) == pytest.approx(dynamic, rel=1e-12)
    assert dynamic + run.energy.static_j == pytest.approx(run.energy.total_j, rel=1e-12)
    units = sum(sum(row.values()) for row in run.energy.by_unit.values())
    assert units == pytest.approx(run.energy.total_j, rel=1e-12)
    assert sum(getattr(run.time, f"{phase}_s") for phase in PHASES) == pytest.approx(run.time.total_s, rel=1e-12)


def test_energy_is_linear_in_counts_and_static_energy_in_time(run):
    chip, counts = run.chip, run.counters
    for factor in (2, 5):
        more = Counters(factor * counts.counts, counts.cores, counts.samples)
        found = price_energy(more, chip, run.time.total_s, run.image.cores_used)
        for phase in PHASES:
            assert getattr(found, f"{phase}_j") == pytest.approx(factor * getattr(run.energy, f"{phase}_j"), rel=1e-12)
        assert found.static_j == run.energy.static_j
        longer = price_energy(counts, chip, factor * run.time.total_s, run.image.cores_used)
        assert longer.static_j == pytest.approx(factor * run.energy.static_j, rel=1e-12)
        assert longer.forward_j == run.energy.forward_j
    expected = run.chip.power["static_core"].value * 1e-3 * run.image.cores_used * run.time.total_s
    assert run.energy.static_j == pytest.approx(expected, rel=1e-12)


def test_every_word_is_visited_or_skipped(run):
    """Every update knows all plastic words of a core: those it holds, since this policy keeps no state beside the weight."""
    held = {memory.core: memory.limits["synapse_words_per_core"][0] for memory in run.image.memory}
    visits, skipped, epochs = (run.counters.of("update", e).sum(axis=0) for e in ("visits", "visits_skipped", "epochs"))
    for core, seen, left, times in zip(run.counters.cores.tolist(), visits, skipped, epochs, strict=True):
        assert seen + left == 40 * held.get(core, 0) and times == (40 if core != HOST else 0)
    assert 0 < visits.sum() and 0 < skipped.sum()
    written, kept, evaluated = (run.counters.of("update", e) for e in ("writes", "writes_skipped", "evaluations"))
    assert np.array_equal(written + kept, evaluated) and 0 < written.sum() < evaluated.sum()


def test_an_engine_that_visits_everything_pays_for_it_and_one_that_is_gated_does_not(run):
    plain = cs.reprice(run)
    same = cs.reprice(run, engine(visit="active", read="gated", write="changed"))
    assert (same.energy, same.time) == (plain.energy, plain.time) == (run.energy, run.time)
    skipped, kept = (int(run.counters.of("update", e).sum()) for e in ("visits_skipped", "writes_skipped"))
    everything = cs.reprice(run, engine(visit="all", read="always"))
    assert everything.energy.update_j - plain.energy.update_j == pytest.approx(skipped * PJ, rel=1e-9)  # a visit: 1 pJ, 1 ns
    assert everything.energy.backward_j == plain.energy.backward_j and everything.energy.complete
    stepped = cs.reprice(run, engine(visit="all", read="gated"))
    assert stepped.energy.update_j == plain.energy.update_j and stepped.time.update_s == everything.time.update_s
    written = cs.reprice(run, engine(write="always"))
    assert written.energy.update_j - plain.energy.update_j == pytest.approx(kept * PJ, rel=1e-9)
    assert written.time.update_s > plain.time.update_s
    assert (
        plain.time.update_s
        < stepped.time.update_s
        <= plain.time.update_s + 40 * NS * max(m.limits["synapse_words_per_core"][0] for m in run.image.memory)
    )
    assert everything.energy.uncertainty.total.nominal == pytest.approx(everything.energy.total_j)


def test_an_engine_whose_visits_nobody_counts_leaves_the_bill_open(run):
    for visit in ("presynaptic", "postsynaptic"):
        found = cs.reprice(run, engine(visit=visit, read="always"))
        assert found.energy.unpriced == {"update.visits_skipped": int(run.counters.of("update", "visits_skipped").sum())}
        assert found.energy.update_j == run.energy.update_j and "update.visits_skipped" in found.time.unpriced
    lumped = engine(cs.load_chip("loihi1-ssgd"), visit="all", read="always", write="always")
    left = set(cs.reprice(run, lumped).energy.unpriced) - set(cs.reprice(run, "loihi1-ssgd").energy.unpriced)
    assert left == set(), "the assumed extension says what a synapse takes that is visited for nothing"
    published = copy.deepcopy(dict(lumped.table))
    for section in ("energy", "time"):
        del published[section]["update"]["evaluations_skipped"]
    found, plain = cs.reprice(run, build_chip(published, "published")), cs.reprice(run, "loihi1-ssgd")
    left = set(found.energy.unpriced) - set(plain.energy.unpriced)
    assert left == {"update.visits_skipped", "update.evaluations_skipped"}  # 120 pJ hold what belongs to one evaluated synapse
    assert set(found.time.unpriced) - set(plain.time.unpriced) == left
    assert found.energy.rows_pj["update", "writes_skipped"] == 0.0, (
        "an evaluation holds its write, whether the weight changed or not"
    )


def test_a_lumped_engine_that_visits_all_can_be_compared_with_one_that_visits_what_is_active(run):
    active = cs.reprice(run, "loihi1-ssgd")
    every = cs.reprice(run, engine(cs.load_chip("loihi1-ssgd"), visit="all", read="always"))
    done, left = (int(run.counters.of("update", event).sum()) for event in ("evaluations", "evaluations_skipped"))
    synapses = 40 * (64 * 20 + 20 * 16 + 16 * 10)
    assert done + left == synapses and 0 < done < left
    assert active.energy.rows_pj["update", "evaluations"] == 120 * done
    assert every.energy.update_j - active.energy.update_j == pytest.approx(120 * left * PJ, rel=1e-9)
    assert every.energy.unpriced == active.energy.unpriced and every.time.unpriced == active.time.unpriced
    assert every.time.update_s > active.time.update_s and every.energy.assumed_share > active.energy.assumed_share
    gated = cs.reprice(run, engine(cs.load_chip("loihi1-ssgd"), visit="all", read="gated"))
    assert gated.energy.update_j == active.energy.update_j and gated.time.update_s == every.time.update_s
    assert sum(row["energy_j"] for row in every.breakdown("core")) == every.summary["energy_j_per_sample"]["total"]


def test_a_price_of_its_own_wins_over_the_engine(run):
    table = copy.deepcopy(dict(engine(visit="active").table))
    table["energy"]["update"]["visits_skipped"] = number(0.25, "pJ")
    table["energy"]["update"]["epochs"] = number(7.0, "pJ")
    found = cs.reprice(run, build_chip(table, "own"))
    skipped, epochs = (int(run.counters.of("update", e).sum()) for e in ("visits_skipped", "epochs"))
    assert found.energy.rows_pj["update", "visits_skipped"] == pytest.approx(0.25 * skipped)
    assert found.energy.update_j - run.energy.update_j == pytest.approx((0.25 * skipped + 7 * epochs) * PJ, rel=1e-9)


@pytest.mark.parametrize("lanes, epoch", [(4, None), (None, 500.0), (3, 20.0)])
def test_lanes_share_the_time_of_synapses_and_an_epoch_adds_its_own(run, lanes, epoch):
    numbers = {"lanes": lanes and number(lanes, "count"), "epoch": epoch and number(epoch, "ns")}
    chip = engine(**{key: value for key, value in numbers.items() if value})
    found, price = cs.reprice(run, chip), {e: p.value for e, p in run.chip.time.items()}
    total = 0.0
    for activity, _ in run.recording.blocks():
        from chipsim.simulator.account import account

        counted = account(run.image, activity, learned=True)
        for sample in counted.counts:
            one = Counters(sample, counted.cores, 1)
            work = {e: one.of("update", e)[0, :-1] for e in ("visits", "evaluations", "random_draws", "writes", "epochs")}
            beside = (work["visits"] * price["update.visits"] + work["evaluations"] * price["update.evaluations"]) / (lanes or 1)
            alone = sum(work[e] * price[f"update.{e}"] for e in ("random_draws", "writes")) + work["epochs"] * (epoch or 0.0)
            total += (beside + alone).max() + run.chip.barrier(1)
    assert found.time.update_s == pytest.approx(total * NS, rel=1e-9)
    assert found.energy.update_j == run.energy.update_j and found.time.complete


def test_learning_in_forward_steps_may_hide_in_them():
    from test_cost import counters

    entries = [
        ("forward", "forward", "synops", 1, 0, 30), ("forward", "forward", "synops", 2, 0, 30),
        ("update", "forward", "visits", 1, 0, 20), ("update", "forward", "visits", 2, 1, 45),
        ("update", "replay", "visits", 0, 0, 10),
    ]  # fmt: skip
    toy = cs.load_chip("toy")
    beside = dataclasses.replace(toy, engine=dataclasses.replace(toy.engine, overlap="with_spiking"))
    assert price_time(counters(*entries), toy, 1).update_s == pytest.approx(75 * NS)
    found = price_time(counters(*entries), beside, 1)
    assert found.update_s == pytest.approx((0 + 15 + 10) * NS) and found.forward_s == pytest.approx(60 * NS)


@pytest.mark.parametrize("name", ["loihi1", "loihi1-ssgd", "toy", "toy-event", "loihi1-calibrated", "generic-45nm"])
def test_shipped_price_lists_are_not_touched_by_the_engine(name):
    chip = cs.load_chip(name)
    for section in ("energy", "time"):
        own = {event: price for event, price in getattr(chip, section).items() if event != "update.evaluations_skipped"}
        assert dict(engine_prices(chip, section)) == own
        assert idle_events(chip, section) == OF_THE_ENGINE
    assert {event.partition(".")[2] for event in OF_THE_ENGINE} <= set(events_of("update"))
