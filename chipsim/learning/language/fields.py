"""Fields of a rule: what it keeps or is given, where that lives, and in how many bits (docs/rules.md).

A stored number q stands for q 2^-frac. Unsigned fields saturate at 2^bits - 1, signed ones at the ends of two's complement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chipsim.errors import Problem

ROUNDINGS = ("stochastic", "nearest", "truncate")


@dataclass(frozen=True)
class Field:
    """Base of all fields. place: pre, post, synapse, event (of the neuron that triggers), sample or constant."""

    place: ClassVar[str]
    signed: ClassVar[bool] = True

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the numbers of this field; where: rule and field in words."""
        return []


def bits_problems(where: str, bits: object, frac: object, most: int) -> list[Problem]:
    """Return what is wrong with a width and its fraction bits."""
    found = []
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= most:
        found.append(Problem(where, "bits", bits, f"it must be a whole number from 1 to {most}"))
    if isinstance(frac, bool) or not isinstance(frac, int) or not 0 <= frac <= 24:
        found.append(Problem(where, "frac", frac, "it must be a whole number from 0 to 24"))
    return found


@dataclass(frozen=True)
class Decaying(Field):
    """A field that decays in every step. tau: in steps, 0 keeps nothing, None everything; or the name of a membrane."""

    tau: float | str | None
    bits: int
    frac: int
    rounding: str
    taus: ClassVar[tuple[str, ...]] = ()

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the numbers of this field."""
        found = bits_problems(where, self.bits, self.frac, 24)
        number = isinstance(self.tau, (int, float)) and not isinstance(self.tau, bool) and 0 <= self.tau <= 1e6
        if not (number or self.tau is None or self.tau in self.taus):
            limit = f"it must be a number of steps from 0 to 1e6, None (it does not decay) or one of {', '.join(self.taus)}"
            found.append(Problem(where, "tau", self.tau, limit))
        if self.rounding not in ROUNDINGS:
            found.append(Problem(where, "rounding", self.rounding, f"it must be one of {', '.join(ROUNDINGS)}"))
        return found


@dataclass(frozen=True)
class Trace(Decaying):
    """A field that spikes add to."""

    impulse: float = 1.0
    signed: ClassVar[bool] = False

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the numbers of this field."""
        found = super().problems(where)
        if not isinstance(self.impulse, (int, float)) or isinstance(self.impulse, bool) or not self.impulse > 0:
            return [*found, Problem(where, "impulse", self.impulse, "it must be a number above 0")]
        if not found and not 1 <= round(self.impulse * 2**self.frac) < 2**self.bits:
            least, most = 2.0**-self.frac, 2.0 ** (self.bits - self.frac)
            limit = f"with {self.bits} bits, {self.frac} of them fraction, it must lie from {least} to {most}"
            found.append(Problem(where, "impulse", self.impulse, limit))
        return found


@dataclass(frozen=True)
class PreTrace(Trace):
    """x_i: trace of the spikes of the presynaptic neuron, kept at every core its synapses are on. tau "post": that of the other side.

    tau_syn: in steps, of a current between spike and trace; 0: none, "post": that of the other side, which only models with a current
    have. By default "post" if tau is, else 0. Where there is one the trace has two stages, two words (docs/online.md section 1).
    """

    tau: float | str | None = "post"
    bits: int = 12
    frac: int = 8
    rounding: str = "stochastic"
    tau_syn: float | str | None = None
    place: ClassVar[str] = "pre"
    taus: ClassVar[tuple[str, ...]] = ("post",)

    @property
    def current(self) -> float | str:
        """Time constant of the first stage: steps, 0 (there is none) or "post"."""
        return ("post" if self.tau == "post" else 0) if self.tau_syn is None else self.tau_syn

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with the numbers of this field."""
        tau = self.tau_syn
        number = isinstance(tau, (int, float)) and not isinstance(tau, bool) and 0 <= tau <= 1e6
        limit = 'it must be a number of steps from 0 to 1e6, or "post"'
        found = [] if number or tau in (None, "post") else [Problem(where, "tau_syn", tau, limit)]
        return super().problems(where) + found


@dataclass(frozen=True)
class PostTrace(Trace):
    """y_j: trace of the spikes of the postsynaptic neuron. tau "own": that of its membrane."""

    tau: float | str | None = "own"
    bits: int = 12
    frac: int = 8
    rounding: str = "stochastic"
    place: ClassVar[str] = "post"
    taus: ClassVar[tuple[str, ...]] = ("own",)


@dataclass(frozen=True)
class SynState(Decaying):
    """e_ij: state of a synapse (eligibility trace, tag). tau "post" or "readout": that of a membrane.

    tau "adaptation": that of the threshold of j. Such a state is there only where the threshold of j adapts; elsewhere it reads 0.
    """

    tau: float | str | None = None
    bits: int = 16
    frac: int = 8
    rounding: str = "truncate"
    place: ClassVar[str] = "synapse"
    taus: ClassVar[tuple[str, ...]] = ("post", "readout", "adaptation")
