"""Dense float64 reference of sparse spiking gradient descent: matrix products and loops over time, nothing clever.

It imports nothing of chipsim, so that it can accuse it. Source: Perez-Nieves & Goodman, NeurIPS 2021, arXiv 2105.08810.
Dimensions: T steps, B samples, N neurons of a layer, C classes. Entry t = 0 is the zero state; the step from t to t+1 exists
for t = 0 .. T-2. Weights are [N_pre, N_post]. The reset is detached: no gradient flows through the subtraction after a spike.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

F_LOWER = 1e-3  # spikes per neuron and sample below which the lower regulariser acts
PAPER = {"upper": 0.06, "lower": 100.0, "f_upper": 1.0}


class Model(NamedTuple):
    """What a network is besides its weights."""

    alphas: tuple[float, ...]  # decay per step of every hidden layer
    alpha_out: float  # decay per step of the readout
    readout: str = "max"  # or "sum"
    surrogate: str = "paper"  # g = 1 / (100 |u| + 1)^2; "box": g = 1; "triangle": g = 1 - |u| / half_width
    half_width: float = 0.2  # active: |V - 1| < half_width
    regularisers: dict[str, float] | None = None  # upper, lower, f_upper


class Trace(NamedTuple):
    """What a forward pass leaves behind; lists run over hidden layers."""

    v: list[np.ndarray]  # [T, B, N] each
    spikes: list[np.ndarray]  # [T, B, N] each, 0.0 or 1.0
    active: list[np.ndarray]  # [T, B, N] each, bool; False at t = 0
    out: np.ndarray  # [T, B, C]


class Gradient(NamedTuple):
    """Mean over the batch, but `eps` per sample."""

    loss: float
    weights: list[np.ndarray]  # [N_pre, N_post] each, readout last
    eps: list[np.ndarray]  # [T, B, N] each: dL/dS of the hidden layers, of every sample's own loss


def forward(model: Model, weights: list[np.ndarray], x: np.ndarray) -> Trace:
    """Run the network on x [T, B, N_in] (any real values)."""
    v, spikes, active = [], [], []
    below = np.asarray(x, dtype=np.float64)
    for w, alpha in zip(weights[:-1], model.alphas, strict=True):
        layer_v, layer_s = hidden_layer(below, w, alpha)
        near = np.abs(layer_v - 1.0) < model.half_width
        near[0] = False
        v.append(layer_v)
        spikes.append(layer_s)
        active.append(near)
        below = layer_s
    out = np.zeros((*below.shape[:2], weights[-1].shape[1]))
    for t in range(len(below) - 1):
        out[t + 1] = model.alpha_out * out[t] + (1.0 - model.alpha_out) * (below[t] @ weights[-1])
    return Trace(v, spikes, active, out)


def hidden_layer(below: np.ndarray, w: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return V and S [T, B, N] of one layer: V[t+1] = alpha V[t] + S_below[t] W - S[t]; a spike where V > 1."""
    v = np.zeros((*below.shape[:2], w.shape[1]))
    s = np.zeros_like(v)
    for t in range(len(below) - 1):
        v[t + 1] = alpha * v[t] + below[t] @ w - s[t]
        s[t + 1] = v[t + 1] > 1.0
    return v, s


SHAPES = {
    "paper": lambda d, half_width: 1.0 / (100.0 * d + 1.0) ** 2,
    "box": lambda d, half_width: np.ones_like(d),
    "triangle": lambda d, half_width: 1.0 - d / half_width,
}


