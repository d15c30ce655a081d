"""What a hook may say: small expressions of its arguments. Everything else is refused when the rule is defined, with its line."""

from __future__ import annotations

import ast
import builtins
import re
from typing import TYPE_CHECKING

from chipsim.errors import Problem
from chipsim.learning.language import functions
from chipsim.learning.language.fields import SynState
from chipsim.learning.language.functions import NAMES
from chipsim.learning.language.given import Active

if TYPE_CHECKING:
    from chipsim.learning.language.define import Hook

EVENTS = {  # event -> which fields a hook can see there
    "on_readout": ("pre", "synapse", "event", "constant"),
    "on_pre": ("pre", "post", "synapse", "neuron", "constant"),
    "on_post": ("pre", "post", "synapse", "neuron", "constant"),
    "on_active": ("pre", "post", "synapse", "neuron", "event", "constant"),
    "on_error": ("pre", "post", "synapse", "neuron", "event", "constant"),
    "on_epoch": ("pre", "post", "synapse", "neuron", "constant"),
    "on_sample_end": ("pre", "post", "synapse", "neuron", "sample", "constant"),
    "replay_pre": ("replay", "constant"),
    "replay_active": ("replay", "event", "constant"),
}
ALLOWED = (
    ast.Return, ast.Assign, ast.Expr, ast.If, ast.IfExp, ast.BinOp, ast.UnaryOp,
    ast.Compare, ast.BoolOp, ast.Call, ast.Name, ast.Constant, ast.Load, ast.Store, ast.Add, ast.Sub, ast.Mult, ast.USub, ast.And,
    ast.Or, ast.Not, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.Attribute,
)  # fmt: skip
NO_STATE = "the synapses of the readout keep no state: a SynState is there for hidden populations"
WHY = {
    ast.For: "a hook has no loops: it is one synapse or neuron at one event", ast.While: "a hook has no loops",
    ast.ListComp: "a hook has no loops",
    ast.Subscript: "a hook sees the numbers of its own synapse, not arrays, nor what another synapse or core holds: name a field",
    ast.Div: "chips do not divide: use cs.rshift(v, s) or multiply by a cs.Const", ast.FloorDiv: "use cs.rshift(v, s)",
    ast.Pow: "write the product out", ast.MatMult: "a hook sees numbers, not arrays", ast.RShift: "use cs.rshift(v, s), which rounds",
    ast.LShift: "multiply by a power of two", ast.Mod: "there is no remainder on a chip", ast.Import: "a hook imports nothing",
    ast.Global: "a hook keeps its state in fields", ast.Nonlocal: "a hook keeps its state in fields",
    ast.Lambda: "a hook is one function", ast.FunctionDef: "a hook is one function", ast.AugAssign: "write a = a + b with a local name",
}  # fmt: skip


def name_problems(name: object, fields: dict, where: str) -> list[Problem]:
    """Return what is wrong with the name of a rule and the names of its fields."""
    found = []
    if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)):
        found.append(Problem(where, "name", name, "it must be of small letters, digits and single hyphens, as in my-rule"))
    for field in fields:
        if field in NAMES or field == "dw":
            found.append(Problem(where, f"field {field}", field, "the language uses this name itself: give the field another"))
    return found


def hook_problems(hook: Hook, fields: dict, where: str) -> list[Problem]:
    """Return everything that is wrong with the text of a hook; where: file and rule in words."""
    written = hook.tree.body[0]
    if not isinstance(written, ast.FunctionDef):
        return [Problem(where, f"{hook.name}, line {hook.line}", type(written).__name__, "a hook is a plain function, under def")]
    found = argument_problems(hook, fields, where)
    if all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in written.body):
        found.append(
            Problem(where, f"{hook.name}, line {hook.line}", "(nothing)", "a hook returns what it gives: it has no statement")
        )
    nodes = [node for statement in written.body for node in ast.walk(statement)]
    known = {*hook.arguments, *(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))}
    called = {id(part) for node in nodes if isinstance(node, ast.Call) for part in ast.walk(node.func)}
    texts = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        line = f"{hook.name}, line {hook.line + getattr(node, 'lineno', 1) - 1}"
        if not isinstance(node, ALLOWED):
            why = WHY.get(type(node), "a hook is made of + - *, comparisons, conditions and the functions of the language")
            found.append(Problem(where, line, type(node).__name__, why))
        elif isinstance(node, ast.Call):
            found += call_problems(node, hook, where, line)
        elif isinstance(node, ast.Constant) and id(node) not in texts:
            found += constant_problems(node, where, line)
        elif isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in called:
            found += name_use_problems(node, hook, fields, known, where, line)
    return list(dict.fromkeys(found))


