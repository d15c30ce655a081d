"""adaptive-lif: a delta-lif whose threshold rises with every spike and comes back slowly (ALIF).

    A[t] = rho A[t-1] + jump s_j[t-1]
    V[t] = alpha V[t-1] + sum_i w_ij s_i[t-1] - theta s_j[t-1]         s_j[t] = 1 if V[t] > theta + A[t] (strict)

A is the paper's beta a. Source: Bellec et al. 2020, "A solution to the learning dilemma for recurrent networks of spiking neurons",
equations 7 to 9.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay, portion, saturate
from chipsim.kernels.lane_math import pick
from chipsim.kernels.random import DECAY_ADAPTATION, DECAY_V
from chipsim.neurons.arithmetic import THETA, drive, flag, into_v, leak
from chipsim.neurons.contract import SECOND, THIRD, Form, Model, Tau, V, Variable
from chipsim.schema import Description

JUMP = 3


class Parameters(Description):
    """tau_ms: membrane; tau_adapt_ms: threshold; jump: what a spike adds to the threshold, in thresholds."""

    tau_ms: Tau
    tau_adapt_ms: Tau
    jump: Annotated[float, Field(strict=True, ge=0, le=1000)] = 0.1


MODEL = Model(
    "delta", (Variable("v", "membrane"), Variable("adaptation", "membrane", extra=True)), lazy=True, adjoint=("delta", "lambda")
)


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return the decay words of V and A, theta, the jump."""
    jump = own.jump * form.theta
    return form.word(own.tau_ms), form.word(own.tau_adapt_ms), form.theta, float(round(jump)) if form.fixed else jump


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    adaptation = leak(s[SECOND], k[SECOND], now, modes, DECAY_ADAPTATION)
    v = leak(s[V], k[V], now, modes, DECAY_V) + a
    adaptation = into_v(pick(sent != 0, adaptation + k[JUMP], adaptation), modes)
    v = into_v(pick(sent != 0, v - k[THETA], v), modes)
    potential = v - k[THETA] - adaptation
    return (v, adaptation, s[THIRD]), flag(v, potential > 0), potential


@kernel
def adjoint(e, error, gain, fired, k, bits):
    """One step backward (see neurons.arithmetic): ds = g (error + lambda); lambda <- rho lambda - jump ds; delta <- alpha delta + ds.

    lambda is the derivative with respect to what a spike adds to the threshold: jump times that with respect to A.
    """
    ds = drive(error + e[SECOND], gain, bits)
    second = saturate(decay(e[SECOND], k[SECOND]) - portion(ds, k[JUMP], k[THETA]), bits)
    return saturate(decay(e[V], k[V]) + ds, bits), second
