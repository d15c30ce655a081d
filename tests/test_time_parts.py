"""Where the time went: parts of steps worked out by hand, and together exactly the time of real runs."""

from __future__ import annotations

import dataclasses

import bridge
import numpy as np
import pytest

import chipsim as cs
from chipsim.bookings import Booked
from chipsim.cost.time import nominal_prices, price_time
from chipsim.cost.timeparts import sample_parts, time_breakdown
from chipsim.cost.timespread import Subset
from chipsim.counters import HOST, PHASES, ROW, Counters, LinkLoads, empty
from chipsim.report.timeparts import part_lines
from chipsim.simulator.account import account
from chipsim.simulator.links import LinkTable

SMALL = {"population.hidden1.size": 20, "population.hidden2.size": 16}
ROOM = {"compartments_per_core": 7, "tiles_x": 2, "tiles_y": 3, "cores_per_tile": 2, "host_tile": 3, "axons_in_per_core": 10**5,
        "axons_out_per_core": 10**5, "learning_bits_per_core": 10**9, "sram_bits_per_core": 10**9, "log_words_per_core": 10**5,
        "synapse_words_per_core": 10**5}  # fmt: skip
PUSHED = {"learning.form": "A", "learning.transport": "push"}


@pytest.mark.parametrize(
    "changes, core_time", [({}, "pipelined"), (PUSHED, "sequential"), ({"learning.rule": "ssgd-online"}, "pipelined")]
)
def test_parts_add_up_to_the_time_of_every_phase(changes, core_time):
    chip = dataclasses.replace(bridge.toy(**ROOM), core_time=core_time, network_time="hottest_link")
    run = cs.train(cs.load_model("digits", {**SMALL, **changes}), chip, samples=6, passes=1)
    links, whole = LinkTable(run.image), dict.fromkeys(PHASES, 0.0)
    seen = set()
    for activity, _ in run.recording.blocks():
        counted, loads = account(run.image, activity, learned=True), links.loads(activity, True)
        for m in range(len(counted.counts)):
            work = Booked.of(Counters(counted.counts[m : m + 1], counted.cores))
            one = LinkLoads(loads.kinds, *(stage[m : m + 1] if len(stage) > 1 else stage for stage in loads[1:]))
            parts, _ = sample_parts(work, run.chip, nominal_prices(run.chip, run.image.tiles_used), one)
            for (phase, part), ns in parts.items():
                whole[phase] += ns
                seen |= {part} if ns else set()
    for phase in PHASES:
        assert whole[phase] * 1e-9 == pytest.approx(getattr(run.time, f"{phase}_s"), rel=1e-12), phase
    assert seen == {"send", "receive", "network", "learn", "barrier"}
    told = run.summary["time_breakdown"]
    assert sum(share for row in told["shares"].values() for share in row.values()) == pytest.approx(1.0)
    for phase in PHASES:
        of_phase = run.summary["time_s_per_sample"][phase] / run.summary["time_s_per_sample"]["total"]
        assert sum(told["shares"][phase].values()) == pytest.approx(of_phase)
    assert sum(told["critical_cores"].values()) == pytest.approx(1.0) and len(told["idle"]) == run.image.cores_used
    assert all(0 <= idle < 1 for idle in told["idle"].values())


def test_a_step_belongs_to_what_it_waited_for():
    """Step 1: core 0 sends 20 ns, core 1 receives 30. Step 2: core 0 receives 10 ns. Then an update of 60 ns on core 0."""
    cores = np.array([0, 1, HOST])
    counted = empty(3, cores)
    toy = cs.load_chip("toy")
    update, synop, visit = (toy.time[event].value for event in ("forward.updates_idle", "forward.synops", "update.visits"))
    for event, step, core, ns, price in (
        (("forward", "forward", "updates_idle"), 1, 0, 20, update), (("forward", "forward", "synops"), 1, 1, 30, synop),
        (("forward", "forward", "synops"), 2, 0, 10, synop), (("update", "replay", "visits"), 0, 0, 60, visit),
    ):  # fmt: skip
        counted.counts[0, ROW[event], step, core] = ns / price
    chip, subset = dataclasses.replace(toy, network_time="none"), Subset(3, 3)
    none = np.zeros((1, 1, 0), dtype=np.int64)
    subset.add(Booked.of(counted), LinkLoads((), none, none, none, none, none))
    time = price_time(counted, chip, 1)
    assert time.total_s == pytest.approx(100e-9)
    told = time_breakdown(subset, cores, chip, 1, time)
    assert told["shares"] == {"forward": {"receive": pytest.approx(0.4)}, "update": {"learn": pytest.approx(0.6)}}
    assert told["critical_cores"] == {"0": 0.5, "1": 0.5}
    assert told["idle"] == {"0": pytest.approx(0.1), "1": pytest.approx(0.7)}
    line = part_lines(told)[0]
    assert (
        line
        == "time goes to learning 60.0 %, receiving 40.0 %; core 0 is the slowest in 50.0 % of the steps; cores idle 40.0 % of it"
    )
    assert part_lines({}) == [] and time_breakdown(Subset(3, 3), cores, chip, 1, time) is None
