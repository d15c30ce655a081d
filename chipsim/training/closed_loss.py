"""The loss of the class scores and, in closed form, what the error of a class does from every step on (docs/online.md section 6)."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import DECAY_ONE
from chipsim.learning.online.errors import Scale, closed_errors, closed_form
from chipsim.simulator.engine import Engine


class ClosedLoss:
    """Loss and errors of the sample that an engine has just run."""

    def __init__(self, image: ChipImage, engine: Engine):
        form, decay = image.formats, image.circuit.decay[-1]
        self.engine, self.steps, self.summed = engine, image.steps, image.network.readout == "sum"
        self.scale = Scale(1, DECAY_ONE - decay if form.fixed else 1 - decay, form.v_fraction, form.delta_fraction[-1])
        alpha = image.network.alpha(len(image.circuit.lo) - 1)
        self.kappa = closed_form(image.steps, alpha, self.summed, form.fixed)

    def errors(self, label: int, inject: np.ndarray) -> None:
        """Fill `inject` [T, C] with the derivative of the loss with respect to the input of every class, in the format of its delta."""
        m = self.engine.work.membranes
        best = np.full_like(m.best, -1) if self.summed else m.best
        closed_errors(self.steps, m.score[:, self.engine.mode].copy(), best, label, self.scale, self.kappa, inject)

    def value(self, label: int) -> float:
        """Return the loss in float64, for reports only."""
        return self.engine.cross_entropy(label)
