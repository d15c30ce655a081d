"""Chips for random networks: how they compute, how large they are, and how the active test can be made on them."""

from __future__ import annotations

import os

import bridge
from hypothesis import strategies as st

JIT = os.environ.get("NUMBA_DISABLE_JIT") != "1"


def few(draws: int) -> int:
    """Return how many draws a test makes: so many compiled, half with the JIT off, where it does not ask what they met."""
    return draws if JIT else draws // 2


ARITHMETIC = (  # of the chip
    *[{}] * 4,
    {"rounding": "nearest"},
    {"rounding": "floor", "overflow_v": "wrap"},
    {"rounding": "stochastic"},
    {"decay": "lazy", "decay_table": 4},
    {"decay": "lazy", "decay_table": 64, "rounding": "nearest"},
    {"decay": "lazy", "decay_table": 64, "rounding": "stochastic", "overflow_v": "wrap"},
)


def scans(network, chip) -> list[str]:
    """Return how the active test can be made."""
    found = ["touched"] if chip.arithmetic.decay == "lazy" else ["clocked", "clocked", "touched"]
    analytic = network.learning.half_width < 1 and chip.arithmetic.rounding != "stochastic"
    return found + ["analytic"] * analytic


def draw_chip(draw, sizes, widths):
    """Return a toy chip large enough for the populations cut to a few compartments per core."""
    room = draw(st.integers(1, 7))
    needed = sum(-(-size // room) for size in sizes[1:])
    y, per_tile = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    x = max(draw(st.integers(1, 4)), -(-needed // (y * per_tile)))
    return bridge.toy(
        draw(st.sampled_from(bridge.PREDICATES)), draw(st.sampled_from(ARITHMETIC)), tiles_x=x, tiles_y=y, cores_per_tile=per_tile,
        host_tile=draw(st.integers(0, x * y - 1)), compartments_per_core=room, synapse_word=draw(st.sampled_from([8, 32, 64])),
        synapse_list_header=draw(st.integers(0, 10)), synapse_delay=draw(st.sampled_from([0, 6])), **widths,
    )  # fmt: skip
