"""Tables and pictures of docs/performance.md, from benchmarks/results/bench.json.

python benchmarks/performance_page.py --run --peers --python PATH    measures everything anew and renews the page (hours with peers)
python benchmarks/performance_page.py --run chip sweep-cores         only these parts; the others stay as stored
python benchmarks/performance_page.py                                 no run: page and pictures from what is stored

Every part is what one call of `chipsim bench --json` gave, with its own machine, load and rounds, stored as soon as it is there. A
part whose equality fails is not stored. Prose of the page is written by hand; what lies between two marks is made here.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from textwrap import shorten
from typing import Any

from chipsim.bench import plots
from chipsim.bench.run import SWEEPS, TOPICS
from chipsim.bench.text import PHASES, figure, times
from chipsim.cli import main as chipsim

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "bench.json"
PAGE = HERE.parent / "docs" / "performance.md"
PICTURES = PAGE.parent / "performance"
MARKS = "<!-- {}: made by benchmarks/performance_page.py -->\n", "<!-- end of {} -->"
PARTS = (*(topic for topic in TOPICS if topic != "memory"), *(f"sweep-{over}" for over in SWEEPS))  # training measures memory too
PLACES = re.compile(r"( in|,) /\S+ \(Python [0-9.]+\)")  # where peers were looked for: of one machine
QUICK = "**Smoke test, nothing to quote**: small sizes (`--quick`)."

Stored = dict[str, dict[str, Any]]


def measure(part: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what `chipsim bench` says about a part, without what is of one machine's folders only.

    Raises:
        SystemExit: it failed, or equality did.
    """
    over = part.removeprefix("sweep-")
    arguments = ["bench", *(["--sweep", over] if over != part else [part]), "--json", *(["--quick"] if options.quick else [])]
    arguments += ["--peers"] if options.peers else []
    arguments += [word for path in options.python or () for word in ("--python", path)]
    arguments += ["--rounds", str(options.rounds)] if options.rounds else []
    text = io.StringIO()
    with redirect_stdout(text):
        code = chipsim(arguments)
    if code:
        raise SystemExit(f"{part}: chipsim {' '.join(arguments)} ended with {code}; it is not stored")
    facts = json.loads(text.getvalue())
    if "sweep" in facts:  # of its cases what the page shows: the points have the figures
        keys = ("rounds", "absent", "load_average_before", "load_average_after")
        facts["sweep"]["cases"] = [
            {"comparisons": len(c["equality"]), **{k: c[k] for k in keys}} for c in facts["sweep"]["cases"]
        ]
    return without_places({key: value for key, value in facts.items() if key not in ("pythons", "files", "verb", "schema")})


