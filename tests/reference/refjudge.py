"""The loss of a training sample, and the errors it injects: docs/semantics.md section 4, for class scores or for every step."""

from __future__ import annotations

from refmesh import Packet

REPLAY, FORWARD = ("backward", "replay"), ("backward", "forward")


def readout_of(trainer) -> dict:
    """Return the readout in the words of `refnumbers`."""
    spec = trainer.net["populations"][trainer.last]
    return {
        "decay": spec["decay"], "fraction": trainer.rule["v_fraction"], "delta_fraction": trainer.rule["delta_fraction"][trainer.last]
    }  # fmt: skip


def judge(trainer, label: int, result) -> None:
    """Set scores and best, and the injected errors as {(t, class): error}."""
    v = class_scores(trainer, result)
    if trainer.rule["loss"] == "step":
        judge_steps(trainer, label, v, result)
    else:
        judge_scores(trainer, label, result)


def class_scores(trainer, result) -> list[list[int]]:
    """Set scores and best; return V of the readout, [step][class]."""
    v = [row[trainer.last] for row in result.forward["v"]]
    traces = list(zip(*v, strict=True))
    if trainer.rule["readout"] == "sum":
        result.scores, result.best = [sum(x) for x in traces], [0] * len(traces)
    else:
        result.scores = [max(0, *x) for x in traces]
        result.best = [next((t for t, y in enumerate(x) if t and y == best > 0), 0)
                       for x, best in zip(traces, result.scores, strict=True)]  # fmt: skip
    return v


def judge_scores(trainer, label: int, result) -> None:
    """One loss, in the last step."""
    readout, at = readout_of(trainer), trainer.steps - 1
    q, _ = trainer.numbers.softmax(result.scores, label, readout)
    result.injections = [trainer.numbers.injection(x, readout) for x in q]
    for c, error in enumerate(result.injections):
        due = range(1, trainer.steps) if trainer.rule["readout"] == "sum" else [result.best[c]]
        result.errors |= {(t, c): error for t in due}
    tell(trainer, at, ("score", "broadcast"), REPLAY)


def judge_steps(trainer, label: int, v: list, result) -> None:
    """A loss in every step; every readout core keeps the errors of its classes, a word each, in its log."""
    readout, result.injections = readout_of(trainer), [0] * len(v[0])
    for t in range(1, trainer.steps):
        q, _ = trainer.numbers.softmax([trainer.rule["sharpness"] * x for x in v[t]], label, readout)
        tell(trainer, t, ("score now", "broadcast now"), FORWARD)
        for c, x in enumerate(q):
            result.errors[t, c] = trainer.numbers.injection(x, readout)
            core = trainer.home[trainer.last, c]
            trainer.count(FORWARD, "active_log_entries", t, core)
            trainer.count(REPLAY, "log_reads", t, core)
            result.log_need[core] += 1
    if trainer.steps > 1:
        result.injections = [result.errors[1, c] for c in range(len(v[0]))]  # what replay injects last


def tell(trainer, t: int, kinds: tuple[str, str], stage: tuple[str, str]) -> None:
    """Count what it takes to bring the scores to the lowest-numbered readout core and the errors to all of them."""
    classes = trainer.net["populations"][trainer.last]["size"]
    cores = sorted({trainer.home[trainer.last, c] for c in range(classes)})
    trainer.count(stage, "softmax_evaluations", t, cores[0], classes)
    for c in range(classes):
        if trainer.home[trainer.last, c] != cores[0]:
            trainer.mesh.send(Packet(kinds[0], trainer.home[trainer.last, c], cores[0], t, t, 0, c))
        for core in cores:
            trainer.mesh.send(Packet(kinds[1], cores[0], core, t, t, 0, c))
    trainer.mesh.arrivals(t)
