"""One kernel for all neuron models, made from the registry: `update(code, s, a, sent, k, now, modes)`."""

from __future__ import annotations

from chipsim.kernels._jit import by_code
from chipsim.neurons import CODES, model

update = by_code({code: model(name).update for name, code in CODES.items()}, "s, a, sent, k, now, modes")
