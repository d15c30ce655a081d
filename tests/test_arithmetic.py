"""Integer arithmetic, random words and tables of the kernels against Python's integers (docs/semantics.md sections 1 to 4)."""

from __future__ import annotations

import math

import bridge
import numpy as np
import pytest
import refneurons
from hypothesis import example, given, settings
from hypothesis import strategies as st
from refnumbers import TABLE as REFERENCE_TABLE
from refnumbers import Fixed
from refrandom import philox as reference_philox
from refrandom import write_word

from chipsim.kernels import fixed
from chipsim.kernels._jit import kernel
from chipsim.kernels.random import WEIGHT_WRITE, philox, random_word
from chipsim.learning.losses import TABLE, inject_error
from chipsim.learning.surrogate import ENTRIES, SURROGATES, gains, table

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]

many = settings(max_examples=400, deadline=None, derandomize=True, database=None)
WORD = 2**32 - 1
words = st.integers(0, WORD)


@kernel
def decay(x, word):
    return fixed.decay(x, word)


@kernel
def saturate(x, bits):
    return fixed.saturate(x, bits)


@kernel
def rescale(x, shift):
    return fixed.rescale(x, shift)


@kernel
def weigh(value, weight, graded, bits):
    return fixed.weigh(value, weight, graded, bits)


@kernel
def settle(x, exponent, before, after):
    return fixed.settle(x, exponent, before, after)


@kernel
def decay_as(x, word, rounding, chance):
    return fixed.decay_as(x, word, rounding, chance)


@kernel
def bounded(x, bits):
    return fixed.wrap(x, bits), fixed.fold(x, bits), fixed.clip(x, bits)


@kernel
def loss_error(gain, scores, label, fraction, delta_fraction, inject):
    inject_error(gain, scores, label, fraction, delta_fraction, inject)


@kernel
def enter(theta, band, lut, shape, gain, code):
    gains(theta, band, 0, len(gain), lut, shape, gain, code)


def logged(u, band, lut, shape):
    gain, code = np.array([u]), np.zeros(1, dtype=np.int64)
    enter(type(u)(1), band, lut, shape, gain, code)
    return code[0], gain[0]


