"""graded: no dynamics; what arrives is sent on as a graded spike if it is large enough (lava-nc's GradedVec and GradedReluVec).

    s[t] = a[t] if |a[t]| > vth (relu: if a[t] > vth), else 0

Source: lava-nc 0.10.0, graded/models.py; Loihi 2's graded spikes carry up to 32 bits.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import wrap
from chipsim.kernels.lane_math import pick
from chipsim.neurons.arithmetic import LOIHI_BITS, THETA, flag
from chipsim.neurons.contract import Form, Model, Variable
from chipsim.schema import Description

RELU = 3


class Parameters(Description):
    """vth: magnitude up to which nothing is sent; relu: negative sums are not sent either."""

    vth: Annotated[int, Field(strict=True, ge=0, le=2**23 - 1)] = 1
    relu: Annotated[bool, Field(strict=True)] = False


MODEL = Model("loihi", (Variable("v", "membrane", overflow="none", rounding=""),), stepped=True, thresholds=False)


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return two unused decay words, the threshold, whether it rectifies."""
    return 0.0, 0.0, float(own.vth), float(own.relu)


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    v = wrap(a, LOIHI_BITS)
    nothing = flag(v, False)
    return s, pick((v > k[THETA]) | ((wrap(-v, LOIHI_BITS) > k[THETA]) & (k[RELU] == 0)), v, nothing), nothing
