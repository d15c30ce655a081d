"""A whole network of the reference: docs/neurons.md section 1, one step after another.

A network is a dictionary; tests/peers/netdraws.py draws them:
    steps, seed, sample, pass       numbers; the last three are for random words only
    arithmetic                      v_bits, u_bits, overflow_v, overflow_u, rounding, decay, entries
    populations                     list of {kind, size, parameters}; number 0 is the input
    projections                     list of {pre, post, kind, exponent, message_bits, loihi, sign, weight_bits} and
        dense: weights [pre][post], delays (None or [pre][post])
        sparse: synapses [(pre, post, weight, delay)], delayed
        conv: kernel [K][kx][ky][C / groups], in_shape, stride, padding, dilation, groups
        units: "threshold" for weights onto the Loihi family that are stored as they are given (by default "mantissa")
    inputs                          [step][neuron] payloads
"""

from __future__ import annotations

from refneurons import Population
from refsynapses import Projection, prepared

__all__ = ["prepared", "run_net"]

TRACES = ("v", "u", "potential")


def neurons(net: dict) -> list[Population]:
    """Return the populations after the input; ids count from its neuron 0."""
    draw, first, found = (net["seed"], net["sample"], net["pass"]), 0, []
    for spec in net["populations"]:
        if spec["kind"] != "input":
            found.append(Population(spec, net["arithmetic"], first, draw))
        first += spec["size"]
    return found


def gather(net: dict, projections: list[Projection], t: int) -> tuple[list[list[int]], list[list[bool]]]:
    """Return what arrives at every neuron of every population in step t, and whether anything does."""
    arriving = [[0] * spec["size"] for spec in net["populations"]]
    arrived = [[False] * spec["size"] for spec in net["populations"]]
    for projection in projections:
        post = projection.spec["post"]
        for i, value in projection.deliver(t).items():
            arriving[post][i] += value
            arrived[post][i] = True
    return arriving, arrived


def run_net(net: dict) -> dict[str, list]:
    """Run all steps; every entry of the result is [step][population][neuron].

    spikes: payloads, those of the input too. v and u: after the step. arrived: whether a spike arrives. a: sum of the
    projections. potential: what the active test compares, before any reset, minus the threshold in force; a neuron that
    is not updated keeps it. A model that lacks one of them has [].
    """
    populations = neurons(net)
    projections = [Projection(spec) for spec in net["projections"]]
    result = {name: [] for name in ("spikes", *TRACES, "arrived", "a")}
    for t in range(net["steps"]):
        arriving, arrived = gather(net, projections, t)
        for population, a, some in zip(populations, arriving[1:], arrived[1:], strict=True):
            population.step(t, a, some)
        spikes = [list(net["inputs"][t])] + [list(population.spikes) for population in populations]
        for projection in projections:
            projection.carry(t, spikes[projection.spec["pre"]])
        for name in TRACES:
            result[name].append([[]] + [list(getattr(population, name)) for population in populations])
        for name, value in (("spikes", spikes), ("arrived", arrived), ("a", arriving)):
            result[name].append(value)
    return result
