"""Learning rules beside each other on Fashion-MNIST: how far their updates follow the exact gradient, and what they reach.

python benchmarks/rule_study.py              what is not stored yet is measured and stored in benchmarks/results/rule_study.json
    --write     also puts both tables into docs/rule-study.md
    --jobs N    processes                    --minutes M    start nothing more after M minutes; the next call goes on
    --only alignment|accuracy                --quick        a tenth of everything, stored in the folder for temporary files
The data are the four files of Fashion-MNIST, in the folder fashion_mnist of CHIPSIM_DATA (or in that folder itself).
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rule_tables import RESULTS, accuracy_table, alignment_table, put_into_page

import chipsim as cs
from chipsim.datasets.encoders import latency
from chipsim.events import Events
from chipsim.learning import RULES, is_dense, rule_object

SIZES, STEPS, TAU, GAIN = (784, 200, 200, 10), 60, 10.0, 1.903
TAU_CODE, THRESHOLD = 20.0, 0.2
SURROGATES = {"paper": 0.2, "box": 0.2, "triangle": 0.5}  # name: half width
SHARPNESS = 10
CHIP = "loihi1-ssgd"
ROOMY = {"limits.log_words_per_core.value": 100_000, "limits.learning_bits_per_core.value": 10**8}  # for the logs of dense rules
FULL = {
    "train": 2000, "test": 1000, "passes": 4, "seeds": [1, 2, 3], "aligned": 64, "replayed": 4000, "ratios": [1e-3, 3e-3, 1e-2],
}  # fmt: skip
QUICK = {"train": 200, "test": 100, "passes": 1, "seeds": [1], "aligned": 8, "replayed": 200, "ratios": [3e-3]}
HELD_OUT, TUNING_PASSES, HEAVY_SHARE = 4, 2, 4  # a quarter of the training images; passes of a trial; less images for heavy rules
HALVE, ADAM = 2, {"batch": 32, "optimiser": "adam", "rate": 2e-3}


def variants(name: str, signals: bool) -> dict[str, dict[str, Any]]:
    """Return the rows of a rule, {title: options of learning}; signals: with every signal that can take the place of its own."""
    rule = rule_object(name)
    learn, plain = getattr(rule, "learn", None), {"rule": name}
    if learn is None or learn.source not in ("sym", "dfa"):
        return {name: plain}
    own = f"{name} {learn.source}" + (f" {learn.align}" if learn.align else "")
    if not signals:
        return {own: plain}
    found = {own: plain}
    for align in ("next", "same") if learn.source == "sym" else (learn.align or "next",):
        for source in ("sym", "sym-trace", "fa", "dfa", "sdfa") if name == "ssgd-online" else ("sym", "dfa"):
            found.setdefault(f"{name} {source} {align}", plain | {"signal": source, "align": align})
    return found


def follows_gradient(name: str) -> bool:
    """Return whether an online rule gives hidden layers a learning signal."""
    rule = rule_object(name)
    learn = getattr(rule, "learn", None)
    if learn is None or learn.source == "none":
        return False
    return any(rule.fields.get(a) is learn for hook in rule.hooks if hook.event != "on_readout" for a in hook.arguments)


def alignment_rows() -> dict[str, dict[str, Any]]:
    """Return the rows of the first table; a rule with a write policy of its own has one row, and a gradient like its relatives'."""
    names = [name for name in RULES if follows_gradient(name)]
    return {title: row for name in names for title, row in variants(name, not rule_object(name).write).items()}


def accuracy_rows() -> dict[str, dict[str, Any]]:
    """Return the rows of the second table; numerics is no option of learning."""
    found = {"ssgd-replay": {"rule": "ssgd-replay"}, "ssgd-replay, in place": {"rule": "ssgd-replay", "apply": "inplace"},
             "ssgd-replay, float32, Adam": {"rule": "ssgd-replay", "numerics": "float32"}}  # fmt: skip
    for name in RULES:
        if is_dense(name):
            found[f"{name}, float32, Adam"] = {"rule": name, "numerics": "float32"}
        elif name != "ssgd-replay":
            found |= variants(name, False)
        if name == "ssgd-online":
            found |= {f"{name} sym same": {"rule": name, "align": "same"}, f"{name} dfa next": {"rule": name, "signal": "dfa"}}
    return found


def heavy(name: str) -> bool:
    """Return whether a rule visits every synapse in every step: it then runs with one seed, and trials of its rate are shorter."""
    return any(type(f).__name__ == "SynState" for f in getattr(rule_object(name), "fields", {}).values())


