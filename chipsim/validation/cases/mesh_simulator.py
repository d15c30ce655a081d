"""V6: counts, energy and three network times of four networks, against recorded results of SANA-FE 2.2.9."""

from __future__ import annotations

import numpy as np

from chipsim.cost import price_energy, price_time
from chipsim.counters import EVENTS, Counters
from chipsim.hardware import Chip, load_chip
from chipsim.simulator import simulate
from chipsim.validation import grid
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close, equal

TITLE = "SANA-FE: counts, energy and time of four networks on a mesh of 128 cores"
SOURCE = "SANA-FE 2.2.9 with its Loihi description, recorded results of a fresh process each; priced by hw_configs/loihi1-calibrated.toml"
SIMULATED = ("A", "B")  # the weights of the others would take 840 MB; their counts come from the same table, in closed form
BY_UNIT = {"synapse": ("synops",), "soma": ("updates_active", "updates_idle", "spikes"),
           "network": ("packets", "hops_x", "hops_y", "hops_local", "packets_in")}  # fmt: skip
CLOSED = "counts of C and D: the closed form over chipsim's mesh; that it is what the simulator counts is checked on A and B"
WITHIN = 0.15
CYCLE = "the simulator's own two other models lie up to 11 % (detailed) and 22 % (simple) from its cycle-level one"
HELD_OUT = (
    "hottest_link: how long a packet keeps a busy link is the median of 16 drawn networks in the same simulator's cycle-level mode, "
    "none of these four (benchmarks/link_calibration.py)"
)


def rows() -> list[Row]:
    """Return the rows of networks A to D."""
    facts, chip = expected("sanafe"), load_chip("loihi1-calibrated")
    return [row for name in "ABCD" for row in network_rows(name, facts[name], chip, facts["rtol"])]


def network_rows(name: str, facts: dict, chip: Chip, rtol: float) -> list[Row]:
    """Return what one network shows."""
    one = grid.Grid(facts["neurons"], facts["neurons_per_core"], facts["target_stride"], facts["firing"])
    counters = grid.closed_form(one, chip.mesh)
    found, counted = ([simulated(name, one, chip, counters)], "") if name in SIMULATED else ([], CLOSED)
    found += [
        equal(
            f"{name}: {event}", facts[event], int(counters.of("forward", event).sum()), event.replace("_", " "), SOURCE, counted
        )
        for event in ("synops", "packets", "hops_x", "hops_y")
    ]
    energy = price_energy(counters, chip, None, facts["cores"])
    for unit, events in BY_UNIT.items():
        ours = sum(energy.rows_pj.get(("forward", event), 0.0) for event in events)
        found.append(close(f"{name}: energy, {unit}", facts["energy_pj"][unit], ours, "pJ", rtol, SOURCE))
    found.append(close(f"{name}: energy, total", facts["energy_pj"]["total"], energy.forward_j * 1e12, "pJ", rtol, SOURCE))
    times = {level: step_ns(one, counters, chip.name, level, facts["tiles"]) for level in ("none", "hottest_link", "queue")}
    found.append(close(f"{name}: time, simple (none)", facts["time_simple_ns"], times["none"], "ns", rtol, SOURCE))
    for level, note in (("hottest_link", HELD_OUT), ("queue", CYCLE)):
        found.append(close(f"{name}: time, cycle ({level})", facts["time_cycle_ns"], times[level], "ns", WITHIN, SOURCE, note))
    return found


def simulated(name: str, one: grid.Grid, chip: Chip, wanted: Counters) -> Row:
    """Return how many kinds of events the simulator counts otherwise than the closed form, on any core."""
    start = np.zeros((grid.STEPS, 1, one.firing))
    start[0] = 1
    counted = grid.steady(simulate(grid.network(one), start, chip, "fixed", record=()).counters)
    apart = [event for n, (_, _, event) in enumerate(EVENTS)
             if event != "words_read" and not np.array_equal(counted.counts[:, n], wanted.counts[:, n])]  # fmt: skip
    note = "simulated in fixed point and counted core by core; C and D in closed form only, their weights would take 840 MB"
    return equal(
        f"{name}: kinds of events the simulator counts otherwise", 0, len(apart), "kinds", "the closed form of the counts", note
    )


def step_ns(one: grid.Grid, counters: Counters, chip: str, level: str, tiles: int) -> float:
    """Return the time of one step with a network time of this level."""
    described = load_chip(chip, {"network_time": level})
    time = price_time(counters, described, tiles, grid.link_loads(one, described.mesh), lambda m, t: grid.departures(one))
    if time.network != level:
        raise ValueError(f"asked for network time {level}, got {time.network}")
    return time.total_s * 1e9
