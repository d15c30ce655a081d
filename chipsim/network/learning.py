"""How a network learns and is trained: Learning, Data, Schedule."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from chipsim.learning.language.given import SOURCES
from chipsim.learning.policies import MASTER_BITS, parse_policy, policy_of
from chipsim.network.population import Count
from chipsim.network.projection import Positive
from chipsim.schema import Description

NonNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class Regularisers(Description):
    """Spike-count regularisers of the paper: `upper` lambda_u over f_upper spikes per neuron, `lower` lambda_l under f_lower."""

    upper: NonNegative = 0.06
    lower: NonNegative = 100.0
    f_upper: NonNegative = 1.0
    f_lower: NonNegative = 1e-3


class Learning(Description):
    """How the network learns. `half_width` is the paper's B_th in units of the threshold (reference code: b_th = 1 - half_width).

    rule: a name of `chipsim rules`, or FILE.py:CLASS. signal, align: in place of those of an online rule. error_threshold: learning
    signals of at most this size are taken as 0 (online rules). loss: cross entropy of the class scores (score; none: what replay takes)
    or of the potentials of every step (step; none: what online rules take). sharpness: of the softmax of a loss per step (none: that of
    the rule, mostly 10).
    scan: when the active test is made: in every step (clocked), only where something arrives or after an own spike (touched: misses
    neurons that decay through the band), or as touched with the rest of the stay in the band computed at each test (analytic).
    apply: gradients are accumulated and written after the replay of a sample, or each delta is written in place, without accumulators
    (fixed point only; errors of earlier steps then meet changed weights, so it is not SSGD).
    form: replay adds deltas at logged spikes (B), or error times presynaptic trace at active events, in a second walk over the logs (A).
    transport: active neurons pull their error through their weights (gather), or active neurons above push theirs (push).
    write: stochastic, nearest, one-lsb, sign, residue or residue:BITS (what a write loses is kept), master or master:BITS (16; a finer
    weight accumulates); see learning.policies.
    """

    rule: str = "ssgd-replay"
    signal: Literal[tuple(SOURCES)] | None = None
    align: Literal["next", "same"] | None = None
    loss: Literal["score", "step"] | None = None
    error_threshold: NonNegative = 0.0
    surrogate: Literal["paper", "box", "triangle"] = "box"
    half_width: Annotated[float, Field(strict=True, gt=0)] = 0.2
    regularisers: Regularisers | None = None
    scan: Literal["clocked", "touched", "analytic"] = "clocked"
    write: str | None = None  # none: the rule's own, else stochastic
    apply: Literal["after", "inplace"] = "after"
    form: Literal["B", "A"] = "B"
    transport: Literal["gather", "push"] = "gather"
    weight_bits: Annotated[int, Field(strict=True, ge=2, le=16)] = 8
    v_fraction: Annotated[int, Field(strict=True, ge=4, le=20)] | None = (
        None  # fraction bits of V; none: as many as the chip's V allows, at most 12
    )
    delta_fraction: Annotated[int, Field(strict=True, ge=0, le=20)] = 10
    readout_delta_fraction: Annotated[int, Field(strict=True, ge=0, le=14)] = 14
    sharpness: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None

    @field_validator("half_width")
    @classmethod
    def _number(cls, value: float, info: ValidationInfo) -> float:
        if math.isnan(value) or 1000 < value < math.inf:
            raise ValueError("it must be a number from 0 to 1000 thresholds, or infinite (every neuron is active)")
        if math.isinf(value) and info.data.get("surrogate") == "triangle":
            raise ValueError("the triangle falls from 1 to 0 over the active band, which must be finite")
        return value

    @field_validator("write")
    @classmethod
    def _policy(cls, value: str | None) -> str | None:
        if value is not None:
            parse_policy(value)
        return value

    @model_validator(mode="after")
    def _master(self) -> Learning:
        chosen = policy_of(self)
        if chosen.name == "master" and chosen.number <= self.weight_bits:
            limit = f"a master weight has from weight_bits + 1 = {self.weight_bits + 1} to {MASTER_BITS[1]} bits"
            raise ValueError(f"write = {self.write!r} with weight_bits = {self.weight_bits}: {limit}")
        return self


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
    """How long and in what portions a network is trained. On the chip (`fixed`) only batch 1 exists, and no `adam`.

    optimiser: see learning.policies. rate: learning rate in float. momentum: factor of the velocity per update, 0 <= momentum < 1.
    shifts: learning rate 2^-s per projection; none: calibrated from `calibrate` (ratio of the rms update to the standard deviation of
    the weights) and the first samples. halve_every: one more shift (half the rate) after so many passes; 0: never.
    """

    passes: Count = 10
    batch: Count = 1
    optimiser: Literal["sgd", "sign", "momentum", "adam"] = "sgd"
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.9
    rate: Positive | None = None
    shifts: tuple[Annotated[int, Field(strict=True, ge=-16, le=30)], ...] | None = None
    calibrate: Positive = 1e-3
    halve_every: Annotated[int, Field(strict=True, ge=0)] = 0
