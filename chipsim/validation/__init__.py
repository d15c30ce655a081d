"""Validation against silicon, RTL and another simulator: what chipsim must reproduce, with the figure, its source and the tolerance."""

from chipsim.validation.registry import CASES, run_cases

__all__ = ["CASES", "run_cases"]
