"""Initialisation by data: weights of `init = "membrane"` are scaled until potentials just reach the threshold.

Layer by layer, the mean over samples and neurons of max_t V becomes one threshold. Uniform weights leave deep layers silent at the
start (SHD, N-MNIST); these do not.
"""

from __future__ import annotations

import math

import numpy as np

from chipsim.errors import Problem, RunError
from chipsim.events import Events
from chipsim.network import Network, Projection
from chipsim.simulator import simulate

SAMPLES = 50  # the first training samples
TRIALS = 60
NEAR = 0.005  # of the threshold
START = 1.0


def resolve_gains(network: Network, events: Events, seed: int) -> Network:
    """Return `network` with every init = "membrane" replaced by init = "normal" and the gain that was found.

    events: training samples, of which the first `SAMPLES` are run in float64. All such projections to a population get one gain.

    Raises:
        RunError: no spike reaches a population, or no gain brings its potentials to the threshold.
    """
    if network.explicit or all(p.init != "membrane" for p in network.projection):
        return network
    few = events.take(np.arange(min(SAMPLES, events.samples)))
    for name in (p.name for p in network.population[1:]):
        network = resolve_layer(network, name, few, seed)
    return network


def with_gain(network: Network, post: str, gain: float) -> Network:
    """Return `network` with this gain for the projections of init = "membrane" to `post`."""
    change = {"init": "normal", "gain": gain}
    found = [
        p.model_dump(exclude_unset=True) | (change if p.init == "membrane" and p.post == post else {}) for p in network.projection
    ]
    return network.but(projection=found)


def resolve_layer(network: Network, post: str, events: Events, seed: int) -> Network:
    """Return `network` with the gain of one population resolved."""
    if not any(p.init == "membrane" and p.post == post for p in network.projection):
        return network
    gain, low, high = START, 0.0, math.inf
    for _ in range(TRIALS):
        trial = with_gain(network, post, gain)
        reached = mean_peak(trial, post, events, seed)
        if abs(reached - 1) <= NEAR:
            return trial
        low, high = (gain, high) if reached < 1 else (low, gain)
        gain = next_gain(gain, reached, low, high)
        if not 1e-6 < gain < 1e6:
            break
    limit = f"with init = 'membrane' the mean of max_t V over {events.samples} samples must come to the threshold"
    hint = (
        "no spike reaches it: raise the gain of the layer before"
        if reached <= 0
        else "use init = 'normal' with a gain of your own"
    )
    raise RunError(Problem(f'population "{post}"', "mean of max_t V / threshold", round(reached, 6), limit, hint))


def next_gain(gain: float, reached: float, low: float, high: float) -> float:
    """Return the gain to try next: in proportion (exact while nothing spikes) inside the bracket, else halfway in it."""
    step = gain / reached if reached > 0 else 16 * gain
    if low < step < high:
        return step
    if high == math.inf:
        return 4 * gain
    return math.sqrt(low * high) if low > 0 else gain / 4


def mean_peak(network: Network, post: str, events: Events, seed: int) -> float:
    """Return the mean over samples and neurons of max_t V of a population, in thresholds; what is not resolved yet weighs 0."""
    plain = network.but(projection=[p.model_dump(exclude_unset=True) | drawn(p) for p in network.projection])
    weights = plain.initial_weights(seed)
    for name, projection in zip(network.names, network.projection, strict=True):
        if projection.init == "membrane":
            weights[name][:] = 0
    v = simulate(plain, events, weights=weights, record=("v",)).v[post]
    return float(v.max(axis=0).mean())


def drawn(projection: Projection) -> dict[str, str]:
    """Return what makes a projection one that can be drawn without data."""
    return {"init": "normal"} if projection.init == "membrane" else {}
