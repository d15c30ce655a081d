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
from chipsim.kernels.random import DECAY_ADAPTATION, DECAY_V
from chipsim.neurons.arithmetic import THETA, into_v, leak
from chipsim.neurons.contract import SECOND, Form, Model, Tau, V, Variable
from chipsim.schema import Description

JUMP = 3


class Parameters(Description):
    """tau_ms: membrane; tau_adapt_ms: threshold; jump: what a spike adds to the threshold, in thresholds."""

    tau_ms: Tau
    tau_adapt_ms: Tau
    jump: Annotated[float, Field(strict=True, ge=0, le=1000)] = 0.1


MODEL = Model("delta", (Variable("v", "membrane"), Variable("adaptation", "membrane", extra=True)), lazy=True)


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return the decay words of V and A, theta, the jump."""
    jump = own.jump * form.theta
    return form.word(own.tau_ms), form.word(own.tau_adapt_ms), form.theta, float(round(jump)) if form.fixed else jump


@kernel
def update(rules, cells, at, a):
    """One step of one compartment."""
    theta, spiked = rules.constants[at.p, THETA], cells.payload[at.n] != 0
    adaptation = leak(rules, cells, at, SECOND, DECAY_ADAPTATION)
    v = leak(rules, cells, at, V, DECAY_V) + a
    if spiked:
        adaptation = adaptation + rules.constants[at.p, JUMP]
        v = v - theta
    adaptation = into_v(adaptation, rules.arithmetic)
    v = into_v(v, rules.arithmetic)
    cells.state[SECOND, at.n] = adaptation
    cells.state[V, at.n] = v
    cells.payload[at.n] = 1 if v > theta + adaptation else 0
    return v - theta - adaptation
