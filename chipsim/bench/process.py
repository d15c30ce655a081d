"""Processes of subjects: which Python has which peer, and one host process per subject, kept alive, with its threads fixed."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from chipsim.bench.peers import HERE, Peer
from chipsim.errors import ConfigError, Problem, RunError

VARIABLE = "CHIPSIM_PEERS"
THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",
    "PJRT_NPROC",
)
PROBE = """import json, platform, sys
from importlib.metadata import distributions
found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions() if d.metadata["Name"]}
print(json.dumps({"python": platform.python_version(), "found": found}))"""
HURRY = "left out by --quick: it compiles for a minute or more"
PATIENCE_S = 1800.0  # the longest that one answer may take
PACKAGE_ROOT = HERE.parents[2]  # the folder that holds chipsim


class Python(NamedTuple):
    """An interpreter that may hold peers. found: {distribution: version}."""

    path: str
    version: str
    found: dict[str, str]


class Place(NamedTuple):
    """Where a peer runs, or why it does not. python: None: absent."""

    python: Python | None
    reason: str
    versions: dict[str, str]


def pythons(given: Sequence[str] = ()) -> list[Python]:
    """Return the interpreters to look for peers in: those given, those of CHIPSIM_PEERS, this one.

    Raises:
        ConfigError: one of them is no Python.
    """
    listed = [("--python", path) for path in given]
    listed += [(VARIABLE, path) for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    found, problems = [], []
    for key, path in [*listed, ("", sys.executable)]:
        try:
            done = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, timeout=60, env=clean(), check=True)
            facts = json.loads(done.stdout)
            found.append(Python(path, facts["python"], facts["found"]))
        except (OSError, subprocess.SubprocessError, ValueError, KeyError):
            problems.append(Problem("bench", key, path, "it must be a Python interpreter"))
    if problems:
        raise ConfigError(problems)
    return found


def place(peer: Peer, choices: Sequence[Python]) -> Place:
    """Return where a peer is installed, at best with the pinned versions, or why it is absent."""
    best = max(choices, key=lambda p: sum((n in p.found) + (p.found.get(n) == v) for n, v in peer.needs.items()), default=None)
    missing = [name for name in peer.needs if best is None or name not in best.found]
    if missing:
        where = ", ".join(f"{p.path} (Python {p.version})" for p in choices)
        return Place(None, f"{' and '.join(missing)} not installed in {where}", {})
    versions = {name: best.found[name] for name in peer.needs}
    other = [f"{name} {v}, pinned {peer.needs[name]}" for name, v in versions.items() if v.partition("+")[0] != peer.needs[name]]
    return Place(best, "; ".join(other), versions)


def clean() -> dict[str, str]:
    """Return an environment in which another Python sees its own packages only."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON") and key != "__PYVENV_LAUNCHER__"}


class Subject:
    """One host process. `ask` sends a request and waits for the answer.

    Raises (of `start` and `ask`):
        RunError: it failed, died or did not answer; with the end of what it printed.
    """

    def __init__(self, name: str, peer: Peer, python: str = sys.executable, threads: int = 1):
        self.name, self.threads = name, threads
        limits = {name: str(threads) for name in THREADS}
        limits["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads={threads}"
        own = {"PYTHONPATH": str(PACKAGE_ROOT)} if python == sys.executable and not peer.needs else {}
        self.noise = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [python, str(HERE / "host.py"), str(peer.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.noise,
            env={**clean(), **limits, **own}, start_new_session=True,
        )  # fmt: skip
        self.buffer = b""
        self.reader = selectors.DefaultSelector()
        self.reader.register(self.process.stdout, selectors.EVENT_READ)

    def start(self, kind: str, **options: Any) -> None:
        """Wait until the subject is loaded, then make its `kind` (training or chip)."""
        self.answer("loading")
        self.ask(kind, **options)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and return the answer."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self.failure(do, "it is not running any more", silent=True) from None
        return self.answer(do)

    def answer(self, do: str) -> dict[str, Any]:
        """Return the next answer."""
        while b"\n" not in self.buffer:
            if not self.reader.select(PATIENCE_S):
                raise self.failure(do, f"no answer within {PATIENCE_S:g} s", silent=True)
            some = os.read(self.process.stdout.fileno(), 1 << 16)
            if not some:
                raise self.failure(do, "it ended without an answer", silent=True)
            self.buffer += some
        line, _, self.buffer = self.buffer.partition(b"\n")
        found = json.loads(line)
        if "error" in found:
            raise self.failure(do, found["error"])
        return found

    def failure(self, do: str, what: str, silent: bool = False) -> RunError:
        """Return the error of a request that failed; silent: it gave no reason, so the end of what it printed is shown."""
        self.noise.seek(0, os.SEEK_END)
        self.noise.seek(max(0, self.noise.tell() - 2000))
        end = " ".join(self.noise.read().decode(errors="replace").split()[-30:]) if silent else ""
        return RunError(f'subject "{self.name}" failed at "{do}": {what}' + (f"; it printed: ... {end}" if end else ""))

    def stop(self) -> None:
        """End the process, and what it started."""
        self.reader.close()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(
            ProcessLookupError
        ):  # a group of its own: the host, if it is still there, and what it left behind
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.noise.close()


def temporary() -> tempfile.TemporaryDirectory:
    """Return a folder for what subjects and this process exchange."""
    return tempfile.TemporaryDirectory(prefix="chipsim-bench-")
