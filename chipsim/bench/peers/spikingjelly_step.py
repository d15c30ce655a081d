"""SpikingJelly: LIFNode, multi-step, torch back end (the others need a GPU), the paper's surrogate."""

from __future__ import annotations

import torch
from spikingjelly.activation_based import functional, neuron


class Paper(torch.autograd.Function):
    """1 where x >= 0; backward 1 / (100 |x| + 1)^2."""

    @staticmethod
    def forward(ctx, x):
        """Return the spikes."""
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, error):
        """Return the error times the surrogate."""
        (x,) = ctx.saved_tensors
        return error / (100 * x.abs() + 1) ** 2


class Subject:
    """The library's nodes over all steps; the readout is a node that never fires, its potentials kept."""

    def __init__(self, case, threads):
        torch.set_num_threads(threads)
        self.alpha, self.labels = case.alpha, torch.from_numpy(case.labels)
        self.x = torch.from_numpy(case.dense())
        self.w = [torch.from_numpy(w).requires_grad_() for w in case.weights]
        shared = {"tau": 1 / (1 - case.alpha), "decay_input": False, "v_reset": None, "detach_reset": True, "step_mode": "m",
                  "surrogate_function": Paper.apply}  # fmt: skip
        self.nodes = [neuron.LIFNode(**shared) for _ in range(2)]
        self.out = neuron.LIFNode(**{**shared, "v_threshold": 1e9}, store_v_seq=True)

    def forward(self):
        """Run forward and form the loss."""
        for w in self.w:
            w.grad = None
        s = self.x
        for node, w in zip(self.nodes, self.w[:2], strict=True):
            functional.reset_net(node)
            s = node(s @ w)
        functional.reset_net(self.out)
        self.out((1 - self.alpha) * (s @ self.w[2]))
        self.value = torch.nn.functional.cross_entropy(self.out.v_seq.max(dim=0).values, self.labels)

    def backward(self):
        """Form all weight gradients."""
        self.value.backward()

    def loss(self):
        """Return the mean loss."""
        return self.value.item()

    def gradients(self):
        """Return the gradients, mean over the batch."""
        return [w.grad.numpy() for w in self.w]
