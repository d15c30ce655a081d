"""Defining a rule: a class of fields and hooks becomes a frozen Rule, checked as a whole (docs/rules.md).

    @cs.rule
    class MyRule:
        x = cs.PreTrace()
        psi, L = cs.Active(), cs.Learn("dfa")
        def dw_on_active(x, psi, L):
            return -x * cs.times(psi, L)

`dw_<event>` gives an increment of the weight, `<field>_<event>` the new value of a synapse state. The arguments are fields by name.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

from chipsim.errors import Problem, raise_all
from chipsim.learning.language.check import EVENTS, name_problems
from chipsim.learning.language.fields import Field, SynState
from chipsim.learning.language.given import Active, Const, Delta, Error, Learn, Neuron, Reward, Weight
from chipsim.learning.language.trace import Count, Range, count
from chipsim.learning.language.whole import each_hook_problems, replay_problems, rule_problems

NUMBERS = {  # what a class may say beside fields and hooks -> what it may be
    "rate": (
        lambda x: isinstance(x, (int, float)) and not isinstance(x, bool) and 0 < x <= 1000,
        "it must be a number above 0, at most 1000: relative to a gradient rule",
    ),
    "dense": (lambda x: isinstance(x, bool), "it must be True (every hidden neuron is active in every step) or False"),
    "unit": (lambda x: x in ("gradient", "lsb"), "it must be gradient (calibrated rates) or lsb (steps of the stored weight)"),
    "epoch": (lambda x: type(x) is int and 1 <= x <= 4096, "it must be a whole number of steps from 1 to 4096"),
    "sharpness": (lambda x: type(x) is int and 1 <= x <= 64, "it must be a whole number from 1 to 64"),
}
STANDARD = (10, 7)  # fraction bits of signals and weights that a rule is checked with


@dataclass(frozen=True)
class Hook:
    """One function of a rule. target: "w" or a synapse state; increment: it gives what is added, not the new value."""

    name: str
    target: str
    event: str
    increment: bool
    function: Callable
    arguments: tuple[str, ...]
    text: str  # its source, left aligned
    line: int  # where it stands in its file

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)


@dataclass(frozen=True)
class Rule:
    """A learning rule: fields by name and hooks in the order of their definition. doc: equation, approximations and source."""

    name: str
    doc: str
    fields: dict[str, Field]
    hooks: tuple[Hook, ...]
    path: str = field(compare=False)  # FILE.py:CLASS
    rate: float = 1.0  # learning rate relative to that of a gradient rule, for calibration
    sharpness: int = 10  # of the softmax of a loss per step
    epoch: int = 1  # steps from one on_epoch event to the next
    dense: bool = False  # every hidden neuron is active in every step, in float numerics only
    unit: str = (
        "gradient"  # of what hidden dw hooks give: a gradient, whose rate is calibrated, or "lsb", steps of the stored weight
    )
    described: type = field(default=object, compare=False, repr=False)  # the class it was made of

    def __mro_entries__(self, bases: tuple) -> tuple[type]:
        """Let a class inherit from a rule: it takes over its fields and hooks."""
        return (self.described,)

    @property
    def title(self) -> str:
        """First line of the documentation."""
        return self.doc.strip().split("\n")[0]

    @property
    def learn(self) -> Learn | None:
        """The learning signal, if it has one."""
        return next((f for f in self.fields.values() if isinstance(f, Learn)), None)

    @property
    def adaptive(self) -> frozenset[str]:
        """The fields that exist only where the threshold of the postsynaptic neuron adapts; elsewhere they are 0."""
        return frozenset(n for n, f in self.fields.items() if isinstance(f, Neuron) or getattr(f, "tau", None) == "adaptation")

    @property
    def needs(self) -> tuple[str, ...]:
        """Capabilities a chip must have for it."""
        kinds = {type(f).__name__ for f in self.fields.values()}
        traces = {
            "PreTrace": "traces",
            "PostTrace": "traces",
            "SynState": "traces",
            "Active": "active-flag",
            "Learn": "graded-errors",
        }
        late = ("logs", "replay") if self.deferred else ()
        return ("synaptic-learning", *dict.fromkeys(need for kind, need in traces.items() if kind in kinds), *late)

    @property
    def deferred(self) -> bool:
        """Whether it learns after the sample, in a second forward walk through its logs."""
        return self.learn is not None and self.learn.source == "deferred"

    @property
    def trains_hidden(self) -> bool:
        """Whether it changes other weights than those of the readout."""
        return any(hook.increment and hook.event != "on_readout" for hook in self.hooks)

    @property
    def trains_readout(self) -> bool:
        """Whether it changes the weights of the readout."""
        return any(hook.increment and hook.event == "on_readout" for hook in self.hooks)

    @property
    def write(self) -> str | None:
        """The write policy of its own, if it has one."""
        return next((f.write for f in self.fields.values() if isinstance(f, Weight)), None)

    @property
    def increments(self) -> tuple[Hook, ...]:
        """The hooks that change weights."""
        return tuple(hook for hook in self.hooks if hook.increment)

    def source_of(self, hook: Hook) -> str:
        """Return the source of a hook as the uses of it need it: plain names, and the shift of every `times` written out."""
        tree = ast.parse(hook.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                node.func = ast.Name(node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id, ast.Load())
                if node.func.id == "times":
                    node.args.append(ast.Constant(self.fields[node.args[0].id].frac))
        function = tree.body[0]
        function.decorator_list, function.returns, function.body = [], None, without_text(function.body)
        for argument in function.args.args:
            argument.annotation = None
        return ast.unparse(ast.fix_missing_locations(tree))

    def bound(self, hook: Hook, functions: dict[str, Callable]) -> Callable:
        """Return a hook that calls `functions` (times with three arguments): how the same text is run, counted and traced."""
        names = dict(functions)
        exec(compile(self.source_of(hook), self.path, "exec"), names)
        return names[hook.name]

    def range_of(self, name: str, formats: tuple[int, int] = STANDARD, zero: Collection[str] = ()) -> Range:
        """Return what a field can hold; formats: fraction bits of signals and weights; zero: fields taken as always 0."""
        f = self.fields[name]
        if isinstance(f, Const):
            return Range(f.stored, f.stored, f.frac)
        frac = formats[isinstance(f, Weight)] if isinstance(f, (Learn, Weight, Delta, Error)) else f.frac
        if name in zero:
            return Range(0, 0, frac)
        if isinstance(f, Active):
            return Range(0, 1 << f.frac, frac)
        if isinstance(f, Reward):
            return Range(-1, 1, 0)
        return Range(-(1 << f.bits - 1), (1 << f.bits - 1) - 1, frac) if f.signed else Range(0, (1 << f.bits) - 1, frac)

    def count(self, hook: Hook, formats: tuple[int, int] = STANDARD, zero: Collection[str] = ()) -> Count:
        """Return what one evaluation of a hook takes and gives, by tracing."""
        ranges = [self.range_of(name, formats, zero) for name in hook.arguments]
        return count(lambda functions: self.bound(hook, functions), ranges)

    def increment_fractions(self, formats: tuple[int, int]) -> list[int]:
        """Return the fraction bits of every increment; formats: those of the signal and of the weights it is for."""
        return [self.count(hook, formats).frac or 0 for hook in self.increments]

    def lava(self, *, rate: int = 0, weight_frac: int = 7, signal_frac: int = 6, readout: bool = False) -> dict[str, str]:
        """Return the rule as Lava rule strings, {"dw": ..., "dt": ...} (docs/rules.md section "As a Lava rule").

        rate: a learning rate of 2^rate; weight_frac, signal_frac: fraction bits of Lava's weights and of written signals.

        Raises:
            ConfigError: what does not fit Lava, and why.
        """
        from chipsim.learning.language.lava_text import Formats, translate

        return translate(self, Formats(rate, weight_frac, signal_frac), readout).strings

    def vanishes(self, hook: Hook, name: str, absent: Collection[str] = ()) -> bool:
        """Return whether a hook does nothing where a field is 0, so that the engine need not go there; absent: fields always 0."""
        if name not in hook.arguments:
            return False
        if hook.increment:
            found = self.count(hook, zero=(name, *absent))
            return (found.lo, found.hi) == (0, 0)
        return keeps(self, hook, (name, *absent))


def keeps(rule: Rule, hook: Hook, zero: Collection[str]) -> bool:
    """Return whether a new-value hook leaves its state as it is where `zero` are 0: tried with states over its whole range."""
    target, state = rule.range_of(hook.target), []
    if hook.target not in hook.arguments:
        return False
    for value in {target.lo, target.hi, 0, 1, -1, 12345 % (target.hi + 1)}:
        ranges = [
            Range(value, value, target.frac) if n == hook.target else rule.range_of(n, zero=zero) for n in hook.arguments
        ]  # fmt: skip
        found = count(lambda functions: rule.bound(hook, functions), ranges)
        state.append((found.lo, found.hi) == (value, value))
    return all(state)


def without_text(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a function without its docstring."""
    first = body[0]
    return body[1:] if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else body


