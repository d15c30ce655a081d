"""`chipsim bench chip`: steps per second of workload B with every count per core, beside other simulators."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chipsim.bench import timing
from chipsim.bench.peers import CHIP, OURS_CHIP, Peer
from chipsim.bench.process import HURRY, Python, Subject, place, temporary
from chipsim.bench.ring import FAN_OUT, Ring, reference, ring
from chipsim.bench.workloads import recorded
from chipsim.errors import RunError
from chipsim.validation.row import Row, between, close, equal

CORES = 128
BASE = "chipsim, counted per core"
STEPS = {  # per call, up to so many neurons: of ours and of the peers; None: not run
    200: {"ours": 60, "brian2": 500, "lava": 30, "lava-dense": 30, "sanafe": 30},
    1_000: {"ours": 1000, "brian2": 5000, "lava": 300, "lava-dense": 300, "sanafe": 100},
    10_000: {"ours": 1000, "brian2": 1000, "lava": 60, "lava-dense": None, "sanafe": 60},
    100_000: {"ours": 200, "brian2": 200, "lava": 10, "lava-dense": None, "sanafe": None},
}
FIRING_SLACK, FIRING_STEPS = (
    0.0003,
    60,
)  # of the share that fires, over fewer steps than recorded; steps from which it is compared
REFERENCE = "the same network in whole numbers, by numpy"
TOO_LARGE = {  # why a peer is not run
    "sanafe": "it takes 2.75 GB at 10,000 neurons: not run beyond",
    "lava-dense": "it takes a matrix of all pairs of neurons: not run beyond 1,000",
}


class Runner(NamedTuple):
    """A subject that runs, and what its first call said."""

    name: str
    subject: Subject
    first: dict[str, Any]
    versions: dict[str, str]


def steps_for(neurons: int) -> dict[str, int | None]:
    """Return the steps of one call by subject."""
    return STEPS[next((size for size in STEPS if neurons <= size), max(STEPS))]


def measure(
    neurons: int, places: Sequence[Python] | None, count: int, progress: Any, fan_out: int = FAN_OUT, cores: int = CORES,
    hurried: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return everything about one network: equality, then steps per second.

    places: interpreters to look for peers in; None: no peer was asked for. hurried: without peers that are slow to start.
    """
    network, wanted, name = ring(neurons, fan_out), steps_for(neurons), f"{neurons:,} neurons, fan-out {fan_out}, {cores} cores"
    facts: dict[str, Any] = {"name": name, "neurons": neurons, "fan_out": fan_out, "cores": min(cores, neurons), "rounds": count,
                             "load_average_before": timing.load(), "absent": [], "subjects": []}  # fmt: skip
    runners: list[Runner] = []
    with temporary() as folder:
        network.save(Path(folder))
        try:
            progress.start(0, f"{name}: chipsim")
            more = {"cores": cores}
            runners.append(started(BASE, OURS_CHIP, Python("", "", {}), {"folder": folder, "steps": wanted["ours"], **more}))
            rows = own_rows(runners[0], network, Path(folder))
            for peer in CHIP if places is not None else ():
                progress.start(0, f"{name}: {peer}")
                arguments = {"folder": folder, "steps": wanted[peer], **CHIP[peer].options, **(more if peer == "sanafe" else {})}
                rows += peer_rows(peer, places, arguments, network, runners, facts["absent"], hurried)
            facts |= {"equality": [row.facts() for row in rows], "ok": all(row.ok for row in rows)}
            if facts["ok"]:
                facts["subjects"] = timed(runners, count, progress)
                facts["load_average_after"] = timing.load()
        finally:
            for runner in runners:
                runner.subject.stop()
    return facts


def started(name: str, peer: Peer, python: Python, arguments: dict[str, Any]) -> Runner:
    """Start a subject and let it run its first call, whose result lies beside the network.

    Raises:
        RunError: it does not run.
    """
    subject = Subject(name, peer, *((python.path,) if python.path else ()))
    try:
        subject.start("chip", **arguments)
        first = subject.ask("first", path=str(Path(arguments["folder"]) / "answer.npz"))
    except RunError:
        subject.stop()
        raise
    versions = {n: python.found[n] for n in peer.needs} | ({"python": python.version} if peer.needs else {})
    return Runner(name, subject, first, versions)