def name_use_problems(
    node: ast.Name | ast.Attribute, hook: Hook, fields: dict, known: set, where: str, line: str
) -> list[Problem]:
    """Return what is wrong with a name or an attribute that is not called."""
    if isinstance(node, ast.Attribute):
        return [Problem(where, line, ast.unparse(node), "a hook sees numbers, not objects: name the field as an argument")]
    if isinstance(node.ctx, ast.Store):
        limit = "a hook does not assign to a field, it returns: give the local value a name of its own"
        return [Problem(where, line, node.id, limit)] if node.id in fields else []
    if node.id in known:
        return []
    limit = (
        f"a hook sees its arguments only ({', '.join(hook.arguments)}), the state of its own synapse and its two ends: "
        "declare a cs.Const for a constant; what another core or synapse holds is not there"
    )
    return [Problem(where, line, node.id, limit)]


def argument_problems(hook: Hook, fields: dict, where: str) -> list[Problem]:
    """Return the arguments that are no fields, or that nobody can see at this event."""
    found, line = [], f"{hook.name}, line {hook.line}"
    arguments = hook.tree.body[0].args
    if hook.tree.body[0].decorator_list:
        found.append(Problem(where, line, hook.name, "a hook has no decorator: it is compiled from its own text"))
    if hook.event == "on_readout" and not hook.increment:
        found.append(Problem(where, line, hook.name, NO_STATE))
    if arguments.vararg or arguments.kwarg or arguments.defaults or arguments.kwonlyargs or arguments.posonlyargs:
        found.append(Problem(where, line, hook.name, "the arguments of a hook are names of fields, nothing else"))
    for name in hook.arguments:
        if name not in fields:
            hint = "it takes no self" if name == "self" else ""
            found.append(Problem(where, line, name, f"there is no such field; declared: {', '.join(fields) or 'none'}", hint))
        elif why := unseen(fields[name], hook.event):
            found.append(Problem(where, line, name, why))
    return found


def unseen(field, event: str) -> str:
    """Return why a hook cannot read a field at an event; nothing if it can."""
    kind = type(field).__name__
    if isinstance(field, Active) and event not in ("on_active", "replay_active"):
        return f"{kind} belongs to an active neuron: at {event} there is none; use on_active"
    if isinstance(field, SynState) and event == "on_readout":
        return NO_STATE
    if field.place in EVENTS[event]:
        return ""
    if field.place == "event":
        return f"{kind} belongs to an active neuron or an error: at {event} there is none; use on_active, on_error or on_readout"
    if field.place == "log":
        return f"{kind} is no number: it says what is remembered for the hooks of a replay"
    if field.place == "replay":
        return f"{kind} is there in a replay only: use replay_pre or replay_active"
    if field.place == "sample":
        return f"{kind} is known at the end of the sample only: use on_sample_end"
    return f"a hook at {event} cannot see a {kind}: it is the state of another place"


def call_problems(node: ast.Call, hook: Hook, where: str, line: str) -> list[Problem]:
    """Return what is wrong with a call."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in NAMES:
        return [Problem(where, line, ast.unparse(node.func), f"a hook can call {', '.join(NAMES)}")]
    if not is_meant(node.func, name, hook):
        limit = f"here this is not the {name} of the language: write {name if hasattr(builtins, name) else 'cs.' + name}"
        return [Problem(where, line, ast.unparse(node.func), limit)]
    if node.keywords or len(node.args) != NAMES[name]:
        return [Problem(where, line, ast.unparse(node), f"{name} takes {NAMES[name]} arguments, by position")]
    shift = getattr(node.args[-1], "value", None)
    if name == "rshift" and not (type(shift) is int and 0 <= shift < 32):
        return [Problem(where, line, ast.unparse(node), "the shift is a whole number from 0 to 31, written out")]
    if name == "times" and not isinstance(node.args[0], ast.Name):
        return [
            Problem(where, line, ast.unparse(node), "the first factor of times is a field by its name: its format says the shift")
        ]
    return []


def is_meant(called: ast.expr, name: str, hook: Hook) -> bool:
    """Return whether what is called is the function of the language, and not another of the same name."""
    known = {**vars(builtins), **hook.function.__globals__}
    if isinstance(called, ast.Attribute):
        owner = called.value
        found = getattr(known.get(owner.id), name, None) if isinstance(owner, ast.Name) else None
    else:
        found = known.get(name)
    return found is getattr(functions, name, getattr(builtins, name, None))


def constant_problems(node: ast.Constant, where: str, line: str) -> list[Problem]:
    """Return why a number cannot stand in a hook."""
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return []
    limit = "a number in a hook is whole: declare a field cs.Const(value, frac=...), which says how it is stored"
    return [Problem(where, line, node.value, limit)]
