"""What a run needs before it starts: network, chip, schedule, data as events. Everything wrong with it is said here."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

from chipsim.compiler import fit, numerics_problems
from chipsim.errors import ConfigError, Problem, raise_all
from chipsim.events import require_binary
from chipsim.hardware import Chip, as_chip
from chipsim.learning import rule_name
from chipsim.network import Network, Schedule, as_network
from chipsim.threads import problems as thread_problems
from chipsim.threads import resolve
from chipsim.training.examples import Examples, load_examples

BATCH_LIMIT = "on the chip weights are written after every sample: only batch 1 with optimiser 'sgd', 'sign' or 'momentum' exists"
ADAM_LIMIT = (
    "on the chip there is no square root and no division for every synapse: 'sgd', 'sign' or 'momentum' (adam is for float)"
)
INPLACE_LIMIT = "learning.apply = 'inplace' has no accumulators, which {} needs: use 'sgd'"
DEFAULT_SCHEDULE = {
    "fixed": Schedule(passes=10, batch=1, optimiser="sgd", halve_every=2),
    "float": Schedule(passes=10, batch=32, optimiser="adam", rate=2e-3),
}


@dataclass(frozen=True)
class Job:
    """A run that can start."""

    network: Network
    chip: Chip
    numerics: str
    seed: int
    schedule: Schedule
    examples: Examples
    threads: int
    init: str | None = None  # run folder whose final weights it starts from


def prepare(model: Network | str, chip: Chip | str, data: Any, rule: Any, numerics: str, seed: int, passes: int | None,
            samples: int | None, threads: int | None, what_if: bool) -> Job:  # fmt: skip
    """Resolve and check the arguments of `train`.

    Raises:
        ConfigError, DataError: with everything that is wrong with the arguments, the model, the chip or the data.
    """
    raise_all(argument_problems(rule, numerics, seed, passes, samples, threads))
    network, chip = as_network(model), as_chip(chip, what_if)
    rule = network.learning.rule if rule is None else rule_name(rule)
    numerics = "float32" if numerics == "float" else numerics
    kind = "fixed" if numerics == "fixed" else "float"
    schedule = network.schedule.get(kind, DEFAULT_SCHEDULE[kind])
    schedule = schedule if passes is None else schedule.model_copy(update={"passes": passes})
    raise_all(schedule_problems(network, schedule, kind))
    network = network if network.learning.rule == rule else network.but(learning={**network.learning.model_dump(), "rule": rule})
    raise_all(numerics_problems(network, numerics))
    fit(network, chip)
    examples = load_examples(network, data, samples)
    if kind == "fixed":
        for events in (examples.train, examples.test):
            require_binary(events, "fixed point sends 0/1 spikes")
    return Job(network, chip, numerics, seed, schedule, examples, resolve(threads))


def argument_problems(
    rule: object, numerics: str, seed: int, passes: int | None, samples: int | None, threads: int | None
) -> list[Problem]:
    """Return what is wrong with the plain arguments of `train`."""
    found, name = [], "run"
    found += rule_problems(rule)
    if numerics not in ("fixed", "float", "float32", "float64"):
        found.append(Problem(name, "numerics", numerics, "it must be one of fixed, float, float32, float64"))
    if not (isinstance(seed, Integral) and 0 <= seed < 2**32):
        found.append(Problem(name, "seed", seed, "it must be a whole number from 0 to 4294967295"))
    return found + count_problems(passes=passes, samples=samples) + thread_problems(threads)


def rule_problems(rule: object) -> list[Problem]:
    """Return why a rule cannot be used; None: the model's own."""
    try:
        rule_name("ssgd-replay" if rule is None else rule)
    except ConfigError as error:
        return list(error.problems)
    return []


def count_problems(**counts: int | None) -> list[Problem]:
    """Return which of some counts is given and no whole number of at least 1."""
    return [
        Problem("run", key, value, "it must be a whole number of at least 1")
        for key, value in counts.items()
        if value is not None and not (isinstance(value, Integral) and value >= 1)
    ]


def schedule_problems(network: Network, schedule: Schedule, kind: str) -> list[Problem]:
    """Return what is impossible in a schedule."""
    name, key, found = f'network "{network.name}"', f"schedule.{kind}", []
    if kind == "fixed":
        return fixed_problems(network, schedule)
    if network.learning.apply == "inplace":
        limit = "float numerics write after a batch; in-place writes exist in fixed point only"
        found.append(Problem(name, "learning.apply", network.learning.apply, limit))
    if schedule.rate is None:
        found.append(Problem(name, f"{key}.rate", "(nothing)", "a learning rate is required in float numerics"))
    for option in ("shifts", "halve_every"):
        if getattr(schedule, option):
            limit = "only fixed point has power-of-two rates; float takes rate"
            found.append(Problem(name, f"{key}.{option}", getattr(schedule, option), limit))
    return found


def fixed_problems(network: Network, schedule: Schedule) -> list[Problem]:
    """Return what the chip cannot do of a schedule."""
    name, key, found = f'network "{network.name}"', "schedule.fixed", []
    if schedule.batch != 1:
        found.append(Problem(name, f"{key}.batch", schedule.batch, BATCH_LIMIT))
    if schedule.optimiser == "adam":
        found.append(Problem(name, f"{key}.optimiser", "adam", ADAM_LIMIT))
    elif schedule.optimiser != "sgd" and network.learning.apply == "inplace":
        found.append(Problem(name, f"{key}.optimiser", schedule.optimiser, INPLACE_LIMIT.format(schedule.optimiser)))
    if schedule.rate is not None:
        limit = "rates on the chip are powers of two: give shifts (rate 2^-s per projection) or leave it to calibrate"
        found.append(Problem(name, f"{key}.rate", schedule.rate, limit))
    if schedule.shifts is not None and len(schedule.shifts) != len(network.projections):
        limit = f"one shift per projection is required ({len(network.projections)})"
        found.append(Problem(name, f"{key}.shifts", schedule.shifts, limit))
    return found