def without_places(value: Any) -> Any:
    """Return facts without the paths of interpreters."""
    if isinstance(value, dict):
        return {key: without_places(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_places(one) for one in value]
    return PLACES.sub("", value) if isinstance(value, str) else value


def rows(columns: tuple[str, ...], cells: list[tuple[str, ...]]) -> list[str]:
    """Return a markdown table."""
    return [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *(f"| {' | '.join(row)} |" for row in cells), ""]


def named(one: dict[str, Any]) -> str:
    """Return the name of a subject."""
    return f"**chipsim {one['name']}**" if one["kind"] == "chipsim" else one["name"]


def said(facts: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """Return what was compared, who was absent, and the load."""
    found = [f"{len(case['equality'])} comparisons before, all ok. Load average {case['load_average_before'][0]:g} before, "
             f"{case['load_average_after'][0]:g} after; {facts['rounds']} rounds."]  # fmt: skip
    absent = [f"{one['name']} ({shorten(one['reason'], 160)})" for one in case["absent"]]
    return [*found, *([f"Left out: {'; '.join(absent)}."] if absent else []), ""]


def machines(stored: Stored) -> Iterator[str]:
    """Yield what every part was measured on."""
    cells = []
    for part, facts in stored.items():
        m = facts["machine"]
        what = f"{facts['version']}, Python {m['python']}, numpy {m['numpy']}, numba {m['numba']}"
        how = f"{facts['rounds']}{', quick' if facts['quick'] else ''}"
        cells.append((part, m["cpu"], str(m["cpus"]), what, f"{facts['load_average'][0]:g}", how))
    yield from rows(("part", "processor", "CPUs", "chipsim", "load average", "rounds"), cells)
    if any(facts["quick"] for facts in stored.values()):
        yield from (QUICK, "")


def training(stored: Stored) -> Iterator[str]:
    """Yield times of a training step, case by case."""
    facts = stored["training"]
    for n, case in enumerate(facts["training"]["cases"], start=1):
        yield from (f"### {case['workload']['name']}", "")
        cells = []
        for one in case["subjects"]:
            t, ratio, speedup = one["time"], one["ratio"], one.get("speedup_wall")
            spent = [figure(t[phase]["cpu_ms"], 4) for phase in PHASES] + [
                figure(t["total"][key], 4) for key in ("cpu_ms_min", "wall_ms")
            ]
            quick = times(speedup["total"]) if speedup else ""
            cells.append((named(one), *spent, *(times(ratio[phase]) for phase in PHASES), quick))
        yield from rows(("subject", "forward, CPU ms", "backward", "total", "least", "total, wall ms", "ratio, forward", "backward",
                         "total", "speed-up by threads, wall"), cells)  # fmt: skip
        yield from said(facts, case)
        yield from (f"![Time and memory of a training step by subject](performance/training-{n}.png)", "")
    yield from (f"Skipped: {one['name']}: {one['reason']}.\n" for one in facts["training"]["skipped"])


def limits(stored: Stored) -> Iterator[str]:
    """Yield the shares of the roofline."""
    cells = []
    for case in stored["training"]["training"]["cases"]:
        for one in (s for s in case["subjects"] if "roofline" in s):
            found, rate = one["roofline"], one["roofline"]["rates_per_s"]
            known = [(figure(found[p]["limit_ms"], 3), figure(one["time"][p]["cpu_ms"], 3), f"{found[p]['share']:.0%}",
                      f"{found[p]['share_best']:.0%}") for p in PHASES[:2]]  # fmt: skip
            cells.append(
                (case["workload"]["name"], one["name"], f"{rate['add'] / 1e9:.3g}, {rate['rmw'] / 1e9:.3g}", *known[0], *known[1])
            )
    yield from rows(("workload", "chipsim", "G additions per s: gather, scatter", "forward: limit ms", "CPU ms", "share", "best",
                     "backward: limit ms", "CPU ms", "share", "best"), cells)  # fmt: skip


def memory(stored: Stored) -> Iterator[str]:
    """Yield the peak memory of a training step by subject, one column per workload."""
    cases = stored["training"]["training"]["cases"]
    found: dict[str, dict[int, str]] = {}
    for n, case in enumerate(cases):
        for one in case["subjects"]:
            mark = "" if one["peak_comparable"] else "*"
            found.setdefault(named(one), {})[n] = f"{figure(one['memory_mb'], 3)}{mark} ({times(one['memory_ratio'])})"
    cells = [(name, *(by.get(n, "") for n in range(len(cases)))) for name, by in found.items()]
    yield from rows(("MB (ratio)", *(case["workload"]["name"] for case in cases)), cells)


def chip(stored: Stored) -> Iterator[str]:
    """Yield the steps per second of workload B, case by case."""
    facts = stored["chip"]
    for n, case in enumerate(facts["chip"]["cases"], start=1):
        yield from (f"### {case['name']}", "")
        cells = [(f"**{one['name']}**" if one["name"].startswith("chipsim") else one["name"], figure(one["steps_per_s"], 4),
                  figure(one["steps_per_s_best"], 4), figure(one["steps_per_s_cpu"], 4), times(one["ratio"]), times(one["ratio_cpu"]))
                 for one in case["subjects"]]  # fmt: skip
        yield from rows(("subject", "steps/s", "best", "by CPU time", "ours over it", "by CPU time"), cells)
        yield from said(facts, case)
        yield from (f"![Steps per second by subject](performance/chip-{n}.png)", "")


def rules(stored: Stored) -> Iterator[str]:
    """Yield the samples per second of every rule."""
    facts = stored["rules"]
    for case in facts["rules"]["cases"]:
        yield from (f"### {case['name'][:1].upper()}{case['name'][1:]}", "")
        cells = [(f"`{one['rule']}`", figure(one["samples_per_s"], 4), figure(one["samples_per_s_cpu"], 4),
                  figure(one["active_per_sample"], 4), figure(one["ns_per_active"], 4), f"{one['learning_share']:.0%}")
                 for one in case["rules"]]  # fmt: skip
        yield from rows(
            ("rule", "samples/s", "by CPU time", "active events per sample", "ns per active event", "learning"), cells
        )
        yield from said(facts, case)
        yield from ("![Samples per second of every rule](performance/rules.png)", "")


def growth(stored: Stored) -> Iterator[str]:
    """Yield how cost grows: a table per workload of sweeps, exponents last, and its picture."""
    for topic, parts in sweeps(stored).items():
        for sweep, _ in parts:
            names = list(dict.fromkeys(name for point in sweep["points"] for name in point["values"]))
            cells = [(figure(point["x"]), *(figure(point["values"].get(name), 4) for name in names)) for point in sweep["points"]]
            last = [(f"{p:.2f}" if p is not None else "-") for p in (sweep["exponents"].get(name) for name in names)]
            yield from (f"{sweep['unit'][:1].upper()}{sweep['unit'][1:]}, by {sweep['over']}:", "")
            yield from rows((sweep["over"], *names), [*cells, (f"p of cost ~ {sweep['over']}^p", *last)])
        yield from (f"![How cost grows, {topic}](performance/growth-{topic}.png)", "")


def sweeps(stored: Stored) -> dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Return the stored sweeps and their facts by topic, in the order of the command line."""
    found: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for over, topic in SWEEPS.items():
        if f"sweep-{over}" in stored:
            facts = stored[f"sweep-{over}"]
            found.setdefault(topic, []).append((facts["sweep"], facts))
    return found


BLOCKS: dict[str, tuple[Callable[[Stored], Iterator[str]], tuple[str, ...]]] = {  # name: its lines, the parts it needs
    "machines": (machines, ()), "training": (training, ("training",)), "limits": (limits, ("training",)),
    "memory": (memory, ("training",)), "chip": (chip, ("chip",)), "rules": (rules, ("rules",)), "growth": (growth, ()),
}  # fmt: skip


def put(page: str, stored: Stored) -> str:
    """Return the text of the page with every block replaced."""
    for name, (make, needed) in BLOCKS.items():
        begin, end = (mark.format(name) for mark in MARKS)
        missing = [part for part in needed if part not in stored]
        block = "\n".join(make(stored)) if not missing else f"Not measured yet: {', '.join(missing)}.\n"
        before, rest = page.split(begin)
        page = f"{before}{begin}{block.rstrip()}\n{end}{rest.split(end)[1]}"
    return page


def draw(stored: Stored) -> list[str]:
    """Write the pictures; return their names."""
    PICTURES.mkdir(exist_ok=True)
    names = [name for part in ("training", "chip", "rules") if part in stored for name in plots.pictures(stored[part], PICTURES)]
    for topic, parts in sweeps(stored).items():
        names.append(f"growth-{topic}.png")
        plots.growth(parts).savefig(PICTURES / names[-1], dpi=plots.DPI)
    for file in PICTURES.glob("*.png"):
        if file.name not in names:
            file.unlink()
    return names


def main() -> None:
    """Measure what is asked for, store it, and renew page and pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"with --run: only these of {', '.join(PARTS)}")
    parser.add_argument("--run", action="store_true", help="measure")
    parser.add_argument("--peers", action="store_true", help="as for chipsim bench")
    parser.add_argument("--python", action="append", help="as for chipsim bench", metavar="PATH")
    parser.add_argument("--rounds", type=int, help="as for chipsim bench", metavar="N")
    parser.add_argument("--quick", action="store_true", help="small sizes: the page says that it is a smoke test")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown or (options.parts and not options.run):
        parser.error(f"no such part: {', '.join(unknown)}" if unknown else "parts are measured: give --run too")
    stored: Stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in (options.parts or PARTS) if options.run else ():
        print(part, file=sys.stderr)
        stored[part] = measure(part, options)
        stored = {name: stored[name] for name in PARTS if name in stored}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
    PAGE.write_text(put(PAGE.read_text(), stored))
    print(f"{PAGE.name} and {len(draw(stored))} pictures")


if __name__ == "__main__":
    main()
