"""cs.evaluate: test accuracy, inference counts and cost of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chipsim import catalog
from chipsim.compiler import compile_network
from chipsim.errors import ConfigError, Problem
from chipsim.hardware import build_chip
from chipsim.network import Network
from chipsim.schema import read
from chipsim.training.examples import load_examples
from chipsim.training.runfolder import load_weights
from chipsim.training.tally import Tally
from chipsim.training.trainer import evaluate_accuracy


def evaluate(run_dir: str | Path, threads: int = 1) -> dict[str, Any]:
    """Return accuracy, inference counts, energy and time per test sample of the run in `run_dir`.

    Raises:
        ConfigError, DataError: the folder is no finished run, or its data set is not there.
    """
    folder = Path(run_dir)
    if not (folder / "config.toml").is_file():
        raise ConfigError(Problem(f'run "{folder}"', "config.toml", "(nothing)", "a finished run has this file"))
    config = catalog.read_toml(folder / "config.toml")
    network = read(Network, config["model"], f'model of run "{folder}"')
    chip = build_chip(catalog.read_toml(folder / "chip.toml"), config["run"]["chip"])
    weights, fractions, numerics = load_weights(folder)
    image = compile_network(network.with_weights(weights), chip, learn=False, numerics=numerics, fractions=fractions)
    examples, tally = load_examples(network, None, None), Tally(image, learned=False)
    accuracy = evaluate_accuracy(image, image.weights, examples.test, examples.test_labels, threads, tally)
    energy = tally.energy()
    return {
        "run_dir": str(folder), "model": network.name, "chip": chip.name, "numerics": numerics, "seed": config["run"]["seed"],
        "samples": {"test": examples.test.samples}, "accuracy": {"test": accuracy},
        "counts_per_sample": {"forward": tally.counters.per_sample()["forward"]},
        "energy_j_per_sample": energy.per_sample(tally.counters.samples),
        "energy_complete": energy.complete, "unpriced": energy.unpriced,
        "time_s_per_sample": tally.time.per_sample(tally.counters.samples),
        "cores_used": image.cores_used, "warnings": list(chip.assumptions),
    }  # fmt: skip
