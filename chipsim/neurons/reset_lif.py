"""reset-lif: a loihi-lif whose current and voltage are cleared at regular intervals (lava-nc's LIFReset).

    u = v = 0 before the update of step t if (t + 1) mod interval = offset mod interval

Source: lava-nc 0.10.0, lif/models.py, PyLifResetModelBitAcc (Lava's step is t + 1).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chipsim.kernels._jit import kernel
from chipsim.neurons.arithmetic import flag
from chipsim.neurons.contract import THIRD, Form, V
from chipsim.neurons.loihi import LoihiParameters, family, loihi_constants
from chipsim.neurons.loihi_lif import update as loihi_update

INTERVAL, OFFSET = 4, 5
Steps = Annotated[int, Field(strict=True, ge=1, le=2**31)]


class Parameters(LoihiParameters):
    """Those of the Loihi family; interval: steps from one clearing to the next; offset: step of the first."""

    interval: Steps
    offset: Annotated[int, Field(strict=True, ge=0, le=2**31)] = 0


MODEL = family()


def constants(own: Any, form: Form) -> tuple[float, ...]:
    """Return the decay words of v and u, the threshold, the bias, interval and offset."""
    return loihi_constants(own, form, float(own.interval), float(own.offset % own.interval))


@kernel
def update(s, a, sent, k, now, modes):
    """One step of one compartment (see neurons.arithmetic)."""
    if (now.t + 1) % k[INTERVAL] == k[OFFSET]:
        s = (flag(s[V], False), flag(s[V], False), s[THIRD])
    return loihi_update(s, a, sent, k, now, modes)
