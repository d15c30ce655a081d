"""The dense adjoint in float64, masked by the active band: what every training step is compared with before it is timed.

Written with numpy alone from the equations of Perez-Nieves & Goodman 2021 as a matrix per layer, with no event in it; shares nothing
with the kernels. T steps, B samples, N neurons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from chipsim.bench.workloads import Case

CHUNK = 32  # samples at a time
THRESHOLD = 1.0


class Dense(NamedTuple):
    """What the dense adjoint gives. loss: mean over the batch. gradients: [N_pre, N_post] float64 of each projection, batch mean.

    spikes: [T, B, H] bool of both hidden layers. active: events in the band of both. input: events before the last step.
    """

    loss: float
    gradients: list[np.ndarray]
    spikes: list[np.ndarray]
    active: list[int]
    input: int


def potentials(x: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    """Return V [T, B, H] float64: V[t+1] = alpha V[t] + x[t] W - S[t], V[0] = 0; x: [T, B, N], weights: [N, H]."""
    v = np.zeros((*x.shape[:2], weights.shape[1]))
    v[1:] = x[:-1].astype(np.float64) @ weights.astype(np.float64)
    for t in range(len(v) - 1):
        v[t + 1] += alpha * v[t] - (v[t] > THRESHOLD)
    return v


def fire(x: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    """Return the spikes [T, B, H] bool of a hidden layer."""
    return potentials(x, weights, alpha) > THRESHOLD


def backwards(ds: np.ndarray, alpha: float) -> np.ndarray:
    """Return delta [T, B, H]: delta[t-1] = alpha delta[t] + ds[t], delta[T-1] = 0."""
    delta = np.zeros_like(ds)
    for t in range(len(ds) - 1, 0, -1):
        delta[t - 1] = alpha * delta[t] + ds[t]
    return delta


def product(x: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """Return the sum over steps and samples of x[t] delta[t]: [N, H]."""
    return x.reshape(-1, x.shape[-1]).astype(np.float64).T @ delta.reshape(-1, delta.shape[-1])


def dense_adjoint(case: Case, half_width: float, alpha: float) -> Dense:
    """Return loss, gradients and events of a case, some samples at a time."""
    x, parts = case.dense(), []
    for b in range(0, case.batch, CHUNK):
        chunk = slice(b, b + CHUNK)
        parts.append(part(x[:, chunk], case.labels[chunk], case.weights, half_width, alpha))
    gradients = [sum(p.gradients[k] for p in parts) / case.batch for k in range(len(case.weights))]
    spikes = [np.concatenate([p.spikes[n] for p in parts], axis=1) for n in range(2)]
    active = [sum(p.active[n] for p in parts) for n in range(2)]
    return Dense(sum(p.loss for p in parts) / case.batch, gradients, spikes, active, case.used)


def part(x: np.ndarray, labels: np.ndarray, weights: tuple[np.ndarray, ...], half_width: float, alpha: float) -> Dense:
    """Return the sums over some samples."""
    v1 = potentials(x, weights[0], alpha)
    s1 = v1 > THRESHOLD
    v2 = potentials(s1, weights[1], alpha)
    s2 = v2 > THRESHOLD
    loss, into = readout(s2, weights[2], labels, alpha)
    g3, error = product(s2, into), into @ weights[2].astype(np.float64).T
    d2 = backwards(error * gain(v2, half_width), alpha)
    d1 = backwards((d2 @ weights[1].astype(np.float64).T) * gain(v1, half_width), alpha)
    active = [int((np.abs(v[1:] - THRESHOLD) < half_width).sum()) for v in (v1, v2)]
    return Dense(loss, [product(x, d1), product(s1, d2), g3], [s1, s2], active, 0)


def readout(s2: np.ndarray, weights: np.ndarray, labels: np.ndarray, alpha: float) -> tuple[float, np.ndarray]:
    """Return the summed cross entropy of the maxima over time, and the errors [T, B, C] of what enters the readout."""
    out = np.zeros((*s2.shape[:2], weights.shape[1]))
    drive = (1 - alpha) * (s2[:-1].astype(np.float64) @ weights.astype(np.float64))
    for t in range(len(out) - 1):
        out[t + 1] = alpha * out[t] + drive[t]
    best, rows = out.argmax(axis=0), np.arange(len(labels))
    scores = out.max(axis=0)
    scores = scores - scores.max(axis=1, keepdims=True)
    q = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -float(np.log(q[rows, labels]).sum())
    q[rows, labels] -= 1
    ds = np.zeros_like(out)
    np.put_along_axis(ds, best[None], q[None], axis=0)
    ds[0] = 0  # a class whose maximum is out[0] = 0 has no gradient
    return loss, (1 - alpha) * backwards(ds, alpha)


def gain(v: np.ndarray, half_width: float) -> np.ndarray:
    """Return g(V) = 1 / (100 |V - 1| + 1)^2 inside the band, 0 outside and in step 0."""
    u = np.abs(v - THRESHOLD)
    found = np.where(u < half_width, 1 / (100 * u + 1) ** 2, 0.0)
    found[0] = 0
    return found
