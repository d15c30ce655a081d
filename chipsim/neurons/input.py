"""input: spikes that the host sends; no compartment, no state."""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.neurons.arithmetic import flag
from chipsim.neurons.contract import Form, Model
from chipsim.schema import Description


class Parameters(Description):
    """An input has a size, nothing else."""


MODEL = Model("input", ())


def constants(own: Parameters, form: Form) -> tuple[float, ...]:
    """Return nothing."""
    return ()


@kernel
def update(s, a, sent, k, now, modes):
    """Change nothing: the host injects (simulator.step.inject)."""
    return s, flag(a, False), a
