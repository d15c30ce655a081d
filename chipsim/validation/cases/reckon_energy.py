"""V5: the cycles of ReckOn against its published energies and power budgets."""

from __future__ import annotations

from chipsim.cost.cycles import reckon
from chipsim.validation.fixtures import expected
from chipsim.validation.row import Row, close

TITLE = "ReckOn: cycles of a learning step from the published energies"
SOURCE = "Frenkel and Indiveri 2022 (ISSCC; arXiv:2208.09759), transcribed by a third party"
CLOCK_MHZ = 13.0
LEARNING, INFERENCE = (178.0, 150.0), (42.0, 80.0)  # nJ per step, uW: largest energies and power budgets at 0.5 V


def rows() -> list[Row]:
    """Return the difference between learning and inference, from energies and from the formula."""
    with_learning, without = (nanojoules / microwatts * 1e3 * CLOCK_MHZ for nanojoules, microwatts in (LEARNING, INFERENCE))
    ours = reckon(256, 256, 16, 0, 0, True).cycles - reckon(256, 256, 16, 0, 0, False).cycles
    note = (
        f"178 nJ / 150 uW and 42 nJ / 80 uW at 13 MHz are {with_learning:.1f} and {without:.1f} cycles; it is assumed that both "
        "maxima belong to 256/256 neurons at full clock and at their budgets. One agreement (-1.18 % of the formula), no calibration"
    )
    tolerance = expected("reckon")["max_error_percent"] / 100
    published = with_learning - without
    return [close("cycles that learning adds to a step", published, ours, "cycles", tolerance, SOURCE, note)]
