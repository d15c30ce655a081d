"""What must hold between the parts of a network, beyond the range of each number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from chipsim.errors import Problem
from chipsim.neurons import INPUT, READOUTS, SPIKING

LARGEST = 1e6  # thresholds: no sensible weight, but far from where numbers break

if TYPE_CHECKING:
    from chipsim.network.description import Network


def structure_problems(network: Network) -> list[Problem]:
    """Return everything that keeps `network` from being a chain input -> spiking populations -> readout."""
    name = f'network "{network.name}"'
    names = [p.name for p in network.population]
    found = []
    if len(names) < 3:
        limit = "a network has an input, at least one hidden population and a readout"
        return [Problem(name, "population", f"{len(names)} populations", limit)]
    for doubled in sorted({n for n in names if names.count(n) > 1}):
        found.append(Problem(name, "population.name", doubled, "each population needs a name of its own"))
    for index, p in enumerate(network.population):
        role, allowed = expected_role(index, len(names))
        if p.neuron not in allowed:
            limit = f"the {role} population must be one of {', '.join(allowed)}"
            found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, limit))
        if p.tau_ms is None and p.neuron != INPUT:
            found.append(Problem(name, f"population.{p.name}.tau_ms", "(nothing)", "a time constant in ms is required"))
        if p.readout and p.neuron not in READOUTS:
            found.append(
                Problem(name, f"population.{p.name}.readout", p.readout, "only the readout population has a class score")
            )
    if network.population[-1].size < 2:
        found.append(Problem(name, f"population.{names[-1]}.size", network.population[-1].size, "at least 2 classes are needed"))
    wanted = list(zip(names, names[1:], strict=False))
    given = [(p.pre, p.post) for p in network.projection]
    if given != wanted:
        limit = f"projections must be {', '.join(f'{a} -> {b}' for a, b in wanted)} in this order (this version runs chains only)"
        found.append(Problem(name, "projection", ", ".join(f"{a} -> {b}" for a, b in given), limit))
    return found


def expected_role(index: int, count: int) -> tuple[str, tuple[str, ...]]:
    """Return the role of population `index` of `count` and the neuron models that can play it."""
    if index == 0:
        return "first", (INPUT,)
    if index == count - 1:
        return "last", READOUTS
    return "hidden", SPIKING


def weight_problems(network: Network, weights: dict[str, np.ndarray]) -> list[Problem]:
    """Return what is wrong with explicit weights: names, shapes, numbers that are not finite."""
    name = f'weights of network "{network.name}"'
    wanted = {b.name: (a.size, b.size) for a, b in zip(network.population, network.population[1:], strict=False)}
    if not isinstance(weights, Mapping):
        return [Problem(name, "form", type(weights).__name__, f"a dict with {', '.join(wanted)} is required")]
    found = [Problem(name, key, "given", f"known: {', '.join(wanted)}") for key in weights if key not in wanted]
    for key, shape in wanted.items():
        if key not in weights:
            found.append(Problem(name, key, "(nothing)", f"an array of shape {list(shape)} is required"))
            continue
        try:
            array = np.asarray(weights[key])
            real = array.dtype.kind in "biuf"
        except ValueError:  # rows of different lengths
            real = False
        if not real:
            found.append(Problem(name, key, weights[key], "an array of real numbers is required"))
            continue
        if array.shape != shape:
            found.append(Problem(name, key, f"shape {list(array.shape)}", f"[N_pre, N_post] = {list(shape)} is required"))
        elif not np.isfinite(array).all():
            bad = tuple(int(x) for x in np.argwhere(~np.isfinite(array))[0])
            found.append(Problem(name, f"{key}[{bad[0]}, {bad[1]}]", array[bad], "every weight must be finite"))
        elif array.size and np.abs(array).max() > LARGEST:
            found.append(Problem(name, key, np.abs(array).max(), f"a weight is at most {LARGEST:g} thresholds"))
    return found
