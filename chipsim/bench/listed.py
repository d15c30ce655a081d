"""An image of workload B from lists of synapses: a Network holds matrices [N, N], which 100,000 neurons have no room for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipsim.bench.ring import BIAS, THRESHOLD, Ring
from chipsim.compiler import ChipImage, CoreMemory, Plan, Slice, for_network
from chipsim.compiler.image import circuit_of
from chipsim.compiler.plan import cut
from chipsim.compiler.quantize import formats
from chipsim.compiler.route import route
from chipsim.compiler.stored import flat_weights
from chipsim.compiler.synapses import Synapses
from chipsim.compiler.wires import wires_of
from chipsim.counters import HOST
from chipsim.hardware import Chip, load_chip
from chipsim.network import Network

CHIP = "loihi1-calibrated"
COARSE = 64  # of the two projections that set the start voltage


@dataclass(frozen=True)
class Listed(Plan):
    """A plan whose synapses are given."""

    given: tuple[Synapses, ...] = ()

    @property
    def synapses(self) -> tuple[Synapses, ...]:
        """Synapses of every projection."""
        return self.given


def image_of(network: Ring, steps: int, cores: int) -> ChipImage:
    """Return the image: neurons core by core, as many on each; memory is not held against any limit.

    The start voltages come as the weights of one input spike per neuron in index 0, over two projections; the bias that acts once more
    by then is taken off. Weights are stored doubled, one binary place down, since Loihi keeps even ones only where signs are mixed.
    """
    n, everyone = network.neurons, np.arange(network.neurons)
    high, low = np.divmod(network.start - BIAS, COARSE)
    columns = [(everyone, everyone, 2 * high), (everyone, everyone, 2 * low), sorted_lists(network)]
    given = tuple(Synapses((n, n), (n, n), len(i), 0, i, j, np.arange(len(i)), np.zeros_like(i)) for i, j, _ in columns)
    described = description(n, steps)
    plan = Listed(described, chip_of(described), False, given)
    slices = [Slice(0, HOST, 0, n), *(Slice(1, core, lo, hi) for core, (lo, hi) in enumerate(cut(n, min(cores, n))))]
    weights = dict(zip(described.names, (w.astype(np.float64) for _, _, w in columns), strict=True))
    form = formats(described, weights, plan.chip, "fixed")
    routes = route(plan, slices)
    circuit = circuit_of(plan, form, slices, routes)
    memory = tuple(CoreMemory(s.core, ("n",), s.size) for s in slices[1:])
    flat = flat_weights(described, weights, form, given)
    return ChipImage(plan, form, tuple(slices), routes, circuit, wires_of(plan, form, flat), flat, memory)


def sorted_lists(network: Ring) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pre, post and doubled weight of all synapses, sorted by pre, then post."""
    order = np.argsort(network.targets, axis=1, kind="stable")
    post, weight = (np.take_along_axis(array, order, axis=1).ravel() for array in (network.targets, network.weights))
    return np.repeat(np.arange(network.neurons), network.targets.shape[1]), post.astype(np.int64), 2 * weight


def description(neurons: int, steps: int) -> Network:
    """Return the network without its synapses."""
    mantissas = {"kind": "sparse", "units": "mantissa", "sign_mode": "mixed"}
    return Network(
        name="ring", steps=steps,
        population=[{"name": "start", "neuron": "input", "size": neurons},
                    {"name": "n", "neuron": "loihi-lif", "size": neurons, "du": 4095, "dv": 0, "vth": THRESHOLD,
                     "bias_mant": BIAS, "bias_exp": 6}],
        projection=[{"pre": "start", "post": "n", "name": "coarse", "weight_exp": 5, **mantissas},
                    {"pre": "start", "post": "n", "name": "fine", "weight_exp": -1, **mantissas},
                    {"pre": "n", "post": "n", "name": "to", "weight_exp": -1, **mantissas}],
    )  # fmt: skip


def chip_of(described: Network) -> Chip:
    """Return Loihi with the prices that SANA-FE has too."""
    return for_network(load_chip(CHIP), described, False)
