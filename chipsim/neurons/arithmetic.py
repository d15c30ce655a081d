"""Steps that several neuron models share: decay, and bringing a value back into its width (docs/neurons.md section 2)."""

from __future__ import annotations

from typing import NamedTuple

from chipsim.kernels._jit import by_number, kernel
from chipsim.kernels.fixed import clip, decay_as, fold, saturate, wide, wrap
from chipsim.kernels.random import DECAY_U, random_word
from chipsim.neurons.contract import SECOND, V

STOCHASTIC = 3
WRAP = 1
CURRENT_SCALE, LOIHI_BITS = 64, 32  # a synaptic sum enters the current shifted by 6; Lava computes in 32 bits
THETA, BIAS = 2, 3  # constants of the Loihi family after the two decay words


class At(NamedTuple):
    """Which compartment is updated, and when."""

    p: int  # population
    n: int  # global id
    t: int  # step
    since: int  # steps since its last update (1 unless decay is lazy)


def _chance_fixed(x, rules, cells, at, stream):
    """Return 12 random bits if decays are rounded stochastically, else 0."""
    if rules.arithmetic.rounding != STOCHASTIC:
        return 0
    seed, sample, run = cells.address[0], cells.address[1], cells.address[2]
    return random_word(seed, stream, at.n, at.t, sample, run) & 4095


def _chance_float(x, rules, cells, at, stream):
    return 0


chance = by_number(_chance_fixed, _chance_float)


@kernel
def leak(rules, cells, at, row, stream):
    """Return state variable `row` (0 or 1) after the decay since its last update."""
    x = wide(cells.state[row, at.n])
    word = rules.constants[at.p, row]
    if at.since > 1:
        word = rules.powers[at.p, row, at.since] if at.since < rules.arithmetic.entries else word * 0
    return decay_as(x, word, rules.arithmetic.rounding, chance(x, rules, cells, at, stream))


@kernel
def into_v(x, arithmetic):
    """Bring a value into the membrane, delta family: two's complement, saturating or wrapping."""
    if arithmetic.overflow_v == WRAP:
        return wrap(x, arithmetic.v_bits)
    return saturate(x, arithmetic.v_bits)


@kernel
def into_loihi_v(x, arithmetic):
    """Bring a value into the voltage, Loihi family: symmetric, saturating (Loihi) or folding once."""
    if arithmetic.overflow_v == WRAP:
        return fold(x, arithmetic.v_bits)
    return clip(x, arithmetic.v_bits)


@kernel
def current(rules, cells, at, a):
    """Update the current u of the Loihi family with what arrives and return it."""
    arithmetic = rules.arithmetic
    x = wrap(leak(rules, cells, at, SECOND, DECAY_U) + wrap(a * CURRENT_SCALE, LOIHI_BITS), LOIHI_BITS)
    u = fold(x, arithmetic.u_bits) if arithmetic.overflow_u == WRAP else clip(x, arithmetic.u_bits)
    cells.state[SECOND, at.n] = u
    return u


@kernel
def settle_loihi(rules, cells, at, v, payload):
    """Store the voltage, reset to zero if there is a payload, and send the payload."""
    cells.payload[at.n] = payload
    cells.state[V, at.n] = v * 0 if payload != 0 else v
