"""Live against SANA-FE 2.2.9 with its own Loihi description: counts, energy and step times of drawn networks."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs
from chipsim.cost import price_energy, price_time
from chipsim.counters import ROW, Counters
from chipsim.validation import grid
from chipsim.validation.cases.mesh_simulator import BY_UNIT, step_ns
from chipsim.validation.fixtures import expected

PEER = Path(__file__).parent / "peers" / "sanafe_run.py"
DRAWN, STEPS, RTOL = 24, 6, 1e-9
THETA = 640  # vth 10
BIAS = {0: 1, 1: 2 * THETA, 2: 384, 3: 256}  # period -> bias; period 0: never fires
pytestmark = [pytest.mark.peers, pytest.mark.xdist_group("sanafe")]


def peer(descriptions: list[dict]) -> list[dict]:
    """Run descriptions in a fresh process of the other simulator."""
    done = subprocess.run([sys.executable, PEER], input=json.dumps(descriptions), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def draw(seed: int) -> tuple[list[dict], list[tuple[int, int, np.ndarray]]]:
    """Return populations on cores of their own, and projections as [pre, post, mask]."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    free = rng.sample(range(128), 128) if seed % 3 else list(range(128))  # anywhere on the mesh, or in order
    found = []
    for _ in range(rng.randint(1, 4)):
        cores = [free.pop() for _ in range(rng.choice([1, 2, 3, 7, 16]))]
        found.append({"cores": cores, "size": rng.randint(len(cores), 20 * len(cores)), "period": rng.choice([0, 1, 1, 2, 3])})
    found[0]["period"] = 1
    ends = [(a, b) for a in range(len(found)) for b in range(len(found)) if rng.random() < 0.7] or [(0, 0)]
    density = rng.choice([0.03, 0.3, 1.0])
    masks = [(a, b, numbers.random((found[a]["size"], found[b]["size"])) < density) for a, b in ends]
    return found, [(a, b, mask) for a, b, mask in masks if mask.any()]


