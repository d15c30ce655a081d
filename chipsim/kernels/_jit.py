"""The only place where numba is configured: the decorators of kernels and the switches `by_number` and `by_code`.

    kernel     callable from Python, kept on disk
    entry      as kernel, without counting references to arrays: what runs for every sample
    inner      called by other kernels alone
    inlined    as inner, pasted into its only caller
    prefetch   asks the processor for memory that is read soon; changes nothing

numba's own cache does not notice an edit in a function that a kernel calls (numba/numba#1833). So the cache lives in a folder named
by a digest of every source that may hold kernels, of the numba version and of this Python; an edit anywhere gives a fresh folder.

Compiling takes seconds, so it is said: to the logger "chipsim.kernels", a warning when the first kernel of a process is compiled, and
for every one that took a second or more a line of level INFO. Nothing is said about what is loaded from the cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from llvmlite import ir
from numba.core import config, event, types
from numba.extending import intrinsic, overload
from platformdirs import user_cache_path

PACKAGE = Path(__file__).resolve().parent.parent
OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
INNER = {"_nrt": False, "no_cpython_wrapper": True, "forceinline": True}
LINE_BYTES = 64  # of a cache line; a wrong value costs time only
SOURCES = ("kernels", "neurons", "learning", "simulator", "state.py")
LOG = logging.getLogger("chipsim.kernels")
COMPILING = "compiling kernels (first use, up to two minutes; kept for every later process in %s)"
WORTH_SAYING_S = 1.0
MADE: list[Callable] = []  # every kernel that Python can call, as compiled


def source_digest() -> str:
    """Return a short digest of all sources that hold kernels, of numba and of Python."""
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {sys.version}".encode())
    for entry in SOURCES:
        path = PACKAGE / entry
        for file in [path] if path.is_file() else sorted(path.glob("**/*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


CACHE = user_cache_path("chipsim") / "kernels" / source_digest()


def cache_is_writable() -> bool:
    """Make the cache folder; without one kernels still run, but every process compiles them again, which is said once."""
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        return os.access(CACHE, os.W_OK)
    except OSError:
        return False


WRITABLE = cache_is_writable()
if not WRITABLE:
    warnings.warn(f"the cache folder {CACHE} cannot be written: kernels are compiled again in every process", stacklevel=2)


def cache_statistics() -> dict[str, tuple[int, int]]:
    """Return {kernel: (loaded, compiled)}: how many signatures of it this process took from the cache, and how many it compiled."""
    found = {}
    for made in MADE:
        loaded, compiled = (sum(counts.values()) for counts in (made.stats.cache_hits, made.stats.cache_misses))
        if loaded or compiled:
            found[name_of(made)] = (loaded, compiled)
    return found


def name_of(made: Callable) -> str:
    """Return module and name of a kernel."""
    return f"{made.py_func.__module__}.{made.py_func.__qualname__}"


class Told(event.Listener):
    """Says which kernels are compiled. Compiling is under a lock of numba, so that one thread at a time comes here."""

    def __init__(self) -> None:
        self.said, self.depth, self.began = False, 0, 0.0

    def on_start(self, started: event.Event) -> None:
        """Note the time; the first one of a process is said, those that another one calls are part of that."""
        if started.data["dispatcher"] not in MADE:
            return
        self.depth += 1
        if self.depth > 1:
            return
        self.began = time.monotonic()
        if not self.said:
            self.said = True
            LOG.warning(COMPILING, CACHE)

    def on_end(self, ended: event.Event) -> None:
        """Say what took long."""
        if ended.data["dispatcher"] not in MADE:
            return
        self.depth -= 1
        seconds = time.monotonic() - self.began
        if not self.depth and seconds >= WORTH_SAYING_S:
            LOG.info("compiled %s in %.0f s", name_of(ended.data["dispatcher"]), seconds)


event.register("numba:compile", Told())


def kernel(function: Callable) -> Callable:
    """Compile `function` with numba: cached, without the global interpreter lock, integers as written, no fast math."""
    return cached(function)


def entry(function: Callable) -> Callable:
    """Compile `function` as `kernel` does; neither it nor what it calls may allocate an array, so no references are counted."""
    return cached(function, _nrt=False)


def inner(function: Callable) -> Callable:
    """Compile `function` for other kernels alone: it cannot be called from Python, may not allocate, and is stored with its callers.

    No references, no wrapper for Python and no file of its own: it is compiled in less time, and handing it arrays costs nothing.
    """
    return numba.njit(**OPTIONS, **INNER)(function)


def inlined(function: Callable) -> Callable:
    """As `inner`, pasted into its caller: for functions with one caller, since LLVM works anew on every layer of calls."""
    return numba.njit(**OPTIONS, **INNER, inline="always")(function)


def cached(function: Callable, **options: bool) -> Callable:
    """Compile `function` and keep it on disk."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE)
    try:
        compiled = numba.njit(cache=WRITABLE, **OPTIONS, **options)(function)
    finally:
        config.CACHE_DIR = before
    if WRITABLE and hasattr(compiled, "_cache"):
        file = compiled._cache._cache_file
        file.save = one_at_a_time(file.save)
    if hasattr(compiled, "stats"):  # with the JIT off it is the plain function
        MADE.append(compiled)
    return compiled


