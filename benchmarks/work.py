"""How much the kernels do per event: calls, turns of loops and filled elements, counted and not timed, the same on every machine.

python benchmarks/work.py            counts and prints the table, beside what is stored (under a minute)
python benchmarks/work.py --write    stores it: benchmarks/results/work.json, which tests/test_work.py holds new kernels against

Small workloads run in a process with the JIT off whose kernels carry counters, put into their syntax trees when they are imported: one at
the start of every function, one at the start of every turn of a loop, one for the elements of every slice that is assigned to. So the
figures depend on the sources and on the workload alone: not on seconds, the processor, the version of Python or of numba.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import json
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "work.json"
SHARE, MORE = 0.005, 0.03  # of the work of a job from which a function is listed; by which it may do more than stored
KEPT = SHARE / 10  # from which it is stored
RENEW = "python benchmarks/work.py --write renews the table on purpose; say in the commit why the work is worth it"
KEYS = ("calls", "turns", "elements")

counts: list[int] = []
names: list[tuple[str, str]] = []  # of every counter: function, kind


class Counters(ast.NodeTransformer):
    """Puts counters into the functions of a module."""

    def __init__(self, module: str) -> None:
        self.path = [module]

    def counter(self, kind: str, amount: str = "1") -> ast.stmt:
        """Return the statement that counts `amount` of a kind for the function that is being visited."""
        names.append((".".join(self.path), kind))
        counts.append(0)
        return ast.parse(f"__counts__[{len(counts) - 1}] += {amount}").body[0]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802  named by ast
        """Visit what it holds under its name."""
        return self.inside(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        """Count calls, and what is inside under its name."""
        self.inside(node)
        self.path.append(node.name)
        node.body.insert(1 if ast.get_docstring(node, clean=False) is not None else 0, self.counter("calls"))
        self.path.pop()
        return node

    def inside(self, node: Any) -> ast.AST:
        """Visit what a function or class holds."""
        self.path.append(node.name)
        self.generic_visit(node)
        self.path.pop()
        return node

    def visit_For(self, node: ast.For | ast.While) -> ast.AST:  # noqa: N802
        """Count turns."""
        self.generic_visit(node)
        if len(self.path) > 1:
            node.body.insert(0, self.counter("turns"))
        return node

    visit_While = visit_For  # noqa: N815

    def visit_Assign(self, node: ast.Assign | ast.AugAssign) -> ast.AST | list[ast.AST]:  # noqa: N802
        """Count the elements of a slice that is assigned to."""
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        sliced = isinstance(target, ast.Subscript) and any(isinstance(part, ast.Slice) for part in ast.walk(target.slice))
        if len(self.path) == 1 or not sliced:
            return node
        return [node, self.counter("elements", f"__size__({ast.unparse(target)})")]

    visit_AugAssign = visit_Assign  # noqa: N815


def counted(source: bytes, module: str, path: str) -> CodeType:
    """Return the code of a module with counters."""
    tree = ast.fix_missing_locations(Counters(module).visit(ast.parse(source)))
    return compile(tree, path, "exec", dont_inherit=True)


def instrument(folder: Path, parts: tuple[str, ...]) -> None:
    """Let the modules of chipsim that hold kernels, and those generated from rules, be imported with counters."""
    import numpy as np

    plain = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType:
        path = Path(loader.get_filename(name))
        inside = folder in path.parents and path.relative_to(folder).parts[0] in parts
        if not (inside or name.startswith("chipsim_rules.")) or path.name == "_jit.py":
            return plain(loader, name)
        known = (
            name.removeprefix("chipsim.") if inside else name.rpartition("_")[0]
        )  # what is generated has its digest in its name
        return counted(path.read_bytes(), known, str(path))

    builtins.__counts__, builtins.__size__ = counts, np.size
    SourceFileLoader.get_code = get_code


def jobs() -> dict[str, Any]:
    """Return {name: function that runs it and returns its events}."""
    import numpy as np

    import chipsim as cs

    dice = np.random.default_rng(0)
    x, y = (dice.random((30, 6, 40)) < 0.08).astype(float), np.arange(6) % 5
    schedule = {"fixed": {"passes": 1, "batch": 1, "shifts": [8, 8, 8]}, "float": {"passes": 1, "rate": 0.002}}
    network = cs.ssgd_network(40, (30, 30), 5, 30, half_width=0.2, readout="sum")

    def train(learning: dict[str, str] | None = None, **how: Any) -> Any:
        model = network.but(learning={**network.learning.model_dump(), **(learning or {})}, schedule=schedule)
        return cs.train(model, "loihi1-ssgd", data=(x, y, x[:, :2], y[:2]), threads=1, **how).counters

    drawn = {"units": "mantissa", "init": "integers", "low": -60, "high": 90, "sign_mode": "mixed"}
    listed = cs.Network(
        steps=30,
        population=[{"name": "in", "neuron": "input", "size": 40},
                    {"name": "n", "neuron": "loihi-lif", "size": 60, "du": 2000, "dv": 400, "vth": 120}],
        projection=[{"pre": "in", "post": "n", "kind": "sparse", "density": 0.3, **drawn},
                    {"pre": "n", "post": "n", "kind": "sparse", "density": 0.1, "delay": [0, 5], **drawn}],
    )  # fmt: skip
    return {
        "train, fixed": lambda: train(),
        "train, float32": lambda: train(numerics="float32"),
        "train, ssgd-online": lambda: train(rule="ssgd-online"),
        "train, form A, pushed": lambda: train(learning={"form": "A", "transport": "push"}),
        "simulate, lists with delays": lambda: cs.simulate(listed, x, "loihi1", "fixed", threads=1).counters,
    }


def child(root: str, chosen: list[str]) -> dict[str, Any]:
    """Return the counts of the jobs; runs in a process of its own."""
    from chipsim.kernels._jit import SOURCES

    instrument(Path(root) / "chipsim", SOURCES)
    found, known = {}, jobs()
    for name in chosen or known:
        counts[:] = [0] * len(counts)
        found[name] = {"events": events(known[name]()), "functions": functions()}
    return found


def events(counters: Any) -> dict[str, int]:
    """Return the elementary events of a job, as the chip counts them."""
    total = counters.total().per_sample()
    wanted = ("spikes", "neuron_updates", "synops", "active_updates", "visits")
    return {f"{phase} {name}": round(n * counters.samples) for phase, rows in total.items() for name, n in rows.items()
            if name in wanted and n}  # fmt: skip


def functions() -> dict[str, list[int]]:
    """Return {function: [calls, turns, elements]} of what ran and did a share of the work."""
    found: dict[str, list[int]] = {}
    for (name, kind), n in zip(names, counts, strict=True):
        if n:
            found.setdefault(name, [0] * len(KEYS))[KEYS.index(kind)] += n
    return {name: row for name, row in found.items() if sum(row) >= KEPT * sum(counts)}


def measure(chosen: tuple[str, ...] = (), root: Path = HERE.parent) -> dict[str, Any]:
    """Return what the jobs do, in a fresh process; root: the folder that holds chipsim."""
    environment = {**os.environ, "PYTHONPATH": str(root), "NUMBA_DISABLE_JIT": "1"}
    line = [sys.executable, str(Path(__file__).resolve()), "--child", str(root), *chosen]
    done = subprocess.run(line, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def per_event(job: dict[str, Any]) -> dict[str, float]:
    """Return the work of every function per event of the job, most first."""
    happened = sum(job["events"].values())
    found = {name: sum(row) / happened for name, row in job["functions"].items()}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def hot(job: dict[str, Any]) -> dict[str, float]:
    """Return the work per event of the functions that do a share of it worth listing."""
    found = per_event(job)
    return {name: n for name, n in found.items() if n >= SHARE * sum(found.values())}


def complaints(stored: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return what does more than it did, with job, function and both figures, and what the table does not know."""
    said = [f"{job}: the table has no such job" for job in found if job not in stored]
    for job in (name for name in found if name in stored):
        before, now = per_event(stored[job]), hot(found[job])
        gone = [name for name in hot(stored[job]) if name not in found[job]["functions"]]
        said += [f"{job}: {name} is in the table and did not run: renamed, or needed no more" for name in gone]
        said += [f"{job}: {name} is not in the table: {n:.4g} per event" for name, n in now.items() if name not in before]
        said += [f"{job}: {name} does {n:.4g} per event, {n / before[name] - 1:+.1%} over the {before[name]:.4g} stored"
                 for name, n in now.items() if name in before and n > (1 + MORE) * before[name]]  # fmt: skip
    return said


