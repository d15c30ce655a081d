"""Axons, packets and memory of any network, one packet after the other: docs/neurons.md sections 5 and 6.

A network is a plain dict:
  steps, predicate, axons ("unicast" or "multicast"), decay ("stepped" or "lazy");
  mesh: tiles_x, tiles_y, cores_per_tile, host_tile;
  populations: [{kind, size, biased}], the input first;
  projections: [{pre, post, kind, synapses, weight_bits, max_delay, kernel_weights}]: kind is dense, sparse or conv,
    synapses are (pre, post, delay) triples, weight_bits those of one stored weight, max_delay is None without delays,
    kernel_weights counts for conv only;
  slices: [{population, core, lo, hi}], the input's on the host;
  widths: bits of synapse_word, synapse_list_header, synapse_delay, synapse_tag, axon_entry, compartment_state,
    membrane.
What happened is given as spikes[t][p][n], the payload a neuron sent, and arrived[t][p][n] and changed[t][p][n], whether
a synapse carried a spike to it and whether its v differs from that of the step before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from refmesh import HOST, Mesh

LAZY = ("delta-lif", "adaptive-lif", "if")
GAP_FIELD = 5  # header bits of a sparse list that say how wide a gap is stored
PAUSE = 8  # bits of the rest of a refractory pause
KINDS = ("synapses", "axons_in", "axons_out", "compartments", "delay_lines")


class Axon(NamedTuple):
    """One entry in the table of incoming axons of `core`."""

    core: int
    synapses: int
    read: int  # words that one spike reads
    kept: int  # words that the list takes, a kernel apart


def words(bits: int, net: dict) -> int:
    """Return the memory words that some bits and the header of a list fill."""
    word = net["widths"]["synapse_word"]
    return (bits + net["widths"]["synapse_list_header"] + word - 1) // word


def delay_bits(projection: dict, net: dict) -> int:
    """Return the stored bits of the delay of one synapse."""
    stored = net["widths"]["synapse_delay"]
    return stored if projection["max_delay"] is None else max(stored, projection["max_delay"].bit_length())


def make_axon(net: dict, projection: dict, piece: dict, targets: list[int]) -> Axon:
    """Lay out the list of one neuron's synapses onto one slice."""
    n, w, tag = len(targets), projection["weight_bits"], net["widths"]["synapse_tag"]
    if projection["kind"] == "conv":
        word = net["widths"]["synapse_word"]
        return Axon(piece["core"], n, 1 + (n * w + word - 1) // word, 1)
    each = w + delay_bits(projection, net) + tag
    if projection["kind"] == "dense":
        size = words(n * each, net)
    else:
        last, gaps = piece["lo"] - 1, []
        for target in sorted(targets):
            gaps.append(target - last - 1)
            last = target
        size = words(n * (each + max(gaps).bit_length()) + GAP_FIELD, net)
    return Axon(piece["core"], n, size, size)


def axons(net: dict) -> dict[tuple[int, int], list[Axon]]:
    """Return the axons of every neuron (population, number) that has any."""
    found = defaultdict(list)
    for projection in net["projections"]:
        reached = defaultdict(list)
        for pre, post, _ in projection["synapses"]:
            reached[pre].append(post)
        for pre in range(net["populations"][projection["pre"]]["size"]):
            check(net, projection, pre, reached[pre])
            for piece in net["slices"]:
                targets = [post for post in reached[pre] if piece["lo"] <= post < piece["hi"]]
                if piece["population"] == projection["post"] and targets:
                    found[projection["pre"], pre].append(make_axon(net, projection, piece, targets))
    return dict(found)


def check(net: dict, projection: dict, pre: int, targets: list[int]) -> None:
    """Refuse two synapses between the same neurons, and a dense projection that leaves one out."""
    if len(set(targets)) != len(targets):
        raise ValueError(f"neuron {pre} reaches one neuron twice in one projection")
    if projection["kind"] == "dense" and len(targets) != net["populations"][projection["post"]]["size"]:
        raise ValueError(f"neuron {pre} of a dense projection does not reach every neuron")


def homes(net: dict) -> dict[tuple[int, int], int]:
    """Return the core of every neuron."""
    return {(s["population"], n): s["core"] for s in net["slices"] for n in range(s["lo"], s["hi"])}


def way(mesh: Mesh, source: int, target: int) -> Iterator[tuple[str, int, int]]:
    """Walk from core to core, X first: yield ("x" or "y", tile left, tile entered), or one ("local", tile, tile)."""
    at, end = mesh.tile(source), mesh.tile(target)
    if at == end:
        yield "local", at, at
    while at != end:
        to_x, to_y = end // mesh.tiles_y - at // mesh.tiles_y, end % mesh.tiles_y - at % mesh.tiles_y
        if to_x:
            step = mesh.tiles_y if to_x > 0 else -mesh.tiles_y
        else:
            step = 1 if to_y > 0 else -1
        yield "x" if to_x else "y", at, at + step
        at += step


def departures(net: dict, spikes: list) -> Iterator[tuple[int, int, list[Axon]]]:
    """Yield (step, core, axons) of every spike that has axons and time to arrive."""
    table, home = axons(net), homes(net)
    for t in range(net["steps"] - 1):
        for p, row in enumerate(spikes[t]):
            for n, payload in enumerate(row):
                if payload != 0 and (p, n) in table:
                    yield t, home[p, n], table[p, n]


def walk(net: dict, core: int, ends: list[Axon]) -> Iterator[list[tuple[str, int, int]]]:
    """Yield the hops of every packet of one spike: one per axon, or one that takes no link and enters no core twice."""
    mesh = Mesh(net["mesh"], Counter())
    if net["axons"] == "unicast":
        for axon in ends:
            yield list(way(mesh, core, axon.core))
        return
    used, entered, hops = set(), set(), []
    for axon in ends:
        if axon.core in entered:
            continue
        entered.add(axon.core)
        for hop in way(mesh, core, axon.core):
            if hop[0] == "local" or hop not in used:
                hops.append(hop)
            used.add(hop)
    yield hops


def count(net: dict, spikes: list, arrived: list, changed: list) -> Counter:
    """Return how often each (phase, stage, event, step, core) happened, without what never did."""
    found: Counter = Counter()
    for t, core, ends in departures(net, spikes):
        for packet in walk(net, core, ends):
            found["packets", t, core] += 1
            for kind, _, _ in packet:
                found[f"hops_{kind}", t, core] += 1
        for axon in ends:
            found["packets_in", t + 1, axon.core] += 1
            found["words_read", t + 1, axon.core] += axon.read
            found["synops", t + 1, axon.core] += axon.synapses
    home = homes(net)
    for t in range(net["steps"]):
        for (p, n), core in home.items():
            fired = spikes[t][p][n] != 0
            if p > 0 or t <= net["steps"] - 2:
                found["spikes" if p > 0 else "inputs_injected", t, core] += fired
            found[update(net, t, p, n, spikes, arrived, changed), t, core] += 1
        found["barriers", t, HOST] += t > 0 or any(population["biased"] for population in net["populations"])
    return Counter({("forward", "forward", *key): int(n) for key, n in found.items() if n and key[0] is not None})


def update(net: dict, t: int, p: int, n: int, spikes: list, arrived: list, changed: list) -> str | None:
    """Return the event that the update of a neuron in a step counts as, None if there is no update."""
    population = net["populations"][p]
    if p == 0 or (t == 0 and not population["biased"]):
        return None
    if net["decay"] == "lazy" and population["kind"] in LAZY:
        due = t > 0 and (arrived[t][p][n] or spikes[t - 1][p][n] != 0)
        return "updates_active" if due else None
    if net["decay"] == "lazy" and population["kind"] != "leaky-readout":
        raise ValueError(f"a lazy chip runs no {population['kind']}")
    busy = {"fired": spikes[t][p][n] != 0, "received_input": arrived[t][p][n], "state_changed": changed[t][p][n]}
    return "updates_active" if busy[net["predicate"]] else "updates_idle"


def link_loads(net: dict, spikes: list) -> Counter:
    """Return the packets on each link: {("x" or "y", tile left, tile entered, step): number}."""
    found: Counter = Counter()
    for t, core, ends in departures(net, spikes):
        for packet in walk(net, core, ends):
            for kind, left, entered in packet:
                if kind != "local":
                    found[kind, left, entered, t] += 1
    return found


def memory(net: dict) -> dict[int, dict[str, int]]:
    """Return {core: {kind: bits}} of all cores but the host."""
    width, home = net["widths"], homes(net)
    bits = {core: dict.fromkeys(KINDS, 0) for core in sorted(set(home.values()) - {HOST})}
    for neuron, ends in axons(net).items():
        for axon in ends:
            bits[axon.core]["synapses"] += axon.kept * width["synapse_word"]
            bits[axon.core]["axons_in"] += width["axon_entry"]
        if home[neuron] != HOST:
            entries = 1 if net["axons"] == "multicast" else len(ends)
            bits[home[neuron]]["axons_out"] += entries * width["axon_entry"]
    for (p, _), core in home.items():
        if core != HOST:
            further = {"adaptive-lif": width["membrane"], "refractory-lif": PAUSE}.get(net["populations"][p]["kind"], 0)
            bits[core]["compartments"] += width["compartment_state"] + further
    for projection in net["projections"]:
        for piece in net["slices"]:
            if piece["population"] == projection["post"]:
                bits[piece["core"]]["synapses"] += kernel_bits(net, projection)
                lines = 0 if projection["max_delay"] is None else projection["max_delay"] + 1
                bits[piece["core"]]["delay_lines"] += (piece["hi"] - piece["lo"]) * lines * width["membrane"]
    return bits


def kernel_bits(net: dict, projection: dict) -> int:
    """Return the bits of a kernel, 0 of a projection that has none."""
    if projection["kind"] != "conv":
        return 0
    weights = projection["kernel_weights"] * (projection["weight_bits"] + net["widths"]["synapse_tag"])
    return words(weights, net) * net["widths"]["synapse_word"]
