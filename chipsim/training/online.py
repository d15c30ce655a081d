"""The backward half of a sample under an online rule: errors of the readout, learning signals, then the walk over the steps."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import DECAY_ONE
from chipsim.learning.online import generate
from chipsim.learning.online.errors import local_errors
from chipsim.learning.online.loops import shapes_for
from chipsim.learning.online.setup import Membranes, Numbers, Options, setup, walk
from chipsim.learning.online.signals import ALIGN, How, Net, signals
from chipsim.neurons.adaptive_lif import JUMP
from chipsim.neurons.arithmetic import THETA
from chipsim.neurons.contract import SECOND
from chipsim.simulator.engine import Engine
from chipsim.training.closed_loss import ClosedLoss
from chipsim.training.feedback import Feedback
from chipsim.training.step_loss import StepLoss


class Online:
    """Adds the gradients of single samples by an online rule."""

    def __init__(self, image: ChipImage, engine: Engine, rule):
        form, circuit = image.formats, image.circuit
        self.image, self.engine, self.work = image, engine, engine.work
        numbers = Numbers(
            form.fixed, form.delta_fraction, [form.real_fraction(k) for k in range(len(form.unit))], form.gradient_fraction
        )
        options = Options(len(image.weights), form.top, image.network.learning.error_threshold, rule.epoch)
        self.setup = setup(rule, circuit, membranes_of(image), numbers, options)
        self.walk = walk(rule, circuit, image.steps, len(image.weights), self.work.activity.rule)
        learn, everywhere = rule.learn, any(hook.event == "on_error" for hook in rule.hooks)
        ahead = ALIGN[learn.align or "next"] if learn else 0
        self.how = How(image.steps, ahead, everywhere, form.delta_fraction[-1], form.delta_fraction[1])
        self.learn = generate.load(rule, shapes_for(rule, image.wires.listed.any(), self.setup.adapts.any())).learn
        self.steps = StepLoss(image, engine, rule.sharpness)
        self.feedback = Feedback(image, self.setup) if rule.learn and rule.learn.source == "adaptive" else None
        self.losses = ClosedLoss(image, engine) if rule.deferred else self.steps

    def backward(self, weights: np.ndarray, gradient: np.ndarray, label: int) -> None:
        """Learn from the sample that the engine has just run; `gradient` [W] grows by its gradient."""
        image, work, walk = self.image, self.work, self.walk
        self.losses.errors(label, walk.inject)
        walk.counts[:, :, :] = 0
        walk.reward[0] = 1 if self.engine.predicted() == label else -1
        net = Net(self.how, image.circuit, image.wires, self.setup, weights)
        if len(walk.local):
            local_errors(image.steps, label, self.steps.scale, net, work.spikes, walk, self.steps.scratch)
        signals(label, net, work, walk)
        self.learn(image.steps, image.circuit, image.wires, self.setup, weights, gradient, work, walk)

    def follow(self, weights: np.ndarray) -> None:
        """Let feedback that adapts take what was just written to the weights."""
        if self.feedback:
            self.feedback.follow(weights, self.work.activity)

    def loss(self, label: int) -> float:
        """Return the loss of the last sample in float64: that of its steps, or of its class scores if the rule waits for them."""
        return self.losses.value(label)


def membranes_of(image: ChipImage) -> Membranes:
    """Return what a rule must know of the neurons of the image."""
    form, network = image.formats, image.network
    second = [
        constants[SECOND] / (DECAY_ONE if form.fixed else 1) if len(constants) > SECOND else 0.0 for constants in form.constants
    ]
    names = [[v.name for v in p.model.variables] for p in network.population]
    adapts = ["adaptation" in variables for variables in names]
    return Membranes(
        [network.alpha(p) for p in range(len(names))],
        [x if "u" in variables else 0.0 for x, variables in zip(second, names, strict=True)],
        [x if a else 0.0 for x, a in zip(second, adapts, strict=True)],
        [c[JUMP] / c[THETA] if a else 0.0 for c, a in zip(form.constants, adapts, strict=True)],
        adapts,
    )
