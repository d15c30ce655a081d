"""A finished run as pricing needs it: its image, its counts, and what happened in every sample; from memory or from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chipsim import catalog
from chipsim.compiler import ChipImage, compile_network
from chipsim.counters import ROW, Counters
from chipsim.errors import ConfigError, DataError, Problem, raise_all
from chipsim.hardware import build_chip
from chipsim.network import Network
from chipsim.schema import read
from chipsim.simulator.memory import activity_of
from chipsim.training.recording import FILE, Recording, kind_of
from chipsim.training.run import Run
from chipsim.training.runfolder import read_config

NUMERICS = ("fixed", "float", "float32", "float64")
FACTS = ("model", "rule", "numerics", "seed", "samples", "passes", "log_words")  # of the summary that pricing hands on


@dataclass(frozen=True)
class Finished:
    """A finished run. recording: None if the folder has none (a run too long to record, or of an older version)."""

    name: str  # in messages
    folder: Path | None
    facts: dict[str, Any]
    image: ChipImage
    counters: Counters
    recording: Recording | None


def finished(run: Run | Finished | str | Path) -> Finished:
    """Return a run as pricing needs it.

    Raises:
        ConfigError, DataError: the folder is no finished run, or a file of it is damaged.
    """
    if isinstance(run, Finished):
        return run
    if isinstance(run, Run):
        facts = {key: run.summary[key] for key in FACTS}
        recording = run.recording if run.recording.whole else None
        return Finished("run", run.run_dir, facts, run.image, run.counters, recording)
    name = f'run "{run}"'
    require_finished(run, name)
    folder, config = Path(run), read_config(run)
    facts = read_summary(folder / "summary.json", name)
    chip = build_chip(catalog.read_toml(folder / "chip.toml"), config["run"]["chip"])
    network = read(Network, config["model"], f"model of {name}")
    if (folder / "initial_weights.npz").is_file():
        network = network.with_weights(read_arrays(folder / "initial_weights.npz", name))
    image = compile_network(network, chip, numerics=facts["numerics"], seed=facts["seed"])
    trained = facts["samples"]["train"] * facts["passes"]
    counters = read_counters(folder / "counters.npz", name, image, trained)
    recording = Recording.load(folder / FILE, name) if (folder / FILE).is_file() else None
    if recording is not None:
        recording.require(trained, facts["passes"], [field.shape for field in activity_of(image.circuit, image.steps)])
    return Finished(name, folder, facts, image, counters, recording)


def require_finished(run: object, name: str) -> None:
    """Refuse what is no folder of a finished run, and say why.

    Raises:
        ConfigError: it is none, or the run was interrupted before its end.
    """
    if not isinstance(run, (str, Path)) or not str(run).strip():
        raise ConfigError(Problem("run", "folder", run, "a Run, or the folder of a finished run, is required"))
    folder = Path(run)
    if not folder.is_dir():
        raise ConfigError(Problem(name, "folder", str(run), "there is no such folder", "chipsim train makes one"))
    if not (folder / "counters.npz").is_file() and (folder / "checkpoint").is_dir():
        limit = "the run was interrupted before its end, so nothing was counted"
        raise ConfigError(
            Problem(name, "counters.npz", "(nothing)", limit, f"chipsim train --init {folder / 'checkpoint'} goes on")
        )
    missing = [f for f in ("config.toml", "chip.toml", "summary.json", "counters.npz") if not (folder / f).is_file()]
    if missing:
        raise ConfigError([Problem(name, file, "(nothing)", "a finished run has this file") for file in missing])


def read_summary(path: Path, name: str) -> dict[str, Any]:
    """Return the facts of summary.json that pricing hands on.

    Raises:
        DataError: it is no JSON object with these keys.
    """
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        facts = {key: summary[key] for key in FACTS}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, RecursionError) as error:
        limit = f"it must be the JSON object of chipsim train, with {', '.join(FACTS)}"
        raise DataError(Problem(name, path.name, f"{type(error).__name__}: {error}", limit)) from None
    raise_all([Problem(name, f"{path.name}: {key}", value, limit) for key, value, limit in fact_problems(facts)], DataError)
    return facts


def fact_problems(facts: dict[str, Any]) -> list[tuple[str, object, str]]:
    """Return (key, value, limit) of every fact of a summary that is not of its kind."""
    found = [(key, facts[key], "it is a name") for key in ("model", "rule") if not isinstance(facts[key], str)]
    if facts["numerics"] not in tuple(NUMERICS):
        found.append(("numerics", facts["numerics"], f"it is one of {', '.join(NUMERICS)}"))
    numbers = {"seed": (facts["seed"], 0), "passes": (facts["passes"], 1)}
    for key, names in {"samples": {"train": 1, "test": 0}, "log_words": {"peak": 0}}.items():
        table = facts[key] if isinstance(facts[key], dict) else {}
        numbers |= {f"{key}.{name}": (table.get(name, "(nothing)"), least) for name, least in names.items()}
    for key, (value, least) in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 1 << 32:
            found.append((key, value, f"it is a whole number from {least} to {(1 << 32) - 1}"))
    return found


def read_arrays(path: Path, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file.

    Raises:
        DataError: the file is damaged.
    """
    try:
        with np.load(path) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:  # a damaged zip makes zipfile, zlib and numpy raise a dozen kinds of error
        raise DataError(Problem(name, path.name, type(error).__name__, "the file cannot be read")) from None


def read_counters(path: Path, name: str, image: ChipImage, trained: int) -> Counters:
    """Return the stored counts, by event; events that this version counts and the run did not are 0. trained: samples of all passes.

    Raises:
        DataError: the file is damaged, or of another network, chip or version, or of another number of samples.
    """
    arrays = read_arrays(path, name)
    missing = [key for key in ("counts", "cores", "events", "samples") if key not in arrays]
    if missing:
        raise DataError(
            [Problem(name, f"counters.npz: {key}", "(nothing)", "the counts of a run have this array") for key in missing]
        )
    keys = [tuple(str(event).split(".")) for event in arrays["events"].ravel()]
    unknown = [".".join(key) for key in keys if key not in ROW]
    if unknown:
        raise DataError(Problem(name, "counters.npz: events", ", ".join(unknown), "this version does not count these"))
    if len(set(keys)) < len(keys):
        twice = sorted({".".join(key) for key in keys if keys.count(key) > 1})
        raise DataError(Problem(name, "counters.npz: events", ", ".join(twice), "an event is counted once"))
    cores, stored = arrays["cores"], arrays["counts"]
    wanted = (len(keys), image.steps, len(image.routes.cores))
    if stored.shape != wanted or not np.array_equal(cores, image.routes.cores):
        limit = f"steps and cores of config.toml and chip.toml give {list(wanted)} on cores {image.routes.cores.tolist()}"
        raise DataError(Problem(name, "counters.npz: counts", f"shape {list(stored.shape)} on cores {cores.tolist()}", limit))
    if stored.dtype.kind not in "iu" or stored.astype(np.int64).min(initial=0) < 0:
        raise DataError(Problem(name, "counters.npz: counts", kind_of(stored), "counts are whole numbers from 0 to 2^63 - 1"))
    samples = arrays["samples"]
    if samples.dtype.kind not in "iu" or samples.shape != () or samples != trained:
        limit = f"samples x passes of summary.json are {trained}"
        raise DataError(Problem(name, "counters.npz: samples", samples.tolist(), limit))
    counts = np.zeros((len(ROW), *wanted[1:]), dtype=np.int64)
    counts[[ROW[key] for key in keys]] = stored
    return Counters(counts, image.routes.cores, trained)
