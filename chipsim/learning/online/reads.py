"""What the hooks of a rule read and write, as source text of the loops around them."""

from __future__ import annotations

import ast

from chipsim.learning.online.state import EVENTS, FIRST_EVENT

READ = {  # place of a field -> how a loop reads it; {at}: its number among the fields of that place
    "PreTrace": "wide(walk.pre[{at}, first + i])", "PostTrace": "wide(walk.post[{at}, lo + j])", "PostState": "wide(walk.post[{at}, lo + j])",
    "SynState": "wide(walk.synapse[{at}, n])", "Weight": "wide(weights[n])", "Active": "wide(walk.gain[e])", "Learn": "wide(walk.error[e])",
}  # fmt: skip
PLACES = {"PreTrace": "pre", "PostTrace": "post", "PostState": "post", "SynState": "synapse"}


class Reads:
    """A rule seen by the generator: its fields numbered place by place, its hooks by event."""

    def __init__(self, rule):
        self.rule = rule
        self.at: dict[str, int] = {}
        lists: dict[str, list[str]] = {"pre": [], "post": [], "synapse": []}
        for name, field in rule.fields.items():
            place = PLACES.get(type(field).__name__)
            if place:
                self.at[name] = len(lists[place])
                lists[place].append(name)
        self.pre, self.post, self.synapse = lists["pre"], lists["post"], lists["synapse"]
        self.events = [event for event in EVENTS if any(short(hook.event) == event for hook in rule.hooks)]
        self.increments = [hook for hook in rule.hooks if hook.increment]

    def kind(self, name: str) -> str:
        """Return the class name of a field."""
        return type(self.rule.fields[name]).__name__

    def read(self, name: str) -> str:
        """Return the expression that reads a field inside a loop."""
        return READ[self.kind(name)].format(at=self.at.get(name))

    def of(self, event: str) -> list:
        """Return the hooks of an event."""
        return [hook for hook in self.rule.hooks if short(hook.event) == event]

    def live_only(self, event: str) -> bool:
        """Return whether all hooks of an event do nothing where the pre traces are 0."""
        return bool(self.pre) and all(self.rule.silent_without_pre(hook) for hook in self.of(event))


def short(event: str) -> str:
    """Return the event without its preposition: on_active -> active."""
    return event.removeprefix("on_")


def body(event: str, reads: Reads) -> dict[str, str]:
    """Return what fills the loop of an event."""
    hooks = reads.of(event)
    names = list(dict.fromkeys(name for hook in hooks for name in hook.arguments))
    outer = [f"{name} = {reads.read(name)}" for name in names if reads.kind(name) == "PreTrace"]
    lines = [f"{name} = {reads.read(name)}" for name in names if reads.kind(name) != "PreTrace"]
    for number, hook in enumerate(hooks):
        lines.append(f"r{number} = {hook.function.__name__}({', '.join(hook.arguments)})")
    for number, hook in enumerate(hooks):
        lines += write(hook, f"r{number}", reads)
    live = reads.live_only(event)
    return {
        "event": event, "counter": str(FIRST_EVENT + EVENTS.index(event)),
        "visits": "walk.count[k]" if live else "circuit.hi[source] - circuit.lo[source]",
        "visited": "walk.live[first + v]" if live else "v",
        "outer": "\n".join("        " + line for line in outer) or "        pass",
        "inner": "\n".join("            " + line for line in lines),
    }  # fmt: skip


def write(hook, value: str, reads: Reads) -> list[str]:
    """Return the lines that store what a hook gave."""
    if hook.increment:
        h = reads.increments.index(hook)
        return [f"gradient[n] = saturate(wide(gradient[n]) - rescale({value}, setup.shift[{h}, k]), circuit.acc_bits)",
                "work.errors.dirty[mark + circuit.slice_of[lo + j]] = True"]  # fmt: skip
    at, bits = reads.at[hook.target], reads.rule.fields[hook.target].bits
    return [f"walk.synapse[{at}, n] = saturate({value}, {bits})"]


def hook_text(hook, reads: Reads) -> str:
    """Return the source of a hook, with the fraction bits of the first factor written into every `times`."""
    tree = ast.parse(hook.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                node.func = ast.Name(node.func.attr, ast.Load())
            if node.func.id == "times":
                node.args.append(ast.Constant(fraction(node.args[0], reads)))
    function = tree.body[0]
    function.decorator_list, function.returns = [], None
    for argument in function.args.args:
        argument.annotation = None
    return ast.unparse(ast.fix_missing_locations(tree))


def fraction(node: ast.expr, reads: Reads) -> int:
    """Return the fraction bits of the first factor of a `times`."""
    return reads.rule.fraction_of(node)
