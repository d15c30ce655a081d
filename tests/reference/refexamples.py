"""Small chips for the reference and for whoever is compared with it; see `refchip` for the description."""

from __future__ import annotations

import copy
import random
from itertools import pairwise

from refmesh import HOST

CHAIN_INPUT = [[0], [], [0], [], [0]]


def hidden(size: int, **more) -> dict:
    """Return a hidden population that decays by half, with threshold 16 and band 8."""
    base = {"kind": "delta-lif", "size": size, "decay": 2048, "fraction": 4, "v_bits": 16, "band": 8, "delta_fraction": 10}
    return base | more


def readout(size: int, **more) -> dict:
    """Return a readout population that decays by half."""
    return hidden(size, delta_fraction=14) | {"kind": "leaky-readout"} | more


def description(populations: list[dict], weights: list, slices: list[tuple], **more) -> dict:
    """A fixed-point chip of 2 x 2 tiles with 2 cores each; slices are (population, core, lo, hi), the host's is added."""
    slices = [(0, HOST, 0, populations[0]["size"]), *slices]
    projections = [{"pre": k, "post": k + 1, "weights": w, "fraction": 4, "lr_shift": 2} for k, w in enumerate(weights)]
    return {
        "numerics": "fixed", "steps": 5, "mesh": {"tiles_x": 2, "tiles_y": 2, "cores_per_tile": 2, "host_tile": 0},
        "populations": populations, "slices": [dict(zip(("population", "core", "lo", "hi"), s, strict=True)) for s in slices],
        "projections": projections, "readout": "sum", "predicate": "fired", "log_words": 1000, "regulariser": None,
        "words": {"word_bits": 64, "header_bits": 10, "synapse_bits": 8}, "lut": [256 - 4 * k for k in range(32)],
        "bits": {"delta": 16, "acc": 24, "weight": 8}, "write": "nearest", "seed": 7,
    } | more  # fmt: skip


def chain(**more) -> dict:
    """One input, one hidden neuron (core 0), two classes (core 2, one hop in y away)."""
    weights = [[[20]], [[8, -8]]]
    return description([{"kind": "input", "size": 1}, hidden(1), readout(2)], weights, [(1, 0, 0, 1), (2, 2, 0, 2)], **more)


def random_chip(seed: int, split: bool, **more) -> tuple[dict, list[list[int]]]:
    """A 6-5-4-3 network of 12 steps, each hidden and the readout population on one core, or in unequal parts on two or three."""
    dice = random.Random(seed)
    sizes = [6, 5, 4, 3]
    populations = [
        {"kind": "input", "size": 6},
        hidden(5, decay=3000, band=14),
        hidden(4, decay=3500, band=14),
        readout(3, decay=3700),
    ]
    weights = [[[dice.randint(-10, 20) for _ in range(n)] for _ in range(m)] for m, n in pairwise(sizes)]
    whole = [(1, 0, 0, 5), (2, 1, 0, 4), (3, 2, 0, 3)]
    parts = [(1, 0, 0, 2), (1, 5, 2, 5), (2, 5, 0, 1), (2, 2, 1, 2), (2, 7, 2, 4), (3, 3, 0, 1), (3, 6, 1, 3)]
    sample = [sorted(dice.sample(range(6), dice.randint(0, 4))) for _ in range(12)]
    return description(populations, weights, parts if split else whole, steps=12, **more), sample


def as_float(spec: dict, **more) -> dict:
    """Return the same chip in floats: decays / 4096, bands and weights / 16."""
    spec = copy.deepcopy(spec) | {"numerics": "float", "surrogate": "paper"} | more
    for pop in spec["populations"][1:]:
        pop.update(decay=pop["decay"] / 4096, band=pop["band"] / 16)
    for projection in spec["projections"]:
        projection["weights"] = [[w / 16 for w in row] for row in projection["weights"]]
    return spec
