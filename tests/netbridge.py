"""From the reference's description of any network (tests/reference/refnet.py) to chipsim: a Network on a chip, run by the kernels."""

from __future__ import annotations

import math
from dataclasses import replace

import bridge
import numpy as np
from refsynapses import out_shape

from chipsim.compiler import ChipImage, compile_network
from chipsim.compiler.wires import wires_of
from chipsim.events import as_events
from chipsim.network import Network
from chipsim.simulator.account import account
from chipsim.simulator.engine import Block, Engine

ROOM = {"tiles_x": 8, "tiles_y": 4, "cores_per_tile": 4, "axons_in_per_core": 10**6, "axons_out_per_core": 10**6,
        "synapse_words_per_core": 10**7, "sram_bits_per_core": 10**9}  # fmt: skip
DELTA = ("delta-lif", "leaky-readout", "adaptive-lif", "if")
LOIHI_KEYS = ("du", "dv", "bias_mant", "bias_exp", "vth", "vth_hi", "vth_lo", "interval", "offset", "period", "relu")


def tau(word: int) -> float:
    """Return a time constant whose decay word is `word`."""
    return 1e6 if word == 4096 else 0.05 if word == 0 else -1 / math.log(word / 4096)


def shape_of(net: dict, p: int) -> list[int] | None:
    """Return the shape of a population that a convolution reads or writes."""
    for spec in net["projections"]:
        if spec["kind"] == "conv" and p in (spec["pre"], spec["post"]):
            return list(spec["in_shape"] if p == spec["pre"] else out_shape(spec))
    return None


def population(net: dict, p: int) -> dict:
    """Return a population of the description; thresholds of the delta family are set afterwards (`image_of`)."""
    spec, shape = net["populations"][p], shape_of(net, p)
    found = {"name": f"p{p}", "neuron": spec["kind"], "size": spec["size"]} | ({"shape": shape} if shape else {})
    if spec["kind"] in DELTA:
        more = {"tau_ms": "decay", "tau_adapt_ms": "decay_a"}
        return found | {key: tau(spec[word]) for key, word in more.items() if word in spec}
    return found | {key: spec[key] for key in LOIHI_KEYS if key in spec}


def projection(k: int, spec: dict) -> dict:
    """Return a projection of the description."""
    found = {"pre": f"p{spec['pre']}", "post": f"p{spec['post']}", "name": f"k{k}", "kind": spec["kind"]}
    if spec["kind"] == "conv":
        found |= {key: list(spec[key]) for key in ("stride", "padding", "dilation")} | {"groups": spec["groups"]}
        found["kernel"] = [len(spec["kernel"][0]), len(spec["kernel"][0][0])]
    if spec["loihi"]:
        found |= {"units": "mantissa", "message_bits": spec["message_bits"]}
    if spec["loihi"] and spec["kind"] != "conv":
        found |= {"sign_mode": spec["sign"], "weight_bits": spec["weight_bits"], "weight_exp": spec["exponent"]}
    return found


def arrays(net: dict) -> tuple[dict, dict, dict]:
    """Return raw weights, delays and masks of connectivity by name of the projection."""
    weights, delays, masks = {}, {}, {}
    for k, spec in enumerate(net["projections"]):
        name, shape = f"k{k}", (net["populations"][spec["pre"]]["size"], net["populations"][spec["post"]]["size"])
        if spec["kind"] == "conv":
            weights[name] = np.array(spec["kernel"], dtype=np.float64)
            continue
        if spec["kind"] == "dense":
            weights[name], late = np.array(spec["weights"], dtype=np.float64), spec["delays"]
            if late is not None:
                delays[name] = np.array(late)
            continue
        weights[name], masks[name], late = np.zeros(shape), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.int64)
        for i, j, w, d in spec["synapses"]:
            weights[name][i, j], masks[name][i, j], late[i, j] = w, True, d
        if spec["delayed"]:
            delays[name] = late
    return weights, delays, masks


class Masked(Network):
    """A Network whose sparse connectivity is given, zero weights included."""

    def mask(self, k: int):
        return self.__dict__["masks"].get(self.names[k])


def network(net: dict) -> Network:
    """Return the network with its weights and delays."""
    weights, delays, masks = arrays(net)
    made = Masked(
        steps=net["steps"], seed=net["seed"], learning={"half_width": 0.5},
        population=[population(net, p) for p in range(len(net["populations"]))],
        projection=[projection(k, spec) for k, spec in enumerate(net["projections"])],
    )  # fmt: skip
    made = made.with_weights(weights).with_delays(delays)
    made.__dict__["masks"] = masks
    return made


