"""What to change so that a network fits: for each number that could give way, the value nearest to the present one that compiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from chipsim.compiler.place import place
from chipsim.compiler.plan import Plan
from chipsim.compiler.quantize import format_problems
from chipsim.compiler.require import require
from chipsim.errors import CapacityError, ConfigError, raise_all
from chipsim.hardware import Chip, build_chip
from chipsim.network import Network

MOST = 3  # proposals shown
ROUNDS = 12  # of raising the limits that are broken
LEAST_BITS = 2


class Proposal(NamedTuple):
    """A change that was tried and compiles. overrides: dotted keys as for `--set` (those of the chip begin with "chip.")."""

    overrides: dict[str, Any]
    change: float  # relative to the present value; the largest of several

    @property
    def text(self) -> str:
        """The flags of the command line."""
        return " ".join(f"--set {key}={value}" for key, value in self.overrides.items())


def propose(network: Network, chip: Chip, learn: bool) -> list[Proposal]:
    """Return changes that make `network` fit `chip`, the smallest first, each one verified; none if it fits or nothing helps."""
    if fits(network, chip, learn):
        return []
    found = [*smaller_network(network, chip, learn), *larger_chip(network, chip, learn)]
    return sorted(found, key=lambda p: p.change)[:MOST]


def fits(network: Network | None, chip: Chip | None, learn: bool) -> bool:
    """Return whether it compiles; None: the description itself is impossible."""
    if network is None or chip is None:
        return False
    try:
        require(network, chip, learn)
        raise_all(format_problems(network, chip), CapacityError)
        place(Plan(network, chip, learn))
    except (CapacityError, ConfigError):
        return False
    return True


def smaller_network(network: Network, chip: Chip, learn: bool) -> Iterator[Proposal]:
    """Yield one proposal for every number of the network that can give way."""
    for p, population in enumerate(network.population[1:], start=1):
        if population.shape is None and not population.model.readout:
            yield from nearest(f"population.{population.name}.size", population.size, 1, resized(network, p), chip, learn)
    bits = network.learning.weight_bits
    yield from nearest("learning.weight_bits", bits, LEAST_BITS, with_bits(network), chip, learn)
    yield from nearest("steps", network.steps, 2, lambda n: bare(network, steps=n), chip, learn)
    for k, projection in enumerate(network.projection):
        if projection.density is not None:
            percents = int(projection.density * 100)
            for proposal in nearest(f"projection.{projection.name or k}.density", percents, 1, thinned(network, k), chip, learn):
                yield proposal._replace(overrides={key: value / 100 for key, value in proposal.overrides.items()})


def nearest(
    key: str, present: int, least: int, build: Callable[[int], Network | None], chip: Chip, learn: bool
) -> Iterator[Proposal]:
    """Yield the largest value from `least` to below `present` that fits, found by bisection, if there is one."""
    low, high = least, present
    if low >= high or not fits(build(low), chip, learn):
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(build(middle), chip, learn) else (low, middle)
    yield Proposal({key: low}, (present - low) / present)


def bare(network: Network, **changes: Any) -> Network | None:
    """Return the network with some fields replaced and without explicit weights, or None if that is no network."""
    try:
        new = network.model_copy()
        new._weights, new._delays = None, {}
        return new.but(**changes)
    except ConfigError:
        return None


def resized(network: Network, p: int) -> Callable[[int], Network | None]:
    """Return the network as a function of the size of population p."""

    def build(size: int) -> Network | None:
        tables = [q.model_dump() for q in network.population]
        tables[p]["size"] = size
        return bare(network, population=tables)

    return build


def with_bits(network: Network) -> Callable[[int], Network | None]:
    """Return the network as a function of the stored bits of its weights."""
    return lambda bits: bare(network, learning={**network.learning.model_dump(), "weight_bits": bits})


def thinned(network: Network, k: int) -> Callable[[int], Network | None]:
    """Return the network as a function of the density of projection k, in percent."""

    def build(percents: int) -> Network | None:
        tables = [q.model_dump(exclude_unset=True) for q in network.projection]
        tables[k]["density"] = percents / 100
        return bare(network, projection=tables)

    return build


def larger_chip(network: Network, chip: Chip, learn: bool) -> Iterator[Proposal]:
    """Yield the chip with every broken limit raised to what is needed, then each limit lowered again as far as it still fits."""
    raised: dict[str, int] = {}
    for _ in range(ROUNDS):
        try:
            larger = with_limits(chip, raised)
            require(network, larger, learn)
            raise_all(format_problems(network, larger), CapacityError)
            place(Plan(network, larger, learn))
            break
        except ConfigError:
            return
        except CapacityError as error:
            needs = {key_of(problem.key, chip): problem.value for problem in error.problems}
            if None in needs:
                return  # a capability or a width, not a limit that could be larger
            raised = more(raised, needs, chip)
    else:
        return
    for key in raised:
        raised[key] = lowest(key, raised, network, chip, learn)
    present = {key: size_of(chip, key) for key in raised}
    overrides = {f"chip.{key}.value": value for key, value in raised.items()}
    yield Proposal(overrides, max((raised[key] - present[key]) / present[key] for key in raised))


TILES = "mesh.tiles_x"


def more(raised: dict[str, int], needs: dict[str, int], chip: Chip) -> dict[str, int]:
    """Return larger limits: those that are needed; if only cores are lacking, twice the limits raised so far, or else more tiles."""
    if set(needs) == {TILES} and raised:
        return {key: 2 * value for key, value in raised.items()}
    return raised | {key: tiles(value, chip) if key == TILES else int(value) for key, value in needs.items()}


def key_of(key: str, chip: Chip) -> str | None:
    """Return the dotted key of the limit that a problem is about."""
    if key == "cores":
        return TILES
    return f"limits.{key}" if key in chip.limits else None


def size_of(chip: Chip, key: str) -> int:
    """Return the present value of a limit."""
    return chip.mesh.tiles_x if key == TILES else chip.limit(key.partition(".")[2])


def tiles(cores: int, chip: Chip) -> int:
    """Return the columns of tiles that hold so many cores."""
    return -(-int(cores) // (chip.mesh.tiles_y * chip.mesh.cores_per_tile))


def with_limits(chip: Chip, raised: dict[str, int]) -> Chip:
    """Return the chip with other limits.

    Raises:
        ConfigError: the chip cannot be so, for example because its barrier is known for fewer tiles only.
    """
    return build_chip(chip.table, chip.name, {f"{key}.value": value for key, value in raised.items()}) if raised else chip


def lowest(key: str, raised: dict[str, int], network: Network, chip: Chip, learn: bool) -> int:
    """Return the smallest value of one limit that still fits with the others as they are."""
    low, high = size_of(chip, key), raised[key]
    while high - low > 1:
        middle = (low + high) // 2
        if fits(network, with_limits(chip, {**raised, key: middle}), learn):
            high = middle
        else:
            low = middle
    return high
