"""V10: cycles of Xylo-Audio 2 per step."""

from __future__ import annotations

from chipsim.cost.cycles import xylo
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close

TITLE = "Xylo-Audio 2: clock cycles of a step from activity"
SOURCE = "the vendor's released cycle model (Rockpool, XyloAudio 2)"


def rows() -> list[Row]:
    """Return four networks."""
    facts, found = expected("xylo"), []
    for case in (table for table in facts.values() if isinstance(table, dict)):
        sizes = case["inputs"], case["hidden"], case["outputs"], case["fan_out"]
        got = xylo(*sizes, case["p_in"], case["p_hidden"])
        name = "{}-{}-{}, fan-out {}".format(*sizes) + f", activity {case['p_in']:g} / {case['p_hidden']:g}"
        found.append(close(name, case["cycles"], got, "cycles", facts["rtol"], SOURCE))
    return found
