"""Random networks that gradient rules train: any populations and projections, as the oracle (tests/oracle/general.py) has them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import chipsim as cs

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import general

KINDS = ("delta-lif", "if", "adaptive-lif", "loihi-lif")
DU, DV, BIAS_UNIT = (4095, 1000, 300, -1), (600, 200, 0), 4096  # V of loihi-lif: 4096 is one threshold (v_fraction 12)


def population(rng: np.random.Generator, kind: str, name: str) -> tuple[general.Population, dict]:
    """Return one hidden population, for the oracle and for chipsim."""
    size, told = int(rng.integers(2, 9)), {"name": name, "neuron": kind}
    tau, slow, jump = float(rng.uniform(2, 15)), float(rng.uniform(3, 30)), float(rng.uniform(0, 0.8))
    alpha, told["size"] = np.exp(-1 / tau), size
    if kind == "delta-lif":
        return general.Population(kind, size, alpha), told | {"tau_ms": tau}
    if kind == "if":
        return general.Population(kind, size), told
    if kind == "adaptive-lif":
        return general.Population(kind, size, alpha, np.exp(-1 / slow), jump), told | {
            "tau_ms": tau, "tau_adapt_ms": slow, "jump": jump
        }  # fmt: skip
    du, dv, bias = int(rng.choice(DU)), int(rng.choice(DV)), int(rng.choice([0, 0, 300, -200]))
    found = general.Population(kind, size, (4096 - dv) / 4096, (4095 - du) / 4096, bias=bias / BIAS_UNIT)
    return found, told | {"du": du, "dv": dv, "bias_mant": bias}


def ends(rng: np.random.Generator, count: int) -> list[tuple[int, int]]:
    """Return the ends of projections: a chain first, then recurrent, feedback and skip ones."""
    found = [(n, n + 1) for n in range(count + 1)]
    for _ in range(int(rng.integers(0, 5))):
        pair = int(rng.integers(0, count + 1)), int(rng.integers(1, count + 2))
        found += [pair] if pair not in found else []
    return [found[n] for n in rng.permutation(len(found))]


def projection(rng: np.random.Generator, net: list[general.Population], pre: int, post: int) -> general.Projection:
    """Return a dense or sparse projection that makes its target lively."""
    shape = net[pre].size, net[post].size
    mask = np.ones(shape, dtype=bool) if rng.random() < 0.6 else rng.random(shape) < 0.5
    if not mask.any():
        mask[0, 0] = True
    gain = 0.8 * (max(0.05, 1 - net[post].rho) if net[post].kind == "loihi-lif" else 1)
    mean = 0.3 if post == pre + 1 else 0.0
    if post == len(net) - 1:  # scores far apart would leave q = p - 1 without digits
        mean, gain = 0.0, 0.1
    weights = rng.normal(mean, gain, shape) * mask
    return general.Projection(pre, post, weights, mask)


def late(rng: np.random.Generator, q: general.Projection) -> general.Projection:
    """Return a projection with delays, three times of four."""
    most = int(rng.choice([0, 1, 3, 6]))
    return q._replace(delays=rng.integers(0, most + 1, q.mask.shape)) if most else q


def draw(seed: int, kinds: tuple[str, ...] = KINDS, **options) -> tuple[general.Net, cs.Network, np.ndarray, np.ndarray]:
    """Return a network for the oracle, the same for chipsim, its input [T, B, N] and labels [B].

    delays: whether projections have some. options: of the oracle's Net (readout, surrogate, half_width, regularisers, sharpness) and
    `learning`, more keys of chipsim's.
    """
    rng = np.random.default_rng(seed)
    delays = options.pop("delays", False)
    learning, hidden = options.pop("learning", {}), rng.choice(kinds, int(rng.integers(1, 4)))
    tau, classes, size = float(rng.uniform(2, 15)), int(rng.integers(2, 5)), int(rng.integers(2, 9))
    drawn = [population(rng, str(kind), f"h{n}") for n, kind in enumerate(hidden)]
    mine = [
        general.Population("input", size),
        *(p for p, _ in drawn),
        general.Population("leaky-readout", classes, np.exp(-1 / tau)),
    ]
    options = {"readout": ("max", "sum")[rng.integers(2)], "surrogate": ("paper", "box", "triangle")[rng.integers(3)],
               "half_width": float(rng.choice([0.2, 0.5, 0.9, 2.0]))} | options  # fmt: skip
    net = general.Net(tuple(mine), tuple(projection(rng, mine, a, b) for a, b in ends(rng, len(hidden))), **options)
    if delays:
        net = net._replace(projections=tuple(late(np.random.default_rng([seed, k]), q) for k, q in enumerate(net.projections)))
    steps, batch = int(rng.integers(4, 25)), int(rng.integers(1, 4))
    x = (rng.random((steps, batch, size)) < rng.uniform(0.1, 0.5)).astype(np.uint8)
    last = {"name": "out", "neuron": "leaky-readout", "size": classes, "tau_ms": tau, "readout": net.readout}
    told = [{"name": "in", "neuron": "input", "size": size}, *(t for _, t in drawn), last]
    return net, described(net, told, steps, learning), x, rng.integers(0, classes, batch)


def described(net: general.Net, told: list[dict], steps: int, learning: dict) -> cs.Network:
    """Return the network as chipsim takes it."""
    projections = [
        {"pre": told[q.pre]["name"], "post": told[q.post]["name"], "name": f"k{k}", "kind": "dense" if q.mask.all() else "sparse"}
        for k, q in enumerate(net.projections)
    ]
    rules = {"surrogate": net.surrogate, "half_width": net.half_width, "regularisers": net.regularisers} | learning
    rules |= {} if net.sharpness is None else {"loss": "step", "sharpness": net.sharpness}
    made = cs.Network(steps=steps, population=told, projection=projections, learning=rules)
    made = made.with_weights({f"k{k}": q.weights for k, q in enumerate(net.projections)})
    return made.with_delays({f"k{k}": q.delays for k, q in enumerate(net.projections) if q.delays is not None})


def lively(seed: int, kinds: tuple[str, ...] = KINDS, **options) -> tuple:
    """Return what `draw` makes, and its gradients by the oracle, for the first of seed, seed + 1000, ... with hidden gradients."""
    while True:
        net, network, x, y = draw(seed, kinds, **options)
        expected = general.gradients(net, x, y)
        if any(np.any(g) for g, q in zip(expected.weights, net.projections, strict=True) if q.post < len(net.populations) - 1):
            return net, network, x, y, expected
        seed += 1000
