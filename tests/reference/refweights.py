"""Weights and synapses of a projection in the order of their numbers: rows one after the other, targets ascending."""

from __future__ import annotations

from collections import defaultdict


def numbered(spec: dict) -> dict[int, list[tuple[int, int]]]:
    """Return {neuron: [(target, number of the weight)]}: rows one after the other, targets ascending."""
    found, pairs = defaultdict(list), spec.get("synapses")
    if spec["kind"] == "dense":
        pairs = [(i, j) for i, row in enumerate(spec["weights"]) for j in range(len(row))]
    for n, (i, j, *_) in enumerate(pairs):
        found[i].append((j, n))
    return found


def stored(spec: dict) -> list[int]:
    """Return the weights of a projection in that order; sparse synapses are sorted already."""
    return [w for row in spec["weights"] for w in row] if spec["kind"] == "dense" else [s[2] for s in spec["synapses"]]


def delays_of(spec: dict) -> list[int]:
    """Return the delays of the synapses in the order of `stored`."""
    if spec["kind"] == "dense":
        return [d for row in spec["delays"] for d in row] if spec["delays"] else [0] * len(stored(spec))
    return [s[3] for s in spec["synapses"]]


def put(spec: dict, weights: list[int]) -> None:
    """Write weights back into the description."""
    if spec["kind"] == "dense":
        size = len(spec["weights"][0])
        spec["weights"] = [weights[n : n + size] for n in range(0, len(weights), size)]
    else:
        spec["synapses"] = [[i, j, w, d] for (i, j, _, d), w in zip(spec["synapses"], weights, strict=True)]
