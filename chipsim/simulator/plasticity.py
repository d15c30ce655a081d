"""Projections that learn while they are simulated: what they must be, the engine that runs them, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.stored import RANGES
from chipsim.errors import CapacityError, ConfigError, DataError, Problem, raise_all
from chipsim.learning.lava import NEEDS, LavaRule
from chipsim.learning.lava.grammar import SYNAPSE, TRACES
from chipsim.learning.lava.program import BITS, Learning, Place, learning_of
from chipsim.network import Network

RECORDS = (*TRACES, *SYNAPSE)  # traces; weights, tags and delays
WHERE = "simulate(...)"
THIRD = TRACES[2:]
LARGEST = 2**31


class Due(NamedTuple):
    """What projections that learn on the way could visit at most, [T, S] int64 each; 0 where no epoch of theirs ends."""

    words: np.ndarray  # of all rows of the projections whose epoch ends
    synapses: np.ndarray


@dataclass(frozen=True)
class Plasticity:
    """Rules by projection and the third factors of all samples; made by `plasticity_of`."""

    rules: dict[str, LavaRule]
    third: dict[str, dict[str, np.ndarray]]  # [T, B, N_post]

    def places(self, image: ChipImage) -> list[Place]:
        """Return where the projections that learn are."""
        circuit, network, found = image.circuit, image.network, []
        for name in self.rules:
            k = network.names.index(name)
            pre, post = network.ends[k]
            words = [
                int(image.plan.lists(k, s.lo, s.hi).stored[0]) if s.population == post and s.core >= 0 else 0
                for s in image.slices
            ]
            projection = network.projection[k]
            found.append(
                Place(
                    pre, post, (network.population[pre].size, network.population[post].size), (int(circuit.lo[pre]), int(circuit.lo[post])),
                    int(circuit.offset[k]), RANGES[projection.sign_mode], projection.message_bits > 0, np.array(words, dtype=np.int64),
                )
            )  # fmt: skip
        return found

    def due(self, image: ChipImage) -> Due:
        """Return what an engine that visits everything would visit at the end of every epoch."""
        found = Due(*np.zeros((2, image.steps, len(image.slices)), dtype=np.int64))
        width = np.array([s.hi - s.lo for s in image.slices], dtype=np.int64)
        for rule, place in zip(self.rules.values(), self.places(image), strict=True):
            ends = slice(rule.t_epoch - 1, None, rule.t_epoch)
            found.words[ends] += place.sizes[0] * place.words
            found.synapses[ends] += place.sizes[0] * width * (place.words > 0)
        return found

    def learning(self, image: ChipImage, record: tuple[str, ...]) -> Learning:
        """Return arrays for one engine."""
        kept = any(name in record for name in TRACES), any(name in record for name in SYNAPSE)
        return learning_of(list(self.rules.values()), self.places(image), image.steps, image.formats.fixed, kept)

    def give(self, learning: Learning, sample: int) -> None:
        """Put the third factors of a sample where the kernels read them."""
        for q, name in enumerate(self.rules):
            first, size = learning.program.side[q, 1], learning.program.size[q, 1]
            for row, trace in enumerate(THIRD):
                if trace in self.third.get(name, {}):
                    learning.memory.third[:, row, first : first + size] = self.third[name][trace][:, sample]


def plasticity_of(image: ChipImage, plastic: object, third: object, samples: int) -> Plasticity | None:
    """Return rules and third factors, checked against the network and its chip; None: nothing learns.

    Raises:
        ConfigError: a projection is unknown or cannot learn this way, or something is no rule; all problems at once.
        DataError: third factors of a wrong shape, missing ones, or values that cannot be carried.
        CapacityError: the chip cannot learn by these rules.
    """
    network, numerics = image.network, image.numerics
    if plastic is None and third is None:
        return None
    if plastic is None:
        raise ConfigError(Problem(WHERE, "third", "given", "third factors are for projections that learn: give `plastic`"))
    if not isinstance(plastic, Mapping) or not plastic:
        raise ConfigError(Problem(WHERE, "plastic", plastic, "{name of a projection: a LavaRule} is required"))
    found = []
    for name, rule in plastic.items():
        found += rule_problems(network, name, rule, numerics)
    raise_all(found)
    given = {} if third is None else third
    if not isinstance(given, Mapping) or not all(isinstance(one, Mapping) for one in given.values()):
        raise DataError(Problem(WHERE, "third", third, "{name of a projection: {y1, y2, y3: [T, B, N_post]}} is required"))
    raise_all(third_problems(plastic, given), DataError)
    arrays, found = {}, []
    for name in given:
        post = network.population[network.ends[network.names.index(name)][1]]
        shape = (network.steps, samples, post.size)
        arrays[name] = {}
        for trace, array in given[name].items():
            arrays[name][trace], problems = third_array(f"third.{name}.{trace}", array, shape, numerics)
            found += problems
    raise_all(found, DataError)
    made = Plasticity(dict(plastic), arrays)
    require_learning(image, made)
    return made


def rule_problems(network: Network, name: object, rule: object, numerics: str) -> list[Problem]:
    """Return why a projection cannot learn by a rule."""
    if name not in network.names:
        return [Problem(WHERE, "plastic", name, f"there is no such projection; there is: {', '.join(network.names)}")]
    where, k = f"plastic.{name}", network.names.index(name)
    projection, found = network.projection[k], []
    if not isinstance(rule, LavaRule):
        return [Problem(WHERE, where, type(rule).__name__, "a LavaRule is required")]
    post = network.population[network.ends[k][1]]
    checks = (
        ("kind", projection.kind, projection.kind == "dense", "only dense projections learn by Lava's rules"),
        ("delay", projection.delay, network.delays(k) is None, "a projection that learns has no delays"),
        ("units", projection.units, projection.mantissa, f"its weights must be mantissas ({post.name} is {post.neuron})"),
        ("sign_mode", projection.sign_mode, projection.sign_mode is not None,
         "it must be given: what signs occur before learning does not say what signs may come"),
    )  # fmt: skip
    found += [Problem(WHERE, f"{where}: projection.{key}", value, limit) for key, value, fine, limit in checks if not fine]
    if not found and network.explicit:
        low, high = RANGES[projection.sign_mode]
        weights = network.weights[name]
        outside = weights[(weights < low) | (weights > high)]
        if outside.size:
            limit = f"{projection.sign_mode} weights that learn must start within {low}..{high}"
            found.append(Problem(WHERE, f"{where}: weights", outside.flat[0], limit))
    if numerics != "fixed":
        found += [
            Problem(
                WHERE, f"{where}: {trace}_tau", 0, "in float numerics it must be above 0 (Lava's float model makes NaN of it)"
            )
            for trace in TRACES
            if (trace in rule.used or rule.impulse(trace)) and rule.tau(trace) == 0
        ]
    return found


def third_problems(plastic: Mapping, third: Mapping) -> list[Problem]:
    """Return where third factors are missing or not wanted."""
    found = []
    for name, rule in plastic.items():
        wanted = [trace for trace in THIRD if rule.factors == 3 and trace in rule.used]
        missing = [trace for trace in wanted if trace not in third.get(name, {})]
        if missing:
            found.append(Problem(WHERE, f"third.{name}", "(nothing)", f"its rule of 3 factors reads {', '.join(missing)}"))
    for name, given in third.items():
        if name not in plastic or plastic[name].factors != 3:
            limit = "third factors are for projections with a rule of 3 factors"
            found.append(Problem(WHERE, f"third.{name}", "given", limit))
        else:
            found += [Problem(WHERE, f"third.{name}.{key}", "given", "known: y1, y2, y3") for key in given if key not in THIRD]
    return found


def third_array(key: str, given: object, shape: tuple[int, ...], numerics: str) -> tuple[np.ndarray | None, list[Problem]]:
    """Return a third factor as an array, and what is wrong with it."""
    try:
        array = np.asarray(given)
        numeric = array.dtype.kind in "biuf"
    except ValueError:  # rows of different lengths
        numeric = False
    if not numeric or array.shape != shape:
        text = f"shape {list(array.shape)}" if numeric else type(given).__name__
        return None, [Problem(WHERE, key, text, f"an array [T, B, N_post] = {list(shape)} of numbers is required")]
    if not np.isfinite(array).all():
        return None, [Problem(WHERE, key, "NaN or infinite", "every entry must be finite")]
    if numerics == "fixed":
        odd = array[(array != np.rint(array)) | (array < -LARGEST) | (array >= LARGEST)]
        if odd.size:
            return None, [Problem(WHERE, key, odd.flat[0], "in fixed point third factors are whole numbers of 32 bits")]
    return array, []


def require_learning(image: ChipImage, plastic: Plasticity) -> None:
    """Refuse a chip that cannot learn by these rules.

    Raises:
        CapacityError: it lacks a capability, or its traces or tags have other widths.
    """
    chip = image.chip
    if chip is None:
        return
    found, name = [], f'chip "{chip.name}"'
    missing = chip.missing(NEEDS)
    if missing:
        limit = f"it must offer {', '.join(missing)}, which Lava's learning rules need"
        found.append(Problem(name, "capabilities", ", ".join(chip.capabilities) or "none", limit, "use loihi1"))
    tags = any("dt" in rule.terms or "t" in rule.used for rule in plastic.rules.values())
    for width, bits, needed in (("trace", BITS["x1"], True), ("tag", BITS["t"], tags)):
        if needed and width in chip.widths and chip.width(width) != bits:
            found.append(Problem(name, f"width.{width}", chip.width(width), f"Lava's rules compute with {bits} bits"))
    raise_all(found, CapacityError)
