"""Runs networks on SANA-FE's Loihi in this process: a JSON list of descriptions on stdin, a JSON list of results on stdout.

A description: core [N], bias [N] (thresholds per step; a neuron above 1 fires and starts at 0 again), targets (N lists), steps, timing.
Weights are 0, so that activity is exactly as stated, and every neuron is updated in every step.
"""

from __future__ import annotations

import json
import os
import sys

import sanafe


def run(description: dict) -> dict:
    """Return energies in J, and per step hops, synaptic events, packets and time in s."""
    architecture, network = sanafe.load_loihi(), sanafe.Network()
    group = network.create_neuron_group("n", len(description["core"]), soma_hw_name="loihi_lif",
                                        default_synapse_hw_name="loihi_dense_synapse",
                                        default_dendrite_hw_name="loihi_dendrites")  # fmt: skip
    cores = architecture.cores()
    for neuron, core, bias in zip(group.neurons, description["core"], description["bias"], strict=True):
        model = {"threshold": 1.0, "reset": 0.0, "leak_decay": 1.0, "bias": bias, "force_update": True}
        neuron.set_attributes(soma_hw_name="loihi_lif", model_attributes=model)
        neuron.map_to_core(cores[core])
    pairs = [(i, j) for i, targets in enumerate(description["targets"]) for j in targets]
    if pairs:
        group.connect_neurons_sparse(group, {"weight": [0.0] * len(pairs)}, pairs)
    chip = sanafe.SpikingChip(architecture)
    chip.load(network)
    found = chip.sim(description["steps"], timing_model=description["timing"], perf_trace=True)
    trace = found["perf_trace"]
    return {"energy": found["energy"], "packets": found["packets_sent"], "synops": found["spikes"], "fired": trace["fired"],
            "hops": trace["hops"], "time": trace["sim_time"], "step_energy": trace["total_energy"]}  # fmt: skip


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # it reports on stdout
    json.dump([run(description) for description in json.load(sys.stdin)], answers)
