"""Fields that a hook is given, no state of the rule: signals, potentials, weights, constants, random numbers (docs/rules.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chipsim.errors import Problem
from chipsim.learning.language.fields import Field, bits_problems

SOURCES = {  # of learning signals -> what they are; docs/online.md section 3
    "sym": "errors carried down by the weights",
    "sym-trace": "as sym, decaying sums of past errors in their place",
    "fa": "as sym, fixed random weights in place of the weights",
    "adaptive": "as fa, but the random weights take every change of the weights",
    "dfa": "errors of the classes straight through fixed random weights",
    "sdfa": "as dfa, their signs alone",
    "label": "a random code of the label, no error",
    "local": "errors of a readout that every hidden population has of its own",
    "deferred": "after the sample: the closed-form error of the readout through its weights, random ones further down",
    "none": "none for hidden neurons",
}
NEURON = ("jump", "jump/rho")


@dataclass(frozen=True)
class Neuron(Field):
    """A constant of the postsynaptic neuron, rounded to `frac` bits; 0 where the model has none.

    key: "jump": what a spike adds to the threshold of adaptive-lif, in thresholds; "jump/rho": this divided by the factor that the
    adaptation keeps per step, for use with a state that has just decayed by it.
    """

    key: str = "jump"
    bits: int = 16
    frac: int = 10
    place: ClassVar[str] = "neuron"
    signed: ClassVar[bool] = False

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the key and the format."""
        known = self.key in NEURON
        limit = f"it must be one of {', '.join(NEURON)}"
        return ([] if known else [Problem(where, "key", self.key, limit)]) + bits_problems(where, self.bits, self.frac, 24)


@dataclass(frozen=True)
class Active(Field):
    """psi_j: surrogate derivative of the active neuron as the log stores it: 8 fraction bits, 1.0 inside a box."""

    place: ClassVar[str] = "event"
    signed: ClassVar[bool] = False
    bits: ClassVar[int] = 9
    frac: ClassVar[int] = 8


@dataclass(frozen=True)
class Learn(Field):
    """L_j: learning signal of the postsynaptic neuron, in the delta format of its population (docs/online.md section 3).

    source: one of `SOURCES`; none: readout only. align: `next` takes the errors one step after the event, when its spike acts, `same`
    those of its own step; sym, sym-trace, fa and adaptive must say which, deferred is always `next`.
    """

    source: str = "sym"
    align: str | None = None
    place: ClassVar[str] = "event"
    bits: ClassVar[int] = 16

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the source and the alignment."""
        found = []
        if self.source not in SOURCES:
            found.append(Problem(where, "source", self.source, f"it must be one of {', '.join(SOURCES)}"))
        if self.align not in (None, "next", "same"):
            found.append(Problem(where, "align", self.align, "it must be next or same"))
        if self.source == "deferred" and self.align == "same":
            limit = "a deferred error is that of the step in which the spike acts: leave align out, or say next"
            found.append(Problem(where, "align", self.align, limit))
        if self.source in ("sym", "sym-trace", "fa", "adaptive") and self.align is None:
            limit = "a signal carried down by weights says which step's errors it takes: next (exact in time) or same"
            found.append(Problem(where, "align", "(nothing)", limit))
        return found


@dataclass(frozen=True)
class Potential(Field):
    """V_j: membrane potential of the postsynaptic neuron after its update, in thresholds, rounded to `frac` bits; saturates.

    Models that reset to zero hold 0 after a spike.
    """

    bits: int = 16
    frac: int = 8
    place: ClassVar[str] = "post"

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the format."""
        return bits_problems(where, self.bits, self.frac, 24)


@dataclass(frozen=True)
class Random(Field):
    """A random number from 0 to below 1 with so many bits, drawn anew at every evaluation: every synapse, step and event has its own."""

    bits: int = 8
    place: ClassVar[str] = "synapse"
    signed: ClassVar[bool] = False

    @property
    def frac(self) -> int:
        """All bits are fraction."""
        return self.bits

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the width."""
        return bits_problems(where, self.bits, 0, 24)


@dataclass(frozen=True)
class Weight(Field):
    """w_ij: the stored weight, as it was when the sample began. Its fraction bits are those of the projection.

    write: the rule's own write policy, taken unless the model names one (learning.write); none: stochastic.
    """

    write: str | None = None
    place: ClassVar[str] = "synapse"
    bits: ClassVar[int] = 16

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the write policy."""
        from chipsim.learning.policies import parse_policy

        try:
            parse_policy(self.write or "stochastic")
        except ValueError as error:
            return [Problem(where, "write", self.write, str(error))]
        return []


@dataclass(frozen=True)
class Reward(Field):
    """R: 1 if the sample was classified right, else -1; known at the end of the sample."""

    place: ClassVar[str] = "sample"
    bits: ClassVar[int] = 2
    frac: ClassVar[int] = 0


@dataclass(frozen=True)
class Const(Field):
    """A constant of the rule, rounded to `frac` fraction bits."""

    value: float = 1.0
    frac: int = 8
    place: ClassVar[str] = "constant"

    @property
    def stored(self) -> int:
        """The constant as an integer."""
        return round(self.value * 2**self.frac)

    @property
    def bits(self) -> int:
        """Width of the stored constant."""
        return abs(self.stored).bit_length() + 1

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the constant."""
        number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not number or not abs(self.value) < 2**24:
            return [Problem(where, "value", self.value, "it must be a number below 2^24 in size")]
        found = bits_problems(where, 1, self.frac, 24)
        if not found and self.value and not self.stored:
            found.append(Problem(where, "value", self.value, f"with {self.frac} fraction bits it would be 0: raise frac"))
        return found


@dataclass(frozen=True)
class Log(Field):
    """What is remembered of a sample for a replay: a record per spike of an axon, or per active event. Its width is the chip's."""

    on: str = "spike"
    place: ClassVar[str] = "log"
    bits: ClassVar[int] = 32

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the event."""
        limit = "it must be spike or active"
        return [] if self.on in ("spike", "active") else [Problem(where, "on", self.on, limit)]


@dataclass(frozen=True)
class Delta(Field):
    """delta_j: derivative of the loss with respect to what arrives at neuron j, in the delta format of its population; replay only."""

    place: ClassVar[str] = "replay"
    bits: ClassVar[int] = 16


@dataclass(frozen=True)
class Error(Field):
    """eps_j: derivative of the loss with respect to a spike of the active neuron j, as it was gathered, with regularisers; replay only."""

    place: ClassVar[str] = "replay"
    bits: ClassVar[int] = 16