def own_rows(ours: Runner, network: Ring, folder: Path) -> list[Row]:
    """Return whether our spikes, voltages and counts are those of the reference."""
    rows, first = spike_rows(BASE, ours.first, network, folder), ours.first
    fan_out = network.targets.shape[1]
    synops = fan_out * first["sent"] + 2 * network.neurons  # two per neuron set the start voltages
    rows.append(equal(f"{BASE}: spikes counted on all cores", first["spikes"], first["counted_spikes"], "spikes", REFERENCE))
    rows.append(equal(f"{BASE}: synaptic operations counted on all cores", synops, first["synops"], "operations", REFERENCE))
    if fan_out == FAN_OUT and network.neurons >= 1000 and first["steps"] >= FIRING_STEPS:
        low, high = recorded()["chip"]["firing"]
        share = first["spikes"] / (first["steps"] * network.neurons)
        rows.append(
            between(f"{BASE}: share that fires in a step", (low - FIRING_SLACK, high + FIRING_SLACK), share, "", "recorded runs")
        )
    return rows


def spike_rows(name: str, first: dict[str, Any], network: Ring, folder: Path) -> list[Row]:
    """Return whether spikes per neuron and voltages, those that a subject knows, are those of the reference."""
    counts, v, arriving = reference(network, first["steps"], network.start)
    wanted = {"counts": ("spikes", counts), "v": ("voltage", v + arriving if first.get("ahead") else v)}
    with np.load(folder / "answer.npz") as stored:
        return [equal(f"{name}: neurons with another {word}", 0, int((stored[key] != array).sum()), "neurons", REFERENCE)
                for key, (word, array) in wanted.items() if key in stored]  # fmt: skip


def peer_rows(
    name: str, places: Sequence[Python], arguments: dict[str, Any], network: Ring, runners: list[Runner], absent: list[dict[str, str]],
    hurried: bool,
) -> list[Row]:  # fmt: skip
    """Start a peer, add it to `runners` or, with the reason, to `absent`; return its rows of equality."""
    where, reason = place(CHIP[name], places), ""
    if hurried and CHIP[name].slow:
        reason = HURRY
    elif arguments["steps"] is None:
        reason = TOO_LARGE[name]
    elif where.python is None:
        reason = where.reason
    else:
        try:
            runners.append(started(name, CHIP[name], where.python, arguments))
        except RunError as error:
            reason = str(error)
    if reason:
        absent.append({"name": name, "reason": reason})
        return []
    first = runners[-1].first
    if name != "sanafe":
        return spike_rows(name, first, network, Path(arguments["folder"]))
    ours = runners[0].subject.ask("in_phase", steps=first["steps"])
    rows = [equal(f"sanafe: {event}", first[event], ours[event], event, "SANA-FE") for event in ("packets", "synops")]
    return [
        *rows,
        close("sanafe: energy, total, without start voltages", first["energy_j"], ours["energy_j"], "J", 1e-9, "SANA-FE"),
    ]


def timed(runners: Sequence[Runner], count: int, progress: Any) -> list[dict[str, Any]]:
    """Return one object per subject: steps per second, and ours over theirs."""
    runs: list[list[dict[str, Any]]] = [[] for _ in runners]
    progress.start(count, "rounds")
    for done in range(count):
        for runner, found in zip(runners, runs, strict=True):
            found.append(runner.subject.ask("run"))
        progress.update(done + 1)
    progress.stop()
    objects = [described(r.name, r.versions, found, "") for r, found in zip(runners, runs, strict=True)]
    objects.insert(1, described("chipsim, accounting off", {}, runs[0], "bare_"))
    for one in objects:
        one["ratio"] = objects[0]["steps_per_s"] / one["steps_per_s"]
        cpu = one["steps_per_s_cpu"]
        one["ratio_cpu"] = objects[0]["steps_per_s_cpu"] / cpu if cpu else None
    return objects


def described(name: str, versions: dict[str, str], runs: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return median and best rate of some calls; kind: prefix of the times."""
    wall = [run[f"{kind}wall_s"] / run["steps"] for run in runs]
    cpu = [run[f"{kind}cpu_s"] / run["steps"] for run in runs if run[f"{kind}cpu_s"]]
    return {"name": name, "versions": versions, "steps": runs[0]["steps"], "runs": len(runs),
            "steps_per_s": 1 / statistics.median(wall), "steps_per_s_best": 1 / min(wall),
            "steps_per_s_cpu": 1 / statistics.median(cpu) if cpu else None}  # fmt: skip
