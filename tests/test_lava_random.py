"""The random streams of Lava's learning engine: known numbers, and Lava's own generators draw by draw."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from chipsim.errors import ConfigError
from chipsim.learning.lava.streams import lava_streams, learning, post_spike, write

SEEDS = (0, 1, 2, 3, 5, 7, 8, 10, 42, 99, 123, 999, 4095, 65535, 65536, 10**6, 10**9, 2**31 - 1, 2**31, 2**32 - 1)


def test_known_numbers():
    """From the real models: default_rng(8).integers(0, 128) and default_rng(2).random()."""
    known = [92, 41, 30, 126, 22, 40]
    assert lava_streams(7, 3, 0).x_impulse[:6].tolist() == known
    assert lava_streams(5, 3, 0).y_impulse[:6].tolist() == known
    draws = [0.261612, 0.298491, 0.814226, 0.091916]
    for seed in (0, 77):
        assert lava_streams(seed, 0, 3).write.round(6).tolist() == draws
    assert lava_streams(2, 2, 0).x_decay[:4].round(6).tolist() == draws
    assert lava_streams(0, 2, 0).y_decay[:4].round(6).tolist() == draws


def test_shapes_and_indices():
    streams = lava_streams(3, 5, 2)
    assert [s.shape for s in streams] == [(11,)] * 4 + [(3,)]
    assert [s.dtype for s in streams] == [np.float64, np.int64, np.float64, np.int64, np.float64]
    assert [(post_spike(t), learning(t)) for t in (1, 2, 5)] == [(1, 2), (3, 4), (9, 10)]
    assert [write(e) for e in (1, 2)] == [1, 2]
    assert [s.shape for s in lava_streams(3, 0, 0)] == [(1,)] * 5
    longer = lava_streams(np.int64(3), 9, 4)
    assert all(np.array_equal(long[: len(short)], short) for long, short in zip(longer, streams, strict=True))


@pytest.mark.parametrize("arguments", [(-1, 1, 1), (2**32, 1, 1), (1.0, 1, 1), (None, 1, 1), (True, 1, 1), ("1", 1, 1)])
def test_wrong_seeds(arguments):
    with pytest.raises(ConfigError, match=r"rng_seed = .*0\.\.4294967295"):
        lava_streams(*arguments)


def test_all_that_is_wrong_is_told():
    with pytest.raises(ConfigError) as caught:
        lava_streams(-5, -1, 2.5)
    assert [p.key for p in caught.value.problems] == ["rng_seed", "steps", "epochs"]


def real_draws(seed: int, steps: int, length: int) -> tuple[list, list, list]:
    """Run the real connection model, without ports and weights; return what it would use where it uses it.

    [y impulse] at the post spikes of every step; [(x decay, x impulse, y decay, y impulse)] and [write] at every
    learning phase.
    """
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule
    from lava.magma.core.model.py.connection import LearningConnectionModelBitApproximate as Model

    model = object.__new__(Model)
    model._learning_rule = Loihi2FLearningRule(dw="x0*y1", t_epoch=length, rng_seed=seed)
    model._init_randoms()
    model.s_in_bap = SimpleNamespace(recv=lambda: np.zeros(1))
    posts, phases, writes = [], [], []
    model._process_pre_spikes = lambda spikes: None
    model._process_post_spikes = lambda spikes: posts.append(model._y_random.random_impulse_addition)
    model._update_dependencies = model._reset_dependencies_and_spike_times = lambda: None
    model._update_traces = lambda x, y: None
    model._apply_learning_rules = lambda x, y: writes.append(model._conn_var_random.random_stochastic_round)

    def histories():
        pairs = [(r.random_trace_decay, r.random_impulse_addition) for r in (model._x_random, model._y_random)]
        phases.append(pairs[0] + pairs[1])
        return None, None

    model._compute_trace_histories = histories
    for step in range(1, steps + 1):
        model.time_step = step
        model.recv_traces(np.zeros(1))
        if model.lrn_guard():
            model.run_lrn()
    return posts, phases, writes


@pytest.mark.lava
@pytest.mark.xdist_group("lava")
@pytest.mark.parametrize("seed", SEEDS)
def test_equal_to_the_generators_of_lava(seed):
    """Draw by draw: at construction, then after the pre and after the post spikes of every step, then per epoch."""
    from lava.magma.core.learning.random import ConnVarRandom, TraceRandom

    streams = lava_streams(seed, 20, 20)
    x, y, rounding = TraceRandom(seed, seed + 1), TraceRandom(seed + 2, seed + 3), ConnVarRandom()
    for n in range(41):
        assert x.random_trace_decay == streams.x_decay[n] and y.random_trace_decay == streams.y_decay[n]
        assert x.random_impulse_addition == streams.x_impulse[n] and y.random_impulse_addition == streams.y_impulse[n]
        x.advance()
        y.advance()
    for n in range(21):
        assert rounding.random_stochastic_round == streams.write[n]
        rounding.advance()


@pytest.mark.lava
@pytest.mark.xdist_group("lava")
@pytest.mark.parametrize("seed", SEEDS)
def test_equal_where_the_model_of_lava_uses_them(seed):
    """The real connection model in its own order of events, epochs of one and of three steps."""
    for length in (1, 3):
        posts, phases, writes = real_draws(seed, 12, length)
        streams = lava_streams(seed, 12, 12 // length)
        assert posts == [streams.y_impulse[post_spike(t)] for t in range(1, 13)]
        ends = [learning(t) for t in range(length, 13, length)]
        assert phases == [(*(stream[n] for stream in streams[:4]),) for n in ends]
        assert writes == [streams.write[write(e)] for e in range(1, 12 // length + 1)]