def ours(populations: list[dict], projections: list) -> tuple[cs.Network, list[int]]:
    """Return the network for chipsim and the core of every neuron."""
    names = [f"p{n}" for n in range(len(populations))]
    network = cs.Network(
        steps=STEPS + 1, placement={"strategy": "manual", "cores": {n: p["cores"] for n, p in zip(names, populations, strict=True)}},
        population=[{"name": "input", "neuron": "input", "size": 1}, *(
            {"name": n, "neuron": "loihi-lif", "size": p["size"], "du": 4095, "dv": 0, "vth": 10, "bias_mant": BIAS[p["period"]]}
            for n, p in zip(names, populations, strict=True))],
        projection=[{"pre": names[a], "post": names[b], "name": f"k{k}", "kind": "sparse", "units": "mantissa", "weight_exp": -31}
                    for k, (a, b, _) in enumerate(projections)],
    )  # fmt: skip
    network = network.with_weights({f"k{k}": mask.astype(float) for k, (_, _, mask) in enumerate(projections)})
    core = []
    for p in populations:
        parts = len(p["cores"])
        sizes = [p["size"] // parts + (n < p["size"] % parts) for n in range(parts)]
        core += [c for c, size in zip(p["cores"], sizes, strict=True) for _ in range(size)]
    return network, core


def theirs(populations: list[dict], projections: list, core: list[int]) -> dict:
    """Return the same network for the other simulator."""
    first = np.cumsum([0, *(p["size"] for p in populations)])
    targets: list[list[int]] = [[] for _ in core]
    for a, b, mask in projections:
        for i, j in np.argwhere(mask):
            targets[first[a] + i].append(int(first[b] + j))
    bias = [BIAS[p["period"]] / THETA for p in populations for _ in range(p["size"])]
    return {"core": core, "bias": bias, "targets": targets, "steps": STEPS, "timing": "simple"}


def per_step(counters: Counters) -> list[Counters]:
    """Return one Counters a step; packets are received in the step in which they are sent, as the other simulator books them."""
    counts = counters.total().counts.copy()
    late = [ROW["forward", "forward", event] for event in ("packets_in", "synops", "words_read")]
    counts[late, :-1] = counts[late, 1:]
    return [Counters(counts[None, :, t : t + 1], counters.cores) for t in range(STEPS)]


@cache
def drawn() -> list[tuple[cs.Network, dict, dict]]:
    """Return all drawn networks with what the other simulator makes of them."""
    pairs = []
    for seed in range(DRAWN):
        populations, projections = draw(seed)
        network, core = ours(populations, projections)
        pairs.append((network, theirs(populations, projections, core)))
    return [(network, asked, answer) for (network, asked), answer in zip(pairs, peer([a for _, a in pairs]), strict=True)]


def test_the_peer_is_the_one_we_compare_with():
    assert version("sanafe") == "2.2.9"


def test_the_draws_are_what_they_should_be():
    answers = [answer for _, _, answer in drawn()]
    tiles = [len({core // 4 for core in asked["core"]}) for _, asked, _ in drawn()]
    assert sum(a["synops"] > 0 for a in answers) >= 20 and max(tiles) > 10 and min(tiles) <= 2
    assert any(len(set(a["fired"])) > 1 for a in answers) and sum(max(a["hops"]) > 0 for a in answers) >= 15


@pytest.mark.parametrize("seed", range(DRAWN))
def test_counts_energy_and_simple_time_are_equal(seed):
    network, asked, answer = drawn()[seed]
    many = {"limits.axons_in_per_core.value": 10**6, "limits.axons_out_per_core.value": 10**6}
    chip = cs.load_chip("loihi1-calibrated", {**many, "network_time": "none"})
    steps = per_step(cs.simulate(network, np.zeros((STEPS + 1, 1, 1)), chip, "fixed", record=()).counters)

    def total(event):
        return [int(c.of("forward", event).sum()) for c in steps]

    assert total("spikes") == answer["fired"]
    assert np.add(total("hops_x"), total("hops_y")).tolist() == answer["hops"]
    assert (sum(total("packets")), sum(total("synops"))) == (answer["packets"], answer["synops"])
    cores = len(set(asked["core"]))
    energies = [price_energy(c, chip, None, cores) for c in steps]
    for unit, events in BY_UNIT.items():
        mine = sum(e.rows_pj.get(("forward", event), 0.0) for e in energies for event in events)
        assert mine == pytest.approx(answer["energy"][unit] * 1e12, rel=RTOL, abs=1e-6)
    assert [e.forward_j for e in energies] == pytest.approx(answer["step_energy"], rel=RTOL)
    tiles = len({core // 4 for core in asked["core"]})
    assert [price_time(c, chip, tiles).total_s for c in steps] == pytest.approx(answer["time"], rel=RTOL)


def recorded(name: str) -> tuple[dict, grid.Grid]:
    facts = expected("sanafe")[name]
    return facts, grid.Grid(facts["neurons"], facts["neurons_per_core"], facts["target_stride"], facts["firing"])


@pytest.mark.parametrize("name", ["A", "B", *(pytest.param(n, marks=pytest.mark.slow) for n in "CD")])
def test_recorded_results_are_those_of_a_fresh_process(name):
    facts, one = recorded(name)
    targets: list[list[int]] = [[] for _ in range(one.neurons)]
    for source, row in zip(one.sources.tolist(), one.targets.tolist(), strict=True):
        targets[source] = row
    bias = np.isin(np.arange(one.neurons), one.sources) * 2.0
    asked = {"core": one.core.tolist(), "bias": bias.tolist(), "targets": targets, "steps": 1}
    for timing in ("simple", "cycle"):
        (answer,) = peer([{**asked, "timing": timing}])
        assert answer["time"][0] * 1e9 == pytest.approx(facts[f"time_{timing}_ns"], rel=1e-6)
        for unit, joules in answer["energy"].items():
            assert joules * 1e12 == pytest.approx(facts["energy_pj"].get(unit, 0.0), rel=RTOL)
    chip = cs.load_chip("loihi1-calibrated")
    for level in ("hottest_link", "queue"):
        ours = step_ns(one, grid.closed_form(one, chip.mesh), chip.name, level, facts["tiles"])
        assert abs(ours / (answer["time"][0] * 1e9) - 1) <= 0.15