def surrogates_of(name: str) -> list[str]:
    """Return the surrogates that make a difference to a rule: without one, the box stands for all."""
    fields = getattr(rule_object(name), "fields", None)
    return list(SURROGATES) if fields is None or any(type(f).__name__ == "Active" for f in fields.values()) else ["box"]


def images(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return intensities [B, 784] and labels of "train" or "t10k"."""
    root = os.environ.get("CHIPSIM_DATA")
    folders = [folder for folder in (Path(root) / "fashion_mnist", Path(root)) if folder.is_dir()] if root else []
    name = f"{part}-images-idx3-ubyte.gz"
    folder = next((f for f in folders if (f / name).is_file()), None)
    if folder is None:
        raise SystemExit(f"CHIPSIM_DATA = {root}: Fashion-MNIST is required ({name} there, or in its folder fashion_mnist)")
    pixels = np.frombuffer(gzip.decompress((folder / name).read_bytes()), dtype=np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), dtype=np.uint8, offset=8)
    return pixels.reshape(len(labels), -1) / 255.0, labels.astype(np.int64)


def drawn(part: str, first: int, count: int) -> tuple[Events, np.ndarray]:
    """Return `count` images of a fixed random order, from number `first` on, as spikes, and their labels."""
    x, y = images(part)
    chosen = np.random.default_rng(0).permutation(len(x))[first : first + count]
    return latency(x[chosen], STEPS, TAU_CODE, THRESHOLD), y[chosen]


def network(surrogate: str, row: dict[str, Any], seed: int = 1, **schedule: Any) -> cs.Network:
    """Return the network of the study with the options of a row."""
    names = ("input", "hidden1", "hidden2", "out")
    kinds = (
        {"neuron": "input"},
        *[{"neuron": "delta-lif", "tau_ms": TAU}] * 2,
        {"neuron": "leaky-readout", "tau_ms": TAU, "readout": "sum"},
    )
    return cs.Network(
        name="study", steps=STEPS, seed=seed,
        population=[{"name": n, "size": size, **kind} for n, size, kind in zip(names, SIZES, kinds, strict=True)],
        projection=[{"pre": a, "post": b, "gain": GAIN} for a, b in zip(names, names[1:], strict=False)],
        learning={"surrogate": surrogate, "half_width": SURROGATES[surrogate], **row},
        schedule={"float" if schedule.get("optimiser") == "adam" else "fixed": schedule} if schedule else {},
    )  # fmt: skip


def align(surrogate: str, trained: bool, size: dict[str, Any]) -> dict[str, list[float]]:
    """Return for every row the cosines of its update with the exact gradient of the loss per step, input side first."""
    weights = None
    if trained:
        data = drawn("train", size["aligned"], size["replayed"])
        made = network(surrogate, {"rule": "ssgd-replay"}, passes=1, calibrate=1e-3)
        weights = cs.train(made, CHIP, (*data, *drawn("t10k", 0, 10))).weights
    x, y = drawn("train", 0, size["aligned"])

    def update(row: dict[str, Any]) -> dict[str, np.ndarray]:
        made = network(surrogate, {"sharpness": SHARPNESS, **row})
        return cs.gradients(made, x, y, rule=row["rule"], weights=weights).weights

    of_steps, found = update({"rule": "ssgd-replay", "loss": "step"}), {}
    of_scores = update({"rule": "ssgd-replay", "sharpness": None})
    for title, row in alignment_rows().items():
        late = rule_object(row["rule"]).learn.source == "deferred"  # it waits for the class scores and follows their loss
        ours, exact = update(row | {"sharpness": None} if late else row), of_scores if late else of_steps
        found[title] = [cosine(ours[name], exact[name]) for name in exact]
    return found


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return the cosine of two arrays; 0 where one of them is 0."""
    sizes = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / sizes if sizes else 0.0


def reach(title: str, surrogate: str, size: dict[str, Any]) -> dict[str, Any]:
    """Tune the rate of a row on a part of the training images, then train it with every seed; return what was found."""
    row = dict(accuracy_rows()[title])
    numerics = row.pop("numerics", "fixed")
    slow, fixed = heavy(row["rule"]), numerics == "fixed"
    x, y = drawn("train", 0, size["train"])
    kept, count = len(y) - len(y) // HELD_OUT, (len(y) - len(y) // HELD_OUT) // (HEAVY_SHARE if slow else 1)
    tuning = (x.take(np.arange(count)), y[:count], x.take(np.arange(kept, len(y))), y[kept:])

    def run(data: tuple, seed: int, **schedule: Any):
        chip = cs.load_chip(CHIP, ROOMY) if is_dense(row["rule"]) else CHIP
        return cs.train(network(surrogate, row, seed, **schedule), chip, data, rule=row["rule"], numerics=numerics, seed=seed)

    trials = {}
    for c in size["ratios"] if fixed and len(size["ratios"]) > 1 else []:
        trials[f"{c:g}"] = run(tuning, 1, passes=TUNING_PASSES, calibrate=c).accuracy.test
    best = max(trials, key=trials.get) if trials else f"{size['ratios'][0]:g}"
    schedule = {"passes": size["passes"]} | ({"calibrate": float(best), "halve_every": HALVE} if fixed else ADAM)
    data, found = (x, y, *drawn("t10k", 0, size["test"])), []
    for seed in size["seeds"][: 1 if slow else None]:
        done = run(data, seed, **schedule)
        found.append({"seed": seed, "test": done.accuracy.test, "train": done.accuracy.train, "shifts": done.schedule.shifts})
    return {"ratio": best if fixed else None, "held_out": trials, "runs": found}


def jobs(only: str | None, done: dict[str, Any]) -> list[tuple]:
    """Return what is to be measured, the longest first; `done`: what is stored, by key."""
    found = []
    if only != "alignment":
        rows = accuracy_rows().items()
        found += [("accuracy", title, s) for title, row in rows for s in surrogates_of(row["rule"])]
        found.sort(key=lambda job: not heavy(accuracy_rows()[job[1]]["rule"]))
    if only != "accuracy":
        found += [("alignment", s, state) for s in SURROGATES for state in ("trained", "start")]
    wanted = set(alignment_rows())
    return [j for j in found if (stored := done.get("|".join(j))) is None or (j[0] == "alignment" and set(stored) != wanted)]


def measure(job: tuple, size: dict[str, Any]) -> tuple[Any, float]:
    """Do one job in a process of its own; return what it found and the CPU seconds it took."""
    before = time.process_time()
    found = align(job[1], job[2] == "trained", size) if job[0] == "alignment" else reach(job[1], job[2], size)
    return found, round(time.process_time() - before, 1)


def study(options: argparse.Namespace, size: dict[str, Any], file: Path) -> dict[str, Any]:
    """Measure what is missing; return everything. What is done is stored at once, so that a run can be broken off."""
    stored = json.loads(file.read_text()) if file.exists() else {"conditions": size, "cells": {}, "cpu_seconds": {}}
    if stored["conditions"] != size:
        raise SystemExit(f"{file} holds results under other conditions: {stored['conditions']}; remove it to measure anew")
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
    begun, todo, failed = time.monotonic(), jobs(options.only, stored["cells"]), []
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(measure, job, size): job for job in todo}
        for n, future in enumerate(as_completed(waiting), start=1):
            key = "|".join(waiting[future])
            if future.cancelled():
                continue
            if error := future.exception():
                failed.append(f"{key}: {error}")
            else:
                stored["cells"][key], stored["cpu_seconds"][key] = future.result()
                save(file, stored)
            print(f"{n} of {len(todo)}, {time.monotonic() - begun:.0f} s: {failed[-1] if error else key}", flush=True)
            if time.monotonic() - begun > 60 * options.minutes:
                for other in waiting:
                    other.cancel()
    left = jobs(options.only, stored["cells"])
    if left:
        raise SystemExit("\n".join([f"not done yet: {len(left)} of the table; call again to go on", *failed]))
    return stored


def save(file: Path, stored: dict[str, Any]) -> None:
    """Write the results, sorted, in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
    draft.replace(file)


def main() -> None:
    """Measure, print the tables, and put them into the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/rule-study.md")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of everything, to try the script; not stored with the results"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--minutes", type=float, default=1e9, help="start nothing more after so many minutes")
    parser.add_argument("--only", choices=("alignment", "accuracy"), help="one of the two tables")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("--quick measures too little to be shown: leave out --write")
    file = Path(tempfile.gettempdir()) / "chipsim-rule-study-quick.json" if options.quick else RESULTS
    stored = study(options, QUICK if options.quick else FULL, file)
    for table in (alignment_table, accuracy_table):
        if options.only is None or table.__name__.startswith(options.only):
            print(table(stored), end="\n\n")
    if options.write:
        put_into_page(stored)


if __name__ == "__main__":
    main()
