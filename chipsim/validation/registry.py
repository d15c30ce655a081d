"""The validation cases by name, one module each with a TITLE and `rows()`; nothing is imported before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module

from chipsim.errors import ConfigError, Problem
from chipsim.overrides import suggest
from chipsim.validation.row import Row

CASES = {  # name -> module in chipsim.validation.cases
    "reckon-cycles": "reckon_cycles",
    "reckon-energy": "reckon_energy",
    "xylo-cycles": "xylo",
    "odin-power": "odin",
    "truenorth-power": "truenorth",
    "seneca-synop": "seneca",
    "mesh-simulator": "mesh_simulator",
    "loihi-query": "frady",
    "loihi-backpropagation": "renner",
    "training-ratios": "ratios",
}


def run_cases(names: Sequence[str] = ()) -> Iterator[tuple[str, str, list[Row]]]:
    """Yield name, title and rows of each case, in the order of `CASES`; none named: all.

    Raises:
        ConfigError: there is no case of that name.
    """
    unknown = [name for name in names if name not in CASES]
    if unknown:
        limit = f"the cases are: {', '.join(CASES)}"
        raise ConfigError([Problem("validate", "case", name, limit, suggest(name, CASES)) for name in unknown])
    for name, module in CASES.items():
        if not names or name in names:
            case = import_module(f"chipsim.validation.cases.{module}")
            yield name, case.TITLE, case.rows()
