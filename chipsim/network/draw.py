"""Initial weights, connectivity and delays of a projection, drawn with a seed."""

from __future__ import annotations

import math

import numpy as np

from chipsim.errors import ConfigError, Problem
from chipsim.network.population import Population
from chipsim.network.projection import Projection

MASK, DELAY = 1, 2  # streams beside the weights


def weight_shape(projection: Projection, pre: Population, post: Population) -> tuple[int, ...]:
    """Return the shape of a projection's weights: [N_pre, N_post], or [K, kx, ky, C / groups] of a convolution."""
    if projection.kind != "conv" or pre.shape is None or post.shape is None:
        return pre.size, post.size
    return post.shape[2], *projection.kernel, pre.shape[2] // projection.groups


def draw_weights(projection: Projection, k: int, pre: Population, post: Population, kept: float, seed: int) -> np.ndarray:
    """Return float64 weights of projection number k; `kept`: factor the postsynaptic membrane keeps per step.

    Raises:
        ConfigError: the weights are to be scaled by data (init = "membrane").
    """
    if projection.init == "membrane":
        limit = "its gain is found from training samples, which only cs.train and cs.calibrate have"
        hint = "give weights (--init RUN, weights=...), or init = 'normal' with a gain"
        raise ConfigError(Problem(f"projection {pre.name} -> {post.name}", "init", "membrane", limit, hint))
    shape = weight_shape(projection, pre, post)
    random = np.random.default_rng([seed, k])
    if projection.init == "integers":
        return random.integers(projection.low, projection.high, shape, endpoint=True).astype(np.float64)
    fan_in = shape[0] if projection.kind != "conv" else math.prod(shape[1:])
    if projection.init == "uniform":
        bound = (projection.gain or 1.0) / math.sqrt(fan_in)
        return random.uniform(-bound, bound, shape)
    gain = projection.gain or (20 * (1 - kept) if kept < 1 else 1.0)
    return random.normal(0.0, gain / math.sqrt(fan_in), shape)


def draw_mask(projection: Projection, k: int, pre: Population, post: Population, seed: int) -> np.ndarray:
    """Return which synapses of a sparse projection with a density exist: [N_pre, N_post] bool."""
    return np.random.default_rng([seed, k, MASK]).random((pre.size, post.size)) < projection.density


def draw_delays(projection: Projection, k: int, pre: Population, post: Population, seed: int) -> np.ndarray:
    """Return the delay of every synapse: [N_pre, N_post] int64."""
    if isinstance(projection.delay, int):
        return np.full((pre.size, post.size), projection.delay, dtype=np.int64)
    low, high = projection.delay
    return np.random.default_rng([seed, k, DELAY]).integers(low, high, (pre.size, post.size), endpoint=True)
