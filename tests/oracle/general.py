"""Dense float64 reference of the masked adjoint of any network: matrix products and loops over time, nothing clever.

It imports nothing of chipsim, so that it can accuse it. Potentials are in thresholds. Dimensions: T steps, B samples, N neurons.
Sources: delta-lif and readout as `dense`; adaptive-lif: Bellec et al. 2020, equations 7 to 9 (the jump of the threshold is not
detached); loihi-lif: Davies et al. 2018. The reset is detached everywhere: what a spike takes from V, or the factor 1 - s that sets it
to zero, is a constant of the derivative.

    delta-lif, if, adaptive-lif   v[t] = alpha v[t-1] + a[t] - s[t-1]           A[t] = rho A[t-1] + jump s[t-1]      s = v > 1 + A
    loihi-lif                     u[t] = rho u[t-1] + a[t],  w[t] = alpha v[t-1] + u[t] + bias,  s = w > 1,  v = w (1 - s)
    leaky-readout                 out[t] = alpha out[t-1] + (1 - alpha) a[t]
    a[t] = sum over projections of S_pre[t-1] W
"""

from __future__ import annotations

from typing import NamedTuple

import dense
import numpy as np


class Population(NamedTuple):
    """One population; rho: decay of the adaptation or of the current."""

    kind: str
    size: int
    alpha: float = 1.0
    rho: float = 0.0
    jump: float = 0.0
    bias: float = 0.0


class Projection(NamedTuple):
    """From population number `pre` to `post`; weights [N_pre, N_post] are zero where mask [N_pre, N_post] is False."""

    pre: int
    post: int
    weights: np.ndarray
    mask: np.ndarray
    delays: np.ndarray | None = None  # [N_pre, N_post] int: steps beyond the one that every spike takes


class Net(NamedTuple):
    """Populations, the input first and the readout last."""

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    readout: str = "max"
    surrogate: str = "paper"
    half_width: float = 0.2
    regularisers: dict[str, float] | None = None  # upper, lower, f_upper
    sharpness: float | None = (
        None  # loss of every step: cross entropy of softmax(sharpness out[t]) / sharpness; none: of the scores
    )


class Trace(NamedTuple):
    """What a forward pass leaves behind, one entry per population: potential minus threshold before a reset, spikes, [T, B, N]."""

    potential: list[np.ndarray]
    spikes: list[np.ndarray]
    active: list[np.ndarray]
    out: np.ndarray  # [T, B, C]


class Gradient(NamedTuple):
    """Mean over the batch."""

    loss: float
    weights: list[np.ndarray]


