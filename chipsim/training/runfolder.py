"""Run folders: config.toml, chip.toml, summary.json, metrics.jsonl, counters.npz, weights.npz. Written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from chipsim.compiler import ChipImage
from chipsim.counters import EVENTS
from chipsim.errors import ConfigError, DataError, Problem

if TYPE_CHECKING:
    from chipsim.training.job import Job
    from chipsim.training.run import Run


def claim(out: str | Path, force: bool) -> Path:
    """Return the run folder to write.

    Raises:
        ConfigError: it exists (and `force` is not given), or it exists and is no run folder, or it could not be written.
    """
    folder = Path(out)
    if folder.exists() and not force:
        raise ConfigError(Problem("run folder", "out", str(folder), "it exists; it is never overwritten without --force"))
    if folder.exists() and not (folder.is_dir() and ((folder / "config.toml").exists() or not any(folder.iterdir()))):
        raise ConfigError(Problem("run folder", "out", str(folder), "--force replaces run folders only, and this is none"))
    above = next(p for p in folder.absolute().parents if p.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise ConfigError(Problem("run folder", "out", str(folder), f"{above} is not a folder that can be written"))
    return folder


def write_run(run: Run, job: Job, force: bool) -> None:
    """Write a finished run beside its place, then move it there in one step."""
    folder = run.run_dir
    fresh = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    (fresh / "config.toml").write_text(tomli_w.dumps(config_of(job, run)))
    (fresh / "chip.toml").write_text(tomli_w.dumps(without_none(job.chip.table)))
    (fresh / "summary.json").write_text(json.dumps(run.summary, indent=1) + "\n")
    (fresh / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in run.metrics))
    names = np.array([".".join(key) for key in EVENTS])
    np.savez_compressed(
        fresh / "counters.npz", counts=run.counters.counts, cores=run.counters.cores, events=names, samples=run.counters.samples
    )
    save_weights(fresh / "weights.npz", run.image, run.stored)
    if folder.exists() and force:
        shutil.rmtree(folder)
    fresh.rename(folder)


def config_of(job: Job, run: Run) -> dict[str, Any]:
    """Return everything needed to repeat a run, as TOML tables."""
    return without_none({
        "run": {"chip": job.chip.name, "numerics": job.numerics, "seed": job.seed, "samples": job.examples.train.samples},
        "schedule": run.schedule.model_dump(mode="json"),
        "model": job.network.model_dump(mode="json"),
    })  # fmt: skip


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


def load_weights(folder: str | Path) -> tuple[dict[str, np.ndarray], tuple[int, ...], str]:
    """Return ({population: [N_pre, N_post] float64 in units of the threshold}, fraction bits, numerics) of a run folder.

    Raises:
        DataError: there are no weights, or the file is damaged.
    """
    path = Path(folder) / "weights.npz"
    try:
        with np.load(path) as file:
            found = {name: file[name] for name in file.files}
        fractions, numerics = tuple(int(f) for f in found.pop("fractions")), str(found.pop("numerics"))
    except FileNotFoundError:
        raise DataError(Problem(f'run "{folder}"', "weights.npz", "(nothing)", "a finished run has this file")) from None
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            Problem(f'run "{folder}"', "weights.npz", type(error).__name__, "the file cannot be read as weights")
        ) from None
    scales = [2.0**-f if numerics == "fixed" else 1.0 for f in fractions]
    return {name: w.astype(np.float64) * s for (name, w), s in zip(found.items(), scales, strict=True)}, fractions, numerics


def interrupted(folder: Path | None, image: ChipImage, weights: np.ndarray, metrics: list[dict[str, Any]]) -> KeyboardInterrupt:
    """Save the weights so far, and return the interrupt that says where."""
    if folder is None:
        return KeyboardInterrupt(
            f"interrupted after {len(metrics)} whole passes; nothing was written (no run folder was asked for)"
        )
    place = folder / "checkpoint"
    place.mkdir(parents=True, exist_ok=True)
    save_weights(place / "weights.npz", image, image.tensors(weights))
    (place / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in metrics))
    return KeyboardInterrupt(f"interrupted after {len(metrics)} whole passes; weights saved, go on with --init {place}")
