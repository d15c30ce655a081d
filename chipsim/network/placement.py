"""Where populations go on the chip: a strategy of the compiler, or cores named by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from chipsim.errors import Problem
from chipsim.schema import Description

if TYPE_CHECKING:
    from chipsim.network.description import Network

CoreId = Annotated[int, Field(strict=True, ge=0)]


class Placement(Description):
    """strategy: in-order, min-traffic or manual (compiler.place); cores: for manual, the cores of each population but the input."""

    strategy: Literal["in-order", "min-traffic", "manual"] = "in-order"
    cores: dict[str, tuple[CoreId, ...]] = {}


def placement_problems(network: Network) -> list[Problem]:
    """Return what is wrong with the cores named by hand."""
    name, placement = f'network "{network.name}"', network.placement
    if placement.strategy != "manual":
        limit = f"cores are named with strategy = 'manual', this is {placement.strategy!r}"
        return [Problem(name, "placement.cores", ", ".join(placement.cores), limit)] if placement.cores else []
    sizes = {p.name: p.size for p in network.population[1:]}
    found = [
        Problem(name, f"placement.cores.{key}", list(cores), f"known: {', '.join(sizes)}")
        for key, cores in placement.cores.items()
        if key not in sizes
    ]
    for key, size in sizes.items():
        cores = placement.cores.get(key, ())
        if not cores:
            found.append(
                Problem(name, f"placement.cores.{key}", "(nothing)", "strategy = 'manual' needs the cores of every population")
            )
        elif len(cores) > size or len(set(cores)) < len(cores):
            found.append(Problem(name, f"placement.cores.{key}", list(cores), f"at most {size} different cores"))
    return found
