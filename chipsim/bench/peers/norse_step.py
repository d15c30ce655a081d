"""Norse: LIFBoxCell with reset by subtraction and SuperSpike 100; it scales its input, so the weights are divided by 1 - alpha."""

from __future__ import annotations

import torch
from norse.torch import LIBoxCell, LIBoxParameters, LIFBoxCell, LIFBoxParameters
from norse.torch.functional.reset import reset_subtract

DT = 0.001


class Subject:
    """Time-major; products of all steps at once, then the library's own cells for every time index."""

    def __init__(self, case, threads):
        torch.set_num_threads(threads)
        self.labels, self.x = torch.from_numpy(case.labels), torch.from_numpy(case.dense())
        scale = 1 - case.alpha
        self.w = [torch.from_numpy(w / s).requires_grad_() for w, s in zip(case.weights, (scale, scale, 1.0), strict=True)]
        self.scales = (scale, scale, 1.0)
        inverse = torch.tensor(scale / DT)
        spiking = LIFBoxParameters(tau_mem_inv=inverse, method="super", alpha=torch.tensor(100.0), reset_method=reset_subtract)
        self.cells = [LIFBoxCell(spiking, dt=DT) for _ in range(2)]
        self.out = LIBoxCell(LIBoxParameters(tau_mem_inv=inverse), dt=DT)

    def forward(self):
        """Run forward and form the loss."""
        for w in self.w:
            w.grad = None
        s = self.x
        for cell, w in zip((*self.cells, self.out), self.w, strict=True):
            state, found = None, []
            for current in (s @ w).unbind(0):
                z, state = cell(current, state)
                found.append(z)
            s = torch.stack(found)
        self.value = torch.nn.functional.cross_entropy(s.max(dim=0).values, self.labels)

    def backward(self):
        """Form all weight gradients."""
        self.value.backward()

    def loss(self):
        """Return the mean loss."""
        return self.value.item()

    def gradients(self):
        """Return the gradients, mean over the batch, of the weights as the workload gives them."""
        return [(w.grad / s).numpy() for w, s in zip(self.w, self.scales, strict=True)]
