"""loihi-lif: the current-based leaky integrate-and-fire neuron of Loihi, bit for bit lava-nc 0.10.0's LIF (fixed_pt).

    u[t] = u[t-1] (4095 - du) / 4096 + 64 a[t]                          a wraps at 32 bits, u folds at 24
    v[t] = v[t-1] (4096 - dv) / 4096 + u[t] + bias                      saturates at 24 bits
    s[t] = 1 if v[t] > 64 vth (strict);  v = 0 after a spike

Source: Davies et al. 2018, "Loihi: a neuromorphic manycore processor with on-chip learning"; lava-nc 0.10.0, lif/models.py.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import BIAS, THETA, current, into_loihi_v, leak, settle_loihi
from chipsim.neurons.loihi import LoihiParameters, family, loihi_constants
from chipsim.neurons.contract import Form, V


class Parameters(LoihiParameters):
    """Those of the Loihi family."""


MODEL = family()


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return the decay words of v and u, the threshold, the bias."""
    return loihi_constants(own, form)


@kernel
def update(rules, cells, at, a):
    """One step of one compartment."""
    u = current(rules, cells, at, a)
    v = into_loihi_v(leak(rules, cells, at, V, DECAY_V) + u + rules.constants[at.p, BIAS], rules.arithmetic)
    theta = rules.constants[at.p, THETA]
    settle_loihi(rules, cells, at, v, 1 if v > theta else 0)
    return v - theta
