"""What a rule must satisfy as a whole: fields and hooks that belong together, widths and formats that fit."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from chipsim.errors import Problem
from chipsim.learning.language.check import hook_problems
from chipsim.learning.language.fields import SynState
from chipsim.learning.language.given import Active, Learn, Log, Reward, Weight
from chipsim.learning.language.trace import TraceError

if TYPE_CHECKING:
    from chipsim.learning.language.define import Hook, Rule


def replay_problems(found: Rule, where: str, replayed: bool) -> list[Problem]:
    """Return the hooks of a replay in a rule that is not replayed, and the logs that such hooks lack."""
    problems, needs = [], {"replay_pre": "spike", "replay_active": "active"}
    logs = {f.on for f in found.fields.values() if isinstance(f, Log)}
    for hook in found.hooks:
        line = f"{hook.name}, line {hook.line}"
        if hook.event in needs and not replayed:
            limit = (
                "kernels of a replay are written by hand, for the shipped rules alone: a rule of your own learns in forward time"
            )
            problems.append(Problem(where, line, hook.event, limit))
        elif hook.event in needs and needs[hook.event] not in logs:
            problems.append(Problem(where, line, hook.event, f"it reads a log: declare cs.Log(on={needs[hook.event]!r})"))
    if logs and not replayed and not problems:
        problems.append(Problem(where, "cs.Log", ", ".join(sorted(logs)), "only the hooks of a replay read logs"))
    return problems


def each_hook_problems(found: Rule, where: str, sound: bool) -> list[Problem]:
    """Return what is wrong with the hooks of a rule one by one; sound: its fields are, so that the formats can be looked at too."""
    problems = []
    for hook in found.hooks:
        said = hook_problems(hook, found.fields, where)
        problems += said or (format_problems(found, hook, where) if sound else [])
    return problems


def rule_problems(found: Rule, where: str) -> list[Problem]:
    """Return what is wrong with the fields and hooks of a rule together."""
    problems = []
    if not found.increments:
        problems.append(
            Problem(where, "hooks", ", ".join(h.name for h in found.hooks) or "none", "a rule needs at least one dw_<event>")
        )
    if not found.title:
        problems.append(
            Problem(where, "documentation", "(nothing)", "say in its first line what the rule does, then its equation and source")
        )
    read = {name for hook in found.hooks for name in hook.arguments if hook.increment or name != hook.target}
    for name, f in found.fields.items():
        if name not in read and not (isinstance(f, Weight) and f.write) and not isinstance(f, Log):
            but = "no hook reads it" + (", but for those that set it" if isinstance(f, SynState) else "")
            problems.append(Problem(where, f"field {name}", type(f).__name__, but))
        if isinstance(f, SynState) and not any(hook.target == name for hook in found.hooks):
            problems.append(
                Problem(where, f"field {name}", "SynState", f"no hook sets it: write {name}_on_active or another event")
            )
    for kind in (Learn, Active, Weight, Reward):
        names = [name for name, f in found.fields.items() if isinstance(f, kind)]
        if len(names) > 1:
            problems.append(Problem(where, f"fields {', '.join(names)}", kind.__name__, "a rule has one of these at most"))
    if found.learn is None and any(h.event == "on_error" for h in found.hooks):
        problems.append(Problem(where, "on_error", "no cs.Learn field", "an error event needs a learning signal"))
    return problems


def format_problems(found: Rule, hook: Hook, where: str) -> list[Problem]:
    """Return what is wrong with the widths and fraction bits of a hook."""
    line = f"{hook.name}, line {hook.line}"
    for node in ast.walk(hook.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("times"):
            first = found.fields.get(node.args[0].id)
            if first is None or isinstance(first, (Learn, Weight)):
                limit = (
                    "the first factor of times is a field whose fraction bits the rule declares (L and w differ by projection)"
                )
                return [Problem(where, line, ast.unparse(node), limit)]
    try:
        made = found.count(hook)
    except TraceError as error:
        return [Problem(where, line, hook.text.strip().split("\n")[-1].strip(), str(error))]
    except (NameError, TypeError) as error:
        return [Problem(where, line, hook.name, f"on some way through it: {error}")]
    state = found.fields.get(hook.target)
    if isinstance(state, SynState) and (made.lo, made.hi) != (0, 0) and (made.frac or 0) != state.frac:
        limit = f"its outcome has {made.frac or 'no'} fraction bits, but {hook.target} has {state.frac}: use cs.times, "
        limit += "another frac" if made.frac is not None else "or a cs.Const in place of the number"
        return [Problem(where, line, hook.text.strip().split("\n")[-1].strip(), limit)]
    return []
