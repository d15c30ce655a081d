"""Random networks for comparisons: Hypothesis draws the structure, a seeded generator the bulk of the numbers.

`networks` draws dictionaries as tests/reference/refnet.py describes them.
"""

from __future__ import annotations

import random

from hypothesis import strategies as st
from refneurons import CURRENT
from refsynapses import out_shape, prepared

LAVA_KINDS = ("loihi-lif", "ternary-lif", "reset-lif", "graded")
LAZY_KINDS = ("delta-lif", "adaptive-lif", "if", "leaky-readout")
ALL_KINDS = (*LAVA_KINDS, "refractory-lif", *LAZY_KINDS)
MODES = {"overflow_v": "saturate", "overflow_u": "wrap", "rounding": "toward-zero", "decay": "stepped"}
LAVA = {"v_bits": 24, "u_bits": 24, **MODES}
RANGES = {
    "leaning": (-60, 255),
    "wide": (-256, 255),
    "positive": (0, 255),
    "negative": (-255, 0),
    "small": (-4, 9),
    "zero": (0, 0),
}
FLAVOURS = ("calm", "calm", "calm", "fold", "huge", "clip")  # what the numbers of a Loihi population are after
PROFILES = ("leaning", "leaning", "leaning", "wide", "positive", "positive", "negative", "small", "zero", "beyond")
DELAYS = {"short": (0, 3), "long": (0, 62), "zero": (0, 0), "one": (1, 1)}
TOP = 131071


def raw_weight(rng: random.Random, profile: str) -> int:
    """Return one weight as a user may give it."""
    if profile == "beyond":
        return rng.choice((-1, 1)) * rng.randint(0, 2 ** rng.randint(6, 31) - 1)
    return rng.randint(*RANGES[profile])


# parameters


def arithmetic(draw, lava: bool) -> dict:
    if lava:
        return {**LAVA, "entries": 0}
    modes = st.sampled_from(("saturate", "wrap"))
    widths = st.sampled_from((10, 12, 16, 20, 24, 32)) | st.integers(10, 32)
    return {
        "v_bits": draw(widths),
        "u_bits": draw(widths),
        "overflow_v": draw(modes),
        "overflow_u": draw(modes),
        "rounding": draw(st.sampled_from(("toward-zero", "nearest", "floor", "stochastic"))),
        "decay": draw(st.sampled_from(("stepped", "stepped", "lazy"))),
        "entries": draw(st.sampled_from((1, 4, 16, 64, 256))),
    }


def loihi_numbers(rng: random.Random, kind: str, flavour: str) -> dict:
    """Return decays and bias of a Loihi population."""
    du = rng.choice((-1, 0, 1, 4095, 4095, rng.randint(0, 4095), rng.randint(100, 1500)))
    dv = rng.choice((0, 1, 4096, 4095, rng.randint(0, 4096), rng.randint(50, 1000)))
    mant, exp = (
        rng.choice((0, 0, 0, 1, -1, rng.randint(-40, 60), rng.randint(-4096, 4095))),
        rng.choice((0, 0, rng.randint(1, 7))),
    )
    if flavour == "clip":
        dv, exp = rng.choice((0, 0, rng.randint(1, 20))), 7
        mant = rng.choice((0, -4096, 4095, rng.randint(-4096, 4095)))
    if flavour in ("fold", "huge") and rng.random() < 0.5:
        du, dv = 4095, rng.choice((0, rng.randint(500, 4096)))
    more = {
        "reset-lif": {"interval": rng.randint(1, 25), "offset": rng.randint(0, 30)},
        "refractory-lif": {"period": rng.randint(0, 9)},
    }
    return {"du": du, "dv": dv, "bias_mant": mant, "bias_exp": exp, **more.get(kind, {})}


def delta_numbers(rng: random.Random, kind: str) -> dict:
    """Return decays and the step of the adaptation of a delta population."""
    words = (0, 4096, 4095, rng.randint(0, 4096), rng.randint(3000, 4096), rng.randint(3000, 4096))
    found = {} if kind == "if" else {"decay": rng.choice(words)}
    if kind == "adaptive-lif":
        found |= {"decay_a": rng.choice(words), "jump": rng.choice((0, rng.randint(0, 40), rng.randint(0, 1000)))}
    return found


def level(net: dict, number: int, flavour: str) -> float:
    """Guess what a busy step brings to a neuron of a population: thresholds near it make lively networks."""
    total, payload = 1.0, max(1.0, net["payload"])
    for spec in (spec for spec in net["projections"] if spec["post"] == number):
        weights = prepared(spec)
        if spec["kind"] == "dense":
            weights = [w for row in weights for w in row]
        elif spec["kind"] == "conv":
            weights = [w for plane in weights for row in plane for line in row for w in line]
        size = sum(map(abs, weights)) / max(1, len(weights)) * min(6, net["populations"][spec["pre"]]["size"]) * 0.3
        total += size * 2.0 ** spec["exponent"] * (payload if spec["message_bits"] else 1)
    return total * (8 if flavour == "clip" else 1)


