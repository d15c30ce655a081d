"""Metrics under the names of NeuroBench (Yik et al. 2025, doi:10.1038/s41467-025-56739-4), and what it lacks: docs/cost.md section 6.

Per sample, from the counters of a run and the layout of its network.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chipsim.compiler import ChipImage, memory_summary
from chipsim.counters import Counters


def community_metrics(
    image: ChipImage, counters: Counters, sent: np.ndarray, stored: Mapping[str, np.ndarray], graded: bool
) -> dict[str, float | None]:
    """Return the metrics by name.

    sent: [G] spikes that left the neurons of each group, over all samples. stored: weights by projection, as stored.
    graded: the input is not 0/1, so that its synapses multiply.
    """
    table, samples, memory = counters.per_sample(), counters.samples, memory_summary(image)
    forward, update = table["forward"], table["update"]
    fan, from_input = image.routes.synapses.sum(axis=1, dtype=np.int64), image.routes.slice_of == 0
    multiplied = int((sent * fan)[from_input].sum()) / samples if graded else 0.0
    hidden = sum(p.size for p in image.network.hidden)
    zeros, weights = sum(int((w == 0).sum()) for w in stored.values()), sum(w.size for w in stored.values())
    return {
        "footprint_bytes": (memory["total"] - memory["learning"]) / 8,
        "connection_sparsity": zeros / weights,
        "activation_sparsity": 1 - forward["spikes"] / (image.steps * hidden) if hidden else None,
        "effective_macs": multiplied, "effective_acs": forward["synops"] - multiplied,
        "dense_operations": float((image.steps - 1) * sum(operations(image, k) for k in range(len(image.plan.synapses)))),
        "membrane_updates": forward["neuron_updates"],
        "learning_bytes": memory["learning"] / 8,
        **update_metrics(image, update),
    }  # fmt: skip


def update_metrics(image: ChipImage, update: Mapping[str, float]) -> dict[str, float | None]:
    """Return weight updates made, those a dense rule makes (every weight at each update), and weights changed per update made.

    update: counts per sample of that phase.
    """
    inplace = image.learning and image.network.learning.apply == "inplace"  # in every step of the replay
    made, changed, times = update["evaluations"], update["writes"], image.steps - 1 if inplace else update["barriers"]
    return {
        "updates_effective": made, "updates_dense": times * sum(s.stored for s in image.plan.synapses),
        "writes_per_update": changed / made if made else None,
    }  # fmt: skip


def operations(image: ChipImage, k: int) -> int:
    """Return the operations of projection k in one step if every neuron and weight counts: a full matrix, or a convolution's synapses."""
    synapses = image.plan.synapses[k]
    if image.network.projection[k].kind == "conv":
        return synapses.count
    return synapses.sizes[0] * synapses.sizes[1]