def chip(net: dict, **more):
    """Return a roomy toy chip that computes as the network says."""
    modes = net["arithmetic"]
    arithmetic = {key: modes[key] for key in ("overflow_v", "overflow_u", "rounding", "decay")}
    arithmetic["decay_table"] = max(2, modes["entries"])
    return bridge.toy(more.pop("active_update", "received_input"), arithmetic, **{**ROOM, "membrane": modes["v_bits"], **more})


def image_of(net: dict, on=None, placed: dict | None = None, learn: bool = False, packed: bool = True) -> ChipImage:
    """Compile; then put in what the description has no words for: the numbers of the delta family, and the width of u.

    packed: synapses are packed where they fit, else all are lists, as where weights may change.
    """
    made = network(net)
    if placed:
        masks = made.__dict__["masks"]
        weights, delays = made._weights, made._delays
        made = made.model_copy(update={"placement": type(made.placement)(**placed)})
        made._weights, made._delays = weights, delays
        made.__dict__["masks"] = masks
    image = compile_network(made, on or chip(net), learn=learn, numerics="fixed")
    rules, wires, weights = image.circuit.rules, image.wires, image.weights.copy()
    constants, powers, exponent = rules.constants.copy(), rules.powers.copy(), wires.exponent.copy()
    for p, spec in enumerate(net["populations"]):
        if spec["kind"] in DELTA:
            words = [spec.get("decay", 0), spec.get("decay_a", 0)]
            assert constants[p, :2].tolist() == words
            constants[p, 2:4] = spec.get("theta", 0), spec.get("jump", 0)
    for k, (spec, name) in enumerate(zip(net["projections"], image.network.names, strict=True)):
        if not spec["loihi"]:
            synapses, at = image.plan.synapses[k], wires.offset[k]
            raw = arrays(net)[0][name].astype(np.int64)
            weights[at : at + synapses.stored] = synapses.pack(raw)
            exponent[k] = spec["exponent"]
    rules = rules._replace(constants=constants, powers=powers, modes=rules.modes._replace(u_bits=net["arithmetic"]["u_bits"]))
    plan = replace(image.plan, learning=image.learning or not packed)
    wires = wires_of(plan, replace(image.formats, exponent=tuple(exponent.tolist())), weights)
    return replace(image, circuit=image.circuit._replace(rules=rules), wires=wires, weights=weights)


class Ran:
    """What the kernels did: spikes, v, u by step and population, and the workspace."""

    def __init__(self, net: dict, image: ChipImage, scattered: bool = False):
        self.image, self.engine = image, Engine(image, record=True, scattered=scattered)
        x = np.array(net["inputs"], dtype=np.float64)[:, None, :]
        events = as_events(x, x.shape[2], net["steps"])
        address = (net["seed"], net["sample"], net["pass"])
        self.engine.forward(image.weights, events.of_sample(events.spikes(np.dtype(np.int64)), 0), address)
        circuit, work = image.circuit, self.engine.work
        sizes = [spec["size"] for spec in net["populations"]]
        self.spikes = [[[0] * n for n in sizes] for _ in range(net["steps"])]
        for t in range(net["steps"]):
            for p in range(len(sizes)):
                at = t * len(sizes) + p
                for e in range(work.spikes.start[at], work.spikes.start[at + 1]):
                    self.spikes[t][p][work.spikes.unit[e] - circuit.lo[p]] = int(work.spikes.value[e])
        self.v, self.u = ([[row[lo:hi].tolist() for lo, hi in zip(circuit.lo, circuit.hi, strict=True)]
                           for row in work.membranes.trace[:, n]] for n in (0, 1))  # fmt: skip

    def counters(self):
        """Return the forward counts."""
        block = Block()
        block.keep(self.engine.work.activity, self.engine.events())
        return account(self.image, block.take(), learned=False)


def differences(net: dict, ran: Ran, result: dict) -> list[str]:
    """Return the first difference in spikes, v and u, as text."""
    for t in range(net["steps"]):
        for p, spec in enumerate(net["populations"]):
            ours = {"spikes": ran.spikes[t][p], "v": ran.v[t][p], "u": ran.u[t][p]}
            for name in ("spikes", "v", "u") if p else ("spikes",):
                wanted = [int(x) for x in result[name][t][p]]
                if (wanted or name == "spikes") and ours[name] != wanted:
                    return [f"t = {t}, population {p} ({spec['kind']}), {name}: {ours[name]} != {wanted}"]
    return []