def rule(described: type) -> Rule:
    """Make a Rule of a class; to be used as a decorator.

    Raises:
        ConfigError: everything that is wrong with its fields and hooks, with file and line.
    """
    return made(described, replayed=False)


def made(described: type, replayed: bool) -> Rule:
    """Return the Rule of a class; replayed: its hooks are those of a replay, else none of them may be."""
    file = file_of(described)
    name = vars(described).get("name") or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", described.__name__).lower()
    where = f'rule "{name}" ({file})'
    members = {k: v for base in reversed(described.__mro__[:-1]) for k, v in vars(base).items()}
    fields = {k: v for k, v in members.items() if isinstance(v, Field)}
    problems = name_problems(name, fields, where)
    problems += [p for k, f in fields.items() for p in f.problems(f"{where}, field {k}")]
    hooks = []
    sound = not problems
    for key, member in members.items():
        if inspect.isfunction(member):
            hook = hook_of(key, member, fields, where)
            (problems if isinstance(hook, Problem) else hooks).append(hook)
        elif not key.startswith("_") and key not in ("name", *NUMBERS) and not isinstance(member, Field):
            problems.append(
                Problem(where, key, member, "a rule is made of fields (cs.PreTrace, ...) and hooks; use cs.Const for a number")
            )
    numbers = {key: members.get(key, getattr(Rule, key)) for key in NUMBERS}
    problems += [Problem(where, key, numbers[key], limit) for key, (fits, limit) in NUMBERS.items() if not fits(numbers[key])]
    doc = inspect.cleandoc(described.__doc__ or "")
    found = Rule(name, doc, fields, tuple(hooks), f"{file}:{described.__name__}", **numbers, described=described)
    problems += replay_problems(found, where, replayed) + each_hook_problems(found, where, sound)
    raise_all(problems or rule_problems(found, where))
    return found


