"""Counts against closed forms: what events and active events alone say about the work of a chip.

Source of the forms: the operation counts of sparse spiking gradient descent by Perez-Nieves & Goodman 2021 (spikes S_l and active
events A_l of layer l on K_l cores; adds only over deltas that are not zero). Spikes, active events and deltas come from the dense
reference in tests/oracle, which knows neither events nor cores.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

import bridge
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import dense

from chipsim.compiler import ChipImage, compile_network
from chipsim.counters import EVENTS, Counters
from chipsim.network import ssgd_network

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]


class Facts(NamedTuple):
    """What a network did in one sample, as [T, N] bool arrays by layer."""

    sizes: list[int]
    spikes: list[np.ndarray]  # all but the readout's
    active: list[np.ndarray]  # the input's is empty of events
    live: list[np.ndarray]  # delta != 0 after the replay step, the input's without columns
    due: int  # errors that enter the readout

    @property
    def steps(self) -> int:
        return len(self.spikes[0])


def facts_of(problem: dense.Problem, b: int) -> Facts:
    """Return the facts of sample b by the dense reference."""
    x, y = problem.x[:, b : b + 1].astype(np.float64), problem.y[b : b + 1]
    trace = dense.forward(problem.model, problem.weights, x)
    m, chosen = dense.scores(problem.model, trace.out)
    eps = dense.gradients(problem.model, problem.weights, x, y).eps
    ds = [e * dense.slope(problem.model, v, a) for e, v, a in zip(eps, trace.v, trace.active, strict=True)]
    ds.append(dense.softmax_error(m, y)[1] * chosen * (1.0 - problem.model.alpha_out))
    alphas = (*problem.model.alphas, problem.model.alpha_out)
    live = [accumulate(d[:, 0], alpha) != 0 for d, alpha in zip(ds, alphas, strict=True)]
    spikes = [x[:, 0] != 0, *(s[:, 0] != 0 for s in trace.spikes)]
    active = [np.zeros_like(spikes[0]), *(a[:, 0] for a in trace.active)]
    due = int(np.broadcast_to(chosen, trace.out.shape)[1:].sum())
    return Facts([w.shape[0] for w in problem.weights] + [m.shape[1]], spikes, active, [live[0][:, :0], *live], due)


def accumulate(ds: np.ndarray, alpha: float) -> np.ndarray:
    """Return delta [T, N] as it stands after each replay step; entry 0 is never made."""
    delta = np.zeros_like(ds)
    for t in range(len(ds) - 1, 0, -1):
        delta[t] = ds[t] + (alpha * delta[t + 1] if t + 1 < len(ds) else 0.0)
    return delta


def closed_forms(facts: Facts, parts: list[int]) -> dict[tuple[str, str], np.ndarray]:
    """Return [T] counts summed over cores; parts: number of cores of each layer."""
    links = range(len(facts.sizes) - 1)
    s = [raster.sum(axis=1) for raster in facts.spikes]
    a = [raster.sum(axis=1) for raster in facts.active]
    either = [(x | y).sum(axis=1) for x, y in zip(facts.spikes, facts.active, strict=True)]
    marks = [n - x for n, x in zip(either, s, strict=True)]
    live = [raster.sum(axis=-1) for raster in facts.live]
    after_first = np.minimum(np.arange(facts.steps), 1)
    records = arriving(sum(either[k] * parts[k + 1] for k in links))
    gathered = arriving(sum(a[k] * parts[k + 1] for k in links))
    return {
        ("forward", "inputs_injected"): leaving(s[0]),
        ("forward", "packets"): leaving(sum(s[k] * parts[k + 1] for k in links)),
        ("forward", "packets_in"): arriving(sum(s[k] * parts[k + 1] for k in links)),
        ("forward", "synops"): arriving(sum(s[k] * facts.sizes[k + 1] for k in links)),
        ("forward", "neuron_updates"): after_first * sum(facts.sizes[1:]),
        ("forward", "spikes"): sum(s[1:]),
        ("backward", "gate_checks"): after_first * sum(facts.sizes[1:-1]),
        ("backward", "active_log_entries"): sum(a),
        ("backward", "spike_log_entries"): records,
        ("backward", "mark_packets"): leaving(sum(marks[k] * parts[k + 1] for k in links)),
        ("backward", "log_reads"): sum(a) + records,
        ("backward", "evaluations"): sum(a),
        ("backward", "rows_gathered"): gathered,
        ("backward", "error_packets"): gathered,
        ("backward", "row_adds"): sum(arriving(s[k]) * live[k + 1] for k in links),
        ("backward", "gather_adds"): sum(arriving(a[k]) * live[k + 1] for k in links),
        ("backward", "trace_decays"): sum(np.append(n[1:], 0) for n in live[1:]) * after_first,
    }


def leaving(counts: np.ndarray) -> np.ndarray:
    """Return what leaves: events of the last step do not."""
    return np.append(counts[:-1], 0)


def arriving(counts: np.ndarray) -> np.ndarray:
    """Return the same one step later."""
    return np.insert(counts[:-1], 0, 0)


def on_cores(problem: dense.Problem, room: int) -> tuple[bridge.Kernels, list[int]]:
    """Return the kernels of a problem with `room` neurons per core at most, and the number of cores of every layer."""
    network = ssgd_network(**problem.arguments).with_weights(problem.named_weights)
    chip = bridge.toy(tiles_x=3, tiles_y=3, cores_per_tile=4, host_tile=4, compartments_per_core=room, axons_out_per_core=4096)
    image = compile_network(network, chip, numerics="float64")
    return bridge.Kernels(image), parts_of(image)


def parts_of(image: ChipImage) -> list[int]:
    """Return the number of slices of every layer; the input is one at the host."""
    return [sum(s.population == p for s in image.slices) for p in range(len(image.network.populations))]


def units(x: np.ndarray) -> list[list[int]]:
    """Return the spikes of a [T, N] raster as lists of neurons."""
    return [np.flatnonzero(row).tolist() for row in x]


def sums(counters: Counters) -> dict[tuple[str, str], int]:
    """Return the counts summed over steps and cores."""
    return {(phase, event): n for phase, row in counters.table().items() for event, n in row.items()}


@pytest.mark.parametrize("readout", ["sum", "max"])
@pytest.mark.parametrize("sizes, steps, room", [((30, 20, 16, 4), 25, 64), ((40, 24, 5), 30, 5), ((20, 28, 24, 20, 6), 20, 4)])
def test_closed_forms(sizes, steps, room, readout):
    problem = dense.random_problem(7, sizes, steps, 2, rate=0.2, fire=0.08, readout=readout, surrogate="box", half_width=0.3)
    kernels, parts = on_cores(problem, room)
    assert max(parts) == -(-max(sizes[1:]) // room)
    for b in range(2):
        facts = facts_of(problem, b)
        kernels.run(units(problem.x[:, b]), int(problem.y[b]))
        counters = kernels.counters()
        for (phase, event), expected in closed_forms(facts, parts).items():
            assert expected.sum() > 0, (phase, event)
            assert counters.of(phase, event).sum(axis=1).tolist() == expected.tolist(), (phase, event)
        assert_bounds(sums(counters), facts, parts)


def assert_bounds(n: dict, facts: Facts, parts: list[int]) -> None:
    """Check sums and the bounds that no sample may exceed."""
    links, transitions = range(len(facts.sizes) - 1), facts.steps - 1
    assert n["backward", "rows_read"] + n["backward", "rows_skipped"] == n["backward", "spike_log_entries"]
    assert 0 < n["backward", "row_adds"] <= n["forward", "synops"]
    assert 0 < n["backward", "gather_adds"] <= sum(facts.active[k].sum() * facts.sizes[k + 1] for k in links)
    assert 0 < n["backward", "trace_decays"] <= transitions * sum(facts.sizes[1:])
    assert n["backward", "rows_gathered"] <= n["backward", "rows_read"] <= n["backward", "spike_log_entries"]
    assert n["backward", "error_updates"] == facts.due > 0
    assert n["backward", "broadcasts"] == facts.sizes[-1] * parts[-1]
    assert n["backward", "barriers"] == n["forward", "barriers"] == transitions


def test_closed_forms_in_fixed_point():
    """64-100-100-10 on five cores; what the deltas decide is only bounded here: as if none was ever zero."""
    parts, sizes, steps = [1, 2, 2, 1], [64, 100, 100, 10], 30
    network = ssgd_network(64, (100, 100), 10, steps, readout="sum", surrogate="box")
    image = compile_network(network, bridge.toy(compartments_per_core=64))
    assert parts_of(image) == parts
    kernels = bridge.Kernels(image, shifts=[-2, -2, -2])
    x = np.random.default_rng(5).random((steps, 64)) < 0.1
    seen = kernels.run(units(x), 3)
    rasters = {name: [np.zeros((steps, size), dtype=bool) for size in sizes[:-1]] for name in ("spikes", "active_log")}
    rasters["spikes"][0][:] = x
    for name, layers in rasters.items():
        for t, p, n, *_ in getattr(seen, name):
            layers[p][t, n] = True
    live = [np.ones((steps, size), dtype=bool) for size in (0, *sizes[1:])]
    facts = Facts(sizes, rasters["spikes"], rasters["active_log"], live, 10 * (steps - 1))
    counters = kernels.counters()
    for (phase, event), expected in closed_forms(facts, parts).items():
        found = counters.of(phase, event).sum(axis=1)
        assert 0 < found.sum() and (found <= expected).all(), (phase, event)
        if event not in ("row_adds", "gather_adds", "trace_decays"):
            assert found.tolist() == expected.tolist(), (phase, event)
    n = sums(counters)
    assert_bounds(n, facts, parts)
    synapses = sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))
    assert 0 < n["update", "writes"] <= n["update", "evaluations"] <= synapses
    assert n["update", "random_draws"] == n["update", "evaluations"] and n["update", "barriers"] == 1


def twins(seed: int) -> dense.Problem:
    """Return a problem whose hidden neurons come in pairs with equal input weights: both are active at the same steps."""
    problem = dense.random_problem(seed, (30, 16, 12, 4), 30, 1, rate=0.2, readout="sum", surrogate="box", half_width=0.4)
    weights = [np.repeat(w[:, ::2], 2, axis=1) for w in problem.weights[:-1]] + [problem.weights[-1]]
    return problem._replace(weights=weights)


def drop_every_second(kernels: bridge.Kernels) -> None:
    """Drop every second record of the active log of the last forward pass, with its mark."""
    work, circuit = kernels.work, kernels.image.circuit
    log, a, end = work.active, work.activity, 0
    start, spiked = log.start.copy(), {(t, n) for t, n, _ in kernels.log(work.spikes)}
    for group in range(len(start) - 1):
        log.start[group], t = end, group // len(circuit.lo)
        for place, e in enumerate(range(start[group], start[group + 1])):
            n = log.unit[e]
            if place % 2 == 0:
                log.unit[end], log.gain[end], log.code[end] = n, log.gain[e], log.code[e]
                end += 1
            else:
                a.active[t, circuit.group_of[n]] -= 1
                a.marks[t, circuit.group_of[n]] -= (t, n) not in spiked
    log.start[-1] = end


@pytest.mark.parametrize("room", [64, 4])
def test_half_the_active_events_is_half_the_work(room):
    problem = twins(3)
    full, _ = on_cores(problem, room)
    half, _ = on_cores(problem, room)
    for kernels in (full, half):
        kernels.forward(units(problem.x[:, 0]))
    drop_every_second(half)
    for kernels in (full, half):
        kernels.backward(int(problem.y[0]))
    before, after = sums(full.counters()), sums(half.counters())
    for event in ("evaluations", "active_log_entries", "error_packets", "rows_gathered", "mark_packets"):
        assert before["backward", event] == 2 * after["backward", event] > 0, event
    for event in ("row_adds", "gather_adds", "spike_log_entries", "rows_read", "log_reads", "trace_decays"):
        assert before["backward", event] >= after["backward", event] > 0, event
    assert {key: n for key, n in before.items() if key[0] == "forward"} == {k: n for k, n in after.items() if k[0] == "forward"}


def fixed_kernels(weights: list[np.ndarray], steps: int, room: int = 64, **options) -> bridge.Kernels:
    """Return kernels in fixed point with `nearest` writes; weights in units of the threshold, 5 fraction bits."""
    network = ssgd_network(
        len(weights[0]), [w.shape[1] for w in weights[:-1]], weights[-1].shape[1], steps, readout="sum", **options
    )
    network = network.but(learning={**network.learning.model_dump(), "write": "nearest"})
    network = network.with_weights({p.post: w for p, w in zip(network.projections, weights, strict=True)})
    image = compile_network(network, bridge.toy(compartments_per_core=room), fractions=[5] * len(weights))
    return bridge.Kernels(image, shifts=[-4] * len(weights))


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_a_neuron_that_is_never_active_costs_no_learning(layer, seed):
    """A neuron more, without input: it stays far from threshold. A row of 5 or 6 weights of 8 bits and its header is one word."""
    dice = np.random.default_rng(seed)
    weights = [np.rint(32 * dice.normal(0.25, 0.4, shape)) / 32 for shape in ((6, 5), (5, 5), (5, 3))]
    more = list(weights)
    more[layer - 1] = np.insert(weights[layer - 1], 2, 0.0, axis=1)
    more[layer] = np.insert(weights[layer], 2, 0.5, axis=0)
    sample, label = units(dice.random((20, 6)) < 0.3), 1
    found = []
    for w in (weights, more):
        kernels = fixed_kernels(w, 20, surrogate="box", half_width=0.5)
        kernels.run(sample, label)
        found.append(sums(kernels.counters()))
    plain, extra = found
    assert extra["backward", "gate_checks"] == plain["backward", "gate_checks"] + 19
    assert extra["update", "visits_skipped"] == plain["update", "visits_skipped"] + 1, "the one word of its row is what it saves"
    own = len(weights[layer - 1]) + weights[layer].shape[1]  # synapses of the new neuron
    assert extra["update", "evaluations_skipped"] == plain["update", "evaluations_skipped"] + own
    apart = ("gate_checks", "visits_skipped", "evaluations_skipped")
    learning = [key for key in plain if key[0] != "forward" and key[1] not in apart]
    assert {key: plain[key] for key in learning} == {key: extra[key] for key in learning}
    assert min(plain["backward", e] for e in ("evaluations", "row_adds", "gather_adds", "mark_packets")) > 0
    assert plain["update", "writes"] > 0 and extra["forward", "synops"] > plain["forward", "synops"]


@pytest.mark.parametrize("room", [64, 2])
def test_a_sample_without_active_events_teaches_the_readout_only(room):
    """Input weights of 2 thresholds: neurons spike, but V passes the narrow band without ever being in it."""
    weights = [np.full((2, 4), 2.0), np.full((4, 4), 2.0), np.array([[1.0, -1.0], [0.5, 0.25]] * 2)]
    kernels = fixed_kernels(weights, 8, room, surrogate="box", half_width=0.001)
    seen = kernels.run([[0], [], [], [0, 1], [], [], [], []], 1)
    n, image = sums(kernels.counters()), kernels.image
    assert {p for _, p, _ in seen.spikes} == {1, 2} and seen.active_log == []
    silent = ("evaluations", "error_packets", "rows_gathered", "gather_adds", "mark_packets", "active_log_entries")
    assert [n["backward", event] for event in silent] == [0] * len(silent)
    hidden = np.isin(image.routes.cores, [s.core for s in image.slices if s.population in (1, 2)])
    for phase, event in (("backward", "row_adds"), ("update", "visits"), ("update", "evaluations"), ("update", "writes")):
        per_core = kernels.counters().of(phase, event).sum(axis=0)
        assert per_core[hidden].sum() == 0 and per_core[~hidden].sum() > 0, (phase, event)
    after, before = image.tensors(kernels.weights), image.tensors(image.weights)
    assert [np.array_equal(after[name], before[name]) for name in after] == [True, True, False]


def test_events_are_those_of_the_semantics_page():
    text = (Path(__file__).parent.parent / "docs" / "semantics.md").read_text()
    rows = re.findall(r"^\| (forward|backward|update) \| (forward|replay|walk) \| ([^|]+) \|", text, flags=re.MULTILINE)
    listed = [(phase, stage, event.strip()) for phase, stage, events in rows for event in events.split(",")]
    assert sorted(set(listed)) == sorted(EVENTS) and len(rows) > 30
