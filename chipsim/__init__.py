"""chipsim: training on neuromorphic chips, event-driven, in fixed point, with every operation counted and priced.

The public names are loaded when they are first used, so that `import chipsim` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Network": "chipsim.network", "load_model": "chipsim.network", "ssgd_network": "chipsim.network",
    "Chip": "chipsim.hardware", "load_chip": "chipsim.hardware",
    "Events": "chipsim.events", "Counters": "chipsim.counters",
    "compile_network": "chipsim.compiler", "simulate": "chipsim.simulator",
    "LavaRule": "chipsim.learning.lava",
    "gradients": "chipsim.training.gradients", "train": "chipsim.api", "evaluate": "chipsim.training", "reprice": "chipsim.training",
    "calibrate": "chipsim.training.calibrate",
    "rule": "chipsim.learning.language", "PreTrace": "chipsim.learning.language", "PostTrace": "chipsim.learning.language",
    "SynState": "chipsim.learning.language", "Active": "chipsim.learning.language", "Learn": "chipsim.learning.language",
    "Weight": "chipsim.learning.language", "Reward": "chipsim.learning.language", "Const": "chipsim.learning.language",
    "Neuron": "chipsim.learning.language", "Potential": "chipsim.learning.language", "Random": "chipsim.learning.language",
    "times": "chipsim.learning.language", "rshift": "chipsim.learning.language", "where": "chipsim.learning.language",
    "clip": "chipsim.learning.language", "sgn": "chipsim.learning.language",
    "ChipsimError": "chipsim.errors", "ConfigError": "chipsim.errors", "DataError": "chipsim.errors",
    "CapacityError": "chipsim.errors", "VerifyError": "chipsim.errors",
}  # fmt: skip
__all__ = sorted(_PUBLIC)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'chipsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_PUBLIC]
