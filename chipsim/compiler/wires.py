"""Synapses of all projections as the kernels of delivery walk them."""

from __future__ import annotations

import numpy as np

from chipsim.compiler.plan import Plan
from chipsim.compiler.quantize import Formats
from chipsim.kernels.fixed import CONV_BITS
from chipsim.state import Wires

LAVA_BITS = 32  # width at which lava-nc's dense and sparse connections wrap (docs/neurons.md section 4)


def ints(values: object) -> np.ndarray:
    """Return an int64 array."""
    return np.asarray(values, dtype=np.int64)


def offsets(plan: Plan) -> np.ndarray:
    """Return [K] int64: where the stored weights of each projection begin."""
    stored = ints([s.stored for s in plan.synapses])
    return np.cumsum(stored) - stored


def wires_of(plan: Plan, form: Formats) -> Wires:
    """Return the synapses of all projections."""
    network, ends = plan.network, ints(plan.network.ends).reshape(-1, 2)
    sizes = ints([p.size for p in network.population])
    first, depth = np.cumsum(sizes) - sizes, ints([s.depth for s in plan.synapses])
    slots = depth * sizes[ends[:, 1]]
    widths = [wraps(plan, form, k) for k in range(len(ends))]
    real = [pre == 0 and not form.fixed and not p.mantissa for p, (pre, _) in zip(network.projection, network.ends, strict=True)]
    graded = [p.message_bits > 0 or r for p, r in zip(network.projection, real, strict=True)]
    return Wires(
        len(sizes), ends[:, 0].copy(), first[ends[:, 0]], first[ends[:, 1]], sizes[ends[:, 1]], offsets(plan), ints(form.exponent),
        np.array(graded, dtype=np.bool_), *ints(widths).reshape(-1, 3).T.copy(), **listed(plan),
        depth=depth, ring=np.cumsum(slots) - slots, direct=direct(plan, form, widths),
    )  # fmt: skip


def direct(plan: Plan, form: Formats, widths: list[tuple[int, int, int]]) -> np.ndarray:
    """Return [K] bool: the sums of a projection are all that arrives at its neurons, and arrive as they are."""
    posts = [post for _, post in plan.network.ends]
    return np.array(
        [not s.listed and s.depth == 0 and exponent == 0 and wrap[1:] == (0, 0) and posts.count(post) == 1
         for s, exponent, wrap, post in zip(plan.synapses, form.exponent, widths, posts, strict=True)],
        dtype=np.bool_,
    )  # fmt: skip


def wraps(plan: Plan, form: Formats, k: int) -> tuple[int, int, int]:
    """Return the widths at which a product, the sum before its shift, and what is delivered wrap; 0: never."""
    projection, post = plan.network.projection[k], plan.network.population[plan.network.ends[k][1]]
    if not form.fixed or post.model.family != "loihi":
        return 0, 0, 0
    if projection.kind == "conv":
        return 0, 0, CONV_BITS
    if projection.message_bits == 0:
        return 0, 0, LAVA_BITS
    by_product = projection.kind == "dense" and plan.synapses[k].depth > 0
    return (LAVA_BITS, 0, LAVA_BITS) if by_product else (0, LAVA_BITS, LAVA_BITS)


def listed(plan: Plan) -> dict[str, np.ndarray]:
    """Return the synapse lists of all projections one after the other."""
    first, starts, row, at = [], [], 0, 0
    columns: list[list[np.ndarray]] = [[], [], []]
    for s, base in zip(plan.synapses, offsets(plan), strict=True):
        first.append(row)
        if s.listed:
            starts.append(s.starts[:-1] + at)
            row, at = row + s.sizes[0], at + len(s.pre)
            for column, part in zip(columns, (s.post, s.weight + base, s.delay), strict=True):
                column.append(part)
    none = np.zeros(0, dtype=np.int64)
    post, weight, delay = (ints(np.concatenate([none, *column])) for column in columns)
    return {
        "listed": np.array([s.listed for s in plan.synapses], dtype=np.bool_), "first_row": ints(first),
        "list_start": ints(np.concatenate([*starts, [at]])), "list_post": post, "list_weight": weight, "list_delay": delay,
    }  # fmt: skip
