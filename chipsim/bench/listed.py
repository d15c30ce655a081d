"""An image of workload B from lists of synapses: a Network holds matrices [N, N], which 100,000 neurons have no room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chipsim.bench.ring import BIAS, LARGEST, THRESHOLD, Ring
from chipsim.compiler import ChipImage, CoreMemory, Plan, Slice, for_network
from chipsim.compiler.image import circuit_of
from chipsim.compiler.plan import cut
from chipsim.compiler.quantize import formats
from chipsim.compiler.route import route
from chipsim.compiler.stored import store
from chipsim.compiler.synapses import Synapses
from chipsim.compiler.wires import wires_of
from chipsim.counters import HOST
from chipsim.hardware import Chip, load_chip
from chipsim.network import Network

CHIP = "loihi1-calibrated"
COARSE = 64  # of the two projections that set the start voltage
CHUNK = 1 << 20  # synapses worked on together
WEIGHT_BITS = 6  # that hold a weight plus the largest one


@dataclass(frozen=True)
class Listed(Plan):
    """A plan whose synapses are given."""

    given: tuple[Synapses, ...] = ()

    @property
    def synapses(self) -> tuple[Synapses, ...]:
        """Synapses of every projection."""
        return self.given


class Rows(NamedTuple):
    """The synapses of a network, sorted; the network itself need not be kept, which takes more memory than anything else."""

    start: np.ndarray  # [N] int64 voltages
    fan_out: int
    post: np.ndarray  # [N F] int32; ascending within one neuron
    weight: np.ndarray  # [N F] int16, doubled


def rows_of(network: Ring) -> Rows:
    """Return the synapses sorted by presynaptic neuron and target."""
    fan_out = network.targets.shape[1]
    found = Rows(network.start, fan_out, *(np.empty(network.targets.size, dtype=kind) for kind in (np.int32, np.int16)))
    rows = max(1, CHUNK // fan_out)
    for at in range(0, network.neurons, rows):
        both = (network.targets[at : at + rows].astype(np.int64) << WEIGHT_BITS) + network.weights[at : at + rows] + LARGEST
        both.sort(axis=1)
        place = slice(at * fan_out, at * fan_out + both.size)
        found.post[place] = (both >> WEIGHT_BITS).ravel()
        found.weight[place] = 2 * ((both & ((1 << WEIGHT_BITS) - 1)) - LARGEST).ravel()
    return found


def image_of(rows: Rows, steps: int, cores: int) -> ChipImage:
    """Return the image: neurons core by core, as many on each; memory is not held against any limit.

    The start voltages come as the weights of one input spike per neuron in index 0, over two projections; the bias that acts once more
    by then is taken off. Weights are stored doubled, one binary place down, since Loihi keeps even ones only where signs are mixed.
    """
    n, everyone = len(rows.start), np.arange(len(rows.start) + 1)
    parts = [*(2 * part for part in np.divmod(rows.start - BIAS, COARSE)), rows.weight]
    given = tuple(
        Synapses((n, n), (n, n), len(to), 0, starts, to)
        for to, starts in ((everyone[:-1], everyone), (everyone[:-1], everyone), (rows.post, everyone * rows.fan_out))
    )
    described = description(n, steps)
    plan = Listed(described, chip_of(described), False, given)
    slices = [Slice(0, HOST, 0, n), *(Slice(1, core, lo, hi) for core, (lo, hi) in enumerate(cut(n, min(cores, n))))]
    some = {name: part[:CHUNK].astype(np.float64) for name, part in zip(described.names, parts, strict=True)}
    form = formats(described, some, plan.chip, "fixed")  # of mantissas they do not depend on the weights
    routes = route(plan, slices)
    circuit = circuit_of(plan, form, slices, routes)
    memory = tuple(CoreMemory(s.core, ("n",), s.size) for s in slices[1:])
    flat = stored(described, parts)
    return ChipImage(plan, form, tuple(slices), routes, circuit, wires_of(plan, form, flat), flat, memory)


def stored(described: Network, parts: list[np.ndarray]) -> np.ndarray:
    """Return the weights of all projections as the chip stores them, [W] int32."""
    flat, end = np.empty(sum(len(part) for part in parts), dtype=np.int32), 0
    for k, part in enumerate(parts):
        for at in range(0, len(part), CHUNK):
            some = store(described, k, part[at : at + CHUNK], 1.0, 0)
            flat[end : end + len(some)] = some
            end += len(some)
    return flat


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
