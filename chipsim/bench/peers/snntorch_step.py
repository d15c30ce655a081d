"""snnTorch: Leaky neurons, fast sigmoid of slope 100, reset by subtraction; the readout without reset, its input times 1 - alpha."""

from __future__ import annotations

import snntorch
import torch
from snntorch import surrogate


class Subject:
    """Time-major; products of all steps at once, then the library's own step for every time index."""

    def __init__(self, case, threads):
        torch.set_num_threads(threads)
        self.alpha, self.labels = case.alpha, torch.from_numpy(case.labels)
        self.x = torch.from_numpy(case.dense())
        self.w = [torch.from_numpy(w).requires_grad_() for w in case.weights]
        slope = surrogate.fast_sigmoid(slope=100)
        self.cells = [snntorch.Leaky(beta=case.alpha, spike_grad=slope, reset_mechanism="subtract") for _ in range(2)]
        self.cells.append(snntorch.Leaky(beta=case.alpha, spike_grad=slope, reset_mechanism="none"))

    def forward(self):
        """Run forward and form the loss."""
        for w in self.w:
            w.grad = None
        s = self.x
        for cell, w in zip(self.cells[:2], self.w[:2], strict=True):
            s = torch.stack([spike for spike, _ in self.run(cell, s @ w)])
        outs = [v for _, v in self.run(self.cells[2], (1 - self.alpha) * (s @ self.w[2]))]
        self.value = torch.nn.functional.cross_entropy(torch.stack(outs).max(dim=0).values, self.labels)

    def run(self, cell, currents):
        """Yield spikes and potentials of a layer."""
        v = torch.zeros_like(currents[0])
        for current in currents.unbind(0):
            spike, v = cell(current, v)
            yield spike, v

    def backward(self):
        """Form all weight gradients."""
        self.value.backward()

    def loss(self):
        """Return the mean loss."""
        return self.value.item()

    def gradients(self):
        """Return the gradients, mean over the batch."""
        return [w.grad.numpy() for w in self.w]
