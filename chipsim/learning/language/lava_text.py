"""Rules as Lava rule strings: sums of products of traces, weight and tag, each with a mantissa and an exponent (docs/rules.md).

Source: lava-nc 0.10.0, magma/core/learning: grammar of symbolic_equation.py; widths and shift of product_series.py and
magma/core/model/py/connection.py (fixed-point model).
"""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from chipsim.errors import Problem, raise_all
from chipsim.learning.language.fields import PostTrace, PreTrace, SynState
from chipsim.learning.language.given import Active, Const, Learn, Neuron, Potential, Random, Reward, Weight
from chipsim.learning.language.lava_products import EXPONENTS, SYNAPSE_BITS, TRACE_BITS, Variable, joined, nearest, products
from chipsim.learning.language.polynomial import FUNCTIONS, NoPolynomial, Polynomial, symbol

if TYPE_CHECKING:
    from chipsim.learning.language.define import Hook, Rule

DEPENDENCY = {"on_pre": "x0", "on_post": "y0"}  # all others: u0, every epoch
NEEDS = {  # event -> what every term must contain, since the string runs in every epoch and the hook does not
    "on_active": (Active, "is 0 where the neuron is not active"),
    "on_error": (Learn, "is 0 where there is no error"),
    "on_sample_end": (Reward, "is 0 before the end of the sample"),
}


class Translation(NamedTuple):
    """A rule for Lava. strings: {"dw" and "dt": rule string}; variables: what holds what, x1 and x2 and y1 .. y3 by their taus."""

    strings: dict[str, str]
    variables: tuple[Variable, ...]


class Formats(NamedTuple):
    """rate: learning rate 2^rate; weight, signal: fraction bits of the weights and of signals that the neuron writes."""

    rate: int
    weight: int
    signal: int


def translate(rule: Rule, formats: Formats, readout: bool) -> Translation:
    """Return a rule for the synapses of hidden populations, or for those of the readout.

    Raises:
        ConfigError: every term, field and hook that does not fit, with the reason.
    """
    where = f'rule "{rule.name}", as Lava strings'
    hooks = [hook for hook in rule.hooks if (hook.event == "on_readout") == readout]
    problems: list[Problem] = []
    if not any(hook.increment for hook in hooks):
        problems.append(
            Problem(where, "hooks", "none", f"there is no dw_<event> for {'the readout' if readout else 'hidden'} synapses")
        )
    read = {name for hook in hooks for name in hook.arguments}
    for name, f in rule.fields.items():
        if isinstance(f, Learn) and name in read and not readout and f.source != "label" and f.align != "same":
            limit = 'the error comes a step after its event, when x1 has moved on: Lava needs align="same"'
            problems.append(Problem(where, f"field {name}", f"align = {f.align or 'next'}", limit))
    problems += beyond(rule, read, where)
    traced = {hook.name: traced_terms(rule, hook, where, problems) for hook in hooks}
    variables = assigned(rule, traced, formats, where, problems)
    written: dict[str, list[str]] = {"dw": [], "dt": []}
    for hook in hooks:
        unit = formats.rate + formats.weight if hook.increment else rule.fields[hook.target].frac
        for factors, coefficient in traced[hook.name].items():
            if all(name in variables for name in factors):
                parts = [variables[name] for name in factors]
                scale = coefficient * Fraction(2) ** (unit - sum(v.frac for v in parts))
                found = products(scale, DEPENDENCY.get(hook.event, "u0"), parts)
                key = f"{hook.name}, line {hook.line}"
                problems += [Problem(where, key, shown(factors, coefficient), found)] if isinstance(found, str) else []
                written["dw" if hook.increment else "dt"] += [] if isinstance(found, str) else found
    written["dt"] += [text for name in variables for text in decay(rule, name, variables[name], where, problems)]
    raise_all(problems)
    used = tuple(dict.fromkeys(variables.values()))
    return Translation({key: joined(texts) for key, texts in written.items() if texts}, used)


def beyond(rule: Rule, read: set[str], where: str) -> list[Problem]:
    """Return the fields for which Lava has nothing: constants of neurons, potentials, random numbers, traces of two stages."""
    found = []
    for name in (n for n in rule.fields if n in read):
        f = rule.fields[name]
        if isinstance(f, Neuron):
            found.append(Problem(where, f"field {name}", "Neuron", "a Lava rule knows no constant of the neuron: use a cs.Const"))
        if isinstance(f, Random):
            found.append(Problem(where, f"field {name}", "Random", "a Lava rule draws no number of its own for every synapse"))
        if isinstance(f, Potential):
            found.append(Problem(where, f"field {name}", "Potential", "a Lava rule does not see the potential of the neuron"))
        if isinstance(f, PreTrace) and f.current not in (0, "post"):
            limit = "a Lava trace decays by one time constant: leave tau_syn out"
            found.append(Problem(where, f"field {name}", f"tau_syn = {f.current}", limit))
    return found


