"""Float64 references of online rules on any network (`general`), as sums over whole arrays; nothing of chipsim is imported.

Every function returns one gradient [N_pre, N_post] per projection, of one sample, for the loss per step of `online`. Errors travel
toward the readout only: from populations that are further from it, in projections, to those that are nearer.
"""

from __future__ import annotations

from typing import NamedTuple

import general
import numpy as np
from online import filtered, later


class Sample(NamedTuple):
    """What a forward pass of one sample leaves; lists run over the populations."""

    net: general.Net
    spikes: list[np.ndarray]  # [T, N]
    psi: list[np.ndarray]  # [T, N], zero for input and readout
    error: np.ndarray  # [T, C]: (1 - a_r) dL/dout, 0 at t = 0
    label: int

    @property
    def last(self) -> int:
        """Number of the readout."""
        return len(self.net.populations) - 1


def sample(net: general.Net, x: np.ndarray, label: int) -> Sample:
    """Run one sample x [T, N_in]; the net has a sharpness."""
    trace = general.forward(net, x[:, None])
    psi = [general.slope(net, trace, n)[:, 0] if 0 < n < len(net.populations) - 1 else u[:, 0] * 0
           for n, u in enumerate(trace.potential)]  # fmt: skip
    error = (1.0 - net.populations[-1].alpha) * general.judge(net, trace, np.array([label]))[1][:, 0]
    return Sample(net, [s[:, 0] for s in trace.spikes], psi, error, label)


def distance(net: general.Net) -> list[int]:
    """Return how many projections lie between each population and the readout, by walking back from it; far where there is no way."""
    far = len(net.populations)
    found, front = {far - 1: 0}, [far - 1]
    while front:
        reached = [q.pre for q in net.projections if q.post in front and q.pre not in found]
        found |= {p: found[front[0]] + 1 for p in reached}
        front = reached
    return [found.get(p, far) for p in range(far)]


def trace(s: Sample, k: int, memory: bool = True) -> np.ndarray:
    """Return x [T, N_pre] of projection k: what a unit weight has added to the potential. memory: False: the spikes of the step before."""
    q = s.net.projections[k]
    target, spikes = s.net.populations[q.post], s.spikes[q.pre]
    if not memory:
        return filtered(spikes, 0.0)
    if target.kind != "loihi-lif":
        return filtered(spikes, target.alpha)
    current, x = filtered(spikes, target.rho), np.zeros_like(spikes)
    for t in range(1, len(x)):
        x[t] = target.alpha * x[t - 1] + current[t]
    return x


def signals(s: Sample, source: str, ahead: int, b=None) -> list[np.ndarray]:
    """Return L [T, N] of every population. b: one [N, C] per population for random feedback; one [N_pre, N_post] per projection for fa."""
    away, found = distance(s.net), [np.zeros_like(p) for p in s.psi]
    found[s.last] = s.error
    for n in sorted(range(1, s.last), key=lambda n: away[n]):
        if source in ("sym", "fa", "sym-trace"):
            for k, q in enumerate(s.net.projections):
                if q.pre == n and away[q.post] < away[n]:
                    ds = s.error if q.post == s.last else s.psi[q.post] * found[q.post]
                    if source == "sym-trace":
                        ds = summed(ds, s.net.populations[q.post].alpha)
                    found[n] = found[n] + later(ds, ahead) @ (b[k] * q.mask if source == "fa" else q.weights).T
        elif source == "local":
            found[n] = later(local_error(s, n, b[n]), ahead) @ b[n].T
        elif source == "label":
            found[n] = np.broadcast_to(-b[n][:, s.label], s.psi[n].shape)
        elif source != "none":
            found[n] = later(np.sign(s.error) if source == "sdfa" else s.error, ahead) @ b[n].T
    return found


def summed(ds: np.ndarray, decay: float) -> np.ndarray:
    """Return past[t] = decay past[t-1] + ds[t]."""
    past = ds.copy()
    for t in range(1, len(past)):
        past[t] += decay * past[t - 1]
    return past


def local_error(s: Sample, n: int, g: np.ndarray) -> np.ndarray:
    """Return the errors [T, C] of a leaky readout of population n alone with fixed weights g [N, C]."""
    a = s.net.populations[-1].alpha
    z = s.net.sharpness * (1.0 - a) * filtered(s.spikes[n], a) @ g
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, s.label] -= 1.0
    p[0] = 0.0
    return (1.0 - a) * p


def three_factors(s: Sample, source: str = "sym", ahead: int = 1, memory: bool = True, b=None) -> list[np.ndarray]:
    """Return sum over t of trace x surrogate x signal; onto the readout trace x error."""
    learn, found = signals(s, source, ahead, b), []
    for k, q in enumerate(s.net.projections):
        ds = s.error if q.post == s.last else s.psi[q.post] * learn[q.post]
        found.append((trace(s, k, memory).T @ ds) * q.mask)
    return found


def eprop(s: Sample, source: str = "sym", b=None) -> list[np.ndarray]:
    """Return e-prop's gradient: eligibility, of an adaptive threshold too, smoothed with the readout's decay, times the signal."""
    learn, keep, found = signals(s, source, 0, b), s.net.populations[-1].alpha, []
    for k, q in enumerate(s.net.projections):
        x, target = trace(s, k), s.net.populations[q.post]
        if q.post == s.last:
            found.append((x.T @ s.error) * q.mask)
            continue
        smooth, threshold, dw = (np.zeros_like(q.weights) for _ in range(3))
        rho = target.rho if target.kind == "adaptive-lif" else 0.0
        for t in range(len(x)):
            dw += smooth * learn[q.post][t]
            e = s.psi[q.post][t] * (x[t][:, None] - target.jump * threshold)
            smooth, threshold = keep * smooth + e, rho * threshold + e
        found.append(dw * q.mask)
    return found


def stdp(s: Sample, plus: float, minus: float) -> list[np.ndarray]:
    """Return the negative sum of the pair terms, traces of both sides as they are before the spikes of the step."""
    found = []
    for k, q in enumerate(s.net.projections):
        x = trace(s, k)
        if q.post == s.last:
            found.append((x.T @ s.error) * q.mask)
            continue
        y, pre, post = (
            filtered(s.spikes[q.post], s.net.populations[q.post].alpha),
            s.spikes[q.pre].copy(),
            s.spikes[q.post].copy(),
        )
        pre[0] = post[0] = 0.0
        found.append((minus * pre.T @ y - plus * x.T @ post) * q.mask)
    return found