def by_delay(q: Projection, weights: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Return (delay, weights of the synapses that have it) of a projection."""
    if q.delays is None:
        return [(0, weights)]
    return [(int(d), weights * (q.delays == d)) for d in np.unique(q.delays)]


def forward(net: Net, x: np.ndarray) -> Trace:
    """Run the network on x [T, B, N_in]. At t = 0 only a bias acts; no event of t = 0 is active."""
    steps, batch = x.shape[:2]
    shapes = [(steps, batch, p.size) for p in net.populations]
    potential, spikes = [np.zeros(s) for s in shapes], [np.zeros(s) for s in shapes]
    spikes[0] = np.asarray(x, dtype=np.float64)
    first, second = ([np.zeros(s[1:]) for s in shapes] for _ in range(2))
    out = np.zeros(shapes[-1])
    for t in range(steps):
        arriving = [np.zeros(s[1:]) for s in shapes]
        for q in net.projections if t else ():
            for d, part in by_delay(q, q.weights):
                if t - 1 - d >= 0:
                    arriving[q.post] = arriving[q.post] + spikes[q.pre][t - 1 - d] @ part
        for n, p in enumerate(net.populations[1:], start=1):
            if p.kind == "leaky-readout":
                first[n] = p.alpha * first[n] + arriving[n]
                out[t] = (1.0 - p.alpha) * first[n]
                continue
            before = spikes[n][t - 1] if t else np.zeros(shapes[n][1:])
            if p.kind == "loihi-lif":
                second[n] = p.rho * second[n] + arriving[n]
                first[n] = p.alpha * first[n] + second[n] + p.bias
                potential[n][t] = first[n] - 1.0
            else:
                second[n] = p.rho * second[n] + p.jump * before
                first[n] = p.alpha * first[n] + arriving[n] - before
                potential[n][t] = first[n] - 1.0 - second[n]
            spikes[n][t] = potential[n][t] > 0.0
            if p.kind == "loihi-lif":
                first[n] = first[n] * (1.0 - spikes[n][t])
    active = [np.abs(u) < net.half_width for u in potential]
    for near in active:
        near[0] = False
    return Trace(potential, spikes, active, out)


def slope(net: Net, trace: Trace, n: int) -> np.ndarray:
    """Return the surrogate derivative ds/dv of population n [T, B, N], zero outside the band."""
    return dense.SHAPES[net.surrogate](np.abs(trace.potential[n]), net.half_width) * trace.active[n]


def penalties(net: Net, trace: Trace) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return value [B] and derivative [B, N] of the regulariser of every hidden population."""
    return {n: dense.regulariser(net, trace.spikes[n]) for n in range(1, len(net.populations) - 1)}


def judge(net: Net, trace: Trace, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cross entropy of every sample [B] and its derivative with respect to the output [T, B, C]."""
    if net.sharpness is None:
        m, chosen = dense.scores(net, trace.out)
        value, q = dense.softmax_error(m, y)
        return value, q * chosen
    found = [dense.softmax_error(net.sharpness * out, y) for out in trace.out[1:]]
    q = np.concatenate([np.zeros((1, *trace.out.shape[1:])), *(q[None] for _, q in found)])
    return sum(value for value, _ in found) / net.sharpness + np.zeros(len(y)), q


def loss(net: Net, trace: Trace, y: np.ndarray) -> float:
    """Return the mean over the batch of cross entropy and regularisers."""
    value = judge(net, trace, y)[0]
    return float((value + sum(v for v, _ in penalties(net, trace).values())).mean())


def gradients(net: Net, x: np.ndarray, y: np.ndarray) -> Gradient:
    """Return the masked adjoint: one reverse loop over t, all populations together."""
    x = np.asarray(x, dtype=np.float64)
    trace = forward(net, x)
    steps, hidden = len(x), range(1, len(net.populations) - 1)
    injected = judge(net, trace, y)[1] * (1.0 - net.populations[-1].alpha)
    g, reg = {n: slope(net, trace, n) for n in hidden}, {n: r for n, (_, r) in penalties(net, trace).items()}
    arrival, other = ([np.zeros((x.shape[1], p.size)) for p in net.populations] for _ in range(2))  # dL/da[t]; dL/dA[t], dL/dw[t]
    eps, late = [np.zeros((x.shape[1], p.size)) for p in net.populations], {}  # late: arrival by step
    found = [np.zeros_like(q.weights) for q in net.projections]
    for t in range(steps - 1, 0, -1):
        for n, p in enumerate(net.populations):
            if p.kind == "leaky-readout":
                arrival[n] = p.alpha * arrival[n] + injected[t]
            elif p.kind == "loihi-lif":
                other[n] = p.alpha * other[n] * (1.0 - trace.spikes[n][t]) + g[n][t] * (eps[n] + reg[n])
                arrival[n] = p.rho * arrival[n] + other[n]
            elif n:
                ds = g[n][t] * (eps[n] + reg[n] + p.jump * other[n])
                other[n] = p.rho * other[n] - ds
                arrival[n] = p.alpha * arrival[n] + ds
        eps, late[t] = [np.zeros_like(e) for e in eps], list(arrival)
        for k, q in enumerate(net.projections):
            for d, part in by_delay(q, q.weights):
                if t + d in late:
                    here = q.mask if q.delays is None else q.mask * (q.delays == d)
                    found[k] += trace.spikes[q.pre][t - 1].T @ late[t + d][q.post] * here
                    eps[q.pre] = eps[q.pre] + late[t + d][q.post] @ part.T
    return Gradient(loss(net, trace, y), [d * q.mask / len(y) for d, q in zip(found, net.projections, strict=True)])


def tangent(net: Net, directions: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> float:
    """Return the derivative of the loss along `directions` (one per projection), pushed forward in time: ds = g d(potential)."""
    x = np.asarray(x, dtype=np.float64)
    trace = forward(net, x)
    d_spikes = [np.zeros_like(s) for s in trace.spikes]
    first, second = ([np.zeros(s.shape[1:]) for s in trace.spikes] for _ in range(2))
    d_out = np.zeros_like(trace.out)
    for t in range(1, len(x)):
        arriving = [np.zeros(s.shape[1:]) for s in trace.spikes]
        for q, d in zip(net.projections, directions, strict=True):
            for late, part in by_delay(q, q.weights) if t else ():
                here = d * q.mask if q.delays is None else d * q.mask * (q.delays == late)
                if t - 1 - late >= 0:
                    before = t - 1 - late
                    arriving[q.post] = arriving[q.post] + trace.spikes[q.pre][before] @ here + d_spikes[q.pre][before] @ part
        for n, p in enumerate(net.populations[1:], start=1):
            if p.kind == "leaky-readout":
                first[n] = p.alpha * first[n] + arriving[n]
                d_out[t] = (1.0 - p.alpha) * first[n]
                continue
            if p.kind == "loihi-lif":
                second[n] = p.rho * second[n] + arriving[n]
                change = first[n] = p.alpha * first[n] + second[n]
                first[n] = first[n] * (1.0 - trace.spikes[n][t])
            else:
                second[n] = p.rho * second[n] + p.jump * d_spikes[n][t - 1]
                first[n] = p.alpha * first[n] + arriving[n]
                change = first[n] - second[n]
            d_spikes[n][t] = slope(net, trace, n)[t] * change
    d_loss = (judge(net, trace, y)[1] * d_out).sum(axis=(0, 2))
    for n, (_, r) in penalties(net, trace).items():
        d_loss = d_loss + (r * d_spikes[n].sum(axis=0)).sum(axis=1)
    return float(d_loss.mean())


def readout_differences(net: Net, k: int, x: np.ndarray, y: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Return central differences of the loss for the weights of projection k, which must lead to the readout."""
    found = np.zeros_like(net.projections[k].weights)
    for index in np.argwhere(net.projections[k].mask):
        values = []
        for sign in (1.0, -1.0):
            w = net.projections[k].weights.copy()
            w[tuple(index)] += sign * h
            changed = tuple(q._replace(weights=w) if n == k else q for n, q in enumerate(net.projections))
            values.append(loss(net._replace(projections=changed), forward(net._replace(projections=changed), x), y))
        found[tuple(index)] = (values[0] - values[1]) / (2.0 * h)
    return found
