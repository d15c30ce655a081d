"""A projection: a set of synapses from one population to another, dense, sparse or convolutional, with or without delays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from chipsim.schema import Description

MOST_DELAY = 62  # Loihi stores 6 bits; the longest of the 63 slots is the one being read
Positive = Annotated[float, Field(strict=True, gt=0, le=1e6, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True, ge=1, le=10**6)]
Margin = Annotated[int, Field(strict=True, ge=0, le=10**6)]
Mantissa = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]
ONLY = {  # key -> (field, value it belongs to)
    "density": ("kind", "sparse"), "kernel": ("kind", "conv"), "stride": ("kind", "conv"), "padding": ("kind", "conv"),
    "dilation": ("kind", "conv"), "groups": ("kind", "conv"), "weight_exp": ("units", "mantissa"),
    "sign_mode": ("units", "mantissa"), "message_bits": ("units", "mantissa"), "low": ("init", "integers"),
    "high": ("init", "integers"), "weight_bits": ("units", "mantissa"),
}  # fmt: skip


def clipped(low: int | None, high: int | None) -> tuple[int, int]:
    """Return a range within 8 bits."""
    return max(-128, low or 0), min(127, high or 0)


class Projection(Description):
    """Synapses from `pre` to `post`.

    name: of its weights; by default that of the postsynaptic population, or "pre->post" if several projections lead there.
    kind: dense; sparse (density: share of synapses, drawn with the network's seed; without it those with a non-zero explicit weight);
    conv (kernel, stride, padding, dilation: pairs; groups; populations need a shape; the kernel is flipped, as in lava-nc).
    delay: steps a spike takes beyond the one it always takes, 0 to 62; [low, high]: drawn for each synapse with the network's seed.
    units: "threshold": weights are real, in thresholds, and the compiler quantises them. "mantissa": weights are integers, stored as
    Loihi stores them (docs/neurons.md section 4), for the Loihi family only: weight_bits 1..8, weight_exp, sign_mode, and message_bits
    (above 0: a weight is multiplied with the payload of a spike).
    Weights in thresholds see that a spike comes, not its payload (float numerics take graded values of the input, which no chip has).
    Initial weights: `normal` has standard deviation gain / sqrt(fan-in), by default with the paper's gain 20 (1 - alpha) of the
    postsynaptic population (1 without a leak); `uniform` is +-gain / sqrt(fan-in), gain 1 by default (source: code of Perez-Nieves &
    Goodman 2021); `membrane` is normal with the gain at which potentials just reach the threshold, found from the first training samples
    (training.membrane; cs.train and cs.calibrate alone have them); `integers` is uniform over low..high (mantissas).
    """

    pre: str
    post: str
    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_>-]*$")] | None = None
    kind: Literal["dense", "sparse", "conv"] = "dense"
    units: Literal["threshold", "mantissa"] = "threshold"
    init: Literal["normal", "uniform", "membrane", "integers"] = "normal"
    gain: Positive | None = None
    low: Mantissa | None = None
    high: Mantissa | None = None
    density: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    delay: int | tuple[int, int] = 0
    weight_bits: Annotated[int, Field(strict=True, ge=1, le=8)] | None = None
    weight_exp: Annotated[int, Field(strict=True, ge=-31, le=24)] = 0
    sign_mode: Literal["mixed", "excitatory", "inhibitory"] | None = None
    message_bits: Annotated[int, Field(strict=True, ge=0, le=32)] = 0
    kernel: tuple[Whole, Whole] | None = None
    stride: tuple[Whole, Whole] = (1, 1)
    padding: tuple[Margin, Margin] = (0, 0)
    dilation: tuple[Whole, Whole] = (1, 1)
    groups: Whole = 1

    @field_validator("delay", mode="before")
    @classmethod
    def _steps(cls, value: Any) -> Any:
        pair = value if isinstance(value, (list, tuple)) else (value, value)
        if len(pair) != 2 or any(type(d) is not int or not 0 <= d <= MOST_DELAY for d in pair) or pair[0] > pair[1]:
            raise ValueError(f"it must be a whole number of steps from 0 to {MOST_DELAY}, or [low, high] of such, low <= high")
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _sense(self) -> Projection:
        for key, (field, value) in ONLY.items():
            if getattr(self, key) != type(self).model_fields[key].default and getattr(self, field) != value:
                raise ValueError(f"{key} belongs to {field} = {value!r}, this projection has {field} = {getattr(self, field)!r}")
        if self.kind == "conv" and (self.kernel is None or self.delayed or self.weight_exp):
            raise ValueError("a conv projection needs a kernel = [kx, ky] and has neither delays nor weight_exp (as in lava-nc)")
        if self.kind == "conv" and (self.weight_bits is not None or self.sign_mode is not None):
            raise ValueError("a conv projection has 8-bit weights of either sign: no weight_bits, no sign_mode (as in lava-nc)")
        if self.kind == "conv" and self.init == "integers" and (self.low or 0, self.high or 0) != clipped(self.low, self.high):
            raise ValueError(f"low = {self.low}, high = {self.high}: the kernel of a convolution has 8 bits, -128 to 127")
        if self.units == "mantissa" and self.init != "integers" and "init" in self.model_fields_set:
            raise ValueError("mantissas are drawn with init = 'integers' (low, high) or given explicitly")
        if self.init == "membrane" and self.gain is not None:
            raise ValueError(f"gain = {self.gain}: init = 'membrane' finds the gain itself; leave it out, or use init = 'normal'")
        if self.init == "integers" and (
            self.units != "mantissa" or self.low is None or self.high is None or self.low > self.high
        ):
            raise ValueError("init = 'integers' draws mantissas from low to high: units = 'mantissa', low <= high")
        return self

    @property
    def delayed(self) -> bool:
        """Whether the description asks for delays."""
        return self.delay != 0

    @property
    def mantissa(self) -> bool:
        """Whether weights are integers as stored."""
        return self.units == "mantissa"

    def place_of(self, shape: Any) -> tuple[int, int]:
        """Return the output size (X', Y') of a convolution over an input of shape [X, Y, C]; 0 or less: the kernel does not fit."""
        return tuple(
            (n + 2 * pad - dil * (k - 1) - 1) // st + 1
            for n, k, st, pad, dil in zip(shape, self.kernel, self.stride, self.padding, self.dilation, strict=False)
        )
