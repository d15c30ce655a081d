"""`chipsim bench training`: one training step of ours and of every peer, on workload A."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from chipsim.bench import equality, roofline, timing
from chipsim.bench.adjoint import Dense, dense_adjoint
from chipsim.bench.peers import OURS, TRAINING, Peer
from chipsim.bench.process import HURRY, Python, Subject, place, temporary
from chipsim.bench.workloads import ALPHA, HALF_WIDTH, Case
from chipsim.errors import RunError
from chipsim.network import Network, ssgd_network

BASE = "float32, 1 thread"
THREADS = 2  # of the rows beside those with one, unless told


def rows_of(threads: int) -> tuple[tuple[str, str, int], ...]:
    """Return name, numerics and threads of our rows: one thread, then so many."""
    counts = dict.fromkeys((1, threads))
    return tuple((f"{kind}, {n} thread{'s' * (n > 1)}", kind, n) for n in counts for kind in ("float32", "float64", "fixed"))


OWN = rows_of(THREADS)
DELTA_FRACTION = 14  # of fixed point: as fine as 16 bits of delta allow, since errors of an untrained network are small


class Entry(NamedTuple):
    """A subject that runs. numerics: of ours; None: a peer."""

    name: str
    subject: Subject
    threads: int
    numerics: str | None
    peer: Peer
    facts: dict[str, Any]


class Absent(NamedTuple):
    """A peer that does not run, and why."""

    name: str
    reason: str


def network_of(case: Any, tau: float, half_width: float) -> Network:
    """Return the network of a case, with its weights."""
    sizes = [len(w) for w in case.weights]
    made = ssgd_network(sizes[0], tuple(sizes[1:]), case.weights[2].shape[1], case.steps, tau, tau, readout="max",
                        surrogate="paper", half_width=half_width)  # fmt: skip
    made = made.but(learning={**made.learning.model_dump(), "delta_fraction": DELTA_FRACTION})
    return made.with_weights(dict(zip(made.names, case.weights, strict=True)))


def measure(
    case: Case, places: Sequence[Python] | None, count: int, progress: Any, own: Sequence[tuple[str, str, int]] = OWN,
    chosen: Sequence[str] = tuple(TRAINING), hurried: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return everything about one case: equality, then times, ratios, shares of the roofline and memory.

    places: interpreters to look for peers in; None: no peer was asked for. count: rounds; 0: memory only. own, chosen: which subjects.
    hurried: without peers that are slow to start.
    """
    dense, entries, absent = dense_adjoint(case, HALF_WIDTH, ALPHA), [], []
    before = timing.load()
    with temporary() as folder:
        case.save(Path(folder))
        try:
            for name, numerics, threads in own:
                progress.start(0, f"{case.name}: chipsim {name}")
                entries.append(started(name, OURS, Python("", "", {}), threads, numerics, folder))
            for name, peer, python in found(places, absent, chosen, hurried):
                progress.start(0, f"{case.name}: {name}")
                try:
                    entries.append(started(name, peer, python, 1, None, folder))
                except RunError as error:
                    absent.append(Absent(name, str(error)))
            rows = compared(case, dense, entries, Path(folder))
            facts = {"workload": about(case, dense), "equality": [row.facts() for row in rows], "ok": all(row.ok for row in rows),
                     "load_average_before": before, "absent": [a._asdict() for a in absent], "rounds": count, "subjects": []}  # fmt: skip
            if facts["ok"]:
                facts["subjects"] = timed(case, dense, entries, count, before, progress)
                facts["load_average_after"] = timing.load()
        finally:
            for entry in entries:
                entry.subject.stop()
    return facts


def found(places: Sequence[Python] | None, absent: list[Absent], chosen: Sequence[str], hurried: bool):
    """Yield name, peer and interpreter of every peer that is there; those that are not are added to `absent`."""
    for name in chosen if places is not None else ():
        where = place(TRAINING[name], places)
        if where.python is None or (hurried and TRAINING[name].slow):
            absent.append(Absent(name, where.reason if where.python is None else HURRY))
        else:
            yield name, TRAINING[name], where.python


def started(name: str, peer: Peer, python: Python, threads: int, numerics: str | None, folder: str) -> Entry:
    """Start a subject and let it run its first step, of which loss and peak memory are known then.

    Raises:
        RunError: it does not run.
    """
    subject = Subject(name, peer, python.path or sys.executable, threads)
    try:
        subject.start("training", folder=folder, threads=threads, **({"numerics": numerics} if numerics else peer.options))
        facts = subject.ask("first")
    except RunError:
        subject.stop()
        raise
    facts["versions"] = {n: python.found[n] for n in peer.needs} | ({"python": python.version} if peer.needs else {})
    return Entry(name, subject, threads, numerics, peer, facts)


