"""A rule in a user's own file: FILE.py:CLASS."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

from chipsim.errors import ConfigError, Problem
from chipsim.learning.language.define import Rule

read: dict[tuple[str, float, str], Rule] = {}  # (file, time of its last change, class) -> rule


def load_rule(place: str) -> Rule:
    """Return the rule that a file defines; place: FILE.py:CLASS. The file is run, as any Python module.

    Raises:
        ConfigError: there is no such file or class, the file fails, or the rule is wrong.
    """
    name, _, wanted = place.rpartition(":")
    file = Path(name)
    if not file.is_file():
        raise ConfigError(Problem("rule", "file", name, "there is no such file; a rule of your own is given as FILE.py:CLASS"))
    key = (str(file.resolve()), file.stat().st_mtime, wanted)
    if key not in read:
        found = getattr(module_of(file), wanted, None)
        if not isinstance(found, Rule):
            made = [n for n, v in vars(module_of(file)).items() if isinstance(v, Rule)]
            limit = f"it is no rule of {file.name}; a rule is a class under @cs.rule. There is: {', '.join(made) or 'none'}"
            raise ConfigError(Problem(f'rule file "{name}"', "class", wanted, limit))
        read[key] = found
    return read[key]


def module_of(file: Path):
    """Return the module of a file, run anew.

    Raises:
        ConfigError: the file cannot be run; names the line.
    """
    name = f"chipsim_user_rule_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ConfigError:
        raise
    except SyntaxError as error:
        raise ConfigError(
            Problem(f'rule file "{file}"', f"line {error.lineno}", (error.text or "").strip(), f"{error.msg}")
        ) from None
    except Exception as error:
        lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = f"line {lines[-1].lineno}" if lines else "import"
        raise ConfigError(Problem(f'rule file "{file}"', line, type(error).__name__, f"running it failed: {error}")) from None
    return module
