"""What every shipped rule reaches on the digits with shipped settings, and what a training sample costs: the table of docs/rules.md.

python benchmarks/rule_digits.py            measures what is not stored yet (about 15 minutes in all), one seed, and prints the table
    --write     also puts it into docs/rules.md      --jobs N    processes      --again    measures everything anew
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "rule_digits.json"
PAGE = HERE.parent / "docs" / "rules.md"
BEGIN, END = "<!-- rules: made by benchmarks/rule_digits.py -->", "<!-- end of rules -->"
ROOMY = {"limits.log_words_per_core.value": 20_000, "limits.learning_bits_per_core.value": 10**7}  # what bptt logs


def measure(name: str) -> dict[str, Any]:
    """Train the digits by one rule, seed 1, and return what the table needs."""
    import chipsim as cs
    from chipsim.learning import is_dense

    dense = is_dense(name)
    chip = cs.load_chip("loihi1-ssgd", ROOMY) if dense else "loihi1-ssgd"
    s = cs.train("digits", chip, rule=name, numerics="float32" if dense else "fixed").summary
    keep = ("numerics", "accuracy", "energy_j_per_sample", "time_s_per_sample", "memory_bits", "passes")
    return {key: s[key] for key in keep}


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return the results as a markdown table, in the order of `chipsim rules`."""
    from chipsim.learning import RULES
    from chipsim.report.units import si

    lines = ["| rule | numerics | test accuracy | energy of learning | of all | memory for learning |", "| --- " * 6 + "|"]
    for name in [name for name in RULES if name in found]:
        row, joule = found[name], found[name]["energy_j_per_sample"]
        learning = si(joule["backward"] + joule["update"], "J")
        cells = [name, row["numerics"], f"{100 * row['accuracy']['test']:.1f} %", learning, si(joule["total"], "J")]
        lines.append(f"| {' | '.join(cells)} | {si(row['memory_bits']['learning'], 'bit')} |")
    return "\n".join(lines)


def put(text: str, block: str) -> str:
    """Return the text of the page with the block between the two marks replaced."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{block}\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Measure what is missing, print, and put the table into the page if asked."""
    from chipsim.learning import RULES

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/rules.md")
    parser.add_argument("--again", action="store_true", help="measure everything anew")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() and not options.again else {}
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(measure, name): name for name in RULES if name not in found}
        for future in as_completed(waiting):
            found[waiting[future]] = future.result()
            RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
            print(waiting[future], found[waiting[future]]["accuracy"], flush=True)
    print(table(found))
    if options.write:
        PAGE.write_text(put(PAGE.read_text(), table(found)))


if __name__ == "__main__":
    main()
