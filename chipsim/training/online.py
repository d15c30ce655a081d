"""The backward half of a sample under an online rule: errors of the readout, learning signals, then the walk over the steps."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.online import generate
from chipsim.learning.online.setup import Numbers, setup, walk
from chipsim.learning.online.signals import ALIGN, SOURCES, How, Net, signals
from chipsim.simulator.engine import Engine
from chipsim.training.step_loss import StepLoss


class Online:
    """Adds the gradients of single samples by an online rule."""

    def __init__(self, image: ChipImage, engine: Engine, rule):
        form, circuit = image.formats, image.circuit
        self.image, self.engine, self.work = image, engine, engine.work
        numbers = Numbers(form.fixed, form.delta_fraction, form.weight_fraction, form.gradient_fraction)
        alphas = [0.0, *(image.network.alpha(p) for p in range(1, len(circuit.lo)))]
        self.setup = setup(rule, circuit, alphas, numbers, image.network.learning.error_threshold)
        self.walk = walk(rule, circuit, image.steps, len(image.weights), self.work.activity.rule)
        learn, everywhere = rule.learn, any(hook.event == "on_error" for hook in rule.hooks)
        source, ahead = (SOURCES["none"], 0) if learn is None else (SOURCES[learn.source], ALIGN[learn.align or "next"])
        self.how = How(image.steps, source, ahead, everywhere, form.delta_fraction[-1], form.delta_fraction[1])
        self.learn = generate.load(rule).learn
        self.losses = StepLoss(image, engine)

    def backward(self, weights: np.ndarray, gradient: np.ndarray, label: int) -> None:
        """Learn from the sample that the engine has just run; `gradient` [W] grows by its gradient."""
        image, work, walk = self.image, self.work, self.walk
        self.losses.errors(label, walk.inject)
        walk.reward[0] = 1 if self.engine.predicted() == label else -1
        signals(label, Net(self.how, image.circuit, self.setup, weights), work, walk)
        self.learn(image.steps, image.circuit, self.setup, weights, gradient, work, walk)

    def loss(self, label: int) -> float:
        """Return the loss of the last sample in float64: that of its steps."""
        return self.losses.value(label)
