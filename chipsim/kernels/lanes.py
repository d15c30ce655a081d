"""Vectors of sixteen numbers, for the loops that a compiler does not vectorise well enough by itself: type and memory.

    load(array, at)                 16 numbers of a contiguous array from `at` on
    load_part(array, at, n)         the first n of them, zeros beyond
    store(array, at, x)             numbers are converted to the type of the array
    store_part(array, at, x, n)     the first n of them alone; store_half(array, at, x): the first 8
    take(array, at), put(array, at, x)   one number; unlike array[at], whose index may count from the end, at costs no test

What can be done with vectors is in `kernels.lane_math`. With the JIT off a vector is a numpy array of 16 numbers, and the same source
runs. LLVM splits what the registers of a machine are too narrow for. Vectors live inside kernels only.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import PrimitiveModel, register_default
from numba.extending import intrinsic, overload

LANES = 16


class Lanes(types.Type):
    """The type of a vector of 16 numbers, or of 16 truth values."""

    def __init__(self, dtype: types.Type):
        self.dtype = dtype
        super().__init__(name=f"lanes({dtype})")


@register_default(Lanes)
class LanesModel(PrimitiveModel):
    """Sixteen numbers side by side in registers; a truth value takes one bit."""

    def __init__(self, manager, kind):
        one = ir.IntType(1) if kind.dtype == types.boolean else manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(one, LANES))


def spread(builder, one):
    """Return one LLVM value in all lanes."""
    index = ir.IntType(32)
    start = builder.insert_element(ir.Constant(ir.VectorType(one.type, LANES), ir.Undefined), one, index(0))
    return builder.shuffle_vector(start, start, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))


def convert(context, builder, value, have: types.Type, want: types.Type):
    """Return an LLVM vector of numbers of type `have` as one of type `want`."""
    if have == want:
        return value
    to = ir.VectorType(context.get_value_type(want), LANES)
    if isinstance(want, types.Float):
        if have == types.boolean:
            return builder.uitofp(value, to)
        if isinstance(have, types.Float):
            return builder.fpext(value, to) if want.bitwidth > have.bitwidth else builder.fptrunc(value, to)
        return builder.sitofp(value, to)
    if have == types.boolean:
        return builder.zext(value, to)
    if isinstance(have, types.Float):
        return builder.fptosi(value, to)
    if want.bitwidth > have.bitwidth:
        return builder.sext(value, to) if have.signed else builder.zext(value, to)
    return builder.trunc(value, to) if want.bitwidth < have.bitwidth else value


def first_lanes(builder, n):
    """Return the LLVM mask of the first n lanes."""
    return builder.icmp_signed("<", ir.Constant(ir.VectorType(n.type, LANES), list(range(LANES))), spread(builder, n))


class Place:
    """Sixteen entries of a contiguous array of one dimension, from `at` on, as LLVM sees them."""

    def __init__(self, context, builder, kind: types.Array, array, at):
        self.kind = context.get_data_type(kind.dtype)
        self.vector = ir.VectorType(self.kind, LANES)
        self.bytes = context.get_abi_sizeof(self.kind)
        entry = cgutils.gep_inbounds(builder, context.make_array(kind)(context, builder, array).data, at)
        self.pointer = builder.bitcast(entry, self.vector.as_pointer())

    def masked(self, builder, name: str, result, arguments):
        """Return a call of llvm.masked.load or llvm.masked.store on this place."""
        width = f"v{LANES}{'i' + str(self.kind.width) if isinstance(self.kind, ir.IntType) else {4: 'f32', 8: 'f64'}[self.bytes]}"
        kinds = [a.type for a in arguments]
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(result, kinds), f"llvm.masked.{name}.{width}.p0"
        )
        return builder.call(function, arguments)


def is_row(array: types.Type) -> bool:
    """Return whether this is the type of a contiguous array of one dimension."""
    return isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"


def from_memory(builder, kind: types.Array, value):
    """Return what was loaded; a truth value is a byte in memory."""
    return builder.icmp_unsigned("!=", value, ir.Constant(value.type, [0] * LANES)) if kind.dtype == types.boolean else value


def to_memory(context, builder, value, have: Lanes, kind: types.Array):
    """Return a vector as the array stores it."""
    if kind.dtype == types.boolean:
        return builder.zext(value, ir.VectorType(ir.IntType(8), LANES))
    return convert(context, builder, value, have.dtype, kind.dtype)


@intrinsic
def _load(typing, array, at):
    def emit(context, builder, signature, arguments):
        place = Place(context, builder, array, *arguments)
        return from_memory(builder, array, builder.load(place.pointer, align=place.bytes))

    return Lanes(array.dtype)(array, types.intp), emit


@intrinsic
def _load_part(typing, array, at, n):
    def emit(context, builder, signature, arguments):
        place, mask = Place(context, builder, array, *arguments[:2]), first_lanes(builder, arguments[2])
        nothing = ir.Constant(place.vector, None)
        found = place.masked(builder, "load", place.vector, [place.pointer, ir.IntType(32)(place.bytes), mask, nothing])
        return from_memory(builder, array, found)

    return Lanes(array.dtype)(array, types.intp, types.intp), emit


@intrinsic
def _take(typing, array, at):
    def emit(context, builder, signature, arguments):
        entry = cgutils.gep_inbounds(builder, context.make_array(array)(context, builder, arguments[0]).data, arguments[1])
        return context.unpack_value(builder, array.dtype, entry)

    return array.dtype(array, types.intp), emit


@intrinsic
def _put(typing, array, at, x):
    def emit(context, builder, signature, arguments):
        entry = cgutils.gep_inbounds(builder, context.make_array(array)(context, builder, arguments[0]).data, arguments[1])
        context.pack_value(builder, array.dtype, context.cast(builder, arguments[2], x, array.dtype), entry)
        return context.get_dummy_value()

    return types.void(array, types.intp, x), emit


@intrinsic
def _store(typing, array, at, x):
    def emit(context, builder, signature, arguments):
        place = Place(context, builder, array, *arguments[:2])
        builder.store(to_memory(context, builder, arguments[2], x, array), place.pointer, align=place.bytes)
        return context.get_dummy_value()

    return types.void(array, types.intp, x), emit


@intrinsic
def _store_part(typing, array, at, x, n):
    def emit(context, builder, signature, arguments):
        place, mask = Place(context, builder, array, *arguments[:2]), first_lanes(builder, arguments[3])
        value = to_memory(context, builder, arguments[2], x, array)
        place.masked(builder, "store", ir.VoidType(), [value, place.pointer, ir.IntType(32)(place.bytes), mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, x, types.intp), emit


@intrinsic
def _store_half(typing, array, at, x):
    def emit(context, builder, signature, arguments):
        place, half = Place(context, builder, array, *arguments[:2]), LANES // 2
        value = to_memory(context, builder, arguments[2], x, array)
        lower = builder.shuffle_vector(value, value, ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(half))))
        builder.store(lower, builder.bitcast(place.pointer, lower.type.as_pointer()), align=place.bytes)
        return context.get_dummy_value()

    return types.void(array, types.intp, x), emit


def load(array, at):
    """Return 16 numbers of a row from `at` on."""
    return array[at : at + LANES].copy()


def load_part(array, at, n):
    """Return the first n of 16 numbers of a row from `at` on, zeros beyond; not one of those beyond is read."""
    found = np.zeros(LANES, dtype=array.dtype)
    found[:n] = array[at : at + n]
    return found


def store(array, at, x):
    """Write 16 numbers to a row from `at` on."""
    array[at : at + LANES] = x


def store_half(array, at, x):
    """Write the first 8 of 16 numbers to a row from `at` on."""
    array[at : at + LANES // 2] = x[: LANES // 2]


def store_part(array, at, x, n):
    """Write the first n of 16 numbers to a row from `at` on."""
    array[at : at + n] = x[:n]


def take(array, at):
    """Return the number at `at`, which is not below 0."""
    return array[at]


def put(array, at, x):
    """Write a number at `at`, which is not below 0."""
    array[at] = x


@overload(take)
def _take_of_row(array, at):
    if is_row(array):
        return lambda array, at: _take(array, at)


@overload(put)
def _put_to_row(array, at, x):
    if is_row(array):
        return lambda array, at, x: _put(array, at, x)


@overload(load)
def _load_row(array, at):
    if is_row(array):
        return lambda array, at: _load(array, at)


@overload(load_part)
def _load_part_of_row(array, at, n):
    if is_row(array):
        return lambda array, at, n: _load_part(array, at, n)


@overload(store)
def _store_row(array, at, x):
    if is_row(array):
        return lambda array, at, x: _store(array, at, x)


@overload(store_half)
def _store_half_of_row(array, at, x):
    if is_row(array):
        return lambda array, at, x: _store_half(array, at, x)


@overload(store_part)
def _store_part_of_row(array, at, x, n):
    if is_row(array):
        return lambda array, at, x, n: _store_part(array, at, x, n)
