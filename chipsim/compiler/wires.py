"""Synapses of all projections as the kernels of delivery walk them."""

from __future__ import annotations

import numpy as np

from chipsim.compiler.packing import Packed, pack
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


def wires_of(plan: Plan, form: Formats, weights: np.ndarray) -> Wires:
    """Return the synapses of all projections. weights: [W] as stored; where nothing learns they are packed with their synapses."""
    network, ends = plan.network, ints(plan.network.ends).reshape(-1, 2)
    sizes = ints([p.size for p in network.population])
    first, depth = np.cumsum(sizes) - sizes, ints([s.depth for s in plan.synapses])
    slots = depth * sizes[ends[:, 1]]
    widths = [wraps(plan, form, k) for k in range(len(ends))]
    real = [pre == 0 and not form.fixed and not p.mantissa for p, (pre, _) in zip(network.projection, network.ends, strict=True)]
    graded = [p.message_bits > 0 or r for p, r in zip(network.projection, real, strict=True)]
    return Wires(
        len(sizes), ends[:, 0].copy(), ends[:, 1].copy(), first[ends[:, 0]], first[ends[:, 1]], sizes[ends[:, 1]], offsets(plan),
        ints(form.exponent), np.array(graded, dtype=np.bool_), *ints(widths).reshape(-1, 3).T.copy(), depth=depth,
        ring=np.cumsum(slots) - slots, direct=direct(plan, form, widths),
        **listed(plan, packs(plan, form, weights, graded, [after for _, _, after in widths])),
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


def packs(plan: Plan, form: Formats, weights: np.ndarray, graded: list[bool], after: list[int]) -> list[Packed | None]:
    """Return the packed synapses of each projection; None where they are lists, or rows: their weights may change, or do not fit."""
    found: list[Packed | None] = []
    for k, (s, base) in enumerate(zip(plan.synapses, offsets(plan), strict=True)):
        fixed = form.fixed and s.listed and not graded[k] and not plan.learning
        found.append(pack(s, weights[base : base + s.stored], form.exponent[k], after[k]) if fixed else None)
    return found


def listed(plan: Plan, packed: list[Packed | None]) -> dict[str, np.ndarray]:
    """Return the synapse lists of all projections one after the other, and the packed ones."""
    first, starts, row, at, word = [], [], 0, 0, 0
    columns: list[list[np.ndarray]] = [[], [], []]
    for s, base, pack_ in zip(plan.synapses, offsets(plan), packed, strict=True):
        first.append(row)
        if not s.listed:
            continue
        row += s.sizes[0] + 1
        starts.append(s.starts + (at if pack_ is None else word))
        if pack_ is None:
            at += len(s.post)
            for column, part in zip(columns, (s.post, s.weight + base, s.delay), strict=True):
                column.append(part)
        else:
            word += len(pack_.words)
    none = np.zeros(0, dtype=np.int32)
    post, weight, delay = (np.concatenate([none, *column]).astype(np.int32) for column in columns)
    room = ints([0 if p is None else max(s.depth, 1) * s.sizes[1] for p, s in zip(packed, plan.synapses, strict=True)])
    words = [p.words for p in packed if p is not None]
    return {
        "listed": np.array([s.listed for s in plan.synapses], dtype=np.bool_), "first_row": ints(first),
        "list_start": ints(np.concatenate([none, *starts])), "list_post": post, "list_weight": weight, "list_delay": delay,
        "packed": words[0] if len(words) == 1 else np.concatenate([none.astype(np.uint32), *words]),
        "packed_bits": ints([0 if p is None else p.bits for p in packed]),
        "packed_sum": ints([0 if p is None else p.below for p in packed]), "packed_first": np.cumsum(room) - room,
    }  # fmt: skip
