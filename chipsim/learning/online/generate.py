"""The loops of a rule, written out as Python source from its hooks, compiled by numba and kept on disk (docs/online.md section 2).

numba caches what stands in a file. So the source goes into the kernel cache under a name made of its digest: a second process, and a
second rule with the same text, find the compiled code; an edit gives another file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import os
import sys
from types import ModuleType

from chipsim.kernels._jit import CACHE, WRITABLE
from chipsim.learning.online.loops import Shape, program


def load(rule, shapes: tuple[Shape, ...]) -> ModuleType:
    """Return the module with the kernels of a rule for such projections: `learn`."""
    text = program(rule, shapes)
    name = f"{rule.name.replace('-', '_')}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    full = f"chipsim_rules.{name}"
    if full in sys.modules:
        return sys.modules[full]
    if not WRITABLE:
        return from_text(full, text)
    path = CACHE / "rules" / f"{name}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(text)
        draft.replace(path)
    spec = importlib.util.spec_from_file_location(full, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    return module


def from_text(name: str, text: str) -> ModuleType:
    """Return a module that is in no file: compiled again in every process."""
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    sys.modules[name] = module
    return module
