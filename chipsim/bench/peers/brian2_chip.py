"""Brian2 with cpp_standalone: float64, compiled once with -O3 -ffast-math -march=native; the time is that of its own loop."""

from __future__ import annotations

import os
import tempfile

import brian2 as b
import numpy as np

FLAGS = ["-w", "-O3", "-ffast-math", "-march=native"]


class Subject:
    """steps: per call of `run`; every call runs the same binary anew."""

    def __init__(self, folder, steps):
        stored = np.load(os.path.join(folder, "ring.npz"))
        self.steps, n = steps, len(stored["start"])
        self.place = tempfile.TemporaryDirectory()
        b.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
        b.set_device("cpp_standalone", directory=self.place.name, build_on_run=False)
        b.defaultclock.dt = 1 * b.ms
        names = {"bias": int(stored["bias"]), "threshold": int(stored["threshold"])}
        self.cells = b.NeuronGroup(n, "v : 1", threshold="v > threshold", reset="v = 0", namespace=names)
        self.cells.run_regularly("v += bias", when="groups")
        self.cells.v = stored["start"].astype(float)
        self.synapses = b.Synapses(self.cells, self.cells, "w : 1", on_pre="v_post += w")
        fan_out = stored["targets"].shape[1]
        self.synapses.connect(i=np.repeat(np.arange(n), fan_out), j=stored["targets"].ravel())
        self.synapses.w = stored["weights"].ravel().astype(float)
        self.spikes = b.SpikeMonitor(self.cells, record=False)
        parts = [self.cells, self.synapses, self.spikes]
        self.network = b.Network(*parts, *self.cells.contained_objects)
        # reset before delivery: what arrives after a spike is kept for the next step, a delay of one step
        self.network.schedule = ["start", "groups", "thresholds", "resets", "synapses", "end"]
        self.network.run(steps * b.ms)
        b.device.build(directory=self.place.name, compile=True, run=True, clean=False)

    def first(self, path):
        """Write spikes per neuron and voltages of the run that building made; what arrives next is added already (ahead)."""
        np.savez(path, counts=np.asarray(self.spikes.count), v=np.asarray(self.cells.v))
        return {"steps": self.steps, "ahead": True}

    def run(self):
        """Run the binary again; return the time of its loop."""
        b.device.run(self.place.name, with_output=False, run_args=[])
        return {"steps": self.steps, "wall_s": float(b.device._last_run_time), "cpu_s": None}
