"""Form A and pushed errors of a training sample: docs/semantics.md sections 5 and 6, packet by packet. `trainer` is reftrain.Trainer."""

from __future__ import annotations

from collections import Counter, defaultdict

import refroute
from refmesh import HOST, Packet
from refnumbers import decay, rescale, saturate

REPLAY, WALK, UPDATE = ("backward", "replay"), ("backward", "walk"), ("update", "replay")
ONE, TOP = 1 << 8, (1 << 12) - 1  # of a trace


def back_rows(trainer, k: int, j: int) -> list[tuple[int, list[tuple[int, int]], int]]:
    """Return (core, synapses as (presynaptic neuron, number of the weight), words) of every row of the transposed copy."""
    found = []
    for piece in trainer.routed["slices"]:
        if piece["population"] == trainer.net["projections"][k]["pre"]:
            synapses = [(i, w) for i, w in trainer.incoming(k)[j] if piece["lo"] <= i < piece["hi"]]
            if synapses:
                axon = refroute.make_axon(trainer.routed, trainer.routed["projections"][k], piece, [i for i, _ in synapses])
                found.append((piece["core"], synapses, axon.kept))
    return found


def keep(trainer, k: int) -> int:
    """Return the decay word of V of the postsynaptic population."""
    return trainer.net["populations"][trainer.net["projections"][k]["post"]].get("decay", 4096)


def push(trainer, t: int) -> None:
    """Send ds of step t down; it arrives in step t - 1, where the errors of the active events are read."""
    fractions, bits = trainer.rule["delta_fraction"], trainer.rule["bits"]["delta"]
    trainer.partial = Counter()
    for k, spec in enumerate(trainer.net["projections"]):
        sums: Counter = Counter()
        pre, post = spec["pre"], spec["post"]
        if pre == 0:
            continue
        for j in range(trainer.net["populations"][post]["size"]):
            ds = trainer.ds[t, post, j]
            for core, synapses, words in back_rows(trainer, k, j) if ds != 0 else ():
                trainer.mesh.send(Packet("error", trainer.home[post, j], core, t, t - 1, k, j))
                trainer.count(REPLAY, "packets_in", t - 1, core)
                trainer.count(REPLAY, "rows_read", t - 1, core)
                trainer.count(REPLAY, "words_read", t - 1, core, words)
                for i, w in synapses:
                    trainer.count(REPLAY, "gather_adds", t - 1, core)
                    sums[i] += trainer.weights[k][w] * ds
        for i in range(trainer.net["populations"][pre]["size"]):
            trainer.count(REPLAY, "trace_decays", t - 1, trainer.home[pre, i], trainer.pushed[k, i] != 0)
            more = rescale(sums[i], trainer.rule["fraction"][k] + fractions[post] - fractions[pre])
            trainer.pushed[k, i] = saturate(decay(trainer.pushed[k, i], keep(trainer, k)) + more, bits)
            trainer.partial[pre, i] += trainer.pushed[k, i]


def walk(trainer, result) -> None:
    """Form A: the logs again, forward in time; every core rebuilds the traces of the axons that end on it."""
    traces: Counter = Counter()  # (projection, presynaptic neuron)
    for t in range(1, trainer.steps):
        trainer.count(WALK, "barriers", t, HOST)
        read(trainer, t, result)
        for (p, i, k), rows in trainer.rows.items():
            spiked = result.forward["spikes"][t - 1][p][i] != 0
            for row in rows:
                trainer.count(WALK, "trace_decays", t, row.core, traces[k, i] != 0)
                trainer.count(WALK, "trace_updates", t, row.core, spiked)
            x = decay(traces[k, i], keep(trainer, k))
            traces[k, i] = x = min(x + ONE, TOP) if spiked else x
            for row in rows if x != 0 else ():
                meet(trainer, t, (k, i), x, row, result)


def read(trainer, t: int, result) -> None:
    """Count the records of the logs of step t: spikes and marks that arrived, active events, errors of the loss of every step."""
    for p in range(trainer.last):
        for n, sent in enumerate(result.forward["spikes"][t - 1][p]):
            for _, row in trainer.axons(p, n) if sent or (not trainer.push and (t - 1, p, n) in trainer.events) else ():
                trainer.count(WALK, "log_reads", t, row.core)
            trainer.count(WALK, "log_reads", t, trainer.home[p, n], (t, p, n) in trainer.events)
    for c in range(len(result.injections)) if trainer.rule["loss"] == "step" else ():
        trainer.count(WALK, "log_reads", t, trainer.home[trainer.last, c])


def meet(trainer, t: int, source: tuple[int, int], x: int, row, result) -> None:
    """A trace that is not zero meets the events of step t on its core."""
    k, i = source
    piece = [m for (q, m), core in trainer.home.items() if q == row.post and core == row.core]
    if all(trainer.ds[t, row.post, m] == 0 for m in piece):
        return
    trainer.count(WALK, "rows_read", t, row.core)
    trainer.count(WALK, "words_read", t, row.core, row.words)
    for j, w in row.synapses:
        ds = trainer.ds[t, row.post, j]
        if ds != 0:
            trainer.count(WALK, "row_adds", t, row.core)
            result.gradients[k][w] = saturate(result.gradients[k][w] + rescale(ds * x, 8), trainer.rule["bits"]["acc"])
            trainer.dirty[k, i, row.core] = row


def copy(trainer, k: int, w: int, t: int, row) -> None:
    """Tell the transposed copy that a weight has changed."""
    pre = trainer.net["projections"][k]["pre"]
    if pre > 0:
        i = next(i for synapses in trainer.incoming(k).values() for i, n in synapses if n == w)
        home = trainer.home[pre, i]
        trainer.mesh.send(Packet("copy", row.core, home, t, t, k, i))
        trainer.count(UPDATE, "packets_in", t, home)
        trainer.count(UPDATE, "copy_writes", t, home)


def by_target(numbered: dict[int, list[tuple[int, int]]]) -> dict[int, list[tuple[int, int]]]:
    """Return {postsynaptic neuron: [(presynaptic neuron, number of the weight)]} of {neuron: [(target, number)]}."""
    found = defaultdict(list)
    for i in sorted(numbered):
        for j, w in numbered[i]:
            found[j].append((i, w))
    return found
