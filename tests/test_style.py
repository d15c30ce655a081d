"""House rules a machine can check: sizes, nothing unfinished, lint and format."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = sorted((ROOT / "chipsim").rglob("*.py"))
SOURCES = PACKAGE + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 300, 50
UNFINISHED = ("TODO", "FIXME", "XXX", "NotImplementedError")


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_there_is_something_to_check():
    assert len(PACKAGE) > 20 and len(SOURCES) > len(PACKAGE)


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_sizes(file):
    text = file.read_text()
    assert text.count("\n") <= FILE_LINES
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert not {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno - f.lineno >= FUNCTION_LINES}


@pytest.mark.parametrize("file", PACKAGE, ids=name)
def test_nothing_is_unfinished(file):
    assert not [word for word in UNFINISHED if word in file.read_text()]


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tests_are_no_package():
    """lava-nc installs a top-level package called tests: ours must not compete with it."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
    files = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert len(files) == len(set(files))
