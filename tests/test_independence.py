"""Results do not depend on where neurons lie, on threads, or on other samples; which counts do, and on what."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs

SIZES = {"population.hidden1.size": 20, "population.hidden2.size": 16, "schedule.float.batch": 20}
CHIP, FAR_HOST = "loihi1-ssgd", {"mesh.host_tile.value": 22}
SMALL_CORES = {"limits.compartments_per_core.value": 8}  # hidden1 in 3 parts, hidden2 and out in 2
SAMPLES, PASSES = 60, 2

# Sums over cores and steps, by what they depend on. Cut: in how many parts a population is; place: on which cores.
ALWAYS_EQUAL = {
    "forward": "inputs_injected synops updates_active updates_idle neuron_updates spikes barriers",
    "backward": "gate_checks band_lookups active_log_entries softmax_evaluations trace_decays error_updates "
    "evaluations row_adds gather_adds barriers trace_updates eligibility_decays rules_readout rules_active rules_pre rules_post "
    "random_draws rules_error rules_epoch rules_sample_end log_rewrites",
    "update": "evaluations evaluations_skipped random_draws writes writes_skipped optimiser_updates barriers terms trace_updates "
    "copy_packets copy_writes packets_in hops_x hops_y hops_local hops",  # terms and what follows: 0 here
}
OF_THE_CUT = {  # a packet, a record and a row of words per slice; visits are words of the rows that are dirty on a core
    "forward": "packets packets_in words_read",
    "backward": "spike_log_entries log_words mark_packets packets_in score_packets broadcasts log_reads rows_read "
    "rows_skipped rows_gathered words_read error_packets",
    "update": "visits visits_skipped",
}
OF_THE_PLACE = {
    "forward": "hops_x hops_y hops_local hops",
    "backward": "hops_x hops_y hops_local hops error_hops_x error_hops_y error_hops_local error_hops",
    "update": "epochs",  # one per core
}

STOCHASTIC = {"arithmetic.rounding": "stochastic"}
LAZY = STOCHASTIC | {"arithmetic.decay": "lazy", "arithmetic.decay_table": 64}
CASES = {  # changes of the model, changes of the chip
    "as shipped": ({}, {}),
    "nearest write": ({"learning.write": "nearest", "schedule.fixed.calibrate": 0.05}, {}),
    "stochastic decays": ({}, STOCHASTIC),
    "stochastic and lazy decays": ({"learning.scan": "touched"}, LAZY),
    "maximum, regularised": ({"population.out.readout": "max", "learning.regularisers": {"lower": 10.0}}, STOCHASTIC),
}


def model(changes=(), **placement):
    return cs.load_model("digits", {**SIZES, **dict(changes)}).but(placement=placement)


def by_hand(seed, parts, shared=()):
    """Return random cores, so many parts of each population; shared: pairs of populations with a common core."""
    deck = np.random.default_rng(seed).permutation(128).tolist()
    where = {name: [deck.pop() for _ in range(n)] for name, n in zip(("hidden1", "hidden2", "out"), parts, strict=True)}
    for one, other in shared:
        where[one][-1] = where[other][0]
    return {"strategy": "manual", "cores": where}


def placements():
    """Return {name: (placement, changes of the chip)}; the first two have the same cut."""
    return {
        "in-order": ({"strategy": "in-order"}, SMALL_CORES),
        "min-traffic": ({"strategy": "min-traffic"}, SMALL_CORES),
        "apart": (by_hand(1, (4, 3, 5)), {}),
        "shared": (by_hand(2, (2, 5, 3), [("hidden2", "hidden1"), ("out", "hidden2"), ("hidden1", "out")]), {}),
    }


def trained(changes, of_chip, numerics="fixed", **more):
    """Return {name: run} over all placements; the second one with two threads."""
    found = {}
    for name, (where, limits) in placements().items():
        chip = cs.load_chip(CHIP, {**FAR_HOST, **of_chip, **limits})
        threads = 2 if name == "min-traffic" else 1
        found[name] = cs.train(
            model(changes, **where), chip, numerics=numerics, samples=SAMPLES, passes=PASSES, threads=threads, **more
        )
    return found


def assert_learned(run):
    before = run.image.tensors(run.image.weights)
    assert all((run.stored[name] != before[name]).any() for name in before)
    assert all(0 < row[key] < 0.5 for row in run.summary["activity"].values() for key in row)


def assert_same(a, b):
    """Weights bit for bit, accuracy, and what every pass says of them."""
    assert set(a.stored) == set(b.stored) and all(np.array_equal(a.stored[n], b.stored[n]) for n in a.stored)
    assert a.accuracy == b.accuracy
    keys = ("loss", "train_accuracy", "test_accuracy", "activity")
    assert [[row[key] for key in keys] for row in a.metrics] == [[row[key] for key in keys] for row in b.metrics]
    assert a.summary["learning_rate_shifts"] == b.summary["learning_rate_shifts"]


def sums(run, groups):
    table = run.counters.table()
    return {(phase, event): table[phase][event] for phase, names in groups.items() for event in names.split()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_training_on_the_chip_does_not_depend_on_placement_or_threads(case):
    runs = trained(*case)
    first = runs["in-order"]
    assert_learned(first)
    assert len({tuple(s.core for s in run.image.slices) for run in runs.values()}) == 4
    assert len(runs["shared"].image.memory) < len(runs["shared"].image.slices) - 1
    for run in runs.values():
        assert_same(first, run)
        assert sums(run, ALWAYS_EQUAL) == sums(first, ALWAYS_EQUAL)


@pytest.mark.parametrize("numerics", ["float32", "float64"])
def test_training_in_float_does_not_depend_on_placement_or_threads(numerics):
    runs = trained({}, {}, numerics)
    assert_learned(runs["in-order"])
    for run in runs.values():
        assert_same(runs["in-order"], run)
        assert sums(run, ALWAYS_EQUAL) == sums(runs["in-order"], ALWAYS_EQUAL)


@pytest.mark.parametrize("numerics", ["fixed", "float32"])
def test_online_rules_with_feedback_that_adapts_do_not_depend_on_placement_or_threads(numerics):
    runs = trained({"learning.rule": "ssgd-online", "learning.signal": "adaptive"}, {}, numerics)
    assert_learned(runs["in-order"])
    for run in runs.values():
        assert_same(runs["in-order"], run)


def test_every_count_depends_on_nothing_or_the_cut_or_the_place():
    runs = trained({}, {})
    listed = [key for groups in (ALWAYS_EQUAL, OF_THE_CUT, OF_THE_PLACE) for key in sums(runs["apart"], groups)]
    assert sorted(listed) == sorted((phase, e) for phase, row in runs["apart"].counters.table().items() for e in row)
    plain, near, apart = (runs[name] for name in ("in-order", "min-traffic", "apart"))
    assert sums(plain, OF_THE_CUT) == sums(near, OF_THE_CUT)
    moved, cut = sums(plain, OF_THE_PLACE), sums(plain, OF_THE_CUT)
    assert not {key for key, n in sums(apart, OF_THE_CUT).items() if n == cut[key]}
    assert not {key for key, n in sums(apart, OF_THE_PLACE).items() if n == moved[key]}
    assert sums(near, OF_THE_PLACE)["forward", "hops"] < moved["forward", "hops"]


def test_evaluating_does_not_depend_on_placement_or_threads(tmp_path):
    for name, run in trained({}, STOCHASTIC, out=tmp_path / "run{n}").items():
        found = [cs.evaluate(run.run_dir, threads=threads) for threads in (1, 2, 3)]
        assert found[0] == found[1] == found[2] and found[0]["accuracy"]["test"] == run.accuracy.test, name


def simulated(x, rounding="stochastic", threads=1, **placement):
    """Return the simulation of a network with weights of its own on a chip that rounds so."""
    network = cs.ssgd_network(12, (15, 11), 4, steps=x.shape[0], tau_mem=8.0, init={"gain": 2.5}, seed=3)
    network = network.but(placement=placement) if placement else network
    chip = cs.load_chip("loihi1", {"arithmetic.rounding": rounding})
    return cs.simulate(network, x, chip, "fixed", threads=threads)


def sample(b, seed=0, steps=60):
    """Return one sample, [T, 1, N]; b: which."""
    return (np.random.default_rng([seed, b]).random((steps, 1, 12)) < 0.1).astype(float)


def batch(*which):
    return np.concatenate([sample(b) for b in which], axis=1)


def at(simulation, b):
    """Return everything recorded of sample b."""
    recorded = {**{f"s {n}": s for n, s in simulation.spikes.items()}, **{f"v {n}": v for n, v in simulation.v.items()}}
    return {**{name: found[:, b].tolist() for name, found in recorded.items()}, "scores": simulation.scores[b].tolist()}


@pytest.mark.parametrize("rounding", ["toward-zero", "stochastic"])
def test_a_simulation_repeats_on_any_cores_with_any_threads(rounding):
    x = batch(0, 1, 2, 3, 4)
    first = simulated(x, rounding)
    assert all(v.any() for v in first.v.values()) and all(s.any() for s in first.spikes.values())
    where = {"hidden1": [7, 90, 4], "hidden2": [90, 3], "out": [4, 0, 7]}
    again = [simulated(x, rounding), simulated(x, rounding, 2), simulated(x, rounding, 5)]
    for other in (*again, simulated(x, rounding, 3, strategy="manual", cores=where)):
        assert all(at(other, b) == at(first, b) for b in range(5))
        for event in ("spikes", "synops", "neuron_updates"):
            assert other.counters.of("forward", event).sum() == first.counters.of("forward", event).sum()
    assert all(np.array_equal(other.counters.counts, first.counters.counts) for other in again)


def test_a_sample_uses_the_random_words_of_its_own_number():
    """What sample b of a batch does depends on its own input and on b, and on no other sample."""
    same = simulated(batch(7, 7, 7))
    mixed = simulated(batch(5, 7, 6))
    assert at(mixed, 1) == at(same, 1)
    assert at(simulated(batch(7)), 0) == at(same, 0) and at(simulated(batch(0, 1, 7)), 2) == at(same, 2)
    assert at(same, 0)["v hidden1"] != at(same, 1)["v hidden1"] != at(same, 2)["v hidden1"]


def test_without_random_words_the_order_of_samples_does_not_matter():
    plain, turned = simulated(batch(0, 1, 2), "nearest"), simulated(batch(2, 0, 1), "nearest")
    assert [at(turned, b) for b in range(3)] == [at(plain, b) for b in (2, 0, 1)]
    assert np.array_equal(plain.counters.counts, turned.counters.counts)


@pytest.mark.parametrize("rule", ["ssgd-online", "eprop", "stdp"])
def test_online_rules_do_not_depend_on_placement(rule):
    """Same weights wherever neurons lie; evaluations too, while every core with neurons of a projection keeps its traces."""
    found = {}
    for name, (placement, changes) in placements().items():
        run = cs.train(model(**placement), cs.load_chip("loihi1-ssgd", changes), rule=rule, samples=20, passes=1)
        events = (
            "gather_adds",
            "rules_active",
            "rules_error",
            "rules_pre",
            "rules_readout",
            "eligibility_decays",
            "softmax_evaluations",
        )
        table = run.counters.table()
        found[name] = (
            {k: w.tolist() for k, w in run.stored.items()},
            [table["backward"][e] for e in events],
            table["update"]["writes"],
        )
    one = found["in-order"]
    assert all(other == one for other in found.values()) and one[2] > 0


@pytest.mark.parametrize(
    "learning",
    [{"form": "A"}, {"transport": "push"}, {"form": "A", "transport": "push", "loss": "step"}],
    ids=["A", "push", "A, push, step"],
)
def test_forms_of_replay_do_not_depend_on_placement_or_threads(learning):
    """Sums that do not depend on the cut either: of form A with traces all but decays and impulses, which each core makes for itself."""
    runs = trained({f"learning.{key}": value for key, value in learning.items()}, {})
    first = runs["in-order"]
    assert_learned(first)
    own = {"trace_decays", "trace_updates"} if "form" in learning else set()
    own |= {"packets_in"} if "transport" not in learning else set()
    update = [e for e in ALWAYS_EQUAL["update"].split() if "hops" not in e]
    for run in runs.values():
        assert_same(first, run)
        backward = [e for e in ALWAYS_EQUAL["backward"].split() if e not in own]
        backward = [e for e in backward if e != "active_log_entries"] if "loss" in learning else backward
        groups = {"forward": ALWAYS_EQUAL["forward"], "backward": " ".join(backward), "update": " ".join(update)}
        assert sums(run, groups) == sums(first, groups)
