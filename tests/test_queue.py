"""The event queue of a mesh: equal to plain Python, right where a person can follow it, and part of the time of a run."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "reference")]
import queuebridge
import refqueue

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.cost import price_time
from chipsim.cost.queue import Queue, neighbourhood, picoseconds, programs, step_times
from chipsim.counters import HOST
from chipsim.events import as_events
from chipsim.simulator.account import account
from chipsim.simulator.engine import Block, Engine
from chipsim.simulator.links import LinkTable
from chipsim.simulator.packets import PacketTable

QUEUE = {"network_time": "queue", "limits.compartments_per_core.value": 5}
LINE = {"tiles_x": 3, "tiles_y": 1, "cores_per_tile": 2, "host_tile": 0, "buffer": 2, "occupancy": 10, "hop_x": 40, "hop_y": 65}


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(12))
def test_the_kernel_equals_plain_python(seed):
    rng = random.Random(seed)
    for _ in range(6):
        net = queuebridge.draw(rng)
        assert queuebridge.run(net) == refqueue.simulate(net)


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("programs", "tails", "end"),
    [
        ({}, {1: 7}, 7),  # a core that only computes
        ({0: [(5, 1, 100)]}, {}, 5 + 10 + 100),  # inside a tile: into the core, and worked on
        ({0: [(5, 4, 100)]}, {}, 5 + 40 + 40 + 10 + 100),  # two hops
        ({0: [(5, 1, 100), (0, 1, 100)]}, {}, 5 + 10 + 200),  # the receiver takes one after the other
        ({0: [(0, 4, 1), (0, 4, 1)]}, {}, 10 + 40 + 40 + 10 + 1),  # packets follow each other on a link after its occupancy
        ({0: [(0, 1, 50)] * 6, 1: []}, {0: 5}, 10 + 6 * 50),  # the receiver is the bottleneck
        (
            {0: [(0, 1, 1000)] * 8},
            {0: 5000},
            10 + 3 * 1000 + 5000,
        ),  # 1 at work, 2 + 2 in buffers: the 8th leaves after the 3rd is done
        ({HOST: [(0, 5, 1)]}, {}, 40 + 40 + 10 + 1),  # the host sends from its tile
    ],
)
def test_a_step_that_a_person_can_follow(programs, tails, end):
    net = {
        **LINE,
        "programs": {core: programs.get(core, []) for core in [*range(6), HOST]},
        "tails": {c: 0 for c in [*range(6), HOST]},
    }
    net["tails"] |= tails
    assert refqueue.simulate(net) == end
    assert queuebridge.run(net) == end


@pytest.fixture(scope="module")
def ran():
    """One sample of a network on nine cores of a chip with a queue: image, spikes, activity."""
    network = cs.ssgd_network(
        9, (15, 17), 6, steps=12, readout="sum", surrogate="box", half_width=0.5, init={"gain": 5.0}, seed=3
    )
    image = compile_network(network, cs.load_chip("loihi1-calibrated", QUEUE), learn=False)
    engine, block = Engine(image), Block()
    events = as_events((np.random.default_rng(0).random((12, 1, 9)) < 0.4).astype(float), 9)
    engine.forward(image.weights, events.of_sample(events.spikes(np.int64), 0))
    block.keep(engine.work.activity)
    return image, engine.work.spikes, block.take()


def test_departures_are_what_is_counted(ran):
    image, log, activity = ran
    table, counters = PacketTable(image), account(image, activity, learned=False)
    steps = [table.departures(log, t) for t in range(image.steps)]
    assert len(image.slices) >= 9 and sum(len(d.target) for d in steps) > 100
    for t, d in enumerate(steps):
        packets = np.diff(d.start)
        for column, core in enumerate(counters.cores.tolist()):
            assert packets[d.core == core].sum() == counters.of("forward", "packets")[t, column]
            if core != HOST:
                assert (d.core == core).sum() == counters.of("forward", "spikes")[t, column]
                for event, values in (("packets_in", np.ones_like(d.synops)), ("synops", d.synops), ("words_read", d.words)):
                    late = counters.of("forward", event)[t + 1, column] if t + 1 < image.steps else 0
                    assert values[d.target == core].sum() == late
        if len(d.core):
            assert np.array_equal(d.core, np.sort(d.core)) and (d.place < d.neurons).all()


def test_programs_follow_the_clock_of_a_core(ran):
    """Plain Python, neuron after neuron: updates, spikes and packets in the order in which a core works."""
    image, log, _ = ran
    chip, table = image.chip, PacketTable(image)
    updates = np.zeros(chip.mesh.cores)
    held = {core: int((table.core == core).sum()) for core in set(table.core.tolist()) - {HOST}}
    for core, neurons in held.items():
        updates[core] = 9.7 * neurons
    for t in range(image.steps):
        d = table.departures(log, t)
        made, wanted = programs(chip, d, updates), {core: [] for core in [*range(chip.mesh.cores), HOST]}
        tails = {core: 0 for core in wanted}
        for core, neurons in held.items():
            clock, left = 0, 0
            for place in range(neurons):
                clock += 9700
                for n in np.flatnonzero((d.core == core) & (d.place == place)):
                    clock += 30000
                    for p in range(d.start[n], d.start[n + 1]):
                        clock += 5100
                        wanted[core].append((clock - left, int(d.target[p]), 16000 + 3800 * int(d.synops[p])))
                        left = clock
            tails[core] = clock - left
        for n in np.flatnonzero(d.core == HOST):
            wanted[HOST] += [(0, int(d.target[p]), 16000 + 3800 * int(d.synops[p])) for p in range(d.start[n], d.start[n + 1])]
        net = {"tiles_x": 8, "tiles_y": 4, "cores_per_tile": 4}
        assert queuebridge.programs(made, net) == (wanted, tails)


def test_time_takes_the_queue_where_the_spikes_are_at_hand(ran):
    image, log, activity = ran
    counted, table, loads = account(image, activity, learned=False), PacketTable(image), LinkTable(image).loads(activity, False)
    with_spikes = price_time(counted, image.chip, image.tiles_used, loads, lambda m, t: table.departures(log, t))
    without, bare = price_time(counted, image.chip, image.tiles_used, loads), price_time(counted, image.chip, image.tiles_used)
    assert [time.network for time in (with_spikes, without, bare)] == ["queue", "hottest_link", "none"]
    updates = np.zeros(image.chip.mesh.cores)
    steps = 0.0
    work = counted.of("forward", "updates_active") + counted.of("forward", "updates_idle")
    for t in range(image.steps):
        updates[counted.cores[:-1]] = 9.7 * work[t, :-1]
        steps += step_times(image.chip, [(table.departures(log, t), updates)])[0]
    barriers = int(counted.of("forward", "barriers").sum()) * image.chip.barrier(image.tiles_used)
    assert with_spikes.forward_s == pytest.approx((steps + barriers) * 1e-9)
    assert with_spikes.forward_s != without.forward_s
    assert (with_spikes + without).network == "none"


def test_a_run_says_the_same_with_any_number_of_threads():
    network = cs.ssgd_network(8, (6,), 3, steps=10, readout="sum", seed=2)
    chip = cs.load_chip("loihi1-calibrated", QUEUE).with_extension()
    rng = np.random.default_rng(1)
    x, y = (rng.random((10, 12, 8)) < 0.3).astype(float), rng.integers(0, 3, 12)
    schedule = {"float": {"passes": 1, "batch": 12, "rate": 0.01}}
    times = []
    for threads in (1, 2):
        run = cs.train(network.but(schedule=schedule), chip, data=(x, y, x, y), numerics="float64", threads=threads, out=None)
        times.append(run.time)
    assert times[0] == times[1] and times[0].network == "queue"


def test_a_chip_without_what_a_queue_needs_is_refused():
    with pytest.raises(cs.ConfigError) as refused:
        cs.load_chip("toy", {"network_time": "queue", "axons": "multicast", "core_time": "sequential"})
    assert {p.key for p in refused.value.problems} == {"link.occupancy", "link.buffer", "axons", "core_time"}
    for key, value in (("link.occupancy.value", 0.0), ("link.buffer.value", 0), ("link.buffer.value", 1.5)):
        with pytest.raises(cs.ConfigError) as refused:
            cs.load_chip("loihi1-calibrated", {key: value})
        assert [p.key for p in refused.value.problems] == [key]


def test_buffers_are_looked_up_once_per_mesh_and_kept_for_all_steps(ran, monkeypatch):
    image, log, activity = ran
    counted, table = account(image, activity, learned=False), PacketTable(image)
    made, kept = [], cs.cost.queue.Queue.__init__

    def count(queue, *arguments):
        made.append(arguments)
        kept(queue, *arguments)

    monkeypatch.setattr(cs.cost.queue.Queue, "__init__", count)
    neighbourhood.cache_clear()
    times = {
        price_time(counted, image.chip, image.tiles_used, None, lambda m, t: table.departures(log, t)).total_s for _ in range(3)
    }
    assert len(times) == 1 and len(made) == 3  # one mesh for all steps of a call
    assert neighbourhood.cache_info().misses == 1 and neighbourhood.cache_info().hits == 2


def test_a_step_without_a_spike_is_that_of_an_empty_mesh(ran):
    image, log, _ = ran
    silent = PacketTable(image).departures(log, 0)
    silent = type(silent)(*(part[:0] for part in silent[:3]), silent.start[:1], *(part[:0] for part in silent[4:]))
    updates = np.random.default_rng(3).uniform(0, 900, image.chip.mesh.cores)
    through = Queue.of(image.chip).run(programs(image.chip, silent, updates)) / 1000
    assert step_times(image.chip, [(silent, updates)]) == [through] and through == pytest.approx(updates.max(), abs=1e-3)


def test_picoseconds_are_whole():
    assert picoseconds([0.2907, 4.1, 16.0 + 3.8 * 7]).tolist() == [291, 4100, 42600]
