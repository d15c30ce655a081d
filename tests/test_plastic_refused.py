"""What projections cannot learn by Lava's rules, and how it is said; capabilities of chips; the page about it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import chipsim as cs
from chipsim.errors import CapacityError, ConfigError, DataError

ROOT = Path(__file__).resolve().parent.parent
T, B = 6, 2
RULE = cs.LavaRule(dw="x0*y1", y1_impulse=10, y1_tau=5, rng_seed=1)
THIRD = cs.LavaRule(dw="u0*y2*t", dt="x0*y1", factors=3, rng_seed=1)
X = np.ones((T, B, 3))


def network(post: str = "loihi-lif", **more) -> cs.Network:
    lif = {"du": 4095, "dv": 100, "vth": 100} if post == "loihi-lif" else {"tau_ms": 5.0}
    drawn = {} if more.get("units") == "threshold" else {"init": "integers", "low": -10, "high": 90, "units": "mantissa"}
    return cs.Network(
        steps=T,
        population=[{"name": "in", "neuron": "input", "size": 3}, {"name": "out", "neuron": post, "size": 4, **lif}],
        projection=[{"pre": "in", "post": "out", "name": "p", **drawn, "sign_mode": "mixed", **more}],
    )


def run(net=None, **more):
    return cs.simulate(network() if net is None else net, X, numerics=more.pop("numerics", "fixed"), **more)


def refused(error, **more) -> list[tuple[str, str]]:
    with pytest.raises(error) as caught:
        run(**more)
    return [(p.key, str(p)) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("more", "key", "limit"),
    [
        ({"kind": "sparse", "density": 0.5}, "plastic.p: projection.kind", "only dense"),
        ({"delay": 3}, "plastic.p: projection.delay", "no delays"),
        ({"post": "delta-lif", "units": "threshold", "sign_mode": None}, "plastic.p: projection.units", "mantissas (out is delta-lif)"),
        ({"sign_mode": None}, "plastic.p: projection.sign_mode", "must be given"),
    ],
)  # fmt: skip
def test_projections_that_cannot_learn(more, key, limit):
    found = refused(ConfigError, net=network(**more), plastic={"p": RULE})
    assert any(k == key and limit in text for k, text in found), found


def test_every_wrong_projection_is_told_at_once():
    found = refused(ConfigError, net=network(kind="sparse", density=0.5, delay=3, sign_mode=None), plastic={"p": RULE, "q": RULE})
    assert [k for k, _ in found] == [
        "plastic.p: projection.kind", "plastic.p: projection.delay", "plastic.p: projection.sign_mode", "plastic",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "key", "limit"),
    [
        ({"plastic": {}}, "plastic", "a LavaRule} is required"),
        ({"plastic": "p"}, "plastic", "a LavaRule} is required"),
        ({"plastic": {"q": RULE}}, "plastic", "there is: p"),
        ({"plastic": {"p": "x0*y1"}}, "plastic.p", "a LavaRule is required"),
        ({"third": {"p": {}}}, "third", "give `plastic`"),
        ({"record": ("x1",)}, "record", "known: spikes"),
        ({"plastic": {"p": RULE}, "record": ("x1", "z1")}, "record", "y3"),
        ({"plastic": {"p": cs.LavaRule(dw="x0*y1")}, "numerics": "float64"}, "plastic.p: y1_tau", "above 0"),
    ],
)
def test_wrong_arguments(more, key, limit):
    found = refused(ConfigError, **more)
    assert [k for k, _ in found] == [key] and limit in found[0][1]


@pytest.mark.parametrize(
    ("rule", "third", "key", "limit"),
    [
        (THIRD, None, "third.p", "reads y1, y2"),
        (THIRD, {"p": {"y1": np.zeros((T, B, 4))}}, "third.p", "reads y2"),
        (RULE, {"p": {"y1": np.zeros((T, B, 4))}}, "third.p", "a rule of 3 factors"),
        (THIRD, {"q": {}, "p": {"y1": np.zeros((T, B, 4)), "y2": np.zeros((T, B, 4))}}, "third.q", "a rule of 3 factors"),
        (THIRD, 3, "third", "is required"),
        (THIRD, {"p": {"y1": np.zeros((T, 4)), "y2": np.zeros((T, B, 4))}}, "third.p.y1", f"[{T}, {B}, 4]"),
        (THIRD, {"p": {"y1": np.full((T, B, 4), 0.5), "y2": np.zeros((T, B, 4))}}, "third.p.y1", "whole numbers"),
        (THIRD, {"p": {"y1": np.full((T, B, 4), 2.0**31), "y2": np.zeros((T, B, 4))}}, "third.p.y1", "whole numbers"),
        (THIRD, {"p": {"y1": np.full((T, B, 4), np.nan), "y2": np.zeros((T, B, 4))}}, "third.p.y1", "finite"),
        (THIRD, {"p": {"y1": "no", "y2": np.zeros((T, B, 4))}}, "third.p.y1", "of numbers"),
        (THIRD, {"p": {"y1": np.zeros((T, B, 4)), "y2": np.zeros((T, B, 4)), "y4": 0}}, "third.p.y4", "known: y1, y2, y3"),
    ],
)
def test_wrong_third_factors(rule, third, key, limit):
    found = refused(DataError, plastic={"p": rule}, third=third)
    assert [k for k, _ in found] == [key] and limit in found[0][1]


def test_weights_outside_their_range_cannot_learn():
    """Lava leaves them until the first update and saturates them then, spikes or not."""
    net = network().with_weights({"p": np.full((3, 4), 300)})
    found = refused(ConfigError, net=net, plastic={"p": RULE})
    assert found[0][0] == "plastic.p: weights" and "within -256..255" in found[0][1]
    assert run(net).spikes["out"].any()


def test_the_chip_must_be_able_to_learn():
    assert run(chip="loihi1", plastic={"p": RULE}).weights["p"].shape == (B, 3, 4)
    with pytest.raises(CapacityError, match=r'chip "toy": capabilities = .*it must offer traces'):
        run(chip=replace(cs.load_chip("toy"), capabilities=("synaptic-learning",)), plastic={"p": RULE})
    wide = cs.load_chip("loihi1", {"width.trace.value": 8, "width.tag.value": 10})
    with pytest.raises(CapacityError) as caught:
        run(chip=wide, plastic={"p": cs.LavaRule(dw="x0", dt="x0")})
    assert [p.key for p in caught.value.problems] == ["width.trace", "width.tag"]
    with pytest.raises(CapacityError) as caught:
        run(chip=wide, plastic={"p": RULE})
    assert [p.key for p in caught.value.problems] == ["width.trace"]


def test_what_is_recorded():
    rule = cs.LavaRule(dw="x0*y1", dd="u0", y1_impulse=10, y1_tau=5, rng_seed=1)
    sim = run(plastic={"p": rule}, record=("x1", "y1", "w", "d"))
    shapes = {v: found["p"].shape for v, found in sim.traces.items()}
    assert shapes == {"x1": (T, B, 3), "y1": (T, B, 4), "w": (T, B, 3, 4), "d": (T, B, 3, 4)}
    assert np.array_equal(sim.traces["w"]["p"][-1], sim.weights["p"]) and np.array_equal(
        sim.traces["d"]["p"][-1], sim.delays["p"]
    )
    assert sim.delays["p"].min() == 0 + T and not sim.tags["p"].any()
    plain = run()
    assert not (plain.weights or plain.tags or plain.delays or plain.traces)


def test_the_example_of_the_readme_runs():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    scope = {"cs": cs, "x": (np.random.default_rng(0).random((60, 3, 40)) < 0.05).astype(float)}
    for block in (b for b in blocks if "min-traffic" in b or "plastic" in b):
        exec(block, scope)
    assert (scope["sim"].weights["in->exc"] != scope["net"].weights["in->exc"]).any()


def test_the_examples_of_the_page_run():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "lava-learning.md").read_text(), flags=re.DOTALL)
    scope: dict = {}
    for block in blocks:
        exec(block, scope)
    sim = scope["sim"]
    assert len(blocks) >= 2 and sim.weights["exc"].shape == (4, 20, 10)
    assert sim.weights["exc"].mean() != scope["net"].weights["exc"].mean() and scope["tags"].shape == (100, 4, 20, 10)