def slope(model: Model, v: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Return the surrogate derivative dS/dV, zero outside the active band."""
    return SHAPES[model.surrogate](np.abs(v - 1.0), model.half_width) * active


def scores(model: Model, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the class scores [B, C] and their derivative with respect to out [T, B, C] (first arg-max on ties)."""
    if model.readout == "sum":
        return out.sum(axis=0), np.ones_like(out)
    best = out.argmax(axis=0)
    chosen = np.arange(len(out))[:, None, None] == best[None]
    return out.max(axis=0), chosen.astype(np.float64)


def softmax_error(m: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cross entropy [B] and its derivative q [B, C] for scores m [B, C] and labels y [B]."""
    shifted = m - m.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    q = np.exp(log_p)
    q[rows, y] -= 1.0
    return -log_p[rows, y], q


def regulariser(model: Model, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the value [B] and its derivative [B, N] (the same at every t) for the spikes [T, B, N] of one layer."""
    count = s.sum(axis=0)
    if model.regularisers is None:
        return np.zeros(len(count)), np.zeros_like(count)
    upper, lower, f_upper = (model.regularisers[k] for k in ("upper", "lower", "f_upper"))
    excess = np.maximum(0.0, count.mean(axis=1) - f_upper)
    lack = np.maximum(0.0, F_LOWER - count)
    value = upper * excess + lower * (lack**2).mean(axis=1)
    slope_ = (upper * (excess > 0.0)[:, None] - 2.0 * lower * lack) / s.shape[2]
    return value, slope_


def loss(model: Model, trace: Trace, y: np.ndarray) -> float:
    """Return the mean over the batch of the cross entropy plus the regularisers of every hidden layer."""
    per_sample = softmax_error(scores(model, trace.out)[0], y)[0]
    for s in trace.spikes:
        per_sample = per_sample + regulariser(model, s)[0]
    return float(per_sample.mean())


def gradients(model: Model, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray, mask_eps: bool = False) -> Gradient:
    """Return the masked adjoint: reverse loops over t, layer by layer from the readout down.

    mask_eps keeps the error of a hidden layer at its active events only; no gradient may depend on it.
    """
    x = np.asarray(x, dtype=np.float64)
    trace = forward(model, weights, x)
    m, dm_dout = scores(model, trace.out)
    ds = softmax_error(m, y)[1] * dm_dout * (1.0 - model.alpha_out)  # [T, B, C]; the readout's linear "slope" is 1 - a_r
    alphas = (*model.alphas, model.alpha_out)
    grads: list[np.ndarray] = [np.empty(0)] * len(weights)
    errors: list[np.ndarray] = [np.empty(0)] * len(trace.v)
    for layer in reversed(range(len(weights))):
        below = trace.spikes[layer - 1] if layer else x
        dw, eps = layer_adjoint(below, ds, weights[layer], alphas[layer])
        grads[layer] = dw / len(y)
        if layer:
            eps = eps + regulariser(model, below)[1]
            if mask_eps:
                eps = np.where(trace.active[layer - 1], eps, 0.0)
            errors[layer - 1] = eps
            ds = eps * slope(model, trace.v[layer - 1], trace.active[layer - 1])
    return Gradient(loss(model, trace, y), grads, errors)


def layer_adjoint(below: np.ndarray, ds: np.ndarray, w: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return dW summed over the batch and eps [T, B, N_pre] of the layer below from ds [T, B, N_post]."""
    delta = np.zeros(ds.shape[1:])
    dw = np.zeros_like(w)
    eps = np.zeros(below.shape)
    for t in range(len(ds) - 1, 0, -1):
        delta = alpha * delta + ds[t]  # now delta[t-1]
        dw += below[t - 1].T @ delta
        eps[t - 1] = delta @ w.T
    return dw, eps


def tangent(model: Model, weights: list[np.ndarray], directions: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> float:
    """Return the directional derivative of the loss by pushing dV and dS forward: dS = g dV in the band, reset detached."""
    x = np.asarray(x, dtype=np.float64)
    trace = forward(model, weights, x)
    below, d_below = x, np.zeros_like(x)
    d_loss = np.zeros(len(y))
    for layer, v in enumerate(trace.v):
        g = slope(model, v, trace.active[layer])
        dv = np.zeros_like(v)
        for t in range(len(v) - 1):
            dv[t + 1] = model.alphas[layer] * dv[t] + below[t] @ directions[layer] + d_below[t] @ weights[layer]
        below, d_below = trace.spikes[layer], g * dv
        d_loss += (regulariser(model, below)[1] * d_below.sum(axis=0)).sum(axis=1)
    d_out = np.zeros_like(trace.out)
    for t in range(len(d_out) - 1):
        current = below[t] @ directions[-1] + d_below[t] @ weights[-1]
        d_out[t + 1] = model.alpha_out * d_out[t] + (1.0 - model.alpha_out) * current
    m, dm_dout = scores(model, trace.out)
    d_loss += (softmax_error(m, y)[1] * (dm_dout * d_out).sum(axis=0)).sum(axis=1)
    return float(d_loss.mean())


def readout_differences(model: Model, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Return central differences of the loss for every readout weight (the loss is smooth in these, and only in these)."""
    result = np.zeros_like(weights[-1])
    for index in np.ndindex(*result.shape):
        values = []
        for sign in (1.0, -1.0):
            w = weights[-1].copy()
            w[index] += sign * h
            values.append(loss(model, forward(model, [*weights[:-1], w], x), y))
        result[index] = (values[0] - values[1]) / (2.0 * h)
    return result


def closed_form(model: Model, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eps [T, B, N] of the last hidden layer (cross entropy only) and the readout's dW, without a loop over time."""
    trace = forward(model, weights, x)
    steps, a = len(trace.out), model.alpha_out
    t = np.arange(steps)[:, None, None]
    if model.readout == "sum":
        kappa = np.broadcast_to(1.0 - a ** (steps - 1.0 - t), trace.out.shape)
    else:
        best = trace.out.argmax(axis=0)[None]
        kappa = np.where(t < best, (1.0 - a) * a ** np.maximum(best - 1.0 - t, 0.0), 0.0)
    q_kappa = softmax_error(scores(model, trace.out)[0], y)[1] * kappa  # [T, B, C]
    return q_kappa @ weights[-1].T, np.einsum("tbj,tbc->jc", trace.spikes[-1], q_kappa) / len(y)


def deviation(a: np.ndarray, b: np.ndarray) -> float:
    """Return max|a - b| / max|b|; for b all zero, 0 if a is all zero too and else infinity. NaN counts as infinity."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.inf
    top = np.abs(b).max(initial=0.0)
    off = np.abs(a - b).max(initial=0.0)
    return float(off / top) if top > 0.0 else (0.0 if off == 0.0 else np.inf)


class Problem(NamedTuple):
    """A random network with input and labels; `arguments` builds the same one with chipsim.ssgd_network."""

    model: Model
    arguments: dict
    weights: list[np.ndarray]
    x: np.ndarray  # [T, B, N_in]
    y: np.ndarray  # [B]

    @property
    def names(self) -> list[str]:
        """Return the names of the weights, input side first."""
        return [*(f"hidden{n + 1}" for n in range(len(self.weights) - 1)), "out"]

    @property
    def named_weights(self) -> dict[str, np.ndarray]:
        """Return the weights as chipsim takes them."""
        return dict(zip(self.names, self.weights, strict=True))


def describe(weights, x, y, tau_mem=10.0, tau_readout=8.0, **options) -> Problem:
    """Return the problem of given weights and input; options: readout, surrogate, half_width, regularisers."""
    weights = [np.asarray(w, dtype=np.float64) for w in weights]
    x, y = np.asarray(x), np.asarray(y, dtype=np.int64)
    hidden = tuple(w.shape[1] for w in weights[:-1])
    regularisers = options.get("regularisers")
    told = PAPER if regularisers == "paper" else regularisers
    decay, decay_out = np.exp(-1.0 / tau_mem), np.exp(-1.0 / tau_readout)
    model = Model((decay,) * len(hidden), decay_out, **{**options, "regularisers": told})
    arguments = dict(n_in=weights[0].shape[0], hidden=hidden, classes=weights[-1].shape[1], steps=len(x), tau_mem=tau_mem,
                     tau_readout=tau_readout, **options)  # fmt: skip
    return Problem(model, arguments, weights, x, y)


def random_problem(seed: int, sizes=(40, 24, 16, 5), steps=40, batch=3, rate=0.1, fire=0.05, analog=False, **options) -> Problem:
    """Return a problem whose hidden layers fire at about `fire` spikes per neuron and step (weights scaled by bisection).

    analog: input values between -0.5 and 2 in place of 1.
    """
    rng = np.random.default_rng(seed)
    x = (rng.random((steps, batch, sizes[0])) < rate).astype(np.uint8)
    if analog:
        x = x * rng.uniform(-0.5, 2.0, x.shape)
    y = rng.integers(0, sizes[-1], batch)
    alpha = np.exp(-1.0 / options.get("tau_mem", 10.0))
    weights, below = [], x.astype(np.float64)
    for n_pre, n_post in pairwise(sizes[:-1]):
        raw = rng.normal(0.2, 1.0, (n_pre, n_post))
        lo, hi = 1e-3, 1e2
        for _ in range(10):  # to about 1 %, so that no V is driven onto the threshold itself
            middle = np.sqrt(lo * hi)
            lo, hi = (lo, middle) if hidden_layer(below, raw * middle, alpha)[1].mean() > fire else (middle, hi)
        weights.append(raw * lo)
        below = hidden_layer(below, raw * lo, alpha)[1]
    weights.append(rng.normal(0.0, 1.0, sizes[-2:]))
    return describe(weights, x, y, **options)


def differences(found, problem: Problem, tolerance: float = 1e-12, **override: object) -> list[str]:
    """Return one line for everything in which `found` (loss, weights, active by name) differs from this reference.

    override: half_width or surrogate in place of the problem's.
    """
    model = problem.model._replace(**override)
    expected = gradients(model, problem.weights, problem.x, problem.y)
    active = forward(model, problem.weights, problem.x).active
    off = {"loss": deviation(found.loss, expected.loss)}
    for name, w in zip(problem.names, expected.weights, strict=True):
        off[f"weights[{name}]"] = deviation(found.weights[name], w)
    lines = [f"{key}: {value:.3g} > {tolerance:g}" for key, value in off.items() if not value <= tolerance]
    unequal = [name for name, mask in zip(problem.names, active, strict=False) if not np.array_equal(found.active[name], mask)]
    return lines + [f"active[{name}] is not the same set" for name in unequal]
