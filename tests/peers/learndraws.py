"""Small networks with learning projections, drawn at random: rules as strings, all traces, modes and extremes.

`network` gives a dictionary as tests/reference/reflava.py describes it; what the rule of a projection is made from stands in
`lava` (arguments of Lava's rule classes) and `table` (those of chipsim's LavaRule).
"""

from __future__ import annotations

import random

import lavarules
import numpy as np
from netdraws import LAVA

from chipsim.errors import ConfigError
from chipsim.learning.lava import LavaRule, parse
from chipsim.learning.lava.streams import lava_streams

TRACES = ("x1", "x2", "y1", "y2", "y3")
GRADED = ("regular", "overwrite", "add-saturate", "add-overflow")
TARGETS = {"dw": "w", "dt": "t", "dd": "d"}
IMPULSES = (0, 1, 16, 16.3, 0.5, 20.5, 33.25, 60, 100, 127, 126.999, 0.001)
TAUS = (0, 0.7, 2, 6, 10, 10.5, 30, 100, 65535)
KINDS = ("loihi-lif", "loihi-lif", "ternary-lif", "reset-lif", "graded")


def string(rng: random.Random, k: int, floats: bool) -> str:
    """Return a rule string that can be stored."""
    while True:
        text = lavarules.rule(rng, k, floats)
        try:
            parse(text)
        except ConfigError:
            continue
        return text


def strings(rng: random.Random, floats: bool) -> dict[str, str]:
    """Return rule strings of some targets; now and then ones that reach the ends of the ranges."""
    k = rng.choice((0, 0, 1, 1, 2, 3))
    targets = [t for t, share in (("dw", 0.9), ("dt", 0.5), ("dd", 0.4)) if rng.random() < share] or ["dw"]
    found = {target: string(rng, k, floats) for target in targets}
    if "dt" in found and rng.random() < 0.3:  # tags that become very negative, then wait
        found["dt"] = rng.choice(("-7*2^4*x0*x1", "-7*2^5*y0*y1", "-2^6*x0 + x0*y1", "-7*2^8*x0 - 7*2^8*y0"))
    if rng.random() < 0.2:  # products beyond 32 bits
        found["dw"] = found.get("dw", "x0*y1") + rng.choice((" + x0*w*w*w*w", " - 7*u0*w*w*w*x1*y1", " + y0*w*w*w*w*2^3"))
        found = {t: text.replace(f"u{k}", "u0") for t, text in found.items()}
    return found


def traces(rng: random.Random, factors: int, graded: str) -> dict[str, float]:
    """Return impulses and taus."""
    found = {}
    for trace in TRACES if factors == 2 else TRACES[:2]:
        found[f"{trace}_tau"] = rng.choice(TAUS)
        if trace != "x1" or graded == "regular":
            found[f"{trace}_impulse"] = rng.choice(IMPULSES)
    return found


def plastic(rng: random.Random, spec: dict, steps: int, length: int, floats: bool) -> None:
    """Make a dense projection one that learns."""
    factors, graded = (
        rng.choice((2, 2, 2, 3)),
        rng.choice((*GRADED, "regular", "regular") if spec["message_bits"] else GRADED[:1] * 9 + GRADED),
    )
    if floats and graded == "add-overflow":
        graded = "regular"
    words = {**strings(rng, floats), **traces(rng, factors, graded), "t_epoch": length, "rng_seed": rng.randrange(2**31)}
    if floats:
        words |= {key: value or 3.5 for key, value in words.items() if key.endswith("_tau")}
    spec["lava"], spec["table"] = words, {**words, "factors": factors, "graded_spikes": graded}
    spec["rule"] = reference_rule(LavaRule(**spec["table"]), spec, steps)