def file_of(described: type) -> str:
    """Return where a class was written; a notebook has no file, but its cells have names."""
    try:
        return inspect.getsourcefile(described) or "?"
    except TypeError:
        return next((m.__code__.co_filename for m in vars(described).values() if inspect.isfunction(m)), "?")


def hook_of(name: str, function: Callable, fields: dict[str, Field], where: str) -> Hook | Problem:
    """Return a hook, or what is wrong with its name."""
    line = function.__code__.co_firstlineno
    match = re.fullmatch(rf"(.+?)_({'|'.join(EVENTS)})", name)
    limit = f"a hook is named dw_<event> or <synapse state>_<event>; events: {', '.join(EVENTS)}"
    if match is None:
        return Problem(where, f"line {line}", name, limit)
    target, event = match.groups()
    states = [n for n, f in fields.items() if isinstance(f, Delta if event == "replay_active" else SynState)]
    if target != "dw" and target not in states:
        return Problem(
            where, f"line {line}", name, f"{target} is no synapse state; declared: {', '.join(states) or 'none'}; {limit}"
        )
    code = function.__code__
    arguments = code.co_varnames[: code.co_argcount]
    if function.__name__ != name:
        return Problem(where, f"line {line}", name, "a hook is written with def in the class, under its own name")
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except OSError:
        return Problem(where, f"line {line}", name, "its source cannot be read: define the rule in a file or a notebook")
    return Hook(name, "w" if target == "dw" else target, event, target == "dw", function, arguments, text, line)