def thresholds(rng: random.Random, net: dict, number: int, flavour: str) -> None:
    """Add the thresholds of a population, mostly where it spikes, sometimes at the ends of their range."""
    spec = net["populations"][number]
    kind, scale = spec["kind"], level(net, number, flavour) * rng.choice((0.02, 0.1, 0.3, 0.6, 1.0, 2.0))
    vth = min(TOP, int(scale))
    if rng.random() < 0.15:
        vth = rng.choice((0, TOP))
    if kind == "ternary-lif":
        spec |= {"vth_hi": vth, "vth_lo": -min(TOP, int(scale * rng.choice((0, 0.3, 1))))}
    elif kind == "graded":
        spec |= {"vth": rng.choice((0, 0, 2**23 - 1, min(2**23 - 1, int(scale)))), "relu": rng.random() < 0.5}
    elif kind in CURRENT:
        spec["vth"] = min(vth, 2 ** (net["arithmetic"]["v_bits"] - 7)) if rng.random() < 0.9 else vth
    elif kind != "leaky-readout":
        spec["theta"] = max(1, min(int(scale), 2 ** (net["arithmetic"]["v_bits"] - 1) - 1))


# projections


def exponent(rng: random.Random, flavour: str, graded: bool) -> int:
    """Return the exponent of a projection onto a population with this flavour."""
    if flavour == "delta":
        return rng.randint(0, 6)
    if flavour in ("fold", "huge"):
        base = rng.randint(8, 11) if flavour == "fold" else rng.randint(14, 22)
        return base - graded * rng.choice((0, 6))
    if graded and rng.random() < 0.3:
        return rng.randint(-8, -1)
    return rng.choice((0, 0, 0, rng.randint(-3, 3), rng.randint(-8, 8)))


