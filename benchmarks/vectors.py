"""How many vector instructions the hot kernels compile to: a loop that fell back to single numbers has few of them.

python benchmarks/vectors.py            compiles, prints, and compares with what is stored (about a minute; x86-64 only)
python benchmarks/vectors.py --write    stores it: benchmarks/results/vectors.json, which tests/test_work.py holds new kernels against

A forward pass and a replay, float32 and fixed, are compiled for one fixed processor with 256-bit vectors (TARGET), whatever this one is,
and additions, subtractions and products of whole registers are counted in the assembly. Versions of LLVM unroll differently: only a kernel
with less than half of the stored ones fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "vectors.json"
TARGET = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
KEEP = 0.5  # of the stored instructions, at least
PACKED = re.compile(r"^\tv(?:p(?:add|sub|mul\w*)[bwdq]|(?:add|sub|mul|fn?m\w+)p[sd])\t.*$", re.MULTILINE)
SCALAR = re.compile(r"^\tv(?:add|sub|mul|fn?m\w+)s[sd]\t", re.MULTILINE)
RENEW = "python benchmarks/vectors.py --write renews the table on purpose; say in the commit why a kernel may do without vectors"


def here() -> bool:
    """Return whether such code can be compiled here."""
    return platform.machine() in ("x86_64", "AMD64")


def calls(numerics: str) -> dict[str, tuple[Any, tuple]]:
    """Return {name: (kernel, arguments)} of a forward pass and a replay, neither of which is run."""
    import numpy as np

    import chipsim as cs
    from chipsim.compiler import compile_network
    from chipsim.simulator import engine
    from chipsim.training.learner import Learner

    image = compile_network(cs.ssgd_network(40, (30, 30), 5, 30), None, numerics=numerics)
    learner, events = Learner(image), cs.Events(*np.zeros((3, 1), dtype=np.int64), (30, 1, 40))
    number, found = image.circuit.rules.constants.dtype, {}

    def noted(name: str, kernel: Any) -> Callable[..., None]:
        return lambda *arguments: found.update({name: (kernel, arguments)})

    plain, way = engine.run, learner.way
    engine.run = noted("forward", plain)
    learner.engine.forward(image.weights, events.of_sample(events.spikes(number), 0))
    engine.run = plain
    way.rule, way.start = SimpleNamespace(replay=noted("replay", way.rule.replay)), lambda label: None
    learner.backward(image.weights, np.zeros(len(image.weights), dtype=number), 0)
    return found


def assembly(kernel: Any, arguments: tuple) -> str:
    """Return the assembly of a kernel for such arguments, compiled anew."""
    import numba

    made = numba.jit(**kernel.targetoptions)(kernel.py_func)
    made.compile(tuple(numba.typeof(one) for one in arguments))
    return made.inspect_asm(made.signatures[0])


def instructions(text: str) -> dict[str, int]:
    """Return the arithmetic instructions in some assembly: packed (of them wide: 256 bits), and scalar ones on floats."""
    packed = PACKED.findall(text)
    return {"packed": len(packed), "wide": sum("%ymm" in line for line in packed), "scalar": len(SCALAR.findall(text))}


def child() -> dict[str, dict[str, int]]:
    """Return the instructions of every kernel; runs in a process of its own, since numba reads its target once."""
    return {f"{name}, {numerics}": instructions(assembly(*call)) for numerics in ("float32", "fixed")
            for name, call in calls(numerics).items()}  # fmt: skip


def measure() -> dict[str, dict[str, int]]:
    """Return the instructions of every kernel."""
    environment = {**os.environ, **TARGET, "PYTHONPATH": str(HERE.parent), "NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run([sys.executable, __file__, "--child"], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def complaints(stored: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> list[str]:
    """Return which kernels lost vector instructions, and which the table does not know."""
    said = [f"{name}: only in {'the table' if name in stored else 'the code'}" for name in stored.keys() ^ found.keys()]
    for name in (name for name in stored if name in found):
        said += [f"{name}: {found[name][key]} {key} instructions, {n} stored" for key, n in stored[name].items()
                 if key != "scalar" and found[name][key] < KEEP * n]  # fmt: skip
    return said


def main() -> None:
    """Compile, compare, and store if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the table")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child()))
        return
    if not here():
        raise SystemExit(f"the table is of x86-64, this is {platform.machine()}")
    found = measure()
    for name, row in found.items():
        print(f"{name:18}" + "".join(f"{n:7,} {key}" for key, n in row.items()))
    if options.write:
        rows = (f" {json.dumps(name)}: {json.dumps(row)}" for name, row in found.items())
        RESULTS.write_text("{\n" + ",\n".join(rows) + "\n}\n")
        return
    said = complaints(json.loads(RESULTS.read_text()), found)
    print("\n".join([*said, RENEW] if said else ["no kernel lost its vectors"]))


if __name__ == "__main__":
    main()
