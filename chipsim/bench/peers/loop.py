"""The dense autograd loop of the paper's code in torch, the current unbound along time once; the time loop compiled if asked for."""

from __future__ import annotations

import torch


class Spike(torch.autograd.Function):
    """1 where V > 1; backward the surrogate 1 / (100 |V - 1| + 1)^2."""

    @staticmethod
    def forward(ctx, v):
        """Return the spikes."""
        ctx.save_for_backward(v)
        return (v > 1).to(v.dtype)

    @staticmethod
    def backward(ctx, error):
        """Return the error times the surrogate."""
        (v,) = ctx.saved_tensors
        return error / (100 * (v - 1).abs() + 1) ** 2


def layer(currents, alpha):
    """Return the spikes [T, B, H] of a layer from its currents, T - 1 tensors [B, H]; the reset is detached."""
    v = torch.zeros_like(currents[0])
    s = torch.zeros_like(v)
    spikes = [s]
    for current in currents:
        v = alpha * v + current - s.detach()
        s = Spike.apply(v)
        spikes.append(s)
    return torch.stack(spikes)


class Subject:
    """One product per layer over all steps, a loop over time with autograd."""

    def __init__(self, case, threads, compiled=False):
        torch.set_num_threads(threads)
        self.alpha, self.labels = case.alpha, torch.from_numpy(case.labels)
        self.x = torch.from_numpy(case.dense())
        self.w = [torch.from_numpy(w).requires_grad_() for w in case.weights]
        self.layer, self.static = (torch.compile(layer, dynamic=False) if compiled else layer), compiled

    def forward(self):
        """Run forward and form the loss."""
        for w in self.w:
            w.grad = None
        s = self.x
        for w in self.w[:2]:
            s = self.layer((s[:-1] @ w).unbind(0), self.alpha)
        o, outs = torch.zeros(len(self.labels), self.w[2].shape[1]), []
        outs.append(o)
        for current in (s[:-1] @ self.w[2]).unbind(0):
            o = self.alpha * o + (1 - self.alpha) * current
            outs.append(o)
        scores = torch.stack(outs).max(dim=0).values
        self.value = torch.nn.functional.cross_entropy(scores, self.labels)

    def backward(self):
        """Form all weight gradients."""
        self.value.backward()

    def loss(self):
        """Return the mean loss."""
        return self.value.item()

    def gradients(self):
        """Return the gradients, mean over the batch."""
        return [w.grad.numpy() for w in self.w]
