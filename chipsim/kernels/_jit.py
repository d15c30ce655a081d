"""The only place where numba is configured: the decorator `kernel` and the float/fixed switch `by_number`.

numba's own cache does not notice an edit in a function that a kernel calls (numba/numba#1833). So the cache lives in a folder named
by a digest of every source that may hold kernels, of the numba version and of this Python; an edit anywhere gives a fresh folder.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from numba.core import config, types
from numba.extending import overload
from platformdirs import user_cache_path

PACKAGE = Path(__file__).resolve().parent.parent
SOURCES = ("kernels", "neurons", "learning", "simulator", "state.py")


def source_digest() -> str:
    """Return a short digest of all sources that hold kernels, of numba and of Python."""
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {sys.version}".encode())
    for entry in SOURCES:
        path = PACKAGE / entry
        for file in [path] if path.is_file() else sorted(path.glob("**/*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


CACHE = user_cache_path("chipsim") / "kernels" / source_digest()


def kernels_cached() -> bool:
    """Return whether an earlier process has compiled kernels of these very sources."""
    return any(CACHE.glob("**/*.nbi"))


def kernel(function: Callable) -> Callable:
    """Compile `function` with numba: cached, without the global interpreter lock, integers as written, no fast math."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE)
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before


def by_number(fixed: Callable, floating: Callable) -> Callable:
    """Return one function that is `fixed` for integers and `floating` for floats, decided by the type of its first argument.

    Both take the same arguments. Compiled kernels choose when they are compiled, so the switch costs nothing; with the JIT off the
    same choice is made at every call. This is how one kernel source serves float64, float32 and fixed point.
    """

    def switch(number, *rest):
        return floating(number, *rest) if isinstance(number, (float, np.floating)) else fixed(number, *rest)

    @overload(switch, strict=False)
    def choose(number, *rest):
        return floating if isinstance(number, types.Float) else fixed

    switch.__doc__ = fixed.__doc__
    return switch
