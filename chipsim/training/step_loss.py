"""The loss of every step: cross entropy of softmax(sharpness out[t]), summed over t and divided by sharpness (docs/online.md section 3)."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import DECAY_ONE
from chipsim.learning.online.errors import Scale, step_errors
from chipsim.simulator.engine import Engine

SHARPNESS = 10  # unless learning.sharpness or the rule gives it


class StepLoss:
    """Loss and errors of the sample that an engine has just run; the engine must record potentials. sharpness: unless the model says so."""

    def __init__(self, image: ChipImage, engine: Engine, sharpness: int = SHARPNESS):
        form, decay = image.formats, image.circuit.decay[-1]
        self.image, self.engine = image, engine
        self.sharpness = image.network.learning.sharpness or sharpness
        gain = DECAY_ONE - decay if form.fixed else 1 - decay
        self.scale = Scale(self.sharpness, gain, form.v_fraction, form.delta_fraction[-1])
        self.scratch = np.zeros(image.circuit.classes, dtype=image.circuit.rules.constants.dtype)

    def errors(self, label: int, inject: np.ndarray) -> None:
        """Fill `inject` [T, C] with the errors that enter the readout, in the format of its delta; none at t = 0."""
        step_errors(self.image.steps, self.engine.work.membranes.trace, label, self.scale, self.scratch, inject)

    def value(self, label: int) -> float:
        """Return the loss in float64, for reports only."""
        first = int(self.image.circuit.lo[-1])
        z = self.engine.work.membranes.trace[1:, 0, first:].astype(np.float64) * (self.engine.gain * self.sharpness)
        z -= z.max(axis=1, keepdims=True, initial=-np.inf)
        return float((np.log(np.exp(z).sum(axis=1)) - z[:, label]).sum()) / self.sharpness
