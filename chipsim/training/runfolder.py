"""Run folders: config, chip, summary, metrics, counters, activity, weights. Written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from chipsim import catalog
from chipsim.compiler import ChipImage
from chipsim.counters import EVENTS
from chipsim.errors import ConfigError, DataError, Problem, raise_all
from chipsim.network import Network, Schedule
from chipsim.training.claim import NUMBER, Claim
from chipsim.training.recording import FILE

if TYPE_CHECKING:
    from chipsim.training.job import Job
    from chipsim.training.run import Run

MOST_NAME = 180  # bytes of the name of a run that the folder of an interrupted one keeps


def write_run(run: Run, job: Job, claim: Claim, init_sha256: str | None) -> None:
    """Write a finished run beside its place, then move it there in one step."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{claim.path.name}.", dir=claim.path.parent))
    try:
        write_start(fresh, job, run.schedule, init_sha256)
        (fresh / "summary.json").write_text(json.dumps(run.summary, indent=1) + "\n")
        write_metrics(fresh, run.metrics)
        c, names = run.counters, np.array([".".join(key) for key in EVENTS])
        np.savez_compressed(fresh / "counters.npz", counts=c.counts, cores=c.cores, events=names, samples=c.samples)
        if run.recording.whole:
            run.recording.save(fresh / FILE)
        save_weights(fresh / "weights.npz", run.image, run.stored)
        fresh.chmod(0o755)
        replace_folder(claim.path, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def replace_folder(place: Path, fresh: Path) -> None:
    """Move the folder `fresh` to `place`; what was there is deleted only after that, and comes back if it fails."""
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    old = aside / "old"
    try:
        if place.exists():
            place.rename(old)
        fresh.rename(place)
    except BaseException:
        if old.exists():
            old.rename(place)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def write_start(folder: Path, job: Job, schedule: Schedule, init_sha256: str | None) -> None:
    """Write everything needed to repeat a run: config, chip, and the weights it started from if they were not drawn."""
    (folder / "config.toml").write_text(tomli_w.dumps(config_of(job, schedule, init_sha256)))
    (folder / "chip.toml").write_text(tomli_w.dumps(without_none(job.chip.table)))
    if job.network.explicit:
        np.savez_compressed(folder / "initial_weights.npz", **job.network.weights)


def write_metrics(folder: Path, metrics: list[dict[str, Any]]) -> None:
    """Write one line per pass."""
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in metrics))


def config_of(job: Job, schedule: Schedule, init_sha256: str | None) -> dict[str, Any]:
    """Return everything needed to repeat a run, as TOML tables."""
    from chipsim import __version__

    run = {
        "version": __version__, "chip": job.chip.name, "numerics": job.numerics, "seed": job.seed,
        "samples": job.examples.train.samples, "data": "given" if job.examples.given else job.network.data.name,
        "weights": "explicit" if job.network.explicit else "drawn with the seed", "init": job.init, "init_sha256": init_sha256,
    }  # fmt: skip
    tables = {"run": run, "schedule": schedule.model_dump(mode="json"), "model": job.network.model_dump(mode="json")}
    return without_none(tables)


def without_none(value: Any) -> Any:
    """Return tables without their empty entries, since TOML has no null; tuples become lists."""
    if isinstance(value, Mapping):
        return {str(k): without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(v) for v in value]
    return value


def save_weights(path: Path, image: ChipImage, stored: dict[str, np.ndarray]) -> None:
    """Write weights as stored, with the fraction bits of each projection (real weight = stored 2^-fraction in fixed point)."""
    np.savez_compressed(path, fractions=np.array(image.formats.weight_fraction), numerics=image.numerics, **stored)


def digest(folder: str | Path) -> str:
    """Return the SHA-256 of the weights of a run folder, which `load_weights` has found to be there."""
    return hashlib.sha256((Path(folder) / "weights.npz").read_bytes()).hexdigest()


def load_weights(folder: str | Path, network: Network) -> tuple[Network, tuple[int, ...], str]:
    """Return (`network` with the weights of a run folder, fraction bits, numerics).

    Raises:
        DataError: there are no weights, the file is damaged, or they are those of another network.
    """
    if not isinstance(folder, (str, Path)) or not str(folder).strip():
        raise DataError(Problem("run", "folder", folder, "the folder of a finished run is required"))
    path = Path(folder) / "weights.npz"
    name = f'run "{folder}"'
    if not path.is_file():
        raise DataError(Problem(name, "weights.npz", "(nothing)", "a finished run has this file"))
    try:
        with np.load(path) as file:
            found = {key: file[key] for key in file.files}
        fractions, numerics = tuple(int(f) for f in found.pop("fractions")), str(found.pop("numerics"))
        scales = [2.0**-f if numerics == "fixed" else 1.0 for f in fractions]
        weights = {key: w.astype(np.float64) * s for (key, w), s in zip(found.items(), scales, strict=True)}
    except Exception as error:  # a damaged zip makes zipfile, zlib and numpy raise a dozen kinds of error
        raise DataError(Problem(name, "weights.npz", type(error).__name__, "the file cannot be read as weights")) from None
    return network.with_weights(weights), fractions, numerics


def read_config(run_dir: str | Path) -> dict[str, Any]:
    """Return the tables of config.toml of a run.

    Raises:
        ConfigError: the folder or a table is not there.
    """
    if not isinstance(run_dir, (str, Path)):
        raise ConfigError(Problem("run", "run_dir", run_dir, "the folder of a finished run is required"))
    name, path = f'run "{run_dir}"', Path(run_dir) / "config.toml"
    if not path.is_file():
        raise ConfigError(Problem(name, "config.toml", "(nothing)", "a finished run has this file"))
    config = catalog.read_toml(path)
    wanted = {"run": ("chip", "seed", "data"), "model": ("population",)}
    tables = {key: table if isinstance(table, dict) else {} for key, table in config.items()}
    missing = [f"{table}.{key}" for table, keys in wanted.items() for key in keys if key not in tables.get(table, {})]
    raise_all([Problem(name, f"config.toml: {key}", "(nothing)", "a finished run has this key") for key in missing])
    return config


def interrupted(
    claim: Claim | None,
    job: Job,
    init_sha256: str | None,
    image: ChipImage,
    weights: np.ndarray,
    metrics: list,
    schedule: Schedule,
) -> KeyboardInterrupt:
    """Save the weights so far, never into an older run, and return the interrupt that says where."""
    after = f"interrupted after {len(metrics)} whole passes"
    if claim is None:
        return KeyboardInterrupt(f"{after}; nothing was written (no run folder was asked for)")
    kept = claim.path.name.encode()[:MOST_NAME].decode(errors="ignore")
    fresh = claim.path.with_name(f"{kept}-interrupted-{NUMBER}")
    folder = Claim(fresh, False).path if claim.old else claim.path
    write_start(folder, job, schedule, init_sha256)
    place = folder / "checkpoint"
    place.mkdir()
    save_weights(place / "weights.npz", image, image.tensors(weights))
    write_metrics(place, metrics)
    return KeyboardInterrupt(f"{after}; weights saved, go on with --init {place}")