def table(found: dict[str, Any]) -> str:
    """Return the work as text: per event of the job, function by function."""
    lines = []
    for job, facts in found.items():
        happened = sum(facts["events"].values())
        lines += ["", f"{job}: {happened:,} events (" + ", ".join(f"{n:,} {name}" for name, n in facts["events"].items()) + ")"]
        lines.append(f"  {'per event':>9} {'calls':>9} {'turns':>9} {'elements':>9}  function")
        for name, rate in hot(facts).items():
            lines.append(f"  {rate:9.3f} " + " ".join(f"{n:9,}" for n in facts["functions"][name]) + f"  {name}")
    return "\n".join(lines)


def stored_form(found: dict[str, Any]) -> str:
    """Return the counts as JSON, one line per function, so that a change can be read."""
    jobs = []
    for name, facts in found.items():
        rows = ",\n".join(f"   {json.dumps(function)}: {json.dumps(row)}" for function, row in sorted(facts["functions"].items()))
        jobs.append(f' {json.dumps(name)}: {{\n  "events": {json.dumps(facts["events"])},\n  "functions": {{\n{rows}\n  }}\n }}')
    return "{\n" + ",\n".join(jobs) + "\n}\n"


def main() -> None:
    """Count, compare, and store if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the table")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child[0], options.child[1:])))
        return
    found = measure()
    print(table(found))
    if options.write:
        RESULTS.write_text(stored_form(found))
        return
    said = complaints(json.loads(RESULTS.read_text()), found)
    print("\n".join(["", *said, RENEW] if said else ["", "no function does more than is stored"]))


if __name__ == "__main__":
    main()
