"""The steps of an online rule over all cores: docs/online.md section 2, in plain Python.

net: {"steps", "populations": [{"size"}], "projections": [{"pre", "post"}], "rule": see refrules}.
"""

from __future__ import annotations

from refrandom import philox
from refrules import RuleCore

FEEDBACK = 9  # stream of the fixed random weights, seed 0


def random_weight(number: int) -> int:
    """Return a fixed random weight, -127 .. 127."""
    return philox((number, 0, 0, 0), (0, FEEDBACK))[0] % 255 - 127


def first_traces(net: dict) -> list[int]:
    """Return the number of the first pre trace of every projection, then how many there are."""
    sizes = [net["populations"][p["pre"]]["size"] for p in net["projections"]]
    return [sum(sizes[:k]) for k in range(len(sizes) + 1)]


def walk(cores: list[RuleCore], net: dict, spiking: list[set[tuple[int, int]]], given: tuple, reward: int) -> None:
    """Run all hooks; spiking: (population, neuron) step by step; given: signals [t][p, n] and gains {(t, p, n)}."""
    last = len(net["populations"]) - 1
    for t in range(net["steps"]):
        for core in cores:
            for k in range(len(net["projections"])) if t else ():
                hooks(core, t, k, net, spiking[t], given)
            core.advance(t, spiking[t])
    for core in cores:
        for k, projection in enumerate(net["projections"]):
            everyone = {n: {} for n in range(net["populations"][projection["post"]]["size"])}
            if projection["post"] != last:
                core.run("on_sample_end", net["steps"] - 1, k, everyone, reward=reward)


def hooks(core: RuleCore, t: int, k: int, net: dict, spiking: set[tuple[int, int]], given: tuple) -> None:
    """Section 2, 1 to 3, for one projection on one core."""
    pre, post, signal, gains = net["projections"][k]["pre"], net["projections"][k]["post"], given[0][t], given[1]
    size = net["populations"][post]["size"]
    if post == len(net["populations"]) - 1:
        core.run("on_readout", t, k, {n: {"psi": 0, "L": signal[post, n]} for n in range(size)})
        return
    errors = {n: {"psi": 0, "L": signal.get((post, n), 0)} for n in range(size) if signal.get((post, n), 0) != 0}
    core.run("on_error", t, k, errors)
    if t % net["rule"]["epoch"] == 0:
        core.run("on_epoch", t, k, {n: {} for n in range(size)})
    core.decay_states(t, k)
    active = {n: {"psi": gains[t, post, n], "L": signal[post, n]} for at, p, n in gains if (at, p) == (t, post)}
    core.run("on_active", t, k, active)
    core.run("on_pre", t, k, {n: {} for n in range(size)}, {n for p, n in spiking if p == pre})
    core.run("on_post", t, k, {n: {} for p, n in spiking if p == post})
