"""The backward half of a sample under an online rule: errors of the readout, learning signals, then the walk over the steps."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.online import generate
from chipsim.learning.online.errors import Scale, closed_errors, closed_form, local_errors, step_errors
from chipsim.learning.online.setup import Numbers, setup, walk
from chipsim.learning.online.signals import ALIGN, How, Net, signals
from chipsim.simulator.engine import Engine


class Online:
    """Adds the gradients of single samples by an online rule."""

    def __init__(self, image: ChipImage, engine: Engine, rule):
        form, circuit = image.formats, image.circuit
        self.image, self.engine, self.work, self.rule = image, engine, engine.work, rule
        numbers = Numbers(form.fixed, form.delta_fraction, form.weight_fraction, form.gradient_fraction)
        alphas = [0.0, *(image.network.alpha(p) for p in range(1, len(circuit.lo)))]
        self.setup = setup(rule, circuit, alphas, numbers, image.network.learning.error_threshold)
        self.walk = walk(rule, circuit, image.steps, len(image.weights), self.work.activity.rule)
        learn, everywhere = rule.learn, any(hook.event == "on_error" for hook in rule.hooks)
        ahead = ALIGN[learn.align or "next"] if learn else 0
        self.how = How(image.steps, ahead, everywhere, form.delta_fraction[-1], form.delta_fraction[1])
        self.learn = generate.load(rule).learn
        decay, self.sharpness = circuit.decay[-1], image.network.learning.sharpness or rule.sharpness
        self.scale = Scale(self.sharpness, 4096 - decay if form.fixed else 1 - decay, form.v_fraction, form.delta_fraction[-1])
        self.scratch = np.zeros(circuit.classes, dtype=circuit.rules.constants.dtype)
        self.summed = image.network.readout == "sum"
        self.kappa = closed_form(image.steps, alphas[-1], self.summed, form.fixed) if rule.deferred else None

    def backward(self, weights: np.ndarray, gradient: np.ndarray, label: int) -> None:
        """Learn from the sample that the engine has just run; `gradient` [W] grows by its gradient."""
        image, work, walk = self.image, self.work, self.walk
        walk.counts[:, :, :] = 0
        net = Net(self.how, image.circuit, self.setup, weights)
        if self.rule.deferred:
            score, best = work.membranes.score, work.membranes.best
            scores, best = (score[:, 0], np.full_like(best, -1)) if self.summed else (score[:, 1], best)
            closed_errors(image.steps, scores.copy(), best, label, self.scale, self.kappa, walk.inject)
        else:
            step_errors(image.steps, work.membranes.trace, label, self.scale, self.scratch, walk.inject)
        if len(walk.local):
            local_errors(image.steps, label, self.scale, net, work.spikes, walk, self.scratch)
        walk.reward[0] = 1 if self.engine.predicted() == label else -1
        signals(label, net, work, walk)
        self.learn(image.steps, image.circuit, self.setup, weights, gradient, work, walk)

    def loss(self, label: int) -> float:
        """Return the loss of the last sample, float64: cross entropy of softmax(sharpness out[t]), summed over t, divided by sharpness.

        Of a deferred rule: cross entropy of the class scores.
        """
        if self.rule.deferred:
            return self.engine.cross_entropy(label)
        sharpness, first = self.sharpness, int(self.image.circuit.lo[-1])
        z = self.work.membranes.trace[1:, 0, first:].astype(np.float64) * (self.engine.gain * sharpness)
        z -= z.max(axis=1, keepdims=True, initial=-np.inf)
        return float((np.log(np.exp(z).sum(axis=1)) - z[:, label]).sum()) / sharpness
