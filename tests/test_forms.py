"""learning.form and learning.transport: four ways to the same gradient; in fixed point each bit for bit its own reference."""

from __future__ import annotations

from collections import Counter

import generaldraws
import numpy as np
import pytest
import trainbridge
from chipdraws import JIT, few
from generaldraws import general
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_general_gradients import assert_equal
from test_training_equal import cases

import chipsim as cs
from chipsim.compiler import compile_network, field_rows
from chipsim.counters import ROW
from chipsim.errors import CapacityError, ConfigError
from chipsim.simulator.links import LinkTable

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
REGULARISERS = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}
KINDS = ("delta-lif", "if", "adaptive-lif")
FORMS = [("B", "gather"), ("B", "push"), ("A", "gather"), ("A", "push")]
OTHER = [pair for pair in FORMS if pair != ("B", "gather")]


@pytest.mark.parametrize("form, transport", OTHER)
def test_random_networks_equal_the_oracle_in_float(form, transport):
    seen = Counter()

    @settings(max_examples=80, **FREE)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([None, REGULARISERS]), st.sampled_from([None, 10]))
    def compare(seed, regularisers, sharpness):
        told = {"form": form, "transport": transport}
        net, network, x, y = generaldraws.draw(seed, KINDS, regularisers=regularisers, sharpness=sharpness, learning=told)
        expected = general.gradients(net, x, y)
        assume(expected.loss > 1e-2)
        assert_equal(net, network, x, y, expected)
        for g, q in zip(expected.weights, net.projections, strict=True):
            if np.any(g):
                seen.update({"recurrent" if q.pre == q.post else "feedback" if q.pre > q.post else "skip" if q.pre < q.post - 1 else
                             "next", "dense" if q.mask.all() else "sparse", f"into {net.populations[q.post].kind}"})  # fmt: skip

    compare()
    names = ("recurrent", "feedback", "skip", "next", "dense", "sparse", *(f"into {kind}" for kind in KINDS))
    assert min(seen[name] for name in names) >= 5, seen


@pytest.mark.kernel
@pytest.mark.parametrize("form, transport", OTHER)
def test_random_networks_train_as_the_reference_does_in_fixed_point(form, transport):
    found = Counter()

    @settings(max_examples=few(60), **FREE)
    @given(cases(form=st.just(form), transport=st.just(transport)))
    def compare(case):
        network, chip, x, y, faster, seed = case
        try:
            image = compile_network(network, chip)
        except CapacityError:  # a partial error or a log record wider than the chip's
            assume(False)
        shifts = [max(0, -image.formats.write_shift(k, 0)) + faster for k in range(len(network.projection))]
        both = trainbridge.Both(image, shifts, seed)
        assert trainbridge.told_memory(image) == trainbridge.learning_memory(image, both.trainer)
        for b in range(x.shape[1]):
            assert both.differences(x[:, b], int(y[b]), b, 3) == {}
            found.update(name for name, n in trainbridge.tallied(both.result).items() if n)
        found.update(
            set(p.neuron for p in network.population)
            | {network.learning.scan, chip.axons, chip.arithmetic.decay, network.readout}
        )
        found.update({"networks", network.learning.loss})
        homes = [s.core for s in image.slices]
        found.update({"shared"} if len(set(homes)) < len(homes) else set())

    compare()
    if not JIT:
        return
    assert found["networks"] >= 40, found
    some = {*KINDS, "clocked", "touched", "unicast", "multicast", "lazy", "shared", "sum", "max", "step", "score"}
    assert min(found[name] for name in some) >= 5, found
    events = ["replay error_packets", "replay gather_adds", "replay writes"]
    events += (
        ["walk row_adds", "walk trace_decays", "walk rows_read", "replay log_rewrites"] if form == "A" else ["replay row_adds"]
    )
    events += ["replay copy_writes", "replay hops_x"] if transport == "push" else ["replay rows_gathered", "forward mark_packets"]
    assert min(found[event] for event in events) >= 10, found
    assert transport == "gather" or not found["forward mark_packets"] + found["replay rows_gathered"]


@pytest.mark.parametrize("key, value", [("form", "A"), ("transport", "push")])
def test_what_a_form_does_not_train_is_refused_by_name(key, value):
    network = cs.load_model("digits")

    def problems(**learning):
        with pytest.raises(ConfigError) as error:
            compile_network(network.but(learning={key: value, **learning}), cs.load_chip("loihi1-ssgd"))
        return [p.key for p in error.value.problems]

    assert problems(apply="inplace") == [f"learning.{key}"]
    assert problems(rule="eprop") == [f"learning.{key}"]
    _, loihi, x, y = generaldraws.draw(1, ("loihi-lif",), learning={key: value})
    with pytest.raises(ConfigError) as error:
        cs.gradients(loihi, x, y)
    assert all(p.key == f"learning.{key}" and "loihi-lif" in p.limit for p in error.value.problems)


