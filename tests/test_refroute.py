"""The reference's axons, packets and memory (docs/neurons.md, sections 5 and 6), against numbers worked out by hand."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "reference"))

from refchip import run_sample
from refexamples import random_chip
from refmesh import HOST, Mesh
from refroute import KINDS, axons, count, link_loads, memory, way

WIDTHS = (
    "synapse_word", "synapse_list_header", "synapse_delay", "synapse_tag", "axon_entry", "compartment_state", "membrane"
)  # fmt: skip


def net(mesh, populations, projections, slices, widths, **more):
    """Spell the tuples of a case out."""
    names = {
        "mesh": ("tiles_x", "tiles_y", "cores_per_tile", "host_tile"),
        "population": ("kind", "size", "biased"),
        "projection": ("pre", "post", "kind", "synapses", "weight_bits", "max_delay", "kernel_weights"),
        "slice": ("population", "core", "lo", "hi"),
    }
    return {
        "mesh": dict(zip(names["mesh"], mesh, strict=True)),
        "populations": [dict(zip(names["population"], p, strict=True)) for p in populations],
        "projections": [dict(zip(names["projection"], p, strict=True)) for p in projections],
        "slices": [dict(zip(names["slice"], s, strict=True)) for s in slices],
        "widths": dict(zip(WIDTHS, widths, strict=True)),
    } | more


def happened(steps, sizes, true):
    """[T][p][n] with 1 where (t, p, n) is in `true`."""
    return [[[int((t, p, n) in true) for n in range(size)] for p, size in enumerate(sizes)] for t in range(steps)]


def plain(counter):
    """{event: {(step, core): n}}, all of it forward."""
    found = {}
    for (phase, stage, event, step, core), n in counter.items():
        assert (phase, stage) == ("forward", "forward") and n > 0
        found.setdefault(event, {})[step, core] = n
    return found


def layout(*numbers):
    return dict(zip(KINDS, numbers, strict=True))


def unicast_case():
    """2 x 2 tiles of 2 cores, host at tile 0: hidden 0-3 on core 1 (tile 0), 4-5 on core 6 (3), classes on core 3 (1).

    Lists of the sparse projection, 8 + 2 + 1 bits a synapse, 4 + 5 of header, words of 16:
    0 -> 0, 3: gaps 0, 2, so 2 (11 + 2) + 9 = 35 bits, 3 words. 0 -> 5: gap 1, 12 + 9 = 21, 2 words. 1 -> 2: gap 2,
    13 + 9 = 22, 2 words.
    The dense one stores delays up to 5 in 3 bits instead of 2: 2 (6 + 3 + 1) + 4 = 24 bits, 2 words.
    """
    dense = [(i, j, (i + j) % 6) for i in range(6) for j in range(2)]
    return net(
        (2, 2, 2, 0),
        [("input", 2, False), ("delta-lif", 6, False), ("leaky-readout", 2, False)],
        [(0, 1, "sparse", [(0, 0, 0), (0, 3, 0), (0, 5, 0), (1, 2, 0)], 8, None, 0), (1, 2, "dense", dense, 6, 5, 0)],
        [(0, HOST, 0, 2), (1, 1, 0, 4), (1, 6, 4, 6), (2, 3, 0, 2)],
        (16, 4, 2, 1, 20, 48, 24),
        steps=4, axons="unicast", decay="stepped", predicate="fired",
    )  # fmt: skip


# input 0 at 0 and 1, input 1 at 1 and 3 (too late); hidden 3 and 5 at 1, 5 at 2, 0 at 3 (too late)
INPUT = {(0, 0, 0), (1, 0, 0), (1, 0, 1), (3, 0, 1)}
UNICAST = happened(4, (2, 6, 2), INPUT | {(1, 1, 3), (1, 1, 5), (2, 1, 5), (3, 1, 0)})


def test_unicast_counts():
    """Host to core 1 is local, to core 6 one x and one y; core 1 to 3 one y; core 6 to 3 one x."""
    silent = happened(4, (2, 6, 2), set())
    assert plain(count(unicast_case(), UNICAST, silent, silent)) == {
        "inputs_injected": {(0, HOST): 1, (1, HOST): 2},
        "packets": {(0, HOST): 2, (1, HOST): 3, (1, 1): 1, (1, 6): 1, (2, 6): 1},
        "hops_x": {(0, HOST): 1, (1, HOST): 1, (1, 6): 1, (2, 6): 1},
        "hops_y": {(0, HOST): 1, (1, HOST): 1, (1, 1): 1},
        "hops_local": {(0, HOST): 1, (1, HOST): 2},
        "packets_in": {(1, 1): 1, (1, 6): 1, (2, 1): 2, (2, 6): 1, (2, 3): 2, (3, 3): 1},
        "words_read": {(1, 1): 3, (1, 6): 2, (2, 1): 5, (2, 6): 2, (2, 3): 4, (3, 3): 2},
        "synops": {(1, 1): 2, (1, 6): 1, (2, 1): 3, (2, 6): 1, (2, 3): 4, (3, 3): 2},
        "updates_active": {(1, 1): 1, (1, 6): 1, (2, 6): 1, (3, 1): 1},
        "updates_idle": {
            (1, 1): 3, (1, 6): 1, (1, 3): 2,
            (2, 1): 4, (2, 6): 1, (2, 3): 2,
            (3, 1): 3, (3, 6): 2, (3, 3): 2,
        },
        "spikes": {(1, 1): 1, (1, 6): 1, (2, 6): 1, (3, 1): 1},
        "barriers": {(1, HOST): 1, (2, HOST): 1, (3, HOST): 1},
    }  # fmt: skip


def test_bits_of_lists():
    """With words of one bit the words of a list are its bits: 35, 21 and 22, and 24 of each dense one."""
    case = unicast_case()
    case["widths"]["synapse_word"] = 1
    found = axons(case)
    assert [(axon.core, axon.read, axon.kept) for axon in found[0, 0]] == [(1, 35, 35), (6, 21, 21)]
    assert [axon[1:] for axon in found[0, 1]] == [(1, 22, 22)]
    assert all(found[1, n] == [(3, 2, 24, 24)] for n in range(6))
    assert [memory(case)[core]["synapses"] for core in (1, 3, 6)] == [57, 144, 21]


def test_unicast_links():
    assert link_loads(unicast_case(), UNICAST) == {
        ("x", 0, 2, 0): 1, ("y", 2, 3, 0): 1,
        ("x", 0, 2, 1): 1, ("y", 2, 3, 1): 1, ("y", 0, 1, 1): 1, ("x", 3, 1, 1): 1,
        ("x", 3, 1, 2): 1,
    }  # fmt: skip


def test_unicast_memory():
    """Words 3 + 2, 2 and 6 x 2; delay lines 2 neurons x 6 x 24."""
    assert memory(unicast_case()) == {
        1: layout(80, 40, 80, 192, 0),
        3: layout(192, 120, 0, 96, 288),
        6: layout(32, 20, 40, 96, 0),
    }


def multicast_case():
    """3 x 2 tiles of 2 cores, host at tile 0: hidden 0, 1 on core 8 (tile 4), 2, 3 on core 11 (5), class on core 9 (4).

    Conv, 20 bits a weight, words of 32: a spike reads 1 + 1 words for one synapse, 1 + 2 for two; the kernel is
    2 x 20 + 6 bits, 2 words.
    Sparse inside the hidden population: 0 -> 3, 2 -> 0, 2 -> 3, one word each; dense to the class: one word each.
    """
    conv = [(0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 2, 0), (2, 2, 0), (2, 3, 0), (3, 3, 0)]
    inner = [(0, 3, 0), (2, 0, 0), (2, 3, 0)]
    return net(
        (3, 2, 2, 0),
        [("input", 4, False), ("adaptive-lif", 4, False), ("leaky-readout", 1, False)],
        [
            (0, 1, "conv", conv, 20, None, 2),
            (1, 1, "sparse", inner, 4, None, 0),
            (1, 2, "dense", [(n, 0, 0) for n in range(4)], 4, None, 0),
        ],
        [(0, HOST, 0, 4), (1, 8, 0, 2), (1, 11, 2, 4), (2, 9, 0, 1)],
        (32, 6, 0, 0, 10, 40, 20),
        steps=3, axons="multicast", decay="lazy", predicate="received_input",
    )  # fmt: skip


MULTICAST = happened(3, (4, 4, 1), {(0, 0, 0), (0, 0, 1), (1, 0, 3), (1, 1, 0), (1, 1, 2), (2, 1, 3)})
ARRIVED = happened(3, (4, 4, 1), {(1, 1, 0), (1, 1, 1), (1, 1, 2), (2, 1, 0), (2, 1, 3), (2, 2, 0)})


def test_multicast_counts():
    """Input 1 goes to cores 8 and 11 over two x and one y. Hidden 0: one y to core 11, local to 9. Hidden 2: one y to
    8 and 9, and one local.

    Lazy: at 1 neurons 0, 1, 2 are updated; at 2 neurons 0 and 3, at which something arrives, and 2, which spiked.
    """
    assert plain(count(multicast_case(), MULTICAST, ARRIVED, happened(3, (4, 4, 1), set()))) == {
        "inputs_injected": {(0, HOST): 2, (1, HOST): 1},
        "packets": {(0, HOST): 2, (1, HOST): 1, (1, 8): 1, (1, 11): 1},
        "hops_x": {(0, HOST): 4, (1, HOST): 2},
        "hops_y": {(0, HOST): 1, (1, HOST): 1, (1, 8): 1, (1, 11): 1},
        "hops_local": {(1, 8): 1, (1, 11): 1},
        "packets_in": {(1, 8): 2, (1, 11): 1, (2, 8): 1, (2, 11): 3, (2, 9): 2},
        "words_read": {(1, 8): 5, (1, 11): 2, (2, 8): 1, (2, 11): 4, (2, 9): 2},
        "synops": {(1, 8): 3, (1, 11): 1, (2, 8): 1, (2, 11): 3, (2, 9): 2},
        "updates_active": {(1, 8): 2, (1, 11): 1, (2, 8): 1, (2, 11): 2, (2, 9): 1},
        "updates_idle": {(1, 9): 1},
        "spikes": {(1, 8): 1, (1, 11): 1, (2, 11): 1},
        "barriers": {(1, HOST): 1, (2, HOST): 1},
    }


def test_multicast_links():
    assert link_loads(multicast_case(), MULTICAST) == {
        ("x", 0, 2, 0): 2, ("x", 2, 4, 0): 2, ("y", 4, 5, 0): 1,
        ("x", 0, 2, 1): 1, ("x", 2, 4, 1): 1, ("y", 4, 5, 1): 2, ("y", 5, 4, 1): 1,
    }  # fmt: skip


def test_multicast_memory():
    """Words 2 + 2 + 1 on core 8, 3 + 2 + 2 on core 11, 4 on core 9; by unicast one outgoing entry per axon."""
    case = multicast_case()
    assert memory(case) == {
        8: layout(160, 30, 20, 120, 0),
        9: layout(128, 40, 0, 40, 0),
        11: layout(224, 50, 20, 120, 0),
    }
    by_axon = memory(case | {"axons": "unicast"})
    assert [by_axon[core]["axons_out"] for core in (8, 9, 11)] == [30, 0, 40]


def bias_case(kind, axon_kind):
    """One input and a biased population of two, one slice each, both on core 1 beside the host."""
    return net(
        (1, 1, 2, 0),
        [("input", 1, False), (kind, 2, True)],
        [(0, 1, "dense", [(0, 0, 0), (0, 1, 0)], 8, None, 0)],
        [(0, HOST, 0, 1), (1, 1, 0, 1), (1, 1, 1, 2)],
        (64, 10, 0, 0, 20, 48, 24),
        steps=2, axons=axon_kind, decay="stepped", predicate="state_changed",
    )  # fmt: skip


@pytest.mark.parametrize("axon_kind", ("unicast", "multicast"))
def test_a_bias_and_two_slices_on_one_core(axon_kind):
    """Two axons are two lists read; by unicast two packets with a local hop each, by multicast one to one core."""
    case = bias_case("refractory-lif", axon_kind)
    spikes = [[[3], [0, -1]], [[0], [0, 0]]]
    changed = [[[0], [0, 1]], [[0], [1, 1]]]
    sent = 2 if axon_kind == "unicast" else 1
    assert plain(count(case, spikes, happened(2, (1, 2), set()), changed)) == {
        "inputs_injected": {(0, HOST): 1}, "packets": {(0, HOST): sent}, "hops_local": {(0, HOST): sent},
        "packets_in": {(1, 1): 2}, "words_read": {(1, 1): 2}, "synops": {(1, 1): 2}, "spikes": {(0, 1): 1},
        "updates_active": {(0, 1): 1, (1, 1): 2}, "updates_idle": {(0, 1): 1}, "barriers": {(0, HOST): 1, (1, HOST): 1},
    }  # fmt: skip
    assert memory(case) == {1: layout(128, 40, 0, 2 * (48 + 8), 0)}
    assert not link_loads(case, spikes)


@pytest.mark.parametrize("predicate", ("fired", "received_input", "state_changed"))
@pytest.mark.parametrize("split", (False, True))
def test_equal_to_the_reference_chip_on_what_both_know(split, predicate):
    """Dense chains, one packet per receiving core: the forward counts of `refchip`, which counts while it simulates."""
    spec, sample = random_chip(3, split, predicate=predicate)
    spec["words"]["word_bits"] = 8
    result = run_sample(spec, sample, label=1, learn=False)
    sizes, steps = [p["size"] for p in spec["populations"]], spec["steps"]
    sent = {(t, 0, n) for t, row in enumerate(sample) for n in row} | set(result.spikes)
    spikes = happened(steps, sizes, sent)
    reached = {(t + 1, p + 1) for t, p, _ in sent}  # somebody of the population before spiked
    hidden = [(t, p, n) for t in range(1, steps) for p in range(1, 4) for n in range(sizes[p])]
    arrived = happened(steps, sizes, {(t, p, n) for t, p, n in hidden if (t, p) in reached})
    changed = happened(steps, sizes, {(t, p, n) for t, p, n in hidden if result.v[t][p][n] != result.v[t - 1][p][n]})
    dense = [[(i, j, 0) for i in range(sizes[k]) for j in range(sizes[k + 1])] for k in range(3)]
    case = net(
        (2, 2, 2, 0),
        [(p["kind"], p["size"], False) for p in spec["populations"]],
        [(k, k + 1, "dense", dense[k], 8, None, 0) for k in range(3)],
        [tuple(s.values()) for s in spec["slices"]],
        (8, 10, 0, 0, 20, 48, 16),
        steps=steps, axons="unicast", decay="stepped", predicate=predicate,
    )  # fmt: skip
    assert result.spikes and count(case, spikes, arrived, changed) == +result.counters


def test_ways():
    mesh = Mesh({"tiles_x": 3, "tiles_y": 3, "cores_per_tile": 1, "host_tile": 8}, None)
    assert list(way(mesh, HOST, 3)) == [("x", 8, 5), ("y", 5, 4), ("y", 4, 3)]
    assert list(way(mesh, 3, 8)) == [("x", 3, 6), ("y", 6, 7), ("y", 7, 8)]
    assert list(way(mesh, HOST, 8)) == [("local", 8, 8)]
    for a in range(9):
        for b in range(9):
            assert [kind for kind, _, _ in way(mesh, a, b)] == mesh.hops(a, b)


def test_what_it_refuses():
    case, silent = unicast_case(), happened(4, (2, 6, 2), set())
    twice, short = copy.deepcopy(case), copy.deepcopy(case)
    twice["projections"][0]["synapses"].append((0, 3, 0))
    short["projections"][1]["synapses"].pop()
    with pytest.raises(ValueError, match="twice"):
        axons(twice)
    with pytest.raises(ValueError, match="does not reach"):
        axons(short)
    lazy = bias_case("loihi-lif", "unicast") | {"decay": "lazy"}
    with pytest.raises(ValueError, match="lazy"):
        count(lazy, silent, silent, silent)
