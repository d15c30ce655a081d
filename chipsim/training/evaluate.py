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
from chipsim.threads import resolve
from chipsim.training.compare import community, comparison
from chipsim.training.examples import load_examples
from chipsim.training.run import uncertainty_summary
from chipsim.training.runfolder import load_weights, read_config
from chipsim.training.tally import Tally
from chipsim.training.timefacts import time_facts, time_warnings
from chipsim.training.trainer import evaluate_accuracy


def evaluate(run_dir: str | Path, threads: int | None = None, data: Any = None) -> dict[str, Any]:
    """Return accuracy, inference counts, energy and time per test sample of the run in `run_dir`.

    threads: as in `train`. data: as in `train`; required if the run was trained on data of your own, else the model's data set.

    Raises:
        ConfigError, DataError: the folder is no finished run, or its data are not there.
    """
    threads = resolve(threads)
    config = read_config(run_dir)
    folder = Path(run_dir)
    if config["run"]["data"] == "given" and data is None:
        limit = "the run was trained on data of your own: give them to cs.evaluate(run_dir, data=...)"
        raise ConfigError(Problem(f'run "{folder}"', "data", "(nothing)", limit))
    network = read(Network, config["model"], f'model of run "{folder}"')
    chip = build_chip(catalog.read_toml(folder / "chip.toml"), config["run"]["chip"])
    network, fractions, numerics = load_weights(folder, network)
    image = compile_network(network, chip, learn=False, numerics=numerics, fractions=fractions)
    examples, tally = load_examples(network, data, None), Tally(image, learned=False)
    accuracy = evaluate_accuracy(image, image.weights, examples.test, examples.test_labels, threads, config["run"]["seed"], tally)
    energy, spread = tally.costs()
    return {
        "run_dir": str(folder), "model": network.name, "chip": chip.name, "numerics": numerics, "seed": config["run"]["seed"],
        "samples": {"test": examples.test.samples}, "accuracy": {"test": accuracy},
        "counts_per_sample": {"forward": tally.counters.per_sample()["forward"]},
        "energy_j_per_sample": energy.per_sample(tally.counters.samples),
        "energy_complete": energy.complete, "unpriced": energy.unpriced,
        "energy_uncertainty": uncertainty_summary(energy, tally.counters.samples),
        **time_facts(tally),
        "time_uncertainty": None if spread is None else spread.summary(tally.counters.samples),
        "comparison": comparison(tally, energy, spread, accuracy, None),
        "neurobench": community(tally, image.tensors(image.weights), examples.test),
        "cores_used": image.cores_used, "warnings": [*chip.assumptions, *time_warnings(tally, chip)],
    }  # fmt: skip
