"""if: integrate and fire without a leak, reset by subtraction one step after the spike.

    V[t] = V[t-1] + sum_i w_ij s_i[t-1] - theta s_j[t-1]               s_j[t] = 1 if V[t] > theta (strict)

Rates of such neurons equal rectified sums up to one spike, which is why converted networks use them. Source: Rueckauer et al. 2017,
"Conversion of continuous-valued deep networks to efficient event-driven networks for image classification", section 2.2.
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import saturate
from chipsim.kernels.lane_math import pick
from chipsim.neurons.arithmetic import THETA, drive, flag, into_v
from chipsim.neurons.contract import SECOND, THIRD, Form, Model, V, Variable
from chipsim.schema import Description


class Parameters(Description):
    """No parameter: theta is one threshold unit."""


MODEL = Model("delta", (Variable("v", "membrane", rounding=""),), lazy=True, adjoint=("delta",))


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return two unused decay words and theta."""
    return 0.0, 0.0, form.theta


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    v = s[V] + a
    v = pick(sent != 0, v - k[THETA], v)
    v = into_v(v, modes)
    return (v, s[SECOND], s[THIRD]), flag(v, v > k[THETA]), v - k[THETA]


@kernel
def adjoint(e, error, gain, fired, k, bits):
    """One step backward (see neurons.arithmetic): delta <- delta + ds."""
    return saturate(e[V] + drive(error, gain, bits), bits), e[SECOND]
