"""Learning projections equal the real LearningDense of lava-nc 0.10.0: reference and kernels, in every step.

Fixed point: spikes, u, v, weights, tags, delays and traces, bit for bit. Float: weights and traces to 1e-9.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "peers"), str(TESTS)]

import learndraws
import plasticbridge
import reflava

import chipsim as cs

pytestmark = [pytest.mark.lava, pytest.mark.xdist_group("lava")]

EXAMPLES = 300
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
SEEDS = st.integers(0, 2**64 - 1)
AT_LEAST = {  # networks of EXAMPLES in which it must occur
    **dict.fromkeys(("t_epoch 1", "t_epoch above 1", "2 factors", "several spikes in an epoch", "factor clipped"), 80),
    "more than 63 bits": 10,
    **dict.fromkeys(("3 factors", "learns dw", "learns dt", "learns dd", "u_k", "fractional impulse", "tau 0", "tau 65535"), 60),
    **dict.fromkeys(("sign mixed", "sign excitatory", "sign inhibitory", "weights saturate", "product wraps"), 40),
    "spikes that learning made": 40,
    **dict.fromkeys(("negative tags", "delays saturate", "negative third factor", "recurrent", "odd weights"), 20),
    **dict.fromkeys(("graded regular", "graded overwrite", "graded add-saturate", "graded add-overflow"), 10),
}  # fmt: skip


def same(net: dict, mine: dict, lava: dict) -> None:
    """Assert that everything is equal in every step."""
    for t in range(net["steps"]):
        for p in range(len(net["populations"])):
            for name in ("spikes", "v", "u"):
                assert mine[name][t][p] == lava[name][t][p].tolist(), (name, p, t)
        for k, kept in mine["plastic"].items():
            for v, value in kept[t].items():
                assert np.array_equal(value, lava["plastic"][k][t][v]), (v, k, t)


def statistics(net: dict, result: dict) -> set[str]:
    """Return what happened in a network."""
    found = set()
    for k, steps in result["plastic"].items():
        spec = net["projections"][k]
        table, facts = spec["table"], result["connections"][k].facts
        weights, tags, delays = (np.array([kept[v] for kept in steps]) for v in ("w", "t", "d"))
        low, high = reflava.RANGES[spec["sign"]]
        moved = weights != np.array(reflava.prepared(spec))
        happened = {
            "t_epoch 1": table["t_epoch"] == 1,
            "t_epoch above 1": table["t_epoch"] > 1,
            f"{table['factors']} factors": True,
            f"graded {table['graded_spikes']}": bool(np.array([kept["x1"] for kept in steps]).any()),
            f"sign {spec['sign']}": moved.any(),
            "learns dw": moved.any(),
            "learns dt": tags.any(),
            "learns dd": delays.any(),
            "u_k": spec["rule"]["decimate"] is not None,
            "fractional impulse": any(v % 1 for key, v in table.items() if key.endswith("impulse")),
            "tau 0": 0 in [v for key, v in table.items() if key.endswith("tau")],
            "tau 65535": 65535 in [v for key, v in table.items() if key.endswith("tau")],
            "several spikes in an epoch": facts["repeated"] > 0,
            "more than 63 bits": any(
                sum(reflava.WIDTH[f[0]] for f in term[3]) > 63 + 15 - 4
                for terms in spec["rule"]["targets"].values()
                for term in terms
            ),
            "factor clipped": facts["clipped"] > 0,
            "product wraps": facts["wrapped"] > 0,
            "weights saturate": (moved & ((weights == low) | (weights == high)) & (weights != 0)).any(),
            "odd weights": spec["sign"] == "mixed" and (weights % 2).any(),
            "negative tags": (tags < 0).any(),
            "delays saturate": (delays == 255).any(),
            "negative third factor": any((np.array(net["third"].get(k, {}).get(v, 0)) < 0).any() for v in ("y1", "y2", "y3")),
            "recurrent": spec["pre"] == spec["post"],
        }
        found |= {name for name, is_so in happened.items() if is_so}
    return found


def frozen(net: dict) -> dict:
    """Return a network of which nothing learns."""
    return {**net, "projections": [{k: v for k, v in spec.items() if k != "rule"} for spec in net["projections"]]}


@lru_cache(maxsize=1)
def compared() -> Counter:
    """Check all drawn networks; return in how many of them each thing happened."""
    import lavalearn

    found = Counter()

    @settings(max_examples=EXAMPLES, **FREE)
    @given(SEEDS)
    def each(seed):
        net = learndraws.network(seed)
        result = reflava.run_net(net)
        same(net, result, lavalearn.run_net(net))
        assert plasticbridge.differences(net, plasticbridge.simulate(net), result) == []
        assert all(net["steps"] // spec["table"]["t_epoch"] >= 3 for spec in net["projections"] if "table" in spec)
        found.update({"networks", *statistics(net, result)})
        if reflava.run_net(frozen(net))["spikes"] != result["spikes"]:
            found["spikes that learning made"] += 1

    each()
    return found


def test_drawn_networks_equal_lava():
    assert compared()["networks"] >= EXAMPLES


def test_drawn_networks_reach_the_extremes():
    found = compared()
    assert not {name: (found[name], least) for name, least in AT_LEAST.items() if found[name] < least}


def covering() -> list[int]:
    """Return seeds of a few networks with every graded mode, 2 and 3 factors, and recurrence."""
    missing, seeds = {"graded 0", "graded 1", "graded 2", "graded 3", "factors 2", "factors 3", "recurrent"}, []
    for seed in range(100):
        specs = [spec for spec in learndraws.network(seed)["projections"] if "rule" in spec]
        found = {f"{key} {spec['rule'][key]}" for spec in specs for key in ("graded", "factors")}
        found |= {"recurrent" for spec in specs if spec["pre"] == spec["post"]}
        if found & missing:
            seeds.append(seed)
            missing -= found
    assert not missing
    return seeds


def test_drawn_networks_in_the_runtime():
    """Lava's own runtime, in a process of its own because it forks one per Lava Process: all graded modes, 2 and 3 factors, recurrent."""
    seeds = covering()
    program = [sys.executable, str(TESTS / "peers" / "lavalearn.py"), *map(str, seeds)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for seed, found in zip(seeds, json.loads(done.stdout.splitlines()[-1]), strict=True):
        net = learndraws.network(seed)
        result = reflava.run_net(net)
        assert found["spikes"] == result["spikes"]
        assert found["plastic"] == {str(k): steps for k, steps in result["plastic"].items()}


def test_float_equals_the_float_model_of_lava():
    """The connection alone, fed with the spikes of the simulation; as long as the numbers stay sensible."""
    steps = []

    @settings(max_examples=60, **FREE)
    @given(SEEDS)
    def each(seed):
        net = learndraws.network(seed, floats=True)
        sim = plasticbridge.simulate(net, numerics="float64")
        steps.extend(float_steps(net, sim, k) for k, spec in enumerate(net["projections"]) if "rule" in spec)

    each()
    assert len(steps) >= 60 and sum(steps) > 600


def float_steps(net: dict, sim, k: int) -> int:
    """Compare projection k; return the number of steps compared."""
    import lavalearn

    spec, name = net["projections"][k], f"k{k}"
    start = sim.image.real_weights(sim.image.weights)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lavalearn.float_model(spec, start)
        for t in range(net["steps"]):
            pre, post = (sim.payloads[f"p{spec[end]}"][t, 0] for end in ("pre", "post"))
            lavalearn.float_step(model, t, pre, post, {v: rows[t] for v, rows in net["third"].get(k, {}).items()})
            kept = lavalearn.state(model)
            if not all(np.isfinite(kept[v]).all() and np.abs(kept[v]).max() < 1e6 for v in ("w", "t", "d")):
                return t
            for v, wanted in kept.items():
                assert np.allclose(sim.traces[v][name][t, 0], wanted, rtol=1e-9, atol=1e-9), (v, t)
    return net["steps"]


# what stands in the specification and is easily taken for a mistake


def connection(rule: cs.LavaRule, weights: list, inputs: list) -> tuple[dict, object]:
    """Run two inputs onto a silent neuron; return what Lava holds after every step, and the simulation, which agrees."""
    import lavalearn

    table = {key: getattr(rule, key) for key in rule.model_fields_set}
    spec = {
        "pre": 0, "post": 1, "kind": "dense", "weights": weights, "delays": None, "loihi": True, "sign": "mixed", "weight_bits": 8,
        "exponent": 0, "message_bits": 0, "lava": table, "table": table,
    }  # fmt: skip
    spec["rule"] = learndraws.reference_rule(rule, spec, len(inputs))
    arithmetic = {**learndraws.LAVA, "entries": 0}
    net = {"steps": len(inputs), "seed": 0, "sample": 0, "pass": 0, "arithmetic": arithmetic, "projections": [spec], "third": {}}
    lif = {"kind": "loihi-lif", "size": 1, "du": 4095, "dv": 4096, "vth": 131071, "bias_mant": 0, "bias_exp": 0}
    net |= {"populations": [{"kind": "input", "size": 2}, lif], "inputs": inputs}
    lava, sim, result = lavalearn.run_net(net), plasticbridge.simulate(net), reflava.run_net(net)
    same(net, result, lava)
    assert plasticbridge.differences(net, sim, result) == []
    for event, wanted in plasticbridge.counts(net, sim.image, result).items():
        assert np.array_equal(sim.counters.of("update", event), wanted), event
    return lava["plastic"][0], sim


def test_every_connection_rounds_alike_whatever_its_seed():
    """WR of lava-nc ignores rng_seed: a rule without traces draws nothing else."""
    runs = [connection(cs.LavaRule(dw="3*2^-4*x0", rng_seed=seed), [[10], [20]], [[1, 0]] * 30)[0] for seed in (1, 2, 99)]
    kept = [[step["w"].tolist() for step in run] for run in runs]
    assert kept[0] == kept[1] == kept[2] and len({w[0][0] for w in kept[0]}) > 3


def test_a_lowest_tag_rises_without_a_spike():
    """A tag of -257 comes of saturation and a write draw of at least 127 / 128, first in epoch 398, and it does not stay.

    So an event-driven engine must remember such synapses. One input is silent from then on, the other spikes once more.
    """
    inputs = [[0, 0]] * 397 + [[1, 1], [1, 0], [0, 0]]
    lava, sim = connection(cs.LavaRule(dt="-7*2^8*x0 - 7*2^8*x0", rng_seed=1), [[10], [20]], inputs)
    assert [step["t"].ravel().tolist() for step in lava[396:]] == [[0, 0], [-257, -257], [-256, -256], [-256, -256]]
    assert sim.counters.of("update", "evaluations").sum(axis=1)[396:].tolist() == [0, 2, 2, 0]
    assert sim.counters.of("update", "terms").sum(axis=1)[396:].tolist() == [0, 4, 2, 0]