def geometry(rng: random.Random, shape: tuple[int, int, int], same: bool) -> dict:
    """Return a convolution of such an input; `same`: the output is as large."""
    while True:
        kernel = [rng.choice((1, 3)) if same else rng.randint(1, 3) for _ in "xy"]
        dilation = [rng.choice((1, 1, 2)) for _ in "xy"]
        stride = [1 if same else rng.choice((1, 1, 2)) for _ in "xy"]
        padding = [d * (k - 1) // 2 if same else rng.randint(0, 2) for d, k in zip(dilation, kernel, strict=True)]
        found = {"in_shape": list(shape), "stride": stride, "padding": padding, "dilation": dilation, "size": kernel}
        sizes = out_shape({**found, "kernel": [[[0] * kernel[1]] * kernel[0]]})[:2]
        if all(1 <= n <= 6 for n in sizes):
            return found


def conv(rng: random.Random, shape: tuple[int, int, int], profile: str, channels: int = 0) -> dict:
    """Return kernel and places; `channels` of an output that is there already, whose size is that of the input."""
    found = geometry(rng, shape, channels > 0)
    out = channels or rng.choice((1, 2, 3, 4))
    groups = rng.choice([g for g in (1, 2, 3) if shape[2] % g == 0 and out % g == 0])
    kx, ky = found.pop("size")

    def plane() -> list:
        return [[weight() for _ in range(shape[2] // groups)] for _ in range(ky)]

    def weight() -> int:
        return max(-128, min(127, raw_weight(rng, profile)))

    kernel = [[plane() for _ in range(kx)] for _ in range(out)]
    return {"kind": "conv", "kernel": kernel, "groups": groups, **found}


def synapses(rng: random.Random, kind: str, sizes: tuple[int, int], profile: str, delays: str | None) -> dict:
    """Return the synapses of a dense or sparse projection."""
    low, high = DELAYS[delays or "zero"]
    pre, post = range(sizes[0]), range(sizes[1])
    if kind == "dense":
        lines = [[rng.randint(low, high) for _ in post] for _ in pre] if delays else None
        return {"kind": kind, "weights": [[raw_weight(rng, profile) for _ in post] for _ in pre], "delays": lines}
    density = rng.choice((0.3, 0.6, 1.0))
    pairs = [(i, j) for i in pre for j in post if rng.random() < density] or [(0, 0)]
    listed = [[i, j, raw_weight(rng, profile) * (rng.random() > 0.05), rng.randint(low, high)] for i, j in pairs]
    return {"kind": kind, "synapses": listed, "delayed": delays is not None}


def projection(draw, rng: random.Random, net: dict, ends: tuple[int, int], flavour: str, kind: str) -> dict:
    """Draw a projection; a convolution onto a population that has no size yet gives it one."""
    pre, post = (net["populations"][n] for n in ends)
    graded = pre["kind"] == "graded" or (ends[0] == 0 and net["payload"] > 0)
    profile, loihi = draw(st.sampled_from(PROFILES)), flavour != "delta"
    if not loihi and profile == "beyond":
        profile = "wide"
    bits = draw(st.sampled_from((0, 1, 8, 24))) if graded else draw(st.sampled_from((0, 0, 0, 8)))
    if kind == "conv":
        found = conv(rng, pre["shape"], profile, post["shape"][2] if post["size"] else 0)
        post["shape"] = out_shape(found)
        post["size"] = post["shape"][0] * post["shape"][1] * post["shape"][2]
    else:
        post["size"] = post["size"] or rng.randint(1, 8)
        delays = draw(st.sampled_from((None, None, None, *DELAYS)))
        found = synapses(rng, kind, (pre["size"], post["size"]), profile, delays)
    return {
        "pre": ends[0],
        "post": ends[1],
        "exponent": 0 if kind == "conv" and loihi else exponent(rng, flavour, bits > 0),
        "message_bits": bits,
        "loihi": loihi,
        "sign": draw(st.sampled_from((None, None, None, "mixed", "excitatory", "inhibitory"))),
        "weight_bits": draw(st.sampled_from((8, 8, 8, 1, 2, 3, 4, 5, 6, 7))),
        **found,
    }


def inputs(rng: random.Random, net: dict, rate: float) -> list[list[int]]:
    """Return the payloads of the input, 1 or graded."""
    top, size = int(net["payload"]), net["populations"][0]["size"]

    def payload() -> int:
        return rng.randint(-top, top) if top else 1

    return [[payload() if rng.random() < rate else 0 for _ in range(size)] for _ in range(net["steps"])]


@st.composite
def networks(draw, lava: bool = True, steps: int = 60) -> dict:
    """Draw a network; with `lava` only what lava-nc has in fixed point."""
    rng, chip = random.Random(draw(st.integers(0, 2**32 - 1))), arithmetic(draw, lava)
    possible = LAVA_KINDS if lava else LAZY_KINDS if chip["decay"] == "lazy" else ALL_KINDS
    kinds = rng.choices(possible, k=draw(st.integers(1, 3)))  # by the generator: Hypothesis likes to repeat itself
    some = {"graded": ("calm", "calm", "huge"), **dict.fromkeys(LAZY_KINDS, ("delta",))}
    flavours = ["", *(rng.choice(some.get(kind, FLAVOURS)) for kind in kinds)]
    shape = tuple(draw(st.sampled_from(((1, 1, 4), (1, 1, 8), (2, 3, 1), (4, 4, 2), (5, 3, 2), (6, 6, 3), (6, 6, 1)))))
    first = {"kind": "input", "size": shape[0] * shape[1] * shape[2], "shape": shape}
    net = {
        "steps": steps,
        "seed": rng.getrandbits(32),
        "sample": rng.randint(0, 99),
        "pass": rng.randint(0, 9),
        "arithmetic": chip,
    }
    net |= {"payload": draw(st.sampled_from((0, 0, 0, 5, 127, 2**20, 2**31 - 1))), "projections": []}
    net["populations"] = [first] + [{"kind": kind, "size": 0, "shape": None} for kind in kinds]
    senders = [n for n, kind in enumerate(("input", *kinds)) if kind != "leaky-readout"]
    for post in range(1, len(kinds) + 1):
        pre = draw(st.sampled_from([n for n in senders if n < post][-2:]))
        flat = net["populations"][pre]["shape"] is None
        kind = draw(st.sampled_from(("dense", "dense", "sparse", *([] if flat else ["conv"]))))
        net["projections"].append(projection(draw, rng, net, (pre, post), flavours[post], kind))
    for pre, post in draw(st.lists(st.tuples(st.sampled_from(senders), st.integers(1, len(kinds))), max_size=2)):
        one, other = (net["populations"][n]["shape"] for n in (pre, post))
        fits = one and other and one[:2] == other[:2]
        kind = draw(st.sampled_from(("dense", "sparse", *(["conv"] if fits else []))))
        net["projections"].append(projection(draw, rng, net, (pre, post), flavours[post], kind))
    net["inputs"] = inputs(rng, net, draw(st.sampled_from((0.1, 0.3, 0.5, 0.8))))
    return finished(rng, net, flavours)


def finished(rng: random.Random, net: dict, flavours: list[str]) -> dict:
    """Add the parameters of the populations, and take away what was for drawing only."""
    for number, spec in enumerate(net["populations"]):
        del spec["shape"]
        if number:
            if spec["kind"] in CURRENT:
                spec |= loihi_numbers(rng, spec["kind"], flavours[number])
            elif spec["kind"] != "graded":
                spec |= delta_numbers(rng, spec["kind"])
            thresholds(rng, net, number, flavours[number])
    del net["payload"]
    return net