def reference_rule(rule: LavaRule, spec: dict, steps: int) -> dict:
    """Return the rule as the reference wants it."""
    streams = lava_streams(rule.rng_seed, steps, steps // rule.t_epoch)
    taus = np.array([rule.tau(trace) for trace in TRACES], dtype=np.float64)
    keep = np.exp(-1 / np.where(taus == 0, 1, taus))
    return {
        "targets": {
            TARGETS[target]: [(t.dependency, t.mantissa, t.exponent, [tuple(f) for f in t.factors]) for t in terms]
            for target, terms in rule.terms.items()
        },
        "decimate": rule.decimate,
        "impulse": {trace: rule.impulse(trace) for trace in TRACES},
        "keep": {trace: float(k) if tau else 0.0 for trace, k, tau in zip(TRACES, keep, taus, strict=True)},
        "epoch": rule.t_epoch,
        "factors": rule.factors,
        "graded": GRADED.index(rule.graded_spikes),
        "sign": spec["sign"],
        "payloads": spec["message_bits"] > 0,
        "draws": {name: values.tolist() for name, values in streams._asdict().items()},
    }


def population(rng: random.Random) -> dict:
    """Return a population that spikes often."""
    kind, vth = rng.choice(KINDS), rng.choice((0, 30, 100, 100, 300))
    if kind == "graded":
        return {"kind": kind, "vth": vth, "relu": rng.random() < 0.5}
    found = {"kind": kind, "du": rng.choice((4095, 2000, 500)), "dv": rng.choice((0, 200, 4096)), "bias_exp": 6}
    found["bias_mant"] = rng.choice((0, rng.randint(0, 2 * vth), rng.randint(0, vth)))
    if kind == "ternary-lif":
        return found | {"vth_hi": vth, "vth_lo": -rng.choice((10, 100))}
    return found | {"vth": vth} | ({"interval": rng.randint(2, 9), "offset": 1} if kind == "reset-lif" else {})


def dense(rng: random.Random, net: dict, pre: int, post: int) -> dict:
    """Return a dense projection without delays."""
    sign = rng.choice(("mixed", "mixed", "excitatory", "inhibitory"))
    low, high = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0)}[sign]
    sizes = [net["populations"][n]["size"] for n in (pre, post)]
    edge = rng.random() < 0.2
    rows = [[rng.choice((low, high)) if edge else rng.randint(low, high) for _ in range(sizes[1])] for _ in range(sizes[0])]
    graded = net["populations"][pre]["kind"] == "graded" or (pre == 0 and net["payload"] > 1)
    return {
        "pre": pre, "post": post, "kind": "dense", "weights": rows, "delays": None, "loihi": True, "sign": sign,
        "weight_bits": rng.choice((8, 8, 8, 5)), "exponent": rng.choice((0, 0, 0, 1, -3)),
        "message_bits": rng.choice((0, 8, 24) if pre else (8, 24)) if graded else rng.choice((0, 0, 0, 8)),
    }  # fmt: skip


def network(seed: int, floats: bool = False) -> dict:
    """Return a network with at least one projection that learns, over at least three epochs of each."""
    rng = random.Random(seed)
    length = rng.choice((1, 1, 2, 3, 4, 6))
    steps = rng.randint(max(6, 4 * length), 4 * length + 9)
    net = {
        "steps": steps,
        "seed": 0,
        "sample": 0,
        "pass": 0,
        "arithmetic": {**LAVA, "entries": 0},
        "projections": [],
        "third": {},
    }
    net["payload"] = 1 if floats else rng.choice((1, 1, 1, 5, 127, 700))
    some = [] if floats else range(rng.choice((1, 1, 2)))
    net["populations"] = [
        {"kind": "input"},
        *([{"kind": "loihi-lif", **population_lif(rng)}] if floats else [population(rng) for _ in some]),
    ]
    for spec in net["populations"]:
        spec["size"] = rng.randint(1, 5)
    ends = [(post - 1, post) for post in range(1, len(net["populations"]))]
    last = len(net["populations"]) - 1
    ends += rng.choice(([], [], [(last, last)], [(0, last)], [(last, 1)]))
    for k, (pre, post) in enumerate(dict.fromkeys(ends)):
        spec = dense(rng, net, pre, post)
        if k == 0 or rng.random() < 0.7:
            plastic(rng, spec, steps, rng.choice((length, length, 1, 2)), floats)
            if spec["rule"]["factors"] == 3:
                net["third"][k] = third(rng, steps, net["populations"][post]["size"])
        net["projections"].append(spec)
    rate = rng.choice((0.2, 0.5, 0.8))
    top, low = net.pop("payload"), rng.choice((1, -1))
    net["inputs"] = [
        [
            (rng.randint(min(low * top, 1), top) if top > 1 else 1) if rng.random() < rate else 0
            for _ in range(net["populations"][0]["size"])
        ]
        for _ in range(steps)
    ]
    return net


def population_lif(rng: random.Random) -> dict:
    return {"du": 4095, "dv": 200, "bias_mant": rng.randint(0, 100), "bias_exp": 6, "vth": 100}


def third(rng: random.Random, steps: int, size: int) -> dict[str, list]:
    """Return the third factors of every step."""
    tops = [rng.choice((1, 20, 127, 400, 2**31 - 1)) for _ in TRACES[2:]]
    return {
        trace: [[rng.randint(-top, top) if rng.random() < 0.8 else 0 for _ in range(size)] for _ in range(steps)]
        for trace, top in zip(TRACES[2:], tops, strict=True)
    }
