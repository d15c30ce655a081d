"""Initialisation by data: weights of `init = "membrane"` are scaled until potentials just reach the threshold.

Layer by layer, the mean over samples and neurons of max_t V becomes one threshold, where V is the potential as it would be without
spikes of the layer itself (after a spike it depends on the reset). Uniform weights leave deep layers silent at the start (SHD, N-MNIST).
"""

from __future__ import annotations

import math

import numpy as np

from chipsim.errors import Problem, RunError
from chipsim.events import Events
from chipsim.network import Network, Projection
from chipsim.simulator import simulate

SAMPLES = 50  # the first training samples
SMALL = 1e-6  # gain at which nothing spikes: V is then in proportion to it
MOST_GAIN = 1e6


def resolve_gains(network: Network, events: Events, seed: int) -> Network:
    """Return `network` with every init = "membrane" replaced by init = "normal" and the gain that was found.

    events: training samples, of which the first `SAMPLES` are run in float64. All such projections to a population get one gain; the
    others to it weigh 0 while it is found.

    Raises:
        RunError: no spike reaches a population, or its potentials are not in proportion to the weights.
    """
    if network.explicit or all(p.init != "membrane" for p in network.projection):
        return network
    few = events.take(np.arange(min(SAMPLES, events.samples)))
    for name in (p.name for p in network.population[1:]):
        if any(p.init == "membrane" and p.post == name for p in network.projection):
            network = with_gain(network, name, gain_of(network, name, few, seed))
    return network


def gain_of(network: Network, post: str, events: Events, seed: int) -> float:
    """Return the gain at which the mean peak of a population is the threshold."""
    one, two = (mean_peak(network, post, gain, events, seed) for gain in (SMALL, 2 * SMALL))
    where, key = f'population "{post}"', "mean of max_t V / threshold"
    limit = f"init = 'membrane' brings it to 1 over the first {events.samples} samples"
    if not one > SMALL / MOST_GAIN:
        hint = "no spike reaches it that raises V: look at the data, or at the layer before"
        raise RunError(Problem(where, key, one / SMALL, limit, hint))
    if not math.isclose(two, 2 * one, rel_tol=1e-6):
        hint = "V is not in proportion to the weights (a bias?): use init = 'normal' with a gain of your own"
        raise RunError(Problem(where, key, f"{one:g} and {two:g} at gains {SMALL:g} and {2 * SMALL:g}", limit, hint))
    return SMALL / one


def with_gain(network: Network, post: str, gain: float) -> Network:
    """Return `network` with this gain for the projections of init = "membrane" to `post`."""
    return network.but(projection=[table_of(p, gain if p.post == post else None) for p in network.projection])


def table_of(projection: Projection, gain: float | None) -> dict:
    """Return a projection as a table; one of init = "membrane" with this gain, as it is without one."""
    table = projection.model_dump(exclude_unset=True)
    return table | {"init": "normal", "gain": gain} if projection.init == "membrane" and gain is not None else table


def mean_peak(network: Network, post: str, gain: float, events: Events, seed: int) -> float:
    """Return the mean over samples and neurons of max_t V of a population, in thresholds, at this gain of its projections."""
    plain = network.but(projection=[table_of(p, gain) for p in network.projection])
    weights = plain.initial_weights(seed)
    for name, projection in zip(network.names, network.projection, strict=True):
        if (projection.init == "membrane") != (projection.post == post):
            weights[name][:] = 0
    v, p = simulate(plain, events, weights=weights, record=("v",)).v[post], [x.name for x in network.population].index(post)
    shown = 1 - network.alpha(p) if network.population[p].model.readout else 1.0  # of a readout, (1 - a_r) V is recorded
    return float(v.max(axis=0).mean()) / shown
