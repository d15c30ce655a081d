"""The registry of neuron models: a new one is one file and one line; each declares what it stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from chipsim.neurons import CODES, INPUT, MODELS, model
from chipsim.neurons.contract import Form, Model
from chipsim.state import CONSTANTS, VARIABLES

PACKAGE = Path(__file__).resolve().parent.parent / "chipsim"
LEAST = {"leaky-readout": {"tau_ms": 5.0}, "delta-lif": {"tau_ms": 5.0}, "adaptive-lif": {"tau_ms": 5.0, "tau_adapt_ms": 50.0},
         "loihi-lif": {"dv": 3}, "ternary-lif": {"dv": 3, "vth_hi": 9, "vth_lo": -9}, "reset-lif": {"dv": 3, "interval": 7},
         "refractory-lif": {"dv": 3, "period": 2}}  # fmt: skip


def test_the_registry_is_not_empty():
    assert len(MODELS) >= 10 and INPUT in MODELS and len(set(CODES.values())) == len(MODELS)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in (INPUT, "delta-lif", "leaky-readout", "if")])
def test_a_model_is_named_in_its_file_and_in_the_registry_only(name):
    """A name elsewhere would have to be edited for a new model; cases of validation and benchmarks describe networks, as users do."""
    own = {PACKAGE / "neurons" / "__init__.py", Path(model(name).__file__)}
    users = (PACKAGE / "validation" / "cases", PACKAGE / "bench")
    code = [f for f in PACKAGE.rglob("*.py") if f.parent not in users]
    others = [f for f in code if f not in own and f'"{name}"' in f.read_text()]
    assert not others


@pytest.mark.parametrize("name", MODELS)
def test_every_model_declares_what_it_stores(name):
    file = model(name)
    assert isinstance(file.MODEL, Model) and len(file.MODEL.variables) <= VARIABLES
    assert file.__doc__.startswith(f"{name}:") and (name == INPUT or "Source:" in file.__doc__)
    own = file.Parameters(**LEAST.get(name, {}))
    for fixed in (True, False):
        numbers = file.constants(own, Form(fixed, 4096.0 if fixed else 1.0, 1.0, 12))
        assert len(numbers) <= CONSTANTS and all(isinstance(x, float) for x in numbers)
        assert not fixed or all(x == int(x) for x in numbers)


def test_decay_words_of_taus_and_of_words_agree():
    form = Form(True, 4096.0, 1.0, 12)
    by_tau = model("loihi-lif").constants(model("loihi-lif").Parameters(tau_ms=20.0, tau_syn_ms=5.0), form)
    v, u = by_tau[:2]
    by_word = model("loihi-lif").constants(model("loihi-lif").Parameters(dv=int(4096 - v), du=int(4095 - u)), form)
    assert by_tau == by_word and (v, u) == (3896, 3354)
