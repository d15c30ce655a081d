"""Packed synapses: what fits is packed, what does not stays a list, and weights that may change are never packed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.compiler.packing import pack
from chipsim.compiler.synapses import Synapses
from chipsim.compiler.wires import wires_of
from chipsim.events import as_events
from chipsim.kernels.fixed import one_more, target_in, weight_in
from chipsim.simulator.engine import Engine

pytestmark = pytest.mark.kernel


def synapses(weights, posts, width, delays=None):
    n = len(weights)
    late = None if delays is None else np.array(delays)
    depth = 0 if delays is None else int(late.max()) + 1
    return Synapses((n, width), (n, width), n, depth, np.arange(n + 1), np.array(posts), None, late), np.array(weights)


def test_words_and_accumulators_hold_what_was_put_in():
    dice = np.random.default_rng(0)
    for delays in (None, dice.integers(0, 7, 400)):
        weights, posts = dice.integers(-254, 255, 400), dice.integers(0, 90, 400)
        packed = pack(*synapses(weights, posts, 90, delays), 0, 32)
        late = 0 if delays is None else delays
        assert [int(target_in(word, packed.bits)) for word in packed.words] == (posts + 90 * late).tolist()
        found = [int(weight_in(word, packed.bits)) + int(one_more(packed.bits, packed.below)) for word in packed.words]
        assert found == ((1 << packed.below) + weights).tolist()


def test_only_a_synapse_that_was_added_leaves_something():
    """The worst sums: as many synapses as a neuron has, all of the largest weight, of either sign, and all of weight 0."""
    for weight in (-256, 255, 0, -1, 1):
        for count in (1, 2, 3, 200):
            packed = pack(*synapses([weight] * count, [0] * count, 5), 0, 32)
            one = int(one_more(packed.bits, packed.below))
            total = sum(int(weight_in(word, packed.bits)) + one for word in packed.words)
            low = total & ((1 << packed.below) - 1)
            assert 0 < total < 1 << 31
            assert low - ((low >> (packed.below - 1)) << packed.below) == weight * count


@pytest.mark.parametrize(
    ("weights", "posts", "width", "delays", "exponent", "wrap"),
    [
        ([255] * 5000, [0] * 5000, 1, None, 0, 32),  # the accumulator is too narrow for sum and number
        ([100, 2], [0, 1], 1 << 25, None, 0, 32),  # the word is too narrow for target and weight
        ([3, 2], [0, 1], 2, [0, 2], -1, 32),  # each sum is floored before sums of several steps meet
        ([200] * 9, [1] * 9, 2, [1] * 9, 22, 32),  # what is due may wrap
    ],
    ids=["accumulator", "word", "floor", "wrap"],
)
def test_what_does_not_fit_is_not_packed(weights, posts, width, delays, exponent, wrap):
    assert pack(*synapses(weights, posts, width, delays), exponent, wrap) is None


def test_sums_without_delays_may_be_floored_and_wrap():
    assert pack(*synapses([3, 2], [0, 1], 2), -1, 32) is not None
    assert pack(*synapses([200] * 9, [1] * 9, 2), 22, 32) is not None


def network():
    dice = np.random.default_rng(1)
    made = cs.Network(
        name="sparse", steps=20,
        population=[{"name": "in", "neuron": "input", "size": 12}, {"name": "a", "neuron": "loihi-lif", "size": 30, "dv": 100, "vth": 40},
                    {"name": "out", "neuron": "leaky-readout", "size": 3, "tau_ms": 10.0}],
        projection=[{"pre": "in", "post": "a", "kind": "sparse", "units": "mantissa"}, {"pre": "a", "post": "out"}],
    )  # fmt: skip
    weights = dice.integers(-100, 100, (12, 30)) * (dice.random((12, 30)) < 0.4)
    return made.with_weights({"a": weights, "out": dice.normal(size=(30, 3))})


def test_weights_that_may_change_stay_lists():
    image = compile_network(network(), None, learn=False)
    assert image.wires.packed_bits.tolist()[0] > 0 and len(image.wires.list_post) == 0
    plan = replace(image.plan, learning=True)
    assert len(wires_of(plan, image.formats, image.weights).list_post) == image.plan.synapses[0].count
    assert not compile_network(network(), None, learn=False, numerics="float64").wires.packed_bits.any()


def test_packed_weights_cannot_be_replaced():
    image = compile_network(network(), None, learn=False)
    engine = Engine(image)
    events = as_events(np.zeros((20, 1, 12)), 12, 20)
    log = events.of_sample(events.spikes(np.dtype(np.int64)), 0)
    engine.forward(image.weights, log)
    with pytest.raises(ValueError, match="packed"):
        engine.forward(image.weights.copy(), log)
    with pytest.raises(ValueError, match="packed"):
        Engine(replace(image, weights=image.weights.copy())).forward(image.weights, log)
