"""The lean dense adjoint in torch: one matrix product per layer over all steps, in-place membrane loop, adjoint by hand; float32."""

from __future__ import annotations

import torch


class Subject:
    """Stores input, weights and potentials only. Dense: the surrogate is not cut off at the band."""

    def __init__(self, case, threads):
        torch.set_num_threads(threads)
        self.alpha, self.labels = case.alpha, torch.from_numpy(case.labels)
        self.x = torch.from_numpy(case.dense())
        self.w = [torch.from_numpy(w) for w in case.weights]
        self.rows = torch.arange(case.batch)

    @torch.no_grad()
    def forward(self):
        """Run forward and form the loss."""
        self.v1 = self.membrane(self.x, self.w[0])
        self.v2 = self.membrane(fired(self.v1), self.w[1])
        out = integrate(fired(self.v2), self.w[2], 1 - self.alpha)
        for t in range(1, len(out)):
            out[t].add_(out[t - 1], alpha=self.alpha)
        scores, self.best = out.max(dim=0)  # ties: the first step
        self.q = torch.softmax(scores, dim=1)
        self.value = torch.nn.functional.cross_entropy(scores, self.labels)
        self.shape = out.shape

    def membrane(self, x, weights):
        """Return V [T, B, H]: products of all steps at once, then one loop in place."""
        v = integrate(x, weights, 1.0)
        for t in range(1, len(v)):
            v[t].add_(v[t - 1], alpha=self.alpha).sub_(fired(v[t - 1]))
        return v

    @torch.no_grad()
    def backward(self):
        """Form all three weight gradients."""
        self.q[self.rows, self.labels] -= 1
        into = torch.zeros(self.shape).scatter_(0, self.best[None], self.q[None] / len(self.labels))
        into[0] = 0
        into = self.backwards(into).mul_(1 - self.alpha)
        g3, error = product(fired(self.v2), into), through(into, self.w[2])
        d2 = self.backwards(error.mul_(slope(self.v2)))
        g2, error = product(fired(self.v1), d2), through(d2, self.w[1])
        d1 = self.backwards(error.mul_(slope(self.v1)))
        self.g = [product(self.x, d1), g2, g3]

    def backwards(self, ds):
        """Return delta [T, B, H] in place of ds: delta[t-1] = alpha delta[t] + ds[t], delta[T-1] = 0."""
        delta = torch.roll(ds, -1, 0)
        delta[-1] = 0
        for t in range(len(delta) - 2, -1, -1):
            delta[t].add_(delta[t + 1], alpha=self.alpha)
        return delta

    def loss(self):
        """Return the mean loss."""
        return self.value.item()

    def gradients(self):
        """Return the gradients, mean over the batch."""
        return [g.numpy() for g in self.g]

    def spikes(self):
        """Return the spikes of the hidden layers."""
        return [(v > 1).numpy() for v in (self.v1, self.v2)]


def fired(v):
    """Return the spikes as float32."""
    return (v > 1).to(v.dtype)


def integrate(x, weights, factor):
    """Return [T, B, H] with the products of step t in t + 1 and zeros in step 0."""
    found = torch.empty(*x.shape[:2], weights.shape[1])
    found[0] = 0
    torch.mm(x[:-1].reshape(-1, x.shape[2]), weights, out=found[1:].view(-1, weights.shape[1]))
    return found if factor == 1 else found.mul_(factor)


def product(x, delta):
    """Return the gradient of a layer."""
    return x.reshape(-1, x.shape[2]).T @ delta.reshape(-1, delta.shape[2])


def through(delta, weights):
    """Return the errors [T, B, N] of the layer below."""
    return (delta.reshape(-1, delta.shape[2]) @ weights.T).view(*delta.shape[:2], -1)


def slope(v):
    """Return the surrogate derivative of all steps at once."""
    return (v - 1).abs_().mul_(100).add_(1).pow_(-2)
