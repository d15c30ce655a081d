"""What `chipsim bench` runs: topics and sweeps by name, with the options of the command line checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from chipsim.bench import timing
from chipsim.bench.process import Python, pythons
from chipsim.bench.training import THREADS
from chipsim.errors import ConfigError, Problem, raise_all
from chipsim.overrides import suggest

TOPICS = {"training": "a training step", "chip": "a step of the chip", "rules": "learning rules on the chip, sample by sample",
          "memory": "peak memory of a training step"}  # fmt: skip
SWEEPS = {"hidden": "training", "activity": "training", "steps": "training", "batch": "training",
          "neurons": "chip", "fan-out": "chip", "cores": "chip"}  # fmt: skip
QUICK_ROUNDS = 2


@dataclass(frozen=True)
class Options:
    """What was asked for. topics: in order. places: interpreters to look for peers in; None: no peers. hidden: sizes; none: its own.

    rounds: of each measurement. quick: small sizes, seconds in all. data: folder of further data sets, or None.
    threads: of our rows of a training step beside those with one thread.
    """

    topics: tuple[str, ...]
    places: Sequence[Python] | None
    rounds: int
    hidden: tuple[int, ...]
    quick: bool
    sweep: str | None
    data: Any
    threads: int


def options(  # noqa: PLR0913  the flags of the verb
    topic: str | None, peers: bool, python: Sequence[str], rounds: int | None, hidden: Sequence[int], quick: bool, sweep: str | None,
    data: Any, threads: int | None = None,
) -> Options:  # fmt: skip
    """Return the options, checked.

    Raises:
        ConfigError: one of them is wrong; all problems at once.
    """
    found = named("TOPIC", topic, TOPICS) + named("--sweep", sweep, SWEEPS)
    if rounds is not None and rounds < 1:
        found.append(Problem("command line", "--rounds", rounds, "a whole number of at least 1 is needed"))
    found += [Problem("command line", "--hidden", h, "a layer has 1 to 10000 neurons") for h in hidden if not 1 <= h <= 10000]
    if python and not peers:
        found.append(Problem("command line", "--python", ", ".join(python), "it says where peers are: it needs --peers"))
    if not found and sweep and topic not in (None, SWEEPS[sweep]):
        found.append(Problem("command line", "--sweep", sweep, f"it belongs to {SWEEPS[sweep]}, not to {topic}"))
    if hidden and (sweep in ("hidden", "neurons", "fan-out", "cores") or topic == "chip"):
        found.append(Problem("command line", "--hidden", hidden[0], "it sets the hidden layers of a training step, not of this"))
    found += thread_problems(topic, sweep, threads)
    try:
        places = pythons(python) if peers else None
    except ConfigError as error:
        found += error.problems
    raise_all(found)
    topics = (SWEEPS[sweep],) if sweep else (topic,) if topic else tuple(TOPICS)
    return Options(
        topics, places, rounds or (QUICK_ROUNDS if quick else 7), tuple(hidden), quick, sweep, data, threads or THREADS
    )


def thread_problems(topic: str | None, sweep: str | None, threads: int | None) -> list[Problem]:
    """Return what is wrong with --threads; None: not given."""
    if threads is None:
        return []
    if threads < 1:
        return [Problem("command line", "--threads", threads, "a whole number of at least 1 is needed")]
    if sweep or topic in ("chip", "rules"):
        limit = "only a training step is measured with several threads: topics training and memory"
        return [Problem("command line", "--threads", threads, limit)]
    return []


def named(key: str, name: str | None, known: dict[str, str]) -> list[Problem]:
    """Return the problem of a name that is none of those known."""
    if name is None or name in known:
        return []
    return [Problem("command line", key, name, f"it is one of {', '.join(known)}", suggest(name, known))]


def run(chosen: Options, progress: Any) -> dict[str, Any]:
    """Return the facts of all topics or of the sweep: equality first; "ok" says whether it held everywhere."""
    places = None if chosen.places is None else [{"path": p.path, "version": p.version} for p in chosen.places]
    facts: dict[str, Any] = {
        "machine": timing.machine(), "load_average": timing.load(), "quick": chosen.quick, "rounds": chosen.rounds, "pythons": places,
    }  # fmt: skip
    if chosen.sweep:
        facts["sweep"] = import_module("chipsim.bench.sweep").sweep(chosen, progress)
    else:
        for topic in chosen.topics:
            facts[topic] = topic_of(topic)(chosen, progress)
    parts = [facts["sweep"]] if chosen.sweep else [facts[topic] for topic in chosen.topics]
    facts["ok"] = all(part["ok"] for part in parts)
    return facts


def topic_of(name: str) -> Callable[[Options, Any], dict[str, Any]]:
    """Return the function of a topic; nothing is imported before it runs."""
    return import_module(f"chipsim.bench.topics.{name}").topic
