"""Signals of any network that need more than the errors of one step: docs/online.md sections 3 and 6, on top of `refonlinenet`."""

from __future__ import annotations

import refroute
from refjudge import readout_of, tell
from refmesh import HOST, Packet
from refnumbers import rescale, saturate
from refrules import faded
from refwalk import random_weight

PULLED = ("sym", "sym-trace", "fa", "adaptive")
REPLAY, FORWARD = ("backward", "replay"), ("backward", "forward")


def sum_past(trainer, p: int, errors: list | None = None) -> list[list[int]]:
    """Return decaying sums of the errors ds of population p, [t][neuron]; errors: those of the classes."""
    size, word = trainer.net["populations"][p]["size"], trainer.rule_of_net["membrane"][p]
    found = [[0] * size]
    for t in range(1, trainer.steps):
        row = []
        for n, before in enumerate(found[-1]):
            trainer.count(FORWARD, "trace_decays", t, trainer.home[p, n], before != 0)
            ds = errors[t][n] if errors else trainer.source(t, p, n) or 0
            row.append(saturate(faded(before, word, "truncate", 0) + ds, trainer.rule["bits"]["delta"]))
        found.append(row)
    return found


def feedback(trainer, k: int, w: int) -> int:
    """Return the random weight of a synapse in place of its weight; those that adapt are kept in `trainer.adapted`."""
    drawn = random_weight(trainer.first[k] + w)
    if trainer.rule_of_net["source"] == "fa":
        return drawn
    return trainer.adapted.setdefault((k, w), clip(drawn >> 2, trainer))


def clip(x: int, trainer) -> int:
    """Return x within the range of stored weights."""
    top = (1 << (trainer.rule["bits"]["weight"] - 1)) - 1
    return max(-top, min(top, x))


def follow(trainer, before: list[list[int]]) -> None:
    """Let the random weights of synapses toward the readout, if they adapt, take the changes of the weights, on the core of the synapse."""
    for (p, _, k), rows in trainer.rows.items() if trainer.rule_of_net["source"] == "adaptive" else ():
        for row in rows if p > 0 and k in trainer.toward else ():
            for _, w in row.synapses:
                old = feedback(trainer, k, w)
                new = trainer.adapted[k, w] = clip(old + trainer.weights[k][w] - before[k][w], trainer)
                for event in ("visits", "writes"):
                    trainer.count(("update", "replay"), event, 0, row.core, new != old)


def local_errors(trainer, p: int, label: int, spikes: list) -> list[list[int]]:
    """Return the errors [t][c] of the leaky readout that population p has of its own."""
    classes, cores = len(trainer.error[0]), [s["core"] for s in trainer.routed["slices"] if s["population"] == p]
    readout, r, found = readout_of(trainer), [0] * classes, [[0] * classes]
    for t in range(1, trainer.steps):
        fired = [n for n, sent in enumerate(spikes[t - 1][p]) if sent]
        for n in fired:
            trainer.count(FORWARD, "gather_adds", t, trainer.home[p, n], classes)
        trainer.count(FORWARD, "softmax_evaluations", t, cores[0], classes)
        for at, core in enumerate(cores):
            for c in range(classes):
                if at:
                    trainer.mesh.send(Packet("score now", core, cores[0], t, t, p, c))
                trainer.mesh.send(Packet("broadcast now", cores[0], core, t, t, p, c))
        trainer.mesh.arrivals(t)
        for c in range(classes):
            trainer.count(FORWARD, "trace_decays", t, cores[0], r[c] != 0)
            part = sum(rescale(random_weight(trainer.id[p, n] * classes + c), 7 - readout["fraction"]) for n in fired)
            r[c] = saturate(faded(r[c], readout["decay"], "truncate", 0) + part, trainer.net["v_bits"])
        q, _ = trainer.numbers.softmax([v * trainer.rule_of_net["sharpness"] for v in r], label, readout)
        found.append([trainer.numbers.injection(x, readout) for x in q])
    return found


def log(trainer, spikes: list) -> None:
    """Count the logs of a deferred rule, written in the forward steps and read in the second walk."""
    ends, answering = refroute.axons(trainer.routed), refroute.axons(trainer.answering)
    for t, p, n in trainer.events:
        home = trainer.home[p, n]
        trainer.count(FORWARD, "active_log_entries", t, home)
        trainer.count(REPLAY, "log_reads", t, home)
        if not spikes[t][p][n] and t < trainer.steps - 1 and (p, n) in answering:
            for packet in refroute.walk(trainer.routed, home, answering[p, n]):
                trainer.count(FORWARD, "mark_packets", t, home)
                for kind, _, _ in packet:
                    trainer.count(FORWARD, f"hops_{kind}", t, home)
            for axon in answering[p, n]:
                arrive(trainer, t + 1, axon.core, 1)
    for t in range(trainer.steps - 1):
        for (p, n), axons in ends.items():
            for axon in axons if spikes[t][p][n] else ():
                arrive(trainer, t + 1, axon.core, 0)
    for t in range(1, trainer.steps):
        trainer.count(REPLAY, "barriers", t, HOST)


def arrive(trainer, t: int, core: int, packets: int) -> None:
    """Count a record of a spike log, written and read; packets: of a mark (those of spikes are counted already)."""
    trainer.count(FORWARD, "packets_in", t, core, packets)
    trainer.count(FORWARD, "spike_log_entries", t, core)
    trainer.count(REPLAY, "log_reads", t, core)


def closed_errors(trainer, label: int, result) -> list[list[int]]:
    """Return z [t][c], from one loss in the last step; who is further from the readout than one projection gets q, and t* too."""
    readout, at, summed = readout_of(trainer), trainer.steps - 1, trainer.rule["readout"] == "sum"
    tell(trainer, at, ("score", "broadcast"), REPLAY)
    classes, judge = len(result.scores), trainer.home[trainer.last, 0]
    judge = min(trainer.home[trainer.last, c] for c in range(classes))
    for piece in trainer.routed["slices"]:
        if 0 < piece["population"] < trainer.last and trainer.away[piece["population"]] > 1:
            for c in range(classes if summed else 2 * classes):
                trainer.mesh.send(Packet("broadcast", judge, piece["core"], at, at, trainer.last, c))
    trainer.mesh.arrivals(at)
    q, _ = trainer.numbers.softmax(result.scores, label, readout)
    found = [[0] * classes for _ in range(trainer.steps)]
    for t in range(1, trainer.steps):
        for c, x in enumerate(q):
            left = (at if summed else result.best[c]) - t
            if left >= 0:
                found[t][c] = rescale(rescale(x * trainer.net["kappa"][left], 12), 14 - readout["delta_fraction"])
    return found
