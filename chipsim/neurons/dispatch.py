"""Which neuron model updates a compartment: the code of `KINDS` to the kernel of the model's own file."""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.neurons import delta_lif, leaky_readout

READOUT = 2
delta_lif_update = delta_lif.update
leaky_readout_update = leaky_readout.update


@kernel
def update(kind, v, total, spiked, word, theta, bits):
    """Return the membrane potential of the next step for a compartment of model `kind`."""
    if kind == READOUT:
        return leaky_readout_update(v, total, spiked, word, theta, bits)
    return delta_lif_update(v, total, spiked, word, theta, bits)
