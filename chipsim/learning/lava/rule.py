"""LavaRule: what a learning connection of Lava is told, rule strings, traces, length of an epoch and seed."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator

from chipsim.errors import ConfigError, Problem, raise_all
from chipsim.learning.lava.grammar import TRACES, Term, parse
from chipsim.schema import Description, problems_of

TARGETS = {"dw": "w", "dt": "t", "dd": "d"}  # rule -> synaptic variable: weight, tag, delay
Impulse = Annotated[float, Field(strict=True, ge=0, le=127, allow_inf_nan=False)]
Tau = Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)]
MODES = {"regular": 0, "overwrite": 1, "add-saturate": 2, "add-overflow": 3}  # Lava's GradedSpikeCfg
THIRD_TAU = 65535  # decay of received values in a rule of three factors (lava-nc, Loihi3FLearningRule)


class LavaRule(Description):
    """A learning rule of Loihi, as Lava's Loihi2FLearningRule and Loihi3FLearningRule (docs/lava-learning.md).

    dw, dt, dd: rule strings for weights, tags and delays (learned delays never delay a spike); at least one.
    x1_impulse .. y3_impulse: what a spike adds to a trace, 0..127; fractions are rounded at random, in 1/256.
    x1_tau .. y3_tau: time constants in steps; 0 clears a trace in every step.
    t_epoch: steps between two updates. rng_seed: of the random rounding.
    factors: 2, or 3: the traces y1, y2, y3 are then not computed but given in every step (`third` of `simulate`).
    graded_spikes: what the payload of a presynaptic spike does to x1: "regular" nothing; "overwrite" x1 = payload / 2; "add-saturate" and
    "add-overflow" add it, the last one counts a spike only when x1 overflows. All but "regular" set the impulse of x1 to 0.

    Raises:
        ConfigError: a number is out of range, a rule string is refused, or nothing is to be learned; all problems at once.
    """

    dw: str | None = None
    dt: str | None = None
    dd: str | None = None
    x1_impulse: Impulse = 0
    x1_tau: Tau = 0
    x2_impulse: Impulse = 0
    x2_tau: Tau = 0
    y1_impulse: Impulse = 0
    y1_tau: Tau = 0
    y2_impulse: Impulse = 0
    y2_tau: Tau = 0
    y3_impulse: Impulse = 0
    y3_tau: Tau = 0
    t_epoch: Annotated[int, Field(strict=True, ge=1, le=63)] = 1
    rng_seed: Annotated[int, Field(strict=True, ge=0, lt=2**32 - 3)] = 1
    factors: Literal[2, 3] = 2
    graded_spikes: Literal["regular", "overwrite", "add-saturate", "add-overflow"] = "regular"
    _terms: dict[str, tuple[Term, ...]] = PrivateAttr(default_factory=dict)

    def __init__(self, **table: Any):
        problems: list[Problem] = []
        try:
            super().__init__(**table)
        except ValidationError as error:
            problems += problems_of(error, LavaRule, "learning rule")
        terms = {}
        for target in TARGETS:
            if isinstance(table.get(target), str):
                try:
                    terms[target] = parse(table[target], f"rule {target!r}")
                except ConfigError as error:
                    problems += error.problems
        raise_all(problems + self_problems(table, terms))
        self._terms = terms

    @field_validator("*", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a number or a string is required")
        return value

    @property
    def terms(self) -> dict[str, tuple[Term, ...]]:
        """Terms of each target that has a rule."""
        return dict(self._terms)

    @property
    def decimate(self) -> int | None:
        """The k of u_k, or None."""
        return next((term.decimate for terms in self._terms.values() for term in terms if term.decimate is not None), None)

    @property
    def used(self) -> tuple[str, ...]:
        """Variables that some term reads: traces, w, d, t, x0, y0."""
        found = {f.variable for terms in self._terms.values() for term in terms for f in term.factors}
        return tuple(sorted(found))

    def impulse(self, trace: str) -> float:
        """Return what a spike adds to a trace."""
        return 0.0 if trace == "x1" and self.graded_spikes != "regular" else getattr(self, f"{trace}_impulse")

    def tau(self, trace: str) -> float:
        """Return the time constant of a trace in steps."""
        return THIRD_TAU if self.factors == 3 and trace.startswith("y") else getattr(self, f"{trace}_tau")

    @classmethod
    def stdp(
        cls, learning_rate: float, a_plus: float, a_minus: float, tau_plus: float, tau_minus: float, **more: Any
    ) -> LavaRule:
        """Return pair STDP as Lava's STDPLoihi: dw = lr A_minus x0 y1 + lr A_plus y0 x1, impulses 16 unless given.

        Numbers become a whole number times a power of two, as Lava rounds them: 0.3 is 2^-2, 3.7 is 3.
        Source: lava-nc 0.10.0, proc/learning_rules/stdp_learning_rule.py; Gerstner et al. 1996.

        Raises:
            ConfigError: a number is not finite, or the rule cannot be stored.
        """
        lr, plus, minus = literals(learning_rate=learning_rate, a_plus=a_plus, a_minus=a_minus)
        dw = f"{lr}*{minus}*x0*y1 + {lr}*{plus}*y0*x1"
        return cls(**{"dw": dw, "x1_impulse": 16, "y1_impulse": 16, "x1_tau": tau_plus, "y1_tau": tau_minus, **more})

    @classmethod
    def reward_stdp(
        cls, learning_rate: float, a_plus: float, a_minus: float, tau_plus: float, tag_decay: float, **more: Any
    ) -> LavaRule:
        """Return reward-modulated STDP as Lava's RewardModulatedSTDP: a tag gathers STDP, the third factor y2 turns it into weight.

        dt = lr A_minus x0 y1 + lr A_plus y0 x1 - u0 t tag_decay; dw = u0 t y2. y1 (the postsynaptic trace) and y2 (the reward) are
        given in every step. x1_impulse is 16 unless given.
        Source: lava-nc 0.10.0, proc/learning_rules/r_stdp_learning_rule.py; Fremaux & Gerstner 2016.

        Raises:
            ConfigError: a number is not finite, or the rule cannot be stored.
        """
        lr, plus, minus, decay = literals(learning_rate=learning_rate, a_plus=a_plus, a_minus=a_minus, tag_decay=tag_decay)
        dt = f"{lr}*{minus}*x0*y1 + {lr}*{plus}*y0*x1 - u0*t*{decay}"
        return cls(**{"dw": "u0*t*y2", "dt": dt, "x1_impulse": 16, "x1_tau": tau_plus, "factors": 3, **more})


def self_problems(table: dict[str, Any], terms: dict[str, tuple[Term, ...]]) -> list[Problem]:
    """Return what is wrong between the parts of a rule."""
    found, name = [], "learning rule"
    if all(table.get(target) is None for target in TARGETS):
        found.append(Problem(name, "dw, dt, dd", "(nothing)", "at least one of them is required"))
    used = {t.decimate for each in terms.values() for t in each if t.decimate is not None}
    if len(used) > 1:
        words = ", ".join(f"u{k}" for k in sorted(used))
        found.append(Problem(name, "u_k", words, "dw, dt and dd must use the same u_k"))
    if table.get("factors") == 3:
        for key in [f"{trace}_{what}" for trace in TRACES[2:] for what in ("impulse", "tau") if f"{trace}_{what}" in table]:
            found.append(Problem(name, key, table[key], "a rule of 3 factors is given y1, y2 and y3 and does not compute them"))
    if table.get("graded_spikes", "regular") != "regular" and table.get("x1_impulse"):
        found.append(Problem(name, "x1_impulse", table["x1_impulse"], "with graded spikes x1 has no impulse: leave it out"))
    return found


def literals(**numbers: float) -> list[str]:
    """Return numbers as scales in brackets, rounded as lava-nc rounds them.

    Raises:
        ConfigError: one is no finite number.
    """
    wrong = [(k, v) for k, v in numbers.items() if not isinstance(v, (int, float)) or isinstance(v, bool) or not math.isfinite(v)]
    raise_all([Problem("learning rule", key, value, "a finite number is required") for key, value in wrong])
    return [literal(value) for value in numbers.values()]


def literal(value: float) -> str:
    """Return sign * max(1, floor |value|) * 2^round(log2 of the rest) (lava-nc 0.10.0, magma/core/learning/utils.py)."""
    if value == 0:
        return "0"
    mantissa = max(int(abs(value)), 1)
    exponent = round(math.log2(abs(value) / mantissa))
    return f"({'-' if value < 0 else ''}{mantissa}{f'*2^{exponent}' if exponent else ''})"
