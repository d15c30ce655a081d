"""From drawn networks with learning projections (tests/peers/learndraws.py) to cs.simulate, and back to what the reference says."""

from __future__ import annotations

import netbridge
import numpy as np

import chipsim as cs
from chipsim.counters import ENGINE, PLASTIC

TRACES, SYNAPSE = ("x1", "x2", "y1", "y2", "y3"), ("w", "t", "d")
RECORD = ("spikes", "payloads", "v", "u", *TRACES, *SYNAPSE)


def arguments(net: dict) -> dict:
    """Return `plastic` and `third` of simulate."""
    plastic = {f"k{k}": cs.LavaRule(**spec["table"]) for k, spec in enumerate(net["projections"]) if "rule" in spec}
    third = {f"k{k}": {v: np.array(rows)[:, None, :] for v, rows in given.items()} for k, given in net["third"].items()}
    return {"plastic": plastic, "third": third or None}


def simulate(net: dict, chip=None, numerics: str = "fixed", **more) -> cs.simulator.Simulation:
    """Run a drawn network as one sample."""
    x = np.array(net["inputs"], dtype=np.float64)[:, None, :]
    return cs.simulate(netbridge.network(net), x, chip=chip, numerics=numerics, record=RECORD, **arguments(net), **more)


def differences(net: dict, sim, result: dict) -> list[str]:
    """Return the first difference in spikes, v, u, weights, tags, delays and traces, as text."""
    for t in range(net["steps"]):
        for p, spec in enumerate(net["populations"]):
            ours = {"spikes": sim.payloads[f"p{p}"][t, 0], "v": sim.v[f"p{p}"][t, 0] if p else (), "u": sim.u.get(f"p{p}")}
            for name in ("spikes", "v", "u") if p else ("spikes",):
                wanted = [int(x) for x in result[name][t][p]]
                found = ours[name] if name != "u" or ours["u"] is None else ours["u"][t, 0]
                if wanted and list(found) != wanted:
                    return [f"t = {t}, population {p} ({spec['kind']}), {name}: {list(found)} != {wanted}"]
        for k, kept in result["plastic"].items():
            for v, wanted in kept[t].items():
                found = sim.traces[v][f"k{k}"][t, 0]
                if not np.array_equal(found, wanted):
                    return [f"t = {t}, projection {k}, {v}: {found.tolist()} != {np.array(wanted).tolist()}"]
    return last(sim, result)


def last(sim, result: dict) -> list[str]:
    """Return whether what is left after the last step differs from the last step."""
    for k, kept in result["plastic"].items():
        for v, found in (("w", sim.weights), ("t", sim.tags), ("d", sim.delays)):
            if not np.array_equal(found[f"k{k}"][0], kept[-1][v]):
                return [f"projection {k}, {v} after the last step"]
    return []


def counts(net: dict, image, result: dict) -> dict[str, np.ndarray]:
    """Return what learning must have done, {event: [T, columns]}, from the reference and the placement."""
    found = {event: np.zeros((net["steps"], len(image.slices)), dtype=np.int64) for event in (*PLASTIC, *ENGINE)}
    words_due = np.zeros((net["steps"], len(image.slices)), dtype=np.int64)
    for k, connection in result["connections"].items():
        post, pre = net["projections"][k]["post"], net["populations"][net["projections"][k]["pre"]]["size"]
        here = [(n, s) for n, s in enumerate(image.slices) if s.population == post]
        for n, s in here:
            words = int(image.plan.lists(k, s.lo, s.hi).stored[0])
            for epoch in connection.epochs:
                for event, number in of_epoch(epoch, range(s.lo, s.hi), pre, words).items():
                    found[event][epoch["t"] - 1, n] += number
                words_due[epoch["t"] - 1, n] += pre * words
            for t, i in connection.again:
                found["random_draws"][t - 1, n] += s.lo <= i < s.hi
    found["visits_skipped"] = np.maximum(words_due - found["visits"], 0)
    cores = {event: per_slice @ image.routes.column for event, per_slice in found.items()}
    return {**cores, "epochs": np.minimum(cores["epochs"], 1)}  # one per core, however many projections and slices end theirs


def of_epoch(epoch: dict, neurons: range, pre: int, words: int) -> dict[str, int]:
    """Return the counts of one epoch of a projection on the slice with these postsynaptic neurons."""
    rows, whole = epoch["rows"], len(epoch["rows"])
    single = [(j, i) for j, i in epoch["single"] if i in neurons]
    lowest = [(j, i) for j, i in epoch["lowest"] if i in neurons]
    per_row = {j: sum(a == j for a, _ in single) for j in range(pre) if j not in rows}
    evaluated = whole * len(neurons) + len(single) + len(lowest)
    changed = sum(i in neurons for _, i in epoch["changed"])
    return {
        "evaluations_skipped": pre * len(neurons) - evaluated,
        "writes_skipped": evaluated - changed,
        "epochs": 1,
        "visits": whole * words + sum(min(n, words) for n in per_row.values()) + len(lowest),
        "evaluations": evaluated,
        "terms": sum(n for (_, i), n in epoch["terms"].items() if i in neurons),
        "random_draws": 5,
        "writes": changed,
        "trace_updates": sum(n in neurons or v in ("x1", "x2") for v, live in epoch["live"].items() for n in live),
    }
