"""What must hold before anything is timed: events of the workload, losses, gradients. One row of `chipsim validate` for each."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.bench.adjoint import Dense
from chipsim.bench.workloads import BATCH, Case, recorded
from chipsim.validation.row import Row, between, equal

FLIPS, APART = 2, 0.1  # spikes by which rounding may differ from the table; share by which another order of the images may
GRADIENT = {"float64": 1e-10, "float32": 1e-4}  # relative L2 of each matrix
LOSS, LOOSE = 2e-4, 0.02  # of the loss: rounding; another delay where no difference is recorded
FIXED_FIRING, FIXED_LOSS = 0.03, 0.01  # fixed point is another network: weights of 8 bits
ADJOINT = "dense adjoint in float64, masked by the active band (numpy, no event in it)"
TABLE = "recorded run"


def within(name: str, expected: float, got: float, unit: str, most: float, source: str, note: str = "") -> Row:
    """Return a row whose figures may differ by `most`, absolute."""
    return between(name, (expected - most, expected + most), got, unit, source, note)


def workload_rows(case: Case, dense: Dense) -> list[Row]:
    """Return whether the workload has the recorded events and loss; nothing where none are recorded."""
    row, apart = case.recorded, 0.0
    if row is None and case.name.startswith("Fashion-MNIST") and case.hidden == recorded()["fashion_mnist"]["hidden"]:
        row, apart = recorded()["fashion_mnist"], APART
    if row is None:
        return []
    note = "recorded on another order of the images: input a few percent apart, spikes more" if apart else ""
    pairs = [("input events", row["input"], dense.input, 0.0)]
    for n in range(2):
        pairs += [(f"spikes, layer {n + 1}", row["spikes"][n], int(dense.spikes[n].sum()), FLIPS)]
        pairs += [(f"active events, layer {n + 1}", row["active"][n], dense.active[n], FLIPS)]
    rows = [within(name, a, b, "events", max(most, apart * a), TABLE, note) for name, a, b, most in pairs]
    return [*rows, within("loss", row["loss"], dense.loss, "nat", 0.01 if apart else LOSS, TABLE, note)]


def own_rows(name: str, numerics: str, loss: float, arrays: dict[str, np.ndarray], dense: Dense) -> list[Row]:
    """Return how a step of ours in float compares with the dense adjoint: loss, spikes that differ, gradients."""
    rows = [equal(f"{name}: spikes that differ", 0, flips(arrays, dense), "spikes", ADJOINT)]
    rows.append(within(f"{name}: loss", dense.loss, loss, "nat", LOSS if numerics == "float32" else 1e-9, ADJOINT))
    for k, wanted in enumerate(dense.gradients):
        what = f"{name}: gradient W{k + 1}, relative L2"
        rows.append(between(what, (0.0, GRADIENT[numerics]), apart(arrays[f"g{k}"], wanted), "", ADJOINT))
    return rows


def fixed_rows(name: str, loss: float, arrays: dict[str, np.ndarray], alone: list[np.ndarray], dense: Dense) -> list[Row]:
    """Return how a fixed-point step compares: bit for bit with its samples one by one, and its firing with that of float."""
    note = "weights of 8 bits and 12 fraction bits of V are another network: it must fire as much, not in the same places"
    rows = [
        equal(
            f"{name}: gradient W{k + 1}, entries that differ", 0, int((arrays[f"g{k}"] != g).sum()), "entries", "sample by sample"
        )
        for k, g in enumerate(alone)
    ]
    for n, wanted in enumerate(dense.spikes):
        got = int(np.unpackbits(arrays[f"s{n}"], count=wanted.size).sum())
        allowed = max(FIXED_FIRING * int(wanted.sum()), 3 * math.sqrt(wanted.sum()))  # few spikes: counting noise
        rows.append(within(f"{name}: spikes, layer {n + 1}", int(wanted.sum()), got, "spikes", allowed, ADJOINT, note))
    return [*rows, within(f"{name}: loss", dense.loss, loss, "nat", FIXED_LOSS * noise(dense), ADJOINT, note)]


def peer_row(name: str, loss: float, dense: Dense, case: Case, difference: float) -> Row:
    """Return whether a peer's loss is that of the workload, up to the recorded difference of its delay or reset timing."""
    if not difference:
        return within(f"{name}: loss", dense.loss, loss, "nat", LOSS, ADJOINT)
    main = case.recorded is not None and (case.hidden, case.density) == (200, 0.01)
    most = difference + LOSS if main else LOOSE * noise(dense)
    note = f"one step of delay or reset timing apart: up to {difference:g} recorded on the main workload"
    return within(f"{name}: loss", dense.loss, loss, "nat", most, ADJOINT, note)


def noise(dense: Dense) -> float:
    """Return how much more than that of a full batch the mean loss of so few samples may differ between networks that fire alike."""
    return math.sqrt(max(1.0, BATCH / dense.spikes[0].shape[1]))


def flips(arrays: dict[str, np.ndarray], dense: Dense) -> int:
    """Return how many spikes differ from the dense adjoint."""
    return sum(int(np.unpackbits(arrays[f"s{n}"] ^ np.packbits(s)).sum()) for n, s in enumerate(dense.spikes))


def apart(got: np.ndarray, wanted: np.ndarray) -> float:
    """Return the relative L2 distance of a gradient."""
    return float(np.linalg.norm(got - wanted) / max(np.linalg.norm(wanted), 1e-300))


def cosines(arrays: dict[str, np.ndarray], dense: Dense) -> list[float]:
    """Return the cosines of three gradients with those of the masked adjoint."""
    found = []
    for k, wanted in enumerate(dense.gradients):
        got = arrays[f"g{k}"].astype(np.float64)
        found.append(float((got * wanted).sum() / max(np.linalg.norm(got) * np.linalg.norm(wanted), 1e-300)))
    return found


def read(path: Path) -> dict[str, np.ndarray]:
    """Return what a subject wrote about its last step."""
    with np.load(path) as stored:
        return dict(stored)


def alone(case: Case, network: Any) -> list[np.ndarray]:
    """Return the fixed-point gradients of a case, every sample in an accumulator of its own."""
    from chipsim.events import Events
    from chipsim.training.gradients import gradients

    events = Events(case.t, case.sample, case.unit, (case.steps, case.batch, len(case.weights[0])))
    return list(gradients(network, events, case.labels, numerics="fixed").weights.values())
