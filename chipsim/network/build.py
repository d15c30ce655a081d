"""Networks built in Python: the network of the SSGD paper in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chipsim.errors import ConfigError, Problem
from chipsim.network.description import Network
from chipsim.schema import read


def ssgd_network(
    n_in: int,
    hidden: Sequence[int] = (200, 200),
    classes: int = 10,
    steps: int = 100,
    tau_mem: float = 10.0,
    tau_readout: float = 10.0,
    readout: str = "max",
    surrogate: str = "paper",
    half_width: float = 0.2,
    regularisers: str | dict[str, float] | None = None,
    init: str | dict[str, Any] = "normal",
    seed: int = 1,
) -> Network:
    """Return the network of Perez-Nieves & Goodman 2021: input, delta-lif layers, leaky readout; dt = 1 step.

    Populations are named input, hidden1, hidden2, ..., out. tau_mem and tau_readout are in steps. regularisers: None, "paper", or
    {"upper": .., "lower": .., "f_upper": ..}. init: "normal" (the paper's for Fashion-MNIST), "uniform", or the keys of a projection
    ({"init": "normal", "gain": 2.0}).

    Raises:
        ConfigError: a number is out of range, or there is no hidden layer.
    """
    if not isinstance(hidden, (list, tuple)) or not isinstance(init, (str, dict)):
        wanted = {"hidden": (hidden, (list, tuple), "a list of sizes"), "init": (init, (str, dict), "a name or a dict")}
        wrong = [
            Problem("ssgd_network(...)", k, v, f"{text} is required")
            for k, (v, kind, text) in wanted.items()
            if not isinstance(v, kind)
        ]
        raise ConfigError(wrong)
    sizes = [n_in, *hidden, classes]
    names = ["input", *(f"hidden{n + 1}" for n in range(len(sizes) - 2)), "out"]
    neurons = ["input", *["delta-lif"] * (len(sizes) - 2), "leaky-readout"]
    taus = [None, *[tau_mem] * (len(sizes) - 2), tau_readout]
    population = [
        {"name": n, "size": size, "neuron": kind} | ({} if tau is None else {"tau_ms": tau})
        for n, size, kind, tau in zip(names, sizes, neurons, taus, strict=True)
    ]
    population[-1]["readout"] = readout
    drawn = {"init": init} if isinstance(init, str) else dict(init)
    learning = {"surrogate": surrogate, "half_width": half_width,
                "regularisers": {} if regularisers == "paper" else regularisers}  # fmt: skip
    table = {
        "name": "ssgd", "steps": steps, "population": population, "learning": learning, "seed": seed,
        "projection": [{"pre": a, "post": b, **drawn} for a, b in zip(names, names[1:], strict=False)],
    }  # fmt: skip
    return read(Network, table, "ssgd_network(...)")