def test_a_record_must_hold_ds():
    """Form A: step (5 bits) + neuron (8) + ds (16) is 29 bits; 28 hold the code (6), but ds only with at most 127 neurons on a core."""
    narrow, neurons = cs.load_chip("loihi1-ssgd", {"width.log_word.value": 28}), {}
    for form in "BA":
        image = compile_network(cs.load_model("digits", {"learning.form": form}), narrow)
        neurons[form] = max(s.size for s in image.slices[1:])
        assert all(m.limits["log_word_bits"][0] <= 28 for m in image.memory)
    assert neurons["A"] <= 127 < neurons["B"] == 200
    with pytest.raises(CapacityError) as error:
        compile_network(
            cs.load_model("digits", {"learning.form": "A"}), cs.load_chip("loihi1-ssgd", {"width.log_word.value": 20})
        )
    assert "log_word_bits" in str(error.value)


@pytest.mark.parametrize("form, transport", OTHER)
def test_packets_load_the_links_they_take(form, transport):
    """Over all links: the counted hops of every step, of errors and of copies."""
    where = {"hidden1": [3, 60], "hidden2": [40, 9], "out": [7, 90]}
    told = {"learning.form": form, "learning.transport": transport, "population.hidden1.size": 30, "population.hidden2.size": 20}
    network = cs.load_model("digits", told).but(placement={"strategy": "manual", "cores": where})
    image = compile_network(network, cs.load_chip("loihi1-ssgd"))
    kernels = trainbridge.bridge.Kernels(image, [6, 5, 5], 1)
    seen = np.random.default_rng(1).random((30, 64)) < 0.15
    kernels.run([np.flatnonzero(row).tolist() for row in seen], 3)
    activity = type(kernels.work.activity)(*(a[None] for a in kernels.work.activity))
    loads, counters = LinkTable(image).loads(activity, True), kernels.counters()
    for load, key, axes in (
        (loads.replay, ("backward", "replay"), "error_hops_{}"),
        (loads.copies, ("update", "replay"), "hops_{}"),
    ):
        rows = [ROW[(*key, axes.format(axis))] for axis in "xy"]
        assert load[0].sum(axis=1).tolist() == counters.counts[0, rows].sum(axis=(0, 2)).tolist()
    assert loads.replay.any() and loads.copies.any() == (transport == "push")


def trained(form, transport, **more):
    network = cs.load_model("digits", {"learning.form": form, "learning.transport": transport, "population.out.size": 10})
    return cs.train(network, "loihi1-ssgd", samples=60, passes=1, **more)


def test_the_four_forms_move_the_same_weights_in_float():
    runs = [trained(*pair, numerics="float64") for pair in FORMS]
    for run in runs[1:]:
        for name, w in run.stored.items():
            assert general.dense.deviation(w, runs[0].stored[name]) <= 1e-9


def test_each_form_has_its_price():
    found = {}
    for pair in FORMS:
        run = trained(*pair)
        found[pair] = run.counters.table()
        energy, time = run.summary["energy_j_per_sample"], run.summary["time_s_per_sample"]
        assert energy["backward"] > 0 and time["backward"] > 0
        unpriced = {key for key in run.summary.get("unpriced", {}) if key.startswith(("backward", "update"))}
        assert unpriced <= {"backward.packets_in", "backward.barriers", "update.packets_in", "update.barriers"}
    for (form, transport), table in found.items():
        back = table["backward"]
        assert (back["trace_updates"] > 0) == (back["log_rewrites"] > 0) == (form == "A")
        assert (back["mark_packets"] > 0) == (back["rows_gathered"] > 0) == (transport == "gather")
        assert (table["update"]["copy_writes"] > 0) == (transport == "push")
        assert back["barriers"] == 60 * 29 * (2 if form == "A" else 1)


def test_every_stored_number_is_told():
    image = compile_network(
        cs.load_model("digits", {"learning.form": "A", "learning.transport": "push"}), cs.load_chip("loihi1-ssgd")
    )
    rows = {(row["of"], row["field"]): (row["bits"], row["fraction"], row["signed"]) for row in field_rows(image)}
    assert rows["hidden1", "trace"] == (12, 8, False) and rows["hidden2", "pushed error"] == (16, 10, True)
    assert ("hidden1", "pushed error") not in rows and (
        "hidden1",
        "delta",
    ) not in rows  # its input is at the host; ds is all that is kept
