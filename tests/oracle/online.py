"""Float64 references of the rules that learn in forward time, as sums over whole arrays; nothing of chipsim is imported.

A chain of layers as in `dense`; loss per step: sum over t of the cross entropy of softmax(sharpness out[t]), divided by sharpness. Every
function returns the gradients [N_pre, N_post] of one sample (descent: w -= rate * gradient), input side first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from dense import Model, forward, slope


class Sample(NamedTuple):
    """What a forward pass of one sample leaves; lists run over the layers whose spikes or potentials they hold."""

    model: Model
    weights: list[np.ndarray]
    spikes: list[np.ndarray]  # [T, N] of the input and every hidden layer
    psi: list[np.ndarray]  # [T, N] of every hidden layer
    error: np.ndarray  # [T, C]: (1 - a_r) dL/dout, 0 at t = 0
    label: int
    sharpness: float
    scores: np.ndarray  # [T, C] out of the readout


def sample(model: Model, weights: list[np.ndarray], x: np.ndarray, label: int, sharpness: float) -> Sample:
    """Run one sample x [T, N_in]."""
    trace = forward(model, weights, x[:, None])
    psi = [slope(model, v, active)[:, 0] for v, active in zip(trace.v, trace.active, strict=True)]
    z = sharpness * trace.out[:, 0]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, label] -= 1.0
    p[0] = 0.0
    spikes = [np.asarray(x, dtype=np.float64), *(s[:, 0] for s in trace.spikes)]
    return Sample(model, weights, spikes, psi, (1.0 - model.alpha_out) * p, label, sharpness, trace.out[:, 0])


def loss(model: Model, weights: list[np.ndarray], x: np.ndarray, label: int, sharpness: float) -> float:
    """Return the loss per step of one sample."""
    z = sharpness * forward(model, weights, x[:, None]).out[1:, 0]
    top = z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(z - top).sum(axis=1)) + top[:, 0] - z[:, label]).sum() / sharpness)


def filtered(s: np.ndarray, decay: float) -> np.ndarray:
    """Return x[t+1] = decay x[t] + s[t] from x[0] = 0."""
    x = np.zeros_like(s)
    for t in range(len(s) - 1):
        x[t + 1] = decay * x[t] + s[t]
    return x


def later(a: np.ndarray, steps: int) -> np.ndarray:
    """Return a[t + steps], 0 beyond the end."""
    return np.concatenate([a[steps:], np.zeros_like(a[:steps])])


def adjoint(s: Sample) -> list[np.ndarray]:
    """Return the exact gradient of the loss per step, by backpropagation through time."""
    grads, ds = [], s.error
    for layer in reversed(range(len(s.weights))):
        decay = s.model.alpha_out if layer == len(s.psi) else s.model.alphas[layer]
        delta, dw, eps = np.zeros(ds.shape[1]), np.zeros_like(s.weights[layer]), np.zeros_like(s.spikes[layer])
        for t in range(len(ds) - 1, 0, -1):
            delta = decay * delta + ds[t]
            dw += np.outer(s.spikes[layer][t - 1], delta)
            eps[t - 1] = s.weights[layer] @ delta
        grads.insert(0, dw)
        ds = eps * s.psi[layer - 1] if layer else None
    return grads


def signals(s: Sample, source: str, ahead: int, b: np.ndarray | None = None) -> list[np.ndarray]:
    """Return L [T, N] of every hidden layer. b: [N of all hidden layers, C] for random feedback, or a list like weights for fa."""
    found: list[np.ndarray] = [np.zeros(0)] * len(s.psi)
    above = s.error
    for layer in reversed(range(len(s.psi))):
        if source == "sym-trace":
            decay = s.model.alpha_out if layer == len(s.psi) - 1 else s.model.alphas[layer + 1]
            above = np.stack([decay ** np.arange(t, -1, -1.0) @ above[: t + 1] for t in range(len(above))])
        if source in ("sym", "fa", "sym-trace"):
            w = b[layer + 1] if source == "fa" else s.weights[layer + 1]
            found[layer] = later(above, ahead) @ w.T
        elif source == "label":
            found[layer] = np.broadcast_to(-b[layer][:, s.label], s.psi[layer].shape)
        elif source == "local":
            found[layer] = later(local_error(s, layer, b[layer]), ahead) @ b[layer].T
        elif source == "none":
            found[layer] = np.zeros_like(s.psi[layer])
        else:
            error = np.sign(s.error) if source == "sdfa" else s.error
            found[layer] = later(error, ahead) @ b[layer].T
        above = s.psi[layer] * found[layer]
    return found


def local_error(s: Sample, layer: int, g: np.ndarray) -> np.ndarray:
    """Return the errors [T, C] of a leaky readout of one hidden layer with fixed weights g [N, C]."""
    z = s.sharpness * (1.0 - s.model.alpha_out) * filtered(s.spikes[layer + 1], s.model.alpha_out) @ g
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, s.label] -= 1.0
    p[0] = 0.0
    return (1.0 - s.model.alpha_out) * p


def deferred(s: Sample, summed: bool, b: list) -> list[np.ndarray]:
    """Return the gradient with the closed form of the readout at the last hidden layer and below it through fixed weights b."""
    scores = s.scores.sum(axis=0) if summed else s.scores.max(axis=0)
    q = np.exp(scores - scores.max())
    q /= q.sum()
    q[s.label] -= 1.0
    t, last, a = np.arange(len(s.error))[:, None], len(s.error) - 1, s.model.alpha_out
    best = np.where(summed, last, s.scores.argmax(axis=0))[None]
    weigh = 1 - a ** (last - t + 1.0) if summed else np.where(t <= best, (1 - a) * a ** np.abs(best - t + 0.0), 0.0)
    z = q * weigh
    z[0], grads = 0.0, []
    for layer in range(len(s.psi)):
        w = s.weights[layer + 1] if layer == len(s.psi) - 1 else b[layer]
        ds = s.psi[layer] * (later(z, 1) @ w.T)
        grads.append(filtered(s.spikes[layer], s.model.alphas[layer]).T @ ds)
    return [*grads, filtered(s.spikes[-1], 0.0).T @ z]


def three_factors(s: Sample, source: str = "sym", ahead: int = 1, memory: bool = True, b=None) -> list[np.ndarray]:
    """Return sum over t of trace x surrogate x signal; memory: False takes the spikes of the step before for the trace (SLTT)."""
    learn, grads = signals(s, source, ahead, b), []
    for layer in range(len(s.weights)):
        last = layer == len(s.psi)
        decay = (s.model.alpha_out if last else s.model.alphas[layer]) if memory else 0.0
        ds = s.error if last else s.psi[layer] * learn[layer]
        grads.append(filtered(s.spikes[layer], decay).T @ ds)
    return grads


def eprop(s: Sample, source: str = "sym", b=None) -> list[np.ndarray]:
    """Return e-prop's gradient: eligibility psi x, smoothed with the readout's decay, times the signal of the same step."""
    learn, grads = signals(s, source, 0, b), []
    for layer in range(len(s.psi)):
        x = filtered(s.spikes[layer], s.model.alphas[layer])
        e, dw = np.zeros((x.shape[1], s.psi[layer].shape[1])), np.zeros_like(s.weights[layer])
        for t in range(len(x)):
            dw += e * learn[layer][t]
            e = s.model.alpha_out * e + np.outer(x[t], s.psi[layer][t])
        grads.append(dw)
    return [*grads, filtered(s.spikes[-1], s.model.alpha_out).T @ s.error]


def stdp(s: Sample, plus: float, minus: float) -> list[np.ndarray]:
    """Return the negative sum of all pair terms of every hidden layer, pair by pair; the readout follows its error."""
    grads = []
    for layer in range(len(s.psi)):
        pre, post, decay = s.spikes[layer], s.spikes[layer + 1], s.model.alphas[layer]
        dw = np.zeros_like(s.weights[layer])
        for a, i in np.argwhere(pre > 0):
            for t, j in np.argwhere(post > 0):
                if t > a:
                    dw[i, j] += plus * decay ** (t - a - 1)
                elif a > t and a > 0:
                    dw[i, j] -= minus * decay ** (a - t - 1)
        grads.append(-dw)
    return [*grads, filtered(s.spikes[-1], s.model.alpha_out).T @ s.error]


def past(s: np.ndarray, tau: float) -> np.ndarray:
    """Return the trace of spikes [T, N] before step t: sum over a < t of exp(-(t - 1 - a) / tau) s[a]."""
    t, a = np.indices((len(s), len(s)))
    return np.where(a < t, np.exp(-(t - 1.0 - a) / tau), 0.0) @ s


def triplet_stdp(s: Sample, taus: tuple[float, ...], plus: tuple[float, float], minus: tuple[float, float]) -> list[np.ndarray]:
    """Return the negative sum of all pair and triplet terms of every hidden layer. taus: of r1, r2, o1, o2; readout as above, with r1."""
    grads = []
    for layer in range(len(s.psi)):
        pre, post = s.spikes[layer].copy(), s.spikes[layer + 1].copy()
        r1, r2, o1, o2 = past(pre, taus[0]), past(pre, taus[1]), past(post, taus[2]), past(post, taus[3])
        pre[0] = post[0] = 0.0  # a rule starts with step 1
        up = r1.T @ (plus[0] * post + plus[1] * post * o2)
        grads.append((minus[0] * pre + minus[1] * pre * r2).T @ o1 - up)
    return [*grads, past(s.spikes[-1], taus[0]).T @ s.error]


def rstdp(s: Sample, reward: int, tau: float, tag_tau: float) -> list[np.ndarray]:
    """Return minus the reward times the tags at the end, pair term by pair term as they decay; readout as above."""
    grads, keep = [], np.exp(-(len(s.error) - 1.0 - np.arange(len(s.error))) / tag_tau)[:, None]
    for layer in range(len(s.psi)):
        pre, post = s.spikes[layer].copy(), s.spikes[layer + 1].copy()
        x, y = past(pre, tau), past(post, tau)
        pre[0] = post[0] = 0.0
        grads.append(-reward * (x.T @ (keep * post) - 0.75 * (keep * pre).T @ y))
    return [*grads, past(s.spikes[-1], tau).T @ s.error]
