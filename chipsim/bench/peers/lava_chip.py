"""lava-nc: LIF and Sparse (or Dense) of the fixed_pt models, as processes of its own; wall time of `run`, which spans several processes."""

from __future__ import annotations

import os
import time

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import Sparse
from scipy.sparse import coo_matrix

WARM = 2


class Subject:
    """steps: per call of `run`; the network goes on from call to call."""

    def __init__(self, folder, steps, dense=False):
        stored = np.load(os.path.join(folder, "ring.npz"))
        self.steps, n = steps, len(stored["start"])
        fan_out = stored["targets"].shape[1]
        pairs = (stored["targets"].ravel(), np.repeat(np.arange(n), fan_out))
        # doubled and one place down: with mixed signs only even weights exist; duplicates become one weight
        weights = coo_matrix((2 * stored["weights"].ravel().astype(int), pairs), shape=(n, n)).tocsr()
        self.cells = LIF(shape=(n,), du=4095, dv=0, vth=int(stored["threshold"]), bias_mant=int(stored["bias"]), bias_exp=6,
                         v=stored["start"] * 64)  # fmt: skip
        kind, weights = (Dense, weights.toarray()) if dense else (Sparse, weights)
        synapses = kind(weights=weights, weight_exp=-1, num_weight_bits=8)
        self.cells.s_out.connect(synapses.s_in)
        synapses.a_out.connect(self.cells.a_in)
        self.how = Loihi2SimCfg(select_tag="fixed_pt")
        self.advance(WARM)

    def advance(self, steps):
        """Run so many steps; return wall seconds."""
        began = time.perf_counter()
        self.cells.run(condition=RunSteps(num_steps=steps), run_cfg=self.how)
        return time.perf_counter() - began

    def first(self, path):
        """Go on for the steps of one call; write the voltages."""
        self.advance(self.steps)
        np.savez(path, v=self.cells.v.get() // 64)
        return {"steps": WARM + self.steps}

    def run(self):
        """Time the steps of one call."""
        return {"steps": self.steps, "wall_s": self.advance(self.steps), "cpu_s": None}
