"""Any network: the kernels against tests/reference, bit for bit, and the counts and the memory against the packet walk.

Drawn networks hold every neuron model and every kind of projection, on chips with every kind of arithmetic, cut over random cores.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parent / "reference"), str(Path(__file__).parent / "peers")]

import bridge
import netbridge
import refnet
import refroute
from netdraws import ALL_KINDS, networks
from netstats import statistics

from chipsim.simulator.links import LinkTable

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
FORWARD = ("forward", "forward")


def described(net: dict) -> dict:
    """Return a drawn network without what a description has no words for: payloads that weights of the delta family multiply."""
    for spec in net["projections"]:
        if not spec["loihi"]:
            spec["message_bits"] = 0
    bits = net["arithmetic"]["v_bits"]
    for spec in net["populations"]:  # thresholds that v cannot pass are refused
        if spec["kind"] != "graded":
            spec |= {key: min(spec[key], (2 ** (bits - 1) - 2) // 64) for key in ("vth", "vth_hi") if key in spec}
    net["arithmetic"]["entries"] = max(2, net["arithmetic"]["entries"])
    assume(net["populations"][-1]["kind"] != "leaky-readout" or net["populations"][-1]["size"] > 1)
    return net


def test_kernels_equal_the_reference():
    found = Counter()

    @settings(max_examples=300, **FREE)
    @given(networks(lava=False, steps=40))
    def compare(net):
        net = described(net)
        result = refnet.run_net(net)
        image, lists = netbridge.image_of(net), netbridge.image_of(net, packed=False)
        assert netbridge.differences(net, netbridge.Ran(net, image), result) == []
        assert netbridge.differences(net, netbridge.Ran(net, lists), result) == []
        packed = image.wires.packed_bits > 0
        found.update(
            {word for word, some in (("packed", packed), ("packed delays", packed & (image.wires.depth > 1))) if some.any()}
        )
        assert not lists.wires.packed_bits.any()
        found.update({"networks", *statistics(net, result), *(spec["kind"] for spec in net["populations"])})
        found.update((net["arithmetic"]["rounding"], net["arithmetic"]["decay"], f"v {net['arithmetic']['overflow_v']}s"))

    compare()
    wanted = (
        *ALL_KINDS,
        "dense",
        "sparse",
        "conv",
        "delays",
        "recurrent",
        "graded payloads",
        "nearest",
        "floor",
        "stochastic",
        "lazy",
        "packed",
        "packed delays",
    )
    assert found["networks"] >= 300 and not {name: found[name] for name in (*wanted, "v wraps") if found[name] < 15}


@st.composite
def placed(draw):
    """Draw a network and where it goes: (net, chip numbers, placement)."""
    net = described(draw(networks(lava=False, steps=20)))
    mesh = {"tiles_x": draw(st.integers(1, 3)), "tiles_y": draw(st.integers(1, 3)), "cores_per_tile": draw(st.integers(1, 3))}
    cores = mesh["tiles_x"] * mesh["tiles_y"] * mesh["cores_per_tile"]
    numbers = {**mesh, "host_tile": draw(st.integers(0, mesh["tiles_x"] * mesh["tiles_y"] - 1)), "compartments_per_core": 500,
               "synapse_delay": draw(st.sampled_from([0, 3, 6])), "synapse_tag": draw(st.sampled_from([0, 9])),
               "synapse_word": draw(st.sampled_from([8, 32, 64])), "active_update": draw(st.sampled_from(bridge.PREDICATES)),
               "axons": draw(st.sampled_from(["unicast", "multicast"]))}  # fmt: skip
    where = {}
    for p, spec in enumerate(net["populations"][1:], start=1):
        some = st.lists(st.integers(0, cores - 1), min_size=1, max_size=min(3, spec["size"], cores), unique=True)
        where[f"p{p}"] = draw(some)
    return net, numbers, {"strategy": "manual", "cores": where}


def as_routed(net: dict, image) -> dict:
    """Return the description of tests/reference/refroute.py, taken from the drawn network and the slices alone."""
    chip, plan, projections = image.chip, image.plan, []
    for spec in net["projections"]:
        synapses = [(i, j, d) for i, rows in refnet_fan(spec).items() for j, _, d in rows]
        late = spec["delays"] is not None if spec["kind"] == "dense" else spec.get("delayed", False)
        stored = spec["weight_bits"] if spec["loihi"] and spec["kind"] != "conv" else 8
        kernel = spec["kernel"] if spec["kind"] == "conv" else []
        projections.append({
            "pre": spec["pre"], "post": spec["post"], "kind": spec["kind"], "synapses": synapses, "weight_bits": stored,
            "max_delay": latest(spec, synapses) if late else None,
            "kernel_weights": len(kernel) * len(kernel[0]) * len(kernel[0][0]) * len(kernel[0][0][0]) if kernel else 0,
        })  # fmt: skip
    names = ("synapse_word", "synapse_list_header", "synapse_delay", "synapse_tag", "axon_entry", "compartment_state", "membrane")
    return {
        "steps": net["steps"], "predicate": chip.active_update, "axons": chip.axons, "decay": net["arithmetic"]["decay"],
        "mesh": {name: getattr(chip.mesh, name) for name in ("tiles_x", "tiles_y", "cores_per_tile", "host_tile")},
        "populations": [{**p, "biased": bool(p.get("bias_mant"))} for p in net["populations"]],
        "projections": projections, "widths": {name: plan.width(name, 0) for name in names},
        "slices": [{"population": s.population, "core": s.core, "lo": s.lo, "hi": s.hi} for s in image.slices],
    }  # fmt: skip


def refnet_fan(spec: dict) -> dict:
    from refsynapses import fan_out

    return fan_out(spec)


def latest(spec: dict, synapses: list) -> int:
    return max((d for _, _, d in synapses), default=0)


def test_counts_links_and_memory_equal_the_packet_walk():
    found = Counter()

    @settings(max_examples=200, **FREE)
    @given(placed())
    def compare(drawn):
        net, numbers, where = drawn
        image = netbridge.image_of(net, netbridge.chip(net, **numbers), where)
        ran, result, routed = netbridge.Ran(net, image), refnet.run_net(net), as_routed(net, image)
        before = [[[0] * len(row) for row in result["v"][0]], *result["v"][:-1]]
        changed = [[[x != y for x, y in zip(a, b, strict=True)] for a, b in zip(now, then, strict=True)]
                   for now, then in zip(result["v"], before, strict=True)]  # fmt: skip
        counters = ran.counters()
        ours = bridge.as_counter(counters.counts[0], counters.cores)
        assert bridge.unequal(ours, refroute.count(routed, result["spikes"], result["arrived"], changed)) == {}
        one_by_one = netbridge.Ran(net, image, scattered=True).counters()
        assert bridge.unequal(bridge.as_counter(one_by_one.counts[0], one_by_one.cores), ours) == {}
        found["scattered"] += image.scattered
        kinds = ("synapses", "axons_in", "axons_out", "compartments", "delay_lines")
        assert {m.core: {k: m.by_kind[k] for k in kinds} for m in image.memory} == refroute.memory(routed)
        assert total_loads(ran, image) == sum(refroute.link_loads(routed, result["spikes"]).values())
        found.update({"networks", numbers["axons"], net["arithmetic"]["decay"], f"{len(image.memory)} cores"})
        found.update({event for (_, _, event, _, _) in ours})

    compare()
    assert (
        found["networks"] >= 200
        and min(found[name] for name in ("unicast", "multicast", "lazy", "stepped", "hops_x", "hops_y")) > 30
        and found["scattered"] > 10
    )


def total_loads(ran: netbridge.Ran, image) -> int:
    """Return the packets on all links."""
    from chipsim.simulator.engine import Block

    block = Block()
    block.keep(ran.engine.work.activity)
    return int(LinkTable(image).loads(block.take(), learned=False).forward.sum())
