"""leaky-readout: a leaky integrator that never spikes; its class score is the sum or the maximum of V over time.

    out[t] = a_r out[t-1] + (1 - a_r) sum_i w_ij s_i[t-1]

V here leaves out the constant factor 1 - a_r, which is applied to the score: out = (1 - a_r) V. Source: as delta-lif, section 2.
"""

from __future__ import annotations

from typing import Literal

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, saturate
from chipsim.kernels.random import DECAY_V
from chipsim.neurons.arithmetic import flag, into_v, leak
from chipsim.neurons.contract import SECOND, THIRD, Form, Model, Tau, V, Variable
from chipsim.schema import Description


class Parameters(Description):
    """tau_ms: time constant of the integrator; readout: class score over time, `max` by default."""

    tau_ms: Tau
    readout: Literal["sum", "max"] | None = None


MODEL = Model("delta", (Variable("v", "membrane"),), spikes=False, readout=True, stepped=True, adjoint=("delta",))


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return the decay word, an unused one, theta (which sets the unit of V only)."""
    return form.word(own.tau_ms), 0.0, form.theta


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    v = into_v(leak(s[V], k[V], now, modes, DECAY_V) + a, modes)
    return (v, s[SECOND], s[THIRD]), flag(v, False), v


@kernel
def adjoint(e, error, gain, fired, k, bits):
    """One step backward (see neurons.arithmetic): delta <- a_r delta + the error that the loss injects in this step."""
    return saturate(decay(e[V], k[V]) + error, bits), e[SECOND]
