"""SANA-FE: its own Loihi description, simple timing; neurons filled core by core. It has no start voltages: all start in phase."""

from __future__ import annotations

import os
import time

import numpy as np
import sanafe


class Subject:
    """steps: per call of `run`; the network goes on from call to call."""

    def __init__(self, folder, steps, cores=128):
        stored = np.load(os.path.join(folder, "ring.npz"))
        self.steps, n = steps, len(stored["start"])
        architecture, network = sanafe.load_loihi(), sanafe.Network()
        group = network.create_neuron_group("n", n, soma_hw_name="loihi_lif", default_synapse_hw_name="loihi_dense_synapse",
                                            default_dendrite_hw_name="loihi_dendrites")  # fmt: skip
        places = architecture.cores()
        model = {"threshold": float(stored["threshold"]), "reset": 0.0, "leak_decay": 1.0, "bias": float(stored["bias"]),
                 "force_update": True}  # fmt: skip
        sizes = [n // cores + (c < n % cores) for c in range(min(cores, n))]
        for neuron, core in zip(group.neurons, np.repeat(np.arange(len(sizes)), sizes), strict=True):
            neuron.set_attributes(soma_hw_name="loihi_lif", model_attributes=model)
            neuron.map_to_core(places[int(core)])
        pairs = [(i, int(j)) for i, row in enumerate(stored["targets"]) for j in row]
        group.connect_neurons_sparse(group, {"weight": stored["weights"].ravel().astype(float).tolist()}, pairs)
        self.chip = sanafe.SpikingChip(architecture)
        self.chip.load(network)

    def first(self, path):
        """Run the steps of one call; return the energy in J and what was counted."""
        found = self.chip.sim(self.steps, timing_model="simple")
        np.savez(path)
        energy = found["energy"]
        total = energy["total"] if isinstance(energy, dict) else energy
        return {"steps": self.steps, "energy_j": total, "packets": found["packets_sent"], "synops": found["spikes"]}

    def run(self):
        """Time the steps of one call."""
        marks = [(time.perf_counter(), time.process_time())]
        self.chip.sim(self.steps, timing_model="simple")
        marks.append((time.perf_counter(), time.process_time()))
        return {"steps": self.steps, "wall_s": marks[1][0] - marks[0][0], "cpu_s": marks[1][1] - marks[0][1]}
