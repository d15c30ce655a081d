"""Packets on links: equal to a walk packet by packet, adding up to the hops, and part of the time of a step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.cost import price_time
from chipsim.counters import EVENTS, Counters, LinkLoads
from chipsim.events import as_events
from chipsim.simulator.account import account
from chipsim.simulator.engine import Block
from chipsim.simulator.links import LinkTable
from chipsim.training.learner import Learner

STEPS, CHIP = (
    12,
    {"limits.compartments_per_core.value": 4, "mesh.tiles_x.value": 3, "mesh.tiles_y.value": 4, "mesh.host_tile.value": 5},
)


@pytest.fixture(scope="module")
def ran():
    return run_once()


def run_once(**learning):
    """One learned sample on a network of twelve slices: image, and activity per step."""
    network = cs.ssgd_network(
        9, (15, 17), 6, steps=STEPS, readout="sum", surrogate="box", half_width=0.5, init={"gain": 5.0}, seed=3
    )
    network = network.but(learning={**network.learning.model_dump(), **learning})
    image = compile_network(network, cs.load_chip("toy", CHIP))
    learner, block = Learner(image), Block()
    events = as_events((np.random.default_rng(0).random((STEPS, 1, 9)) < 0.4).astype(float), 9)
    learner.engine.forward(image.weights, events.of_sample(events.spikes(np.int64), 0))
    learner.backward(image.weights, np.zeros(len(image.weights), dtype=np.int64), 2)
    block.keep(learner.engine.work.activity)
    return image, block.take()


def walk(image, counts, backward=False):
    """Send `counts` [T, G] packets per group of neurons one by one; return {(t, link): packets}."""
    mesh, found = image.chip.mesh, Counter()
    for t, row in enumerate(counts):
        for g, number in enumerate(row):
            s = int(image.routes.slice_of[g])
            for b, target in enumerate(image.slices):
                if image.routes.axons[g, b]:
                    ends = (target.core, image.slices[s].core) if backward else (image.slices[s].core, target.core)
                    for link in mesh.links(*ends):
                        found[t, link] += int(number)
    return +found


def table(image, loads):
    links = sorted({link for a in image.slices for b in image.slices for link in image.chip.mesh.links(a.core, b.core)})
    return {(int(t), links[n]): int(loads[0, t, n]) for _, t, n in np.argwhere(loads)}


def test_loads_equal_a_walk_packet_by_packet(ran):
    image, a = ran
    loads = LinkTable(image).loads(a, learned=True)
    assert len(image.slices) >= 11 and len(loads.kinds) > 8 and set(loads.kinds) == {"x", "y"}
    sent = [np.vstack([counts[0][:-1], 0 * counts[0][:1]]) for counts in (a.spikes, a.marks, a.active)]
    assert table(image, loads.forward) == walk(image, sent[0]) != {}
    assert table(image, loads.marking) == walk(image, sent[1]) != {}
    late = np.vstack([0 * sent[2][:1], sent[2][:-1]])
    errors = loads.replay.copy()
    errors[0, -1] -= LinkTable(image).loss_packets()
    assert table(image, errors) == walk(image, late, backward=True) != {}


def test_loads_add_up_to_the_hops(ran):
    image, a = ran
    loads, counts = LinkTable(image).loads(a, learned=True), account(image, a, learned=True)

    def hops(phase, *events):
        return sum(int(counts.of(phase, e).sum()) for e in events)

    assert loads.forward.sum() == hops("forward", "hops_x", "hops_y") > 0
    assert loads.marking.sum() == hops("backward", "hops_x", "hops_y") > 0
    assert loads.replay.sum() == hops("backward", "error_hops_x", "error_hops_y") > LinkTable(image).loss_packets().sum() > 0
    x = np.array([kind == "x" for kind in loads.kinds])
    assert loads.forward[..., x].sum() == hops("forward", "hops_x") > 0


def test_a_replay_step_takes_its_slowest_core_plus_its_hottest_link():
    chip = replace(cs.load_chip("toy"), network_time="hottest_link")
    counts = np.zeros((1, len(EVENTS), 3, 2), dtype=np.int64)
    counts[0, EVENTS.index(("backward", "replay", "row_adds")), 1, 0] = 10
    core = price_time(Counters(counts, np.array([0, -1])), chip, 1).backward_s
    none = np.zeros((1, 3, 1), dtype=np.int64)
    loads = LinkLoads(("x",), none, none, np.array([[[0], [7], [0]]]), none)
    both = price_time(Counters(counts, np.array([0, -1])), chip, 1, loads).backward_s
    hop = chip.time["backward.error_hops_x"].value * 1e-9
    assert core > 0 and both == pytest.approx(core + 7 * hop)


@pytest.mark.parametrize(
    "options",
    [
        {"rule": "ssgd-online"}, {"rule": "eprop"}, {"rule": "etlp"}, {"rule": "ssgd-online", "signal": "dfa"},
        {"rule": "ssgd-online", "signal": "sym-trace", "align": "same"}, {"rule": "decolle"},
    ],
)  # fmt: skip
def test_loads_of_online_rules_add_up_to_the_hops(options):
    image, a = run_once(**options)
    loads, counts = LinkTable(image).loads(a, learned=True), account(image, a, learned=True)

    def hops(*events):
        return counts.of("backward", events[0]).sum() + counts.of("backward", events[1]).sum()

    assert loads.signals.sum() == hops("error_hops_x", "error_hops_y") > 0 and loads.replay.sum() == 0
    assert loads.marking.sum() == hops("hops_x", "hops_y")
    per_step = (
        counts.total().counts[[EVENTS.index(("backward", "forward", f"error_hops_{way}")) for way in "xy"]].sum(axis=(0, 2))
    )
    assert np.array_equal(loads.signals[0].sum(axis=1), per_step)


def test_loads_of_a_deferred_rule_add_up_to_the_hops():
    image, a = run_once(rule="ssgd-deferred")
    loads, counts = LinkTable(image).loads(a, learned=True), account(image, a, learned=True)

    def rows(stage, prefix):
        table = counts.total().counts
        return table[[EVENTS.index(("backward", stage, f"{prefix}_{way}")) for way in "xy"]].sum(axis=(0, 2))

    assert np.array_equal(loads.marking[0].sum(axis=1), rows("forward", "hops")) and loads.marking.sum() > 0
    assert np.array_equal(loads.replay[0].sum(axis=1), rows("replay", "error_hops")) and loads.replay.sum() > 0
    assert loads.signals.sum() == 0
