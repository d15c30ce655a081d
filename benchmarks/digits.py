"""The README's table: accuracy and cost of the digits model, float and fixed, three seeds.

python benchmarks/digits.py            runs everything and prints the table (about 3 minutes)
python benchmarks/digits.py --write    also stores benchmarks/results/digits.json and puts the table into README.md
python benchmarks/digits.py --stored   no run: the table of the stored results (with --write: into README.md)
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "digits.json"
README = HERE.parent / "README.md"
BEGIN, END = "<!-- digits: made by benchmarks/digits.py -->", "<!-- end of digits -->"
SEEDS = (1, 2, 3)
PHASES = ("forward", "backward", "update", "static", "total")
NUMERICS = {"float": "float32, batch 32, Adam", "fixed": "fixed, 8-bit weights, batch 1, SGD on the chip"}


def measure(numerics: str, seed: int) -> dict[str, Any]:
    """Train the digits once and return what the table needs."""
    import chipsim as cs

    run = cs.train("digits", "loihi1-ssgd", numerics=numerics, seed=seed)
    s = run.summary
    keep = ("accuracy", "energy_j_per_sample", "time_s_per_sample", "memory_bits", "cores_used", "activity", "passes", "samples")
    return {"numerics": numerics, "seed": seed, **{key: s[key] for key in keep}}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results as two markdown tables."""
    from chipsim.report.units import percent, si

    lines = [
        "| numerics | " + " | ".join(f"seed {s}" for s in SEEDS) + " | mean test accuracy |",
        "| --- " * (len(SEEDS) + 2) + "|",
    ]
    for numerics, title in NUMERICS.items():
        found = [r["accuracy"]["test"] for r in rows if r["numerics"] == numerics]
        cells = " | ".join(f"{100 * a:.2f} %" for a in found)
        lines.append(f"| {title} | {cells} | {100 * statistics.mean(found):.2f} % |")
    fixed = [r for r in rows if r["numerics"] == "fixed"]
    lines += [
        "",
        "| per training sample, fixed, mean of the seeds | forward | backward | update | static | total |",
        "| --- " * 6 + "|",
    ]
    for title, key, unit in (("energy", "energy_j_per_sample", "J"), ("time", "time_s_per_sample", "s")):
        known = [phase for phase in PHASES if phase in fixed[0][key]]
        means = {phase: statistics.mean(r[key][phase] for r in fixed) for phase in known}
        cells = " | ".join(si(means[phase], unit) if phase in means else "" for phase in PHASES)
        lines.append(f"| {title} | {cells} |")
    low, high = (si(statistics.mean(r["energy_j_per_sample"][end] for r in fixed), "J") for end in ("low", "high"))
    share = statistics.mean(r["energy_j_per_sample"]["assumed_share"] for r in fixed)
    memory = fixed[0]["memory_bits"]
    activity = {name: statistics.mean(r["activity"][name]["active_fraction"] for r in fixed) for name in fixed[0]["activity"]}
    active = ", ".join(f"{percent(share)} of {name}" for name, share in activity.items())
    lines += [
        "",
        f"Energy between {low} and {high} per sample, {percent(share)} of the total on assumed prices (the learning extension); events",
        "without a published price are left out and listed by every run. Memory:",
        f"{si(memory['total'], 'bit')} on {fixed[0]['cores_used']} cores, {percent(memory['learning'] / memory['total'])} for learning.",
        f"Active for learning, mean over training: {active} (share of neurons x steps).",
    ]
    return "\n".join(lines)


def put(text: str, block: str) -> str:
    """Return the README text with the block between the two marks replaced."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> None:
    """Measure or read, print, and store if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the results and put the table into README.md")
    parser.add_argument("--stored", action="store_true", help="print the stored results without running")
    options = parser.parse_args()
    rows = json.loads(RESULTS.read_text()) if options.stored else [measure(n, s) for n in NUMERICS for s in SEEDS]
    print(table(rows))
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
        README.write_text(put(README.read_text(), table(rows)))


if __name__ == "__main__":
    main()
