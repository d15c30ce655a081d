"""delta-lif: the leaky integrate-and-fire neuron of the SSGD paper, driven by instantaneous currents.

    V[t] = alpha V[t-1] + sum_i w_ij s_i[t-1] - theta s_j[t-1]         s_j[t] = 1 if V[t] > theta (strict)

Reset is a subtraction of theta one step after the spike. Source: Perez-Nieves & Goodman 2021 (arXiv 2105.08810), section 2.
In fixed point: V = saturate(decay(V) + total - theta s), one saturation; theta = 2^f.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, saturate
from chipsim.kernels.lane_math import pick
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import THETA, drive, flag, into_v, leak
from chipsim.neurons.contract import SECOND, THIRD, Form, Model, Tau, V, Variable
from chipsim.schema import Description


class Parameters(Description):
    """tau_ms: membrane time constant."""

    tau_ms: Tau


MODEL = Model("delta", (Variable("v", "membrane"),), lazy=True, adjoint=("delta",))


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return the decay word, an unused one, theta."""
    return form.word(own.tau_ms), 0.0, form.theta


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    v = leak(s[V], k[V], now, modes, DECAY_V) + a
    v = pick(sent != 0, v - k[THETA], v)
    v = into_v(v, modes)
    return (v, s[SECOND], s[THIRD]), flag(v, v > k[THETA]), v - k[THETA]


@kernel
def adjoint(e, error, gain, fired, k, bits):
    """One step backward (see neurons.arithmetic): delta <- alpha delta + ds."""
    return saturate(decay(e[V], k[V]) + drive(error, gain, bits), bits), e[SECOND]
