"""Population, Projection, Learning, Data, Schedule and the Network that holds them: the description before compiling."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from chipsim.errors import ConfigError, DataError, raise_all
from chipsim.network.check import structure_problems, weight_problems
from chipsim.schema import Description, as_problem

Positive = Annotated[float, Field(strict=True, gt=0, le=1e6, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=10**9)]


class Population(Description):
    """A set of neurons of one model. `tau_ms`: membrane (or readout) time constant in ms; `readout`: class score over time."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    size: Count
    neuron: Literal["input", "delta-lif", "leaky-readout"] = "delta-lif"
    tau_ms: Positive | None = None
    readout: Literal["sum", "max"] | None = None


class Projection(Description):
    """A dense set of synapses from `pre` to `post`.

    Initial weights: `normal` has standard deviation gain / sqrt(N_pre), by default with the paper's gain 20 (1 - alpha) of the
    postsynaptic population; `uniform` is +-gain / sqrt(N_pre), gain 1 by default. Source: code of Perez-Nieves & Goodman 2021.
    """

    pre: str
    post: str
    kind: Literal["dense"] = "dense"
    init: Literal["normal", "uniform"] = "normal"
    gain: Positive | None = None


class Regularisers(Description):
    """Spike-count regularisers of the paper: `upper` lambda_u over f_upper spikes per neuron, `lower` lambda_l under f_lower."""

    upper: NonNegative = 0.06
    lower: NonNegative = 100.0
    f_upper: NonNegative = 1.0
    f_lower: NonNegative = 1e-3


class Learning(Description):
    """How the network learns. `half_width` is the paper's B_th in units of the threshold (reference code: b_th = 1 - half_width)."""

    rule: Literal["ssgd-replay"] = "ssgd-replay"
    surrogate: Literal["paper", "box"] = "box"
    half_width: Annotated[float, Field(strict=True, gt=0)] = 0.2
    regularisers: Regularisers | None = None
    write: Literal["stochastic", "nearest"] = "stochastic"
    weight_bits: Annotated[int, Field(strict=True, ge=2, le=16)] = 8
    v_fraction: Annotated[int, Field(strict=True, ge=4, le=20)] | None = (
        None  # fraction bits of V; none: as many as the chip's V allows, at most 12
    )
    delta_fraction: Annotated[int, Field(strict=True, ge=0, le=20)] = 10
    readout_delta_fraction: Annotated[int, Field(strict=True, ge=0, le=14)] = 14

    @field_validator("half_width")
    @classmethod
    def _number(cls, value: float) -> float:
        if math.isnan(value) or 1000 < value < math.inf:
            raise ValueError("it must be a number from 0 to 1000 thresholds, or infinite (every neuron is active)")
        return value


class Encoding(Description):
    """Time to first spike: an intensity x >= threshold fires once, brighter is earlier.

    latency: at floor(tau_ms / dt_ms * ln(x / (x - threshold))), the paper's. linear-latency: at round(tau_ms / dt_ms * (1 - x)).
    """

    kind: Literal["latency", "linear-latency"] = "latency"
    tau_ms: Positive = 10.0
    threshold: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.2


class Data(Description):
    """A data set by name, and how it becomes spikes."""

    name: str
    encoding: Encoding = Encoding()


class Schedule(Description):
    """How long and in what portions a network is trained. On the chip (`fixed`) only batch 1 with `sgd` exists.

    rate: learning rate of `adam` and float `sgd`. shifts: learning rate 2^-s per projection; none: calibrated from `calibrate`
    (ratio of the rms update to the standard deviation of the weights) and the first samples. halve_every: one more shift (half the
    rate) after so many passes; 0: never.
    """

    passes: Count = 10
    batch: Count = 1
    optimiser: Literal["sgd", "adam"] = "sgd"
    rate: Positive | None = None
    shifts: tuple[Annotated[int, Field(strict=True, ge=-16, le=30)], ...] | None = None
    calibrate: Positive = 1e-3
    halve_every: Annotated[int, Field(strict=True, ge=0)] = 0


