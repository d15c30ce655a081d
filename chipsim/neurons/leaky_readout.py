"""leaky-readout: a leaky integrator that never spikes; its class score is the sum or the maximum of V over time.

    out[t] = a_r out[t-1] + (1 - a_r) sum_i w_ij s_i[t-1]

V here leaves out the constant factor 1 - a_r, which is applied to the score: out = (1 - a_r) V. Source: as delta-lif, section 2.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, saturate


@kernel
def update(v, total, spiked, word, theta, bits):
    """Return the membrane potential of the next step."""
    return saturate(decay(v, word) + total, bits)