def traced_terms(rule: Rule, hook: Hook, where: str, problems: list[Problem]) -> dict[tuple[str, ...], Fraction]:
    """Return the terms of what a hook adds, {factors: coefficient}; a product of psi and L is one factor, "psi L"."""
    constants = {n: Polynomial({(): Fraction(f.stored, 1 << f.frac)}) for n, f in rule.fields.items() if isinstance(f, Const)}
    key = f"{hook.name}, line {hook.line}"
    try:
        found = rule.bound(hook, FUNCTIONS)(*(constants.get(name, symbol(name)) for name in hook.arguments))
    except NoPolynomial as error:
        problems.append(Problem(where, key, last_line(hook), f"it holds {error}"))
        return {}
    found = (found if isinstance(found, Polynomial) else Polynomial({(): Fraction(found)})) - (
        0 if hook.increment else symbol(hook.target)
    )
    kind, why = NEEDS.get(hook.event, (None, ""))
    for factors, coefficient in found.terms.items():
        if kind and not any(isinstance(rule.fields[name], kind) for name in factors):
            limit = (
                f"every term at {hook.event} must hold a factor that {why} ({kind.__name__}): Lava evaluates it in every epoch"
            )
            problems.append(Problem(where, key, shown(factors, coefficient), limit))
    return {paired(rule, factors): c for factors, c in found.terms.items()}


def paired(rule: Rule, factors: tuple[str, ...]) -> tuple[str, ...]:
    """Return factors with psi and L joined: a neuron that writes their product needs one variable for both."""
    gains = [n for n in factors if isinstance(rule.fields[n], Active)]
    signals = [n for n in factors if isinstance(rule.fields[n], Learn)]
    rest = [n for n in factors if n not in gains and n not in signals]
    both = [f"{g} {s}" for g, s in zip(gains, signals, strict=False)]
    return tuple([*rest, *both, *gains[len(both) :], *signals[len(both) :]])


def assigned(rule: Rule, traced: dict, formats: Formats, where: str, problems: list[Problem]) -> dict[str, Variable]:
    """Return the Lava variable of every factor: kept ones from x1 and y1 up, what the neuron writes from y3 down."""
    names = dict.fromkeys(name for terms in traced.values() for factors in terms for name in factors)
    order = sorted(names, key=lambda n: list(rule.fields).index(n.split(" ")[0]))
    free, found = {"x": ["x1", "x2"], "y": ["y1", "y2", "y3"], "t": ["t"], "w": ["w"]}, {}
    kinds = {PreTrace: ("x", TRACE_BITS), PostTrace: ("y", TRACE_BITS), SynState: ("t", SYNAPSE_BITS), Weight: ("w", 16)}
    kept = [name for name in order if type(rule.fields.get(name)) in kinds]
    for name in kept:
        f = rule.fields[name]
        kind, most = kinds[type(f)]
        frac = formats.weight if isinstance(f, Weight) else f.frac
        found[name] = Variable(free[kind].pop(0) if free[kind] else "", frac, 0, (name,))
        if f.bits > most:
            limit = f"Lava has {most} bits for it: declare it with bits={most} and fewer fraction bits"
            problems.append(Problem(where, f"field {name}", f"{f.bits} bits", limit))
    for name in (n for n in order if n not in kept):
        found[name] = written_by_neuron(rule, name, free["y"], formats)
    for name in (name for name, variable in found.items() if not variable.name):
        limit = "Lava has x1 and x2 for one side, y1, y2 and y3 for the other, and one tag"
        problems.append(Problem(where, f"field {name}", "one too many", limit))
    return found


def written_by_neuron(rule: Rule, name: str, free: list[str], formats: Formats) -> Variable:
    """Return the variable of a signal: what can be negative is stored with an offset, since Lava clips y at 0 when j spikes."""
    fields = tuple(name.split(" "))
    last = rule.fields[fields[-1]]
    if isinstance(last, Reward):
        return Variable(free.pop() if free else "", 0, 1, fields)
    return Variable(free.pop() if free else "", formats.signal, 64 if isinstance(last, Learn) else 0, fields)


def decay(rule: Rule, name: str, tag: Variable, where: str, problems: list[Problem]) -> list[str]:
    """Return the term by which a tag decays in every epoch: the nearest m 2^e to 1 - exp(-1 / tau)."""
    f = rule.fields[name] if name in rule.fields else None
    if not isinstance(f, SynState) or f.tau is None or not tag.name:
        return []
    if isinstance(f.tau, str):
        problems.append(
            Problem(where, f"field {name}", f'tau = "{f.tau}"', "a Lava tag decays by a term with a number: give tau in steps")
        )
        return []
    lost = 1 - math.exp(-1 / f.tau) if f.tau else 1.0
    near = nearest(lost)
    if abs(near - lost) > lost / 8:
        slowest = -1 / math.log(1 - 2.0 ** EXPONENTS[0])
        limit = f"a tag loses a share m 2^e in a step, e at least {EXPONENTS[0]}: tau is at most {slowest:.0f}, or None"
        problems.append(Problem(where, f"field {name}", f"tau = {f.tau}", limit))
        return []
    return [text for text in products(-Fraction(near), "u0", [tag]) if isinstance(text, str)]


def shown(factors: tuple[str, ...], coefficient: Fraction) -> str:
    """Return a term for a message."""
    return " * ".join([str(coefficient), *factors])


def last_line(hook: Hook) -> str:
    """Return what a hook returns, for a message."""
    return next((ast.unparse(n) for n in reversed(list(ast.walk(hook.tree))) if isinstance(n, ast.Return)), hook.name)
