"""The backward half of a sample under a rule that is replayed: loss error and regularisers, then the steps in reverse."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.quantize import DECAY_ONE
from chipsim.errors import ConfigError, Problem, raise_all
from chipsim.learning import forms, rule_of, step_loss
from chipsim.learning.losses import start_backward
from chipsim.simulator.engine import Engine
from chipsim.training.step_loss import StepLoss

KERNELS = "chipsim.simulator.forms"  # of form A and pushed errors


class Replay:
    """Adds the gradients of single samples by replay of the logs."""

    def __init__(self, image: ChipImage, engine: Engine):
        form, decay = image.formats, image.circuit.decay[-1]
        self.image, self.engine = image, engine
        self.rule = import_module(KERNELS if forms(image.network.learning) else rule_of(image.network.learning).kernels)
        self.gain = DECAY_ONE - decay if form.fixed else 1 - decay
        self.regulariser = regulariser_terms(image)
        self.losses = StepLoss(image, engine) if step_loss(image.network.learning) else None

    def backward(self, weights: np.ndarray, gradient: np.ndarray, label: int) -> None:
        """Replay the sample that the engine has just run; `gradient` [W] grows by its gradient, in the scale of delta."""
        self.start(label)
        self.rule.replay(self.image.steps, self.image.circuit, self.image.wires, weights, gradient, self.engine.work)

    def write_inplace(self, weights: np.ndarray, label: int, how: tuple, address: np.ndarray) -> None:
        """Replay the sample that the engine has just run and write its weights on the way; arguments as in `learning.writes`."""
        self.start(label)
        self.rule.replay_inplace(self.image.steps, self.image.circuit, self.image.wires, weights, how, address, self.engine.work)

    def start(self, label: int) -> None:
        """Form the errors of the loss and the regularisers."""
        form, engine = self.image.formats, self.engine
        start_backward(
            self.image.circuit,
            engine.work,
            label,
            engine.mode,
            self.gain,
            form.v_fraction,
            form.delta_fraction[-1],
            self.regulariser,
        )
        if self.losses is not None:
            self.losses.errors(label, engine.work.errors.losses)

    def loss(self, label: int) -> float:
        """Return the loss of the last sample: cross entropy of scores or steps plus regularisers, float64, for reports only."""
        value = self.engine.cross_entropy(label) if self.losses is None else self.losses.value(label)
        return value + self.penalty()

    def penalty(self) -> float:
        """Return the regulariser losses of the last sample."""
        terms = self.image.network.learning.regularisers
        if terms is None:
            return 0.0
        circuit, log, found = self.image.circuit, self.engine.work.spikes, 0.0
        counts = np.bincount(log.unit[: log.start[-1]], minlength=int(circuit.hi[-1]))
        for p in range(1, len(circuit.lo) - 1):
            n = counts[circuit.lo[p] : circuit.hi[p]]
            found += terms.upper * max(0.0, float(n.mean()) - terms.f_upper)
            found += terms.lower / len(n) * float((np.maximum(0.0, terms.f_lower - n) ** 2).sum())
        return found


def regulariser_terms(image: ChipImage) -> np.ndarray:
    """Return [P, 4] float64: upper term, lower slope (both in the scale of delta), f_upper, f_lower; zeros where there is none.

    Raises:
        ConfigError: in fixed point a term is so small that it would vanish.
    """
    network, form = image.network, image.formats
    terms, found = np.zeros((len(network.populations), 4)), []
    if network.learning.regularisers is None:
        return terms
    r = network.learning.regularisers
    for p, population in enumerate(network.populations[1:-1], start=1):
        unit = 2.0 ** form.delta_fraction[p] if form.fixed else 1.0
        upper, lower = r.upper / population.size * unit, 2 * r.lower / population.size * unit
        for key, term in (("upper", upper), ("lower", lower * r.f_lower)):
            if form.fixed and 0 < term < 0.5:
                limit = (
                    f"one LSB of delta is {1 / unit:g}: the term {term / unit:.3g} of population {population.name} rounds to 0"
                )
                hint = "raise learning.delta_fraction or the regulariser"
                value = getattr(r, key)
                found.append(Problem(f'network "{network.name}"', f"learning.regularisers.{key}", value, limit, hint))
        terms[p] = upper, lower, r.f_upper, r.f_lower
    raise_all(found, ConfigError)
    return terms
