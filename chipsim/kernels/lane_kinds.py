"""Vectors of sixteen numbers in other number types, and what makes them (kernels.lanes).

as_double(x), as_int64(x), as_int32(x), as_uint64(x)   other number types; plain numbers too
as_stored(x, array)             as the array stores its numbers
addend(x)                       as numbers are added up: those of fewer than 32 bits in 32
zeros_like(x), ids_from(n)      nothing, of the type of x; n, n + 1, ...
low_bit(n), ones(n)             of an integer: number of its lowest bit that is set, how many are set
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

from chipsim.kernels.lanes import LANES, Lanes, convert, spread


def as_double(x):
    """Return numbers, a vector or a plain one, in double precision."""
    return x.astype(np.float64) if isinstance(x, np.ndarray) else np.float64(x)


def as_int64(x):
    """Return whole numbers, a vector or a plain one, in 64 bits."""
    return x.astype(np.int64) if isinstance(x, np.ndarray) else np.int64(x)


def as_int32(x):
    """Return whole numbers, a vector or a plain one, in 32 bits."""
    return x.astype(np.int32) if isinstance(x, np.ndarray) else np.int32(x)


def as_uint64(x):
    """Return whole numbers, a vector or a plain one, none below 0, in 64 bits without a sign."""
    return x.astype(np.uint64) if isinstance(x, np.ndarray) else np.uint64(x)


def as_stored(x, array):
    """Return a vector in the number type of an array."""
    return x.astype(array.dtype)


def ids_from(n):
    """Return the vector n, n + 1, ... of int64."""
    return np.arange(n, n + LANES)


def low_bit(x):
    """Return the number of the lowest bit that is set in an integer other than 0."""
    return (int(x) & -int(x)).bit_length() - 1


def ones(x):
    """Return how many bits are set in an integer."""
    return int(x).bit_count() if hasattr(int, "bit_count") else bin(int(x)).count("1")


def addend(x):
    """Return numbers as they are added up: whole numbers of fewer than 32 bits in 32."""
    return x.astype(np.int32) if x.dtype.kind == "i" and x.dtype.itemsize < 4 else x


def zeros_like(x):
    """Return zeros of the same type: a vector, or a plain number."""
    return np.zeros_like(x) if isinstance(x, np.ndarray) else type(x)(0)


def widens(function: Callable, want: types.Type) -> None:
    """Teach numba a function that converts a vector to numbers of type `want`."""

    @intrinsic
    def of_lanes(typing, x):
        def emit(context, builder, signature, arguments):
            return convert(context, builder, arguments[0], x.dtype, want)

        return Lanes(want)(x), emit

    @overload(function)
    def on_numbers(x):
        if isinstance(x, Lanes):
            return lambda x: of_lanes(x)
        return lambda x: want(x)


widens(as_double, types.float64)
widens(as_int64, types.int64)
widens(as_int32, types.int32)
widens(as_uint64, types.uint64)


@intrinsic
def _zeros(typing, x):
    def emit(context, builder, signature, arguments):
        return ir.Constant(arguments[0].type, None if isinstance(x, Lanes) else 0)

    return x(x), emit


@overload(addend)
def _addend_of_lanes(x):
    if isinstance(x, Lanes):
        narrow = isinstance(x.dtype, types.Integer) and x.dtype.bitwidth < 32
        return (lambda x: as_int32(x)) if narrow else (lambda x: x)


@overload(zeros_like)
def _zeros_of_lanes(x):
    if isinstance(x, Lanes):
        return lambda x: _zeros(x)
    if isinstance(x, types.Number):
        return lambda x: _zeros(x)


@intrinsic
def _as_stored(typing, x, array):
    def emit(context, builder, signature, arguments):
        return convert(context, builder, arguments[0], x.dtype, array.dtype)

    return Lanes(array.dtype)(x, array), emit


@overload(as_stored)
def _stored_lanes(x, array):
    if isinstance(x, Lanes):
        return lambda x, array: _as_stored(x, array)


@intrinsic
def _ids(typing, n):
    def emit(context, builder, signature, arguments):
        return builder.add(spread(builder, arguments[0]), ir.Constant(ir.VectorType(ir.IntType(64), LANES), list(range(LANES))))

    return Lanes(types.int64)(types.int64), emit


@overload(ids_from)
def _ids_in_lanes(n):
    return lambda n: _ids(n)


def of_integer(function: Callable, emitted: Callable) -> None:
    """Teach numba a function of one 64-bit integer."""

    @intrinsic
    def of_number(typing, x):
        return types.int64(types.int64), lambda context, builder, signature, arguments: emitted(builder, arguments[0])

    @overload(function)
    def on_number(x):
        return lambda x: of_number(x)


of_integer(low_bit, lambda builder, x: builder.cttz(x, ir.IntType(1)(1)))
of_integer(ones, lambda builder, x: builder.ctpop(x))
