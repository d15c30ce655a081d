"""delta-lif: the leaky integrate-and-fire neuron of the SSGD paper, driven by instantaneous currents.

    V[t] = alpha V[t-1] + sum_i w_ij s_i[t-1] - theta s_j[t-1]         s_j[t] = 1 if V[t] > theta (strict)

Reset is a subtraction of theta one step after the spike. Source: Perez-Nieves & Goodman 2021 (arXiv 2105.08810), section 2.
In fixed point: V = saturate(decay(V) + total - theta s), one saturation; theta = 2^f.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, saturate


@kernel
def update(v, total, spiked, word, theta, bits):
    """Return the membrane potential of the next step."""
    moved = decay(v, word) + total
    if spiked:
        moved = moved - theta
    return saturate(moved, bits)
