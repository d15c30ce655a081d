"""loihi-lif: the current-based leaky integrate-and-fire neuron of Loihi, bit for bit lava-nc 0.10.0's LIF (fixed_pt).

    u[t] = u[t-1] (4095 - du) / 4096 + 64 a[t]                          a wraps at 32 bits, u folds at 24
    v[t] = v[t-1] (4096 - dv) / 4096 + u[t] + bias                      saturates at 24 bits
    s[t] = 1 if v[t] > 64 vth (strict);  v = 0 after a spike

Source: Davies et al. 2018, "Loihi: a neuromorphic manycore processor with on-chip learning"; lava-nc 0.10.0, lif/models.py.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, saturate
from chipsim.kernels.lane_math import pick
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import BIAS, THETA, current, drive, flag, into_loihi_v, leak
from chipsim.neurons.contract import SECOND, THIRD, Form, V
from chipsim.neurons.loihi import LoihiParameters, family, loihi_constants


class Parameters(LoihiParameters):
    """Those of the Loihi family."""


MODEL = family(adjoint=("mu", "delta"), resets=True)


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return the decay words of v and u, the threshold, the bias."""
    return loihi_constants(own, form)


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    u = current(s, a, k, now, modes)
    v = into_loihi_v(leak(s[V], k[V], now, modes, DECAY_V) + u + k[BIAS], modes)
    potential, payload = v - k[THETA], flag(v, v > k[THETA])
    return (pick(payload != 0, flag(v, False), v), u, s[THIRD]), payload, potential


@kernel
def adjoint(e, error, gain, fired, k, bits):
    """One step backward (see neurons.arithmetic): delta <- (1 - s) alpha delta + ds; mu <- alpha_u mu + delta, which its input gets."""
    kept = pick(fired, flag(e[SECOND], False), decay(e[SECOND], k[V]))
    delta = saturate(kept + drive(error, gain, bits), bits)
    return saturate(decay(e[V], k[SECOND]) + delta, bits), delta
