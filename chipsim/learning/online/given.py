"""What a hook is given beside the state of the rule: potentials of neurons and random numbers (docs/online.md section 1)."""

from __future__ import annotations

import numpy as np

from chipsim.kernels._jit import by_number, inner
from chipsim.kernels.fixed import rescale, saturate, wide
from chipsim.kernels.random import random_word
from chipsim.learning.online.state import RANDOM
from chipsim.learning.surrogate import in_thresholds


@inner
def potential(t, n, u, p, circuit, setup, work):
    """Return V of neuron n of population p after step t in the format of potential field u."""
    v = in_thresholds(wide(work.membranes.trace[t, 0, n]), circuit.theta[p])
    return saturate(rescale(v, setup.potential[u, p]), setup.potential_bits[u])


def _fraction_fixed(like, word, bits):
    """Return the low bits of a random word, in 2^-bits."""
    return word & ((np.int64(1) << np.int64(bits)) - np.int64(1))


def _fraction_float(like, word, bits):
    return like * 0 + (word % 2**bits) / 2.0**bits


fraction = by_number(_fraction_fixed, _fraction_float)


@inner
def drawn(r, n, event, setup, work, walk):
    """Return the random number of field r at synapse n; event: 8 times the step plus the number of the event."""
    own = work.membranes.cells.address
    word = random_word(own[0], RANDOM + r, n, event, own[1], own[2])
    return fraction(wide(walk.reward[0]), word, setup.random_bits[r])