def one_at_a_time(save: Callable) -> Callable:
    """Let one process at a time add to a kernel's cache.

    numba numbers the data file of a new signature without a lock: two processes that compile one kernel for different types at the
    same moment can take the same number, and one of them would later run the other's code.
    """

    def locked(*arguments):
        with open(CACHE / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
            return save(*arguments)

    return locked


def by_number(fixed: Callable, floating: Callable) -> Callable:
    """Return one function that is `fixed` for integers and `floating` for floats, decided by the type of its first argument.

    Both take the same arguments. Compiled kernels choose when they are compiled, so the switch costs nothing; with the JIT off the
    same choice is made at every call. This is how one kernel source serves float64, float32 and fixed point. Of a vector (kernels.lanes)
    the type of its numbers decides.
    """

    def switch(number, *rest):
        floats = isinstance(number, float) or getattr(number, "dtype", np.dtype(np.int64)).kind == "f"
        return floating(number, *rest) if floats else fixed(number, *rest)

    @overload(switch, strict=False)
    def choose(number, *rest):
        return floating if isinstance(getattr(number, "dtype", number), types.Float) else fixed

    switch.__doc__ = fixed.__doc__
    return switch


def by_code(functions: dict[int, Callable], arguments: str) -> Callable:
    """Return one function `(code, *arguments)` that calls `functions[code]`; `arguments`: their names, comma separated.

    Compiled kernels get a chain of comparisons made from the table, so that a new entry needs no second place to be edited.
    """
    lines = [f"def chain(code, {arguments}):"]
    for code in list(functions)[1:]:
        lines += [f"    if code == {code}:", f"        return call_{code}({arguments})"]
    lines.append(f"    return call_{next(iter(functions))}({arguments})")
    made: dict[str, Callable] = {f"call_{code}": function for code, function in functions.items()}
    exec("\n".join(lines), made)

    def choose(code, *rest):
        return functions[code](*rest)

    overload(choose, strict=False)(lambda code, *rest: made["chain"])
    return choose


@intrinsic
def _prefetch(typing, array, at):
    def emit(context, builder, signature, arguments):
        data = context.make_array(array)(context, builder, arguments[0]).data
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        )
        to_read, into_all_caches, of_data = word(0), word(3), word(1)
        builder.call(fetch, [builder.bitcast(builder.gep(data, [arguments[1]]), byte), to_read, into_all_caches, of_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


def prefetch(array, first, end):
    """Ask for the cache lines of entries first .. end - 1 of a contiguous array; no effect with the JIT off."""


@overload(prefetch, strict=False)
def _prefetch_lines(array, first, end):
    entries = max(1, LINE_BYTES * 8 // array.dtype.bitwidth)

    def ask(array, first, end):
        for at in range(first, end, entries):
            _prefetch(array, at)

    return ask
