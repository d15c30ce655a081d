"""What a hook may say: small expressions of its arguments. Everything else is refused when the rule is defined, with its line."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from chipsim.errors import Problem
from chipsim.learning.language.functions import NAMES

if TYPE_CHECKING:
    from chipsim.learning.language.define import Hook

EVENTS = {  # event -> which fields a hook can see there
    "on_readout": ("pre", "synapse", "event", "constant"),
    "on_pre": ("pre", "post", "synapse", "constant"),
    "on_post": ("pre", "post", "synapse", "constant"),
    "on_active": ("pre", "post", "synapse", "event", "constant"),
    "on_error": ("pre", "post", "synapse", "event", "constant"),
    "on_epoch": ("pre", "post", "synapse", "constant"),
    "on_sample_end": ("pre", "post", "synapse", "sample", "constant"),
}
ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.Expr, ast.If, ast.IfExp, ast.BinOp, ast.UnaryOp,
    ast.Compare, ast.BoolOp, ast.Call, ast.Name, ast.Constant, ast.Load, ast.Store, ast.Add, ast.Sub, ast.Mult, ast.USub, ast.And,
    ast.Or, ast.Not, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.Attribute,
)  # fmt: skip
WHY = {
    ast.For: "a hook has no loops: it is one synapse or neuron at one event", ast.While: "a hook has no loops",
    ast.ListComp: "a hook has no loops", ast.Subscript: "a hook sees numbers, not arrays: name the field as an argument",
    ast.Div: "chips do not divide: use cs.rshift(v, s) or multiply by a cs.Const", ast.FloorDiv: "use cs.rshift(v, s)",
    ast.Pow: "write the product out", ast.MatMult: "a hook sees numbers, not arrays", ast.RShift: "use cs.rshift(v, s), which rounds",
    ast.LShift: "multiply by a power of two", ast.Mod: "there is no remainder on a chip", ast.Import: "a hook imports nothing",
    ast.Global: "a hook keeps its state in fields", ast.Lambda: "a hook is one function",
}  # fmt: skip


def hook_problems(hook: Hook, fields: dict, where: str) -> list[Problem]:
    """Return everything that is wrong with the text of a hook; where: file and rule in words."""
    found = argument_problems(hook, fields, where)
    known = {*hook.arguments}
    for node in ast.walk(hook.tree):
        line = f"{hook.name}, line {hook.line + getattr(node, 'lineno', 1) - 1}"
        if not isinstance(node, ALLOWED):
            why = WHY.get(type(node), "a hook is made of + - *, comparisons, conditions and the functions of the language")
            found.append(Problem(where, line, type(node).__name__, why))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
        elif isinstance(node, ast.Call):
            found += call_problems(node, where, line)
        elif isinstance(node, ast.Constant) and not isinstance(node.value, str):
            found += constant_problems(node, where, line)
    called = {id(part) for node in ast.walk(hook.tree) if isinstance(node, ast.Call) for part in ast.walk(node.func)}
    for node in ast.walk(hook.tree):
        line = f"{hook.name}, line {hook.line + getattr(node, 'lineno', 1) - 1}"
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in known and id(node) not in called:
            limit = f"a hook sees its arguments only ({', '.join(hook.arguments)}); declare a cs.Const for a constant"
            found.append(Problem(where, line, node.id, limit))
        elif isinstance(node, ast.Attribute) and id(node) not in called:
            found.append(
                Problem(where, line, ast.unparse(node), "a hook sees numbers, not objects: name the field as an argument")
            )
    return list(dict.fromkeys(found))


def argument_problems(hook: Hook, fields: dict, where: str) -> list[Problem]:
    """Return the arguments that are no fields, or that nobody can see at this event."""
    found, line = [], f"{hook.name}, line {hook.line}"
    arguments = hook.tree.body[0].args
    if arguments.vararg or arguments.kwarg or arguments.defaults or arguments.kwonlyargs or arguments.posonlyargs:
        found.append(Problem(where, line, hook.name, "the arguments of a hook are names of fields, nothing else"))
    for name in hook.arguments:
        if name not in fields:
            hint = "it takes no self" if name == "self" else ""
            found.append(Problem(where, line, name, f"there is no such field; declared: {', '.join(fields) or 'none'}", hint))
        elif fields[name].place not in EVENTS[hook.event]:
            found.append(Problem(where, line, name, unseen(fields[name], hook.event)))
    return found


def unseen(field, event: str) -> str:
    """Return why a hook cannot read a field at an event."""
    if field.place == "event":
        kind = type(field).__name__
        return f"{kind} belongs to an active neuron or an error: at {event} there is none; use on_active, on_error or on_readout"
    if field.place == "sample":
        return f"{type(field).__name__} is known at the end of the sample only: use on_sample_end"
    return f"a hook at {event} cannot see a {type(field).__name__}: it is the state of another place"


def call_problems(node: ast.Call, where: str, line: str) -> list[Problem]:
    """Return what is wrong with a call."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in NAMES:
        return [Problem(where, line, ast.unparse(node.func), f"a hook can call {', '.join(NAMES)}")]
    if node.keywords or len(node.args) != NAMES[name]:
        return [Problem(where, line, ast.unparse(node), f"{name} takes {NAMES[name]} arguments, by position")]
    if name == "rshift" and not (isinstance(node.args[1], ast.Constant) and node.args[1].value in range(32)):
        return [Problem(where, line, ast.unparse(node), "the shift is a whole number from 0 to 31, written out")]
    if name == "times" and not isinstance(node.args[0], ast.Name):
        return [
            Problem(where, line, ast.unparse(node), "the first factor of times is a field by its name: its format says the shift")
        ]
    return []


def constant_problems(node: ast.Constant, where: str, line: str) -> list[Problem]:
    """Return why a number cannot stand in a hook."""
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return []
    limit = "a number in a hook is whole: declare a field cs.Const(value, frac=...), which says how it is stored"
    return [Problem(where, line, node.value, limit)]
