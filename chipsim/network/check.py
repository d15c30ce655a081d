"""What must hold between the parts of a network, beyond the range of each number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipsim.errors import Problem
from chipsim.network.population import Population
from chipsim.network.projection import Projection

if TYPE_CHECKING:
    from chipsim.network.description import Network


def structure_problems(network: Network) -> list[Problem]:
    """Return everything that keeps the populations and projections of `network` from making a network."""
    name = f'network "{network.name}"'
    names = [p.name for p in network.population]
    if len(names) < 2:
        return [Problem(name, "population", f"{len(names)} populations", "a network has an input and at least one population")]
    found = doubled(name, "population.name", names, "each population needs a name of its own")
    found += [problem for index, p in enumerate(network.population) for problem in place_problems(name, network, index, p)]
    by_name = {p.name: p for p in network.population}
    for k, projection in enumerate(network.projection):
        found += end_problems(name, k, projection, by_name)
    if not found:
        found += doubled(name, "projection.name", network.names, "each projection needs a name of its own: give one a `name`")
        fed = {p.post for p in network.projection}
        for p in network.population[1:]:
            if p.name not in fed and not getattr(p, "bias_mant", 0):
                found.append(
                    Problem(name, f"population.{p.name}", "no projection", "something must lead to it (or it needs a bias)")
                )
    return found


def doubled(name: str, key: str, words: list[str], limit: str) -> list[Problem]:
    """Return a problem for every word that occurs twice."""
    return [Problem(name, key, word, limit) for word in sorted({w for w in words if words.count(w) > 1})]


def place_problems(name: str, network: Network, index: int, p: Population) -> list[Problem]:
    """Return what is wrong with a population of this model at this place."""
    last = len(network.population) - 1
    found = []
    if (index == 0) != p.is_input:
        limit = "the first population is the input, and only the first"
        found.append(Problem(name, f"population.{p.name}.neuron", p.neuron, limit))
    if index != last and getattr(p, "readout", None):
        found.append(Problem(name, f"population.{p.name}.readout", p.readout, "only the last population has class scores"))
    if p.model.readout and index == last and p.size < 2:
        found.append(Problem(name, f"population.{p.name}.size", p.size, "at least 2 classes are needed"))
    return found


def end_problems(name: str, k: int, projection: Projection, by_name: dict[str, Population]) -> list[Problem]:
    """Return what is wrong with the two ends of a projection."""
    where = f"projection.{k}"
    found = [
        Problem(name, f"{where}.{key}", value, f"there is no such population; there is: {', '.join(by_name)}")
        for key, value in (("pre", projection.pre), ("post", projection.post))
        if value not in by_name
    ]
    if found:
        return found
    pre, post = by_name[projection.pre], by_name[projection.post]
    if not pre.model.spikes:
        found.append(Problem(name, f"{where}.pre", projection.pre, f"{pre.neuron} populations do not spike"))
    if post.is_input:
        found.append(Problem(name, f"{where}.post", projection.post, "nothing leads to the input"))
    if projection.mantissa and post.model.family != "loihi":
        limit = f"mantissas are for the Loihi family; {projection.post} is {post.neuron}"
        found.append(Problem(name, f"{where}.units", projection.units, limit))
    if not projection.mantissa and 0 in (getattr(post, "vth", None), getattr(post, "vth_hi", None)) and post.model.thresholds:
        limit = "with weights in thresholds the threshold must be above 0 (mantissas need none)"
        found.append(Problem(name, f"population.{post.name}.vth", 0, limit))
    if not (projection.mantissa or post.model.thresholds):
        limit = f"{post.neuron} neurons have no threshold unit: use mantissas"
        found.append(Problem(name, f"{where}.units", projection.units, limit))
    return found + (conv_problems(name, where, projection, pre, post) if projection.kind == "conv" else [])


def conv_problems(name: str, where: str, projection: Projection, pre: Population, post: Population) -> list[Problem]:
    """Return why the shapes of a convolution do not fit."""
    flat = [p.name for p in (pre, post) if p.shape is None]
    if flat:
        return [Problem(name, f"{where}.kind", "conv", f"{' and '.join(flat)} need a shape = [X, Y, C]")]
    found = []
    wanted = projection.place_of(pre.shape)
    if wanted != post.shape[:2] or min(wanted) < 1:
        limit = f"kernel, stride, padding and dilation make [{wanted[0]}, {wanted[1]}] of {list(pre.shape[:2])}"
        found.append(Problem(name, f"population.{post.name}.shape", list(post.shape), limit))
    if pre.shape[2] % projection.groups or post.shape[2] % projection.groups:
        limit = f"it must divide the channels of both populations, {pre.shape[2]} and {post.shape[2]}"
        found.append(Problem(name, f"{where}.groups", projection.groups, limit))
    return found
