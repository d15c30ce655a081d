"""Imports point from a later verb to an earlier one (the contract stands in pyproject.toml), and numba stays behind its wall."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "chipsim"
MODULES = sorted(PACKAGE.rglob("*.py"))
NUMBA_HOME = PACKAGE / "kernels" / "_jit.py"


def imported(node: ast.AST) -> set[str]:
    """Return the top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {(node.module or "").partition(".")[0]}
    return set()


def test_layers():
    code = "from importlinter.cli import lint_imports_command as lint; lint()"
    command = [sys.executable, "-c", code, "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_numba_is_configured_in_one_module_and_extended_by_vectors_alone():
    users = [file for file in MODULES for node in ast.walk(ast.parse(file.read_text())) if "numba" in imported(node)]
    assert set(users) == {NUMBA_HOME, *NUMBA_HOME.parent.glob("lane*.py")}
    compiling = [file for file in users if any(word in file.read_text() for word in ("njit", "@jit", "vectorize"))]
    assert set(compiling) == {NUMBA_HOME}


def test_no_relative_imports():
    """One name per module: `chipsim.a.b`, so that a search finds every use."""
    relative = [file for file in MODULES for node in ast.walk(ast.parse(file.read_text())) if getattr(node, "level", 0)]
    assert not relative
