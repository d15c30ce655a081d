"""cs.gradients: the gradient of a batch, for notebooks and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.compiler import ChipImage, compile_network
from chipsim.errors import ConfigError, Problem
from chipsim.events import Events, as_events, require_binary
from chipsim.learning import rule_name
from chipsim.network import Network, as_network


@dataclass(frozen=True)
class Gradients:
    """weights: {postsynaptic population: [N_pre, N_post] float64}, mean over the batch. loss: mean over the batch.

    active: {hidden population: [T, B, N] bool}, made on demand.
    """

    weights: dict[str, np.ndarray]
    loss: float
    image: ChipImage
    logs: list[tuple[np.ndarray, np.ndarray]] = field(repr=False)  # (unit, start) of the active log of each sample

    @property
    def active(self) -> dict[str, np.ndarray]:
        """{hidden population: [T, B, N] bool}."""
        circuit, network = self.image.circuit, self.image.network
        populations = len(circuit.lo)
        found = {p.name: np.zeros((self.image.steps, len(self.logs), p.size), dtype=np.bool_) for p in network.hidden}
        for b, (unit, start) in enumerate(self.logs):
            for p, raster in enumerate(found.values(), start=1):
                for t in range(self.image.steps):
                    at = t * populations + p
                    raster[t, b, unit[start[at] : start[at + 1]] - circuit.lo[p]] = True
        return found


def gradients(
    model: Network | str | Path,
    x: np.ndarray | Events,
    y: np.ndarray,
    rule: Any = "ssgd-replay",
    numerics: str = "float64",
    weights: dict[str, np.ndarray] | None = None,
    half_width: float | None = None,
    surrogate: str | None = None,
) -> Gradients:
    """Return the mean gradient of the loss over a batch; in float64 it equals the dense masked adjoint to 1e-12.

    x: [T, B, N_in] or Events; y: [B] labels. half_width, surrogate: in place of the model's. In fixed point the gradient is what the
    accumulators of the chip hold after each sample, in units of the threshold.

    Raises:
        DataError: wrong shapes or labels, no sample, values that are not finite.
        ConfigError: unknown rule, numerics or surrogate.
    """
    from chipsim.errors import DataError
    from chipsim.training.learner import Learner, check_finite, check_labels

    rule = rule_name(rule)
    network = as_network(model) if weights is None else as_network(model).with_weights(weights)
    network = with_learning(network, rule=rule, half_width=half_width, surrogate=surrogate)
    events = as_events(x, network.populations[0].size)
    if not events.samples:
        raise DataError(Problem("input x", "shape", list(events.shape), "at least one sample is required"))
    labels = check_labels(y, events.samples, network.populations[-1].size)
    image = compile_network(network.over(events.shape[0]), None, numerics="float32" if numerics == "float" else numerics)
    if image.formats.fixed:
        require_binary(events, "fixed point sends 0/1 spikes")
    learner, log = Learner(image), events.spikes(image.circuit.rules.constants.dtype)
    total, gradient = np.zeros(len(image.weights)), np.zeros(len(image.weights), dtype=image.circuit.rules.constants.dtype)
    loss, logs = 0.0, []
    for b in range(events.samples):
        gradient[:] = 0
        learner.engine.forward(image.weights, events.of_sample(log, b), (network.seed, b, 0))
        learner.backward(image.weights, gradient, labels[b])
        loss += learner.loss(labels[b])
        total += gradient
        active = learner.engine.work.active
        logs.append((active.unit[: active.start[-1]].copy(), active.start.copy()))
    check_finite(total, image)
    scaled = {
        name: g * (image.formats.gradient_scale(k) / events.samples) for k, (name, g) in enumerate(image.tensors(total).items())
    }
    return Gradients(scaled, loss / events.samples, image, logs)


def with_learning(network: Network, **given: object) -> Network:
    """Return `network` with other options of its learning, where they are given.

    Raises:
        ConfigError: it writes weights in place.
    """
    if network.learning.apply == "inplace":
        limit = "writes in place have no gradient: each meets the weights that the one before has left"
        raise ConfigError(Problem(f'network "{network.name}"', "learning.apply", "inplace", limit, "use apply = 'after'"))
    changes = {name: value for name, value in given.items() if value is not None and value != getattr(network.learning, name)}
    return network.but(learning={**network.learning.model_dump(), **changes}) if changes else network