def compared(case: Case, dense: Dense, entries: Sequence[Entry], folder: Path) -> list[equality.Row]:
    """Return the rows of equality of all subjects; cosines of the gradients are added to the facts of each."""
    rows, alone = equality.workload_rows(case, dense), None
    for entry in entries:
        path = folder / "answer.npz"
        loss = entry.subject.ask("check", path=str(path))["loss"]
        arrays = equality.read(path)
        entry.facts["gradient_cosines"] = equality.cosines(arrays, dense)
        if "s0" in arrays:
            entry.facts["spikes_that_differ"] = equality.flips(arrays, dense)
        if entry.numerics is None:
            rows.append(equality.peer_row(entry.name, loss, dense, case, entry.peer.apart))
        elif entry.numerics == "fixed":
            alone = equality.alone(case, network_of(case, 10.0, HALF_WIDTH)) if alone is None else alone
            rows += equality.fixed_rows(entry.name, loss, arrays, alone, dense)
        else:
            rows += equality.own_rows(entry.name, entry.numerics, loss, arrays, dense)
    return rows


def about(case: Case, dense: Dense) -> dict[str, Any]:
    """Return the workload in figures."""
    events = {"input": dense.input}
    for n in range(2):
        events |= {f"spikes_{n + 1}": int(dense.spikes[n].sum()), f"active_{n + 1}": dense.active[n]}
    return {"name": case.name, "hidden": case.hidden, "batch": case.batch, "steps": case.steps, "input_density": case.density,
            "events": events, "loss": dense.loss}  # fmt: skip


def timed(
    case: Case, dense: Dense, entries: Sequence[Entry], count: int, load: list[float], progress: Any
) -> list[dict[str, Any]]:
    """Return one object per subject: times, ratios, memory, and of ours in one thread the share of the roofline."""
    progress.start(max(count, 1), f"{case.name}: rounds")
    base, rates, steps = entries[0], [], None
    if count:

        def report(done: int) -> None:
            rates.append(base.subject.ask("extra", name="rates"))
            progress.update(done)

        steps = timing.rounds([e.subject for e in entries], [e.numerics is not None for e in entries], count, report)
    progress.stop()
    objects = [described(entry, base) for entry in entries]
    if steps is None:
        return objects
    phases = [timing.phases(one) for one in steps]
    rate = {name: statistics.median(r[name] for r in rates) for name in ("add", "rmw")}
    needed = roofline.work(about(case, dense)["events"], case.hidden, case.weights[2].shape[1])
    quiet = load[0] <= timing.QUIET
    for entry, own, one in zip(entries, phases, objects, strict=True):
        one["steps"], one["time"] = len(steps[entries.index(entry)]), own
        one["ratio"] = timing.ratio(own, phases[0])
        if entry.threads > 1:
            single = phases[[e.numerics for e in entries].index(entry.numerics)]
            one["speedup_wall"] = timing.ratio(single, own, "wall_ms") if quiet else None
        if entry.numerics and entry.threads == 1:
            one["roofline"] = shares(own, needed, rate)
    return objects


def described(entry: Entry, base: Entry) -> dict[str, Any]:
    """Return what is known of a subject before its times: memory as a multiple of ours, loss, versions."""
    ours = entry.numerics is not None
    peak, mine = entry.facts["peak_mb"], most(base.facts)
    title = f"chipsim, {entry.name}" if ours else entry.peer.title
    own = most(entry.facts) if ours else peak
    return {"name": entry.name, "title": title, "kind": "chipsim" if ours else "peer", "threads": entry.threads,
            "surrogate": "cut off at the band" if ours else "whole", **entry.facts, "memory_mb": own,
            "memory_ratio": own / mine if own and mine else None}  # fmt: skip


def most(facts: dict[str, Any]) -> float | None:
    """Return the larger of the resident peak and of the bytes that the step works on, in MB: fresh memory may lie in freed pages."""
    known = [facts["peak_mb"], facts["held_bytes"] and facts["held_bytes"] / 1e6]
    return max((x for x in known if x is not None), default=None)


def shares(own: dict[str, dict[str, float]], needed: roofline.Work, rate: dict[str, float]) -> dict[str, Any]:
    """Return limits and shares of the roofline, by median and by minimum."""
    limit = dict(zip(("forward", "backward"), roofline.limits(needed, rate), strict=True))
    found: dict[str, Any] = {"adds": needed.adds, "dots": needed.dots, "rates_per_s": rate}
    for phase, seconds in limit.items():
        times = own[phase]
        found[phase] = {
            "limit_ms": 1e3 * seconds,
            "share": 1e3 * seconds / times["cpu_ms"],
            "share_best": 1e3 * seconds / times["cpu_ms_min"],
        }
    return found