class Network(Description):
    """Populations in order from the input to the readout, dense projections from each to the next, and how they are trained.

    steps: time indices T of a sample; T - 1 transitions are executed. dt_ms: length of a step.
    Weights are explicit after `with_weights`, else drawn from the initialisation of each projection with the seed of the run.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=100)] = "network"
    title: str = ""
    dt_ms: Positive = 1.0
    steps: Count
    population: tuple[Population, ...]
    projection: tuple[Projection, ...] = ()
    learning: Learning = Learning()
    data: Data | None = None
    schedule: dict[Literal["fixed", "float"], Schedule] = {}
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 1
    _weights: dict[str, np.ndarray] | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _chain(cls, table: Any) -> Any:
        if isinstance(table, dict) and not table.get("projection") and isinstance(table.get("population"), (list, tuple)):
            names = [getattr(p, "name", None) or (p.get("name", "") if isinstance(p, dict) else "") for p in table["population"]]
            table = {**table, "projection": [{"pre": a, "post": b} for a, b in zip(names, names[1:], strict=False)]}
        return table

    def __init__(self, **table: Any):
        """Build from keyword arguments.

        Raises:
            ConfigError: wrong, missing or unknown keys, all of them at once; or parts that do not fit together.
        """
        try:
            super().__init__(**table)
        except ValidationError as error:
            name = f'network "{table.get("name", "network")}"'
            raise ConfigError([as_problem(e, Network, name) for e in error.errors()]) from None

    def model_post_init(self, context: Any) -> None:
        """Check what must hold between the parts."""
        raise_all(structure_problems(self))

    @property
    def populations(self) -> tuple[Population, ...]:
        """Populations from the input to the readout."""
        return self.population

    @property
    def projections(self) -> tuple[Projection, ...]:
        """Projections in population order; weights carry the name of the postsynaptic population."""
        return self.projection

    @property
    def hidden(self) -> tuple[Population, ...]:
        """The spiking populations between input and readout."""
        return self.population[1:-1]

    @property
    def readout(self) -> str:
        """Class score over time: `sum` or `max`."""
        return self.population[-1].readout or "max"

    def alpha(self, index: int) -> float:
        """Return exp(-dt / tau) of population `index`, the factor its membrane keeps per step."""
        tau = self.population[index].tau_ms
        return math.exp(-self.dt_ms / tau) if tau else 0.0

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Weights by postsynaptic population, [N_pre, N_post] float64 in units of the threshold."""
        return self.initial_weights(self.seed)

    @property
    def explicit(self) -> bool:
        """Whether the weights were given, not drawn with a seed."""
        return self._weights is not None

    def initial_weights(self, seed: int) -> dict[str, np.ndarray]:
        """Return the explicit weights, or weights drawn with `seed`."""
        if self._weights is not None:
            return {name: w.copy() for name, w in self._weights.items()}
        return {p.post: self._draw(k, seed) for k, p in enumerate(self.projection)}

    def _draw(self, k: int, seed: int) -> np.ndarray:
        projection = self.projection[k]
        shape = (self.population[k].size, self.population[k + 1].size)
        random = np.random.default_rng([seed, k])
        if projection.init == "uniform":
            bound = (projection.gain or 1.0) / math.sqrt(shape[0])
            return random.uniform(-bound, bound, shape)
        gain = projection.gain or 20 * (1 - self.alpha(k + 1))
        return random.normal(0.0, gain / math.sqrt(shape[0]), shape)

    def with_weights(self, weights: dict[str, np.ndarray]) -> Network:
        """Return a copy with explicit weights, {postsynaptic population: [N_pre, N_post]}.

        Raises:
            DataError: a population is missing or unknown, a shape is wrong, a weight is not finite.
        """
        raise_all(weight_problems(self, weights), DataError)
        new = self.model_copy()
        new._weights = {p.post: np.array(weights[p.post], dtype=np.float64) for p in self.projection}
        return new

    def over(self, steps: int) -> Network:
        """Return this network for samples of `steps` steps."""
        return self if steps == self.steps else self.but(steps=steps)

    def but(self, **changes: Any) -> Network:
        """Return a copy with some fields replaced, validated again; explicit weights are kept.

        Raises:
            ConfigError: a field is wrong. DataError: explicit weights do not fit the new populations.
        """
        new = Network.model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})
        if self._weights is not None:
            raise_all(weight_problems(new, self._weights), DataError)
        new._weights = self._weights
        return new
