"""Steps that several neuron models share: decay, and bringing a value back into its width (docs/neurons.md section 2).

A model's kernel is a pure function, `update(s, a, sent, k, now, modes)`. State, input and what is sent are vectors of 16 compartments
(kernels.lanes), constants plain numbers: what depends on a compartment is chosen by `pick`, not by `if`.

    s       state (V, second, third variable) before the step
    a       what arrives in this step
    sent    what the last update sent; 0: no spike
    k       constants of the population, the decay words of V and of the second variable first
    now     where and when (`Now`)
    modes   how the chip computes (state.Arithmetic)

It returns the new state, what is sent, and the potential before any reset minus the threshold.

A model that gradient rules train has a second kernel, one step backward in time, `adjoint(e, error, gain, fired, k, bits)`, of vectors or
of plain numbers. Where all of e, error and gain are 0 it must return 0:

    e       backward variables (derivative of the loss with respect to what arrives, a second one), of step t + 1
    error   derivative with respect to the spike of step t that came from elsewhere; readout: with respect to V
    gain    surrogate derivative of the spike of step t; 0 where the neuron was not active
    fired   it spiked in step t (told only to models that reset to zero: contract.Model.resets)
    bits    width of the backward variables

It returns the backward variables of step t (docs/semantics.md section 5). Resets are detached: what a spike does to V is a constant.
"""

from __future__ import annotations

from typing import NamedTuple

from chipsim.kernels._jit import by_number, inner
from chipsim.kernels.fixed import GAIN_BITS, clip, decay_as, fold, rescale, saturate, wrap
from chipsim.kernels.lane_kinds import as_double, as_int64, zeros_like
from chipsim.kernels.random import DECAY_U, random_word
from chipsim.neurons.contract import SECOND

STOCHASTIC = 3
WRAP = 1
CURRENT_SCALE, LOIHI_BITS = 64, 32  # a synaptic sum enters the current shifted by 6; Lava computes in 32 bits
THETA, BIAS = 2, 3  # constants of the Loihi family after the two decay words


class Now(NamedTuple):
    """Which compartment is updated and when: the address of its random words."""

    n: int  # global ids, a vector
    t: int  # step
    seed: int
    sample: int
    run: int  # pass over the data


def _chance_fixed(x, now, modes, stream):
    """Return 12 random bits if decays are rounded stochastically, else 0."""
    if modes.rounding != STOCHASTIC:
        return zeros_like(x)
    return random_word(now.seed, stream, now.n, now.t, now.sample, now.run) & 4095


def _chance_float(x, now, modes, stream):
    return zeros_like(x)


def _flag_fixed(like, yes):
    """Return 1 or 0 in the number type of `like`."""
    return zeros_like(like) + as_int64(yes)


def _flag_float(like, yes):
    return zeros_like(like) + as_double(yes)


chance = by_number(_chance_fixed, _chance_float)
flag = by_number(_flag_fixed, _flag_float)


@inner
def leak(x, word, now, modes, stream):
    """Return a state variable after its decay."""
    return decay_as(x, word, modes.rounding, chance(x, now, modes, stream))


@inner
def into_v(x, modes):
    """Bring a value into the membrane, delta family: two's complement, saturating or wrapping."""
    if modes.overflow_v == WRAP:
        return wrap(x, modes.v_bits)
    return saturate(x, modes.v_bits)


@inner
def into_loihi_v(x, modes):
    """Bring a value into the voltage, Loihi family: symmetric, saturating (Loihi) or folding once."""
    if modes.overflow_v == WRAP:
        return fold(x, modes.v_bits)
    return clip(x, modes.v_bits)


@inner
def current(s, a, k, now, modes):
    """Return the current u of the Loihi family with what arrives."""
    x = wrap(leak(s[SECOND], k[SECOND], now, modes, DECAY_U) + wrap(a * CURRENT_SCALE, LOIHI_BITS), LOIHI_BITS)
    if modes.overflow_u == WRAP:
        return fold(x, modes.u_bits)
    return clip(x, modes.u_bits)


@inner
def drive(error, gain, bits):
    """Return ds, what an active event adds to the adjoint of V: its error times the surrogate derivative."""
    return rescale(saturate(error, bits) * gain, GAIN_BITS)