def signed(bits: int):
    """Return a strategy of integers of that many bits, sign included."""
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@many
@given(signed(50), st.integers(0, 4096))
@example(-1, 4095)
@example(-(2**49), 4096)
def test_decay_rounds_toward_zero(x, word):
    found = decay(np.int64(x), np.int64(word))
    assert found == int(math.copysign(1, x)) * (abs(x) * word // 4096)
    assert abs(found) <= abs(x) and found == -decay(np.int64(-x), np.int64(word))


@many
@given(signed(63), st.integers(2, 48))
@example(-(2**15) - 1, 16)
@example(2**15, 16)
@example(-(2**15), 16)
def test_saturate_clips_to_twos_complement(x, bits):
    assert saturate(np.int64(x), np.int64(bits)) == min(max(x, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


@many
@given(signed(60), st.integers(0, 40))
@example(-1, 1)
@example(1, 1)
@example(-3, 1)
def test_rescale_rounds_halves_up(x, shift):
    assert rescale(np.int64(x), np.int64(shift)) == math.floor((2 * x + 2**shift) // 2 ** (shift + 1))


@many
@given(signed(40), st.integers(0, 20))
def test_rescale_by_a_negative_shift_multiplies(x, shift):
    assert rescale(np.int64(x), np.int64(-shift)) == x * 2**shift


@many
@given(signed(32), signed(31), st.booleans(), st.sampled_from([0, 32]))
def test_weigh_widens_before_it_multiplies(weight, value, graded, bits):
    product = weight * value if graded else weight
    assert weigh(np.int64(value), np.int32(weight), graded, bits) == (refneurons.wrap(product, bits) if bits else product)


@many
@given(signed(40), st.integers(-31, 20), st.sampled_from([0, 32]), st.sampled_from([0, 24, 32]))
def test_settle_floors_the_sum(x, exponent, before, after):
    inner = refneurons.wrap(x, 32) if before else x
    scaled = inner * 2**exponent if exponent > 0 else inner // 2**-exponent
    wanted = refneurons.wrap(scaled, after) if after else scaled
    wanted = 0 if after == 24 and refneurons.wrap(scaled, 32) != scaled else wanted
    assert settle(np.int64(x), np.int64(exponent), before, after) == wanted


@many
@given(signed(40), st.integers(0, 4096), st.sampled_from(list(fixed.ROUNDINGS)), st.integers(0, 4095))
def test_decay_in_every_rounding(x, word, rounding, chance):
    found = decay_as(np.int64(x), np.int64(word), fixed.ROUNDINGS[rounding], np.int64(chance))
    assert found == refneurons.decay(x, word, rounding, chance)


@many
@given(signed(60), st.integers(2, 40))
def test_overflow_in_every_mode(x, bits):
    wanted = (refneurons.wrap(x, bits), refneurons.fold(x, bits), refneurons.clip(x, bits))
    assert bounded(np.int64(x), np.int64(bits)) == wanted


@many
@given(signed(40), st.integers(1, 2**20))
def test_clip_symmetric(x, top):
    assert fixed.clip_symmetric(np.int64(x), np.int64(top)) == min(max(x, -top), top)


def test_floats_pass_unchanged():
    assert decay(0.5, 0.25) == 0.125 and weigh(-3.0, 0.5, True, 8) == -1.5
    assert saturate(1e30, 8) == 1e30 and rescale(0.3, 5) == 0.3


@many
@given(signed(40), st.integers(0, 32), words)
@example(-1, 32, 0)
@example(-(2**39), 32, WORD)
def test_round_stochastic(x, shift, word):
    assert fixed.round_stochastic(np.int64(x), np.int64(shift), np.int64(word)) == (x + word % 2**shift) // 2**shift


@pytest.mark.parametrize("shift", range(9))
def test_round_stochastic_is_unbiased(shift):
    """Over all words of S bits the sum of the results is the accumulator itself: no bias, not even a small one."""
    dice = np.random.default_rng(shift)
    for x in [0, 1, -1, 2**23 - 1, -(2**23), *dice.integers(-(2**23), 2**23, 20).tolist()]:
        found = [int(fixed.round_stochastic(np.int64(x), np.int64(shift), np.int64(r))) for r in range(2**shift)]
        assert sum(found) == x
        assert set(found) <= {math.floor(x / 2**shift), math.ceil(x / 2**shift)}


def test_philox_known_answers():
    """Vectors `philox 4x32 10` of Random123's kat_vectors."""
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)
    assert philox(*(0,) * 6) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox(*(WORD,) * 6) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    assert philox(*pi) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


@many
@given(st.tuples(words, words, words, words), st.tuples(words, words))
def test_philox_equals_the_reference(counter, key):
    assert tuple(int(x) for x in philox(*counter, *key)) == reference_philox(counter, key)


@many
@given(words, words, words, words)
def test_random_word_of_a_weight_write(seed, synapse, sample, run):
    address = np.array([seed, sample, run], dtype=np.int64)
    found = random_word(address[0], WEIGHT_WRITE, np.int64(synapse), 0, address[1], address[2])
    assert found == write_word(seed, synapse, sample, run)


def test_random_words_look_uniform():
    found = np.array([int(random_word(1, WEIGHT_WRITE, n, 0, 0, 0)) for n in range(4096)])
    assert len(np.unique(found)) > 4090 and found.max() <= WORD
    bits = (found[:, None] >> np.arange(32)) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / math.sqrt(4096)


def test_exponential_table():
    assert TABLE.dtype == np.int64
    assert TABLE.tolist() == [round(65535 * math.exp(-k / 16)) for k in range(256)] == REFERENCE_TABLE


@many
@given(st.data())
def test_injected_error(data):
    classes, delta_fraction, fraction = (data.draw(st.integers(*ends)) for ends in ((2, 12), (0, 14), (4, 20)))
    readout = {"decay": data.draw(st.integers(0, 4096)), "fraction": fraction, "delta_fraction": delta_fraction}
    bits = data.draw(st.sampled_from([8, 16, 24, 36]))
    scores = data.draw(st.lists(signed(bits), min_size=classes, max_size=classes))
    label = data.draw(st.integers(0, classes - 1))
    inject = np.zeros(classes, dtype=np.int64)
    gain = np.int64(4096 - readout["decay"])
    loss_error(gain, np.array(scores, dtype=np.int64), np.int64(label), readout["fraction"], delta_fraction, inject)
    reference = Fixed({"bits": {}, "lut": []})
    q, _ = reference.softmax(scores, label, readout)
    assert inject.tolist() == [reference.injection(x, readout) for x in q]
    assert abs(sum(q)) <= classes / 2 and q[label] <= 0 and min(x for c, x in enumerate(q) if c != label) >= 0


@pytest.mark.parametrize("shape", SURROGATES)
@pytest.mark.parametrize("half_width", [0.02, 0.2, 1.0, 7.5])
def test_surrogate_table(shape, half_width):
    assert table(shape, half_width).tolist() == bridge.surrogate_table(shape, half_width)


@pytest.mark.parametrize("band", [1, 3, 31, 32, 33, 819, 2**25])
def test_code_of_every_distance_in_the_band(band):
    lut = np.arange(ENTRIES, dtype=np.int64)[::-1].copy()
    distances = range(band) if band < 1000 else [*range(50), band // 2, band - 2, band - 1]
    for distance in distances:
        for u in (distance, -distance):
            code, gain = logged(np.int64(u), np.int64(band), lut, 0)
            assert code == distance * 32 // band < ENTRIES and gain == ENTRIES - 1 - code
