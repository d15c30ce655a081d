"""What kernels do with vectors of sixteen numbers (kernels.lanes): operators, choices, masks, sums.

+ - * & | ^ >> == < ...         number by number: between vectors, or a vector and a number
-x, abs(x)
pick(mask, a, b)                a where the mask holds, else b; plain truth values and numbers too
bits(mask)                      an integer whose bit k is set where lane k of the mask holds
as_double(x), as_int64(x) ...   other number types; plain numbers too
zeros_like(x), ids_from(n)      nothing, of the type of x; n, n + 1, ...
total(x)                        the sum over the lanes, halves added to halves: in one order everywhere
low_bit(n), ones(n)             of an integer: number of its lowest bit that is set, how many are set
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

from chipsim.kernels.lane_kinds import zeros_like
from chipsim.kernels.lanes import LANES, Lanes, convert, spread

FLOATS = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv"}
WHOLE = {operator.add: "add", operator.sub: "sub", operator.mul: "mul", operator.and_: "and_", operator.or_: "or_",
         operator.xor: "xor", operator.rshift: "ashr", operator.lshift: "shl"}  # fmt: skip
COMPARE = {operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==", operator.ne: "!="}


def meet(a: types.Type, b: types.Type) -> types.Type | None:
    """Return the type of numbers in which two operands meet: the wider of two vectors; a plain number takes that of the vector."""
    if isinstance(a, Lanes) and isinstance(b, Lanes):
        if types.boolean in (a.dtype, b.dtype):
            return b.dtype if a.dtype == types.boolean else a.dtype
        if isinstance(a.dtype, types.Float) != isinstance(b.dtype, types.Float):
            return None
        return max(a.dtype, b.dtype, key=lambda kind: getattr(kind, "bitwidth", 1))
    vector, one = (a.dtype, b) if isinstance(a, Lanes) else (b.dtype, a)
    whole = isinstance(one, (types.Integer, types.Boolean, types.IntegerLiteral, types.BooleanLiteral))
    return vector if whole or isinstance(vector, types.Float) else None


def in_lanes(context, builder, value, have: types.Type, want: types.Type):
    """Return an operand, a vector or a plain number, as an LLVM vector of `want`."""
    if isinstance(have, Lanes):
        return convert(context, builder, value, have.dtype, want)
    if want == types.boolean:
        return spread(builder, builder.trunc(value, ir.IntType(1)) if value.type != ir.IntType(1) else value)
    return spread(builder, context.cast(builder, value, have, want))


def calculates(symbol: Callable) -> None:
    """Teach numba an operator that gives numbers."""

    @intrinsic
    def of_lanes(typing, a, b):
        kind = meet(a, b)
        name = FLOATS.get(symbol) if isinstance(kind, types.Float) else WHOLE.get(symbol)
        if kind is None or name is None:
            return None

        if name == "ashr" and not kind.signed:
            name = "lshr"

        def emit(context, builder, signature, arguments):
            x, y = (in_lanes(context, builder, v, have, kind) for v, have in zip(arguments, (a, b), strict=True))
            return getattr(builder, name)(x, y)

        return Lanes(kind)(a, b), emit

    @overload(symbol)
    def on_lanes(a, b):
        if isinstance(a, Lanes) or isinstance(b, Lanes):
            return lambda a, b: of_lanes(a, b)


def compares(symbol: Callable) -> None:
    """Teach numba an operator that gives a mask."""

    @intrinsic
    def of_lanes(typing, a, b):
        kind = meet(a, b)
        if kind is None:
            return None

        def emit(context, builder, signature, arguments):
            x, y = (in_lanes(context, builder, v, have, kind) for v, have in zip(arguments, (a, b), strict=True))
            if isinstance(kind, types.Float):
                return (builder.fcmp_unordered if symbol is operator.ne else builder.fcmp_ordered)(COMPARE[symbol], x, y)
            return builder.icmp_signed(COMPARE[symbol], x, y)

        return Lanes(types.boolean)(a, b), emit

    @overload(symbol)
    def on_lanes(a, b):
        if isinstance(a, Lanes) or isinstance(b, Lanes):
            return lambda a, b: of_lanes(a, b)


for _symbol in FLOATS | WHOLE:
    calculates(_symbol)
for _symbol in COMPARE:
    compares(_symbol)


@intrinsic
def _pick(typing, mask, a, b):
    kind = meet(a, b)

    def emit(context, builder, signature, arguments):
        x, y = (in_lanes(context, builder, v, have, kind) for v, have in zip(arguments[1:], (a, b), strict=True))
        return builder.select(in_lanes(context, builder, arguments[0], mask, types.boolean), x, y)

    return Lanes(kind)(mask, a, b), emit


@intrinsic
def _bits(typing, mask):
    def emit(context, builder, signature, arguments):
        return builder.zext(builder.bitcast(arguments[0], ir.IntType(LANES)), ir.IntType(64))

    return types.int64(mask), emit


@intrinsic
def _total(typing, x):
    def emit(context, builder, signature, arguments):
        value, left, index = arguments[0], LANES // 2, ir.IntType(32)
        add = builder.fadd if isinstance(x.dtype, types.Float) else builder.add
        while left:
            lower, upper = (ir.Constant(ir.VectorType(index, left), list(range(at, at + left))) for at in (0, left))
            value = add(builder.shuffle_vector(value, value, lower), builder.shuffle_vector(value, value, upper))
            left //= 2
        return builder.extract_element(value, index(0))

    return x.dtype(x), emit


def pick(mask, a, b):
    """Return a where the mask holds, else b."""
    if isinstance(mask, np.ndarray):
        return np.where(mask, a, b)
    return a if mask else b


def bits(mask):
    """Return an integer whose bit k is set where lane k holds."""
    return sum(1 << k for k in range(len(mask)) if mask[k])


def total(x):
    """Return the sum over the lanes, halves added to halves."""
    left = LANES // 2
    while left:
        x, left = x[:left] + x[left : 2 * left], left // 2
    return x[0]


@overload(pick, strict=False)
def _pick_lanes(mask, a, b):
    if isinstance(a, Lanes) or isinstance(b, Lanes):
        return lambda mask, a, b: _pick(mask, a, b)
    return lambda mask, a, b: a if mask else b


@overload(bits)
def _bits_of_lanes(mask):
    if isinstance(mask, Lanes):
        return lambda mask: _bits(mask)


@overload(total)
def _total_of_lanes(x):
    if isinstance(x, Lanes):
        return lambda x: _total(x)


@overload(operator.neg)
def _negative_lanes(x):
    if isinstance(x, Lanes):
        return lambda x: zeros_like(x) - x


@overload(abs)
def _distance_of_lanes(x):
    if isinstance(x, Lanes):
        return lambda x: pick(x < 0, zeros_like(x) - x, x)
