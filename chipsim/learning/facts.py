"""What there is to say about a rule: state in bits, triggers, and the operations of one evaluation, counted by tracing its hooks."""

from __future__ import annotations

from typing import Any

from chipsim.learning.axes import axes_of
from chipsim.learning.language import Rule
from chipsim.learning.language.define import Hook
from chipsim.learning.language.fields import Field
from chipsim.learning.language.given import Delta
from chipsim.learning.replayed import Replayed

OWNERS = {
    "pre": "axon and core", "post": "neuron", "synapse": "synapse", "event": "event, given", "neuron": "neuron, given",
    "sample": "sample, given", "log": "record", "replay": "neuron, in replay", "constant": "constant",
}  # fmt: skip


def rule_facts(rule: Rule | Replayed) -> dict[str, Any]:
    """Return a rule as a table: name, documentation, needs; fields and hooks with their operations where it has them."""
    facts: dict[str, Any] = {
        "name": rule.name,
        "title": rule.title,
        "doc": rule.doc,
        "needs": list(rule.needs),
        "axes": axes_of(rule),
    }
    rule = rule.text if isinstance(rule, Replayed) else rule
    kept = {
        place: sum(f.bits for f in rule.fields.values() if f.place == place and hasattr(f, "tau"))
        for place in ("pre", "post", "synapse")
    }
    kept["post"] += sum(f.bits for f in rule.fields.values() if isinstance(f, Delta))
    return {
        **facts,
        "bits": {"axon": kept["pre"], "neuron": kept["post"], "synapse": kept["synapse"]},
        "fields": [field_facts(name, f) for name, f in rule.fields.items()],
        "hooks": [hook_facts(rule, hook) for hook in rule.hooks],
    }


def field_facts(name: str, f: Field) -> dict[str, Any]:
    """Return a field as a table."""
    own = {key: value for key, value in vars(f).items() if value is not None}
    return {"name": name, "kind": type(f).__name__, "per": OWNERS[f.place], "bits": f.bits, "signed": f.signed, **own}


def hook_facts(rule: Rule, hook: Hook) -> dict[str, Any]:
    """Return a hook as a table; operations: {kind: [least, most]} of one evaluation."""
    count = rule.count(hook)
    return {
        "name": hook.name, "event": hook.event, "changes": hook.target, "reads": list(hook.arguments),
        "operations": {kind: list(ends) for kind, ends in count.operations.items()}, "widest_bits": count.widest,
        "skips": [n for n in hook.arguments if n != hook.target and rule.fields[n].place in ("pre", "event") and rule.vanishes(hook, n)],
    }  # fmt: skip


def rule_lines(rule: Rule | Replayed) -> list[str]:
    """Return everything about a rule as text."""
    lines = [
        f"{rule.name}",
        *("  " + line if line else "" for line in rule.doc.strip().split("\n")),
        "",
        f"needs: {', '.join(rule.needs)}",
        *(f"{axis}: {', '.join(members)}" for axis, members in axes_of(rule).items()),
    ]
    facts = rule_facts(rule)
    lines.append("state in bits: " + ", ".join(f"{bits} per {owner}" for owner, bits in facts["bits"].items()))
    lines.append("fields:")
    for f in facts["fields"]:
        more = ", ".join(
            f"{key} {f[key]}"
            for key in ("tau", "tau_syn", "key", "frac", "rounding", "impulse", "source", "align", "value")
            if key in f
        )
        lines.append(f"  {f['name']}: {f['kind']}, {f['bits']} bits{', ' + more if more else ''} (per {f['per']})")
    lines.append("one evaluation of each hook, counted by tracing:")
    for hook in facts["hooks"]:
        operations = ", ".join(
            f"{kind} {low if low == high else f'{low} to {high}'}" for kind, (low, high) in hook["operations"].items()
        )
        skips = f"; not evaluated where {' or '.join(hook['skips'])} is 0" if hook["skips"] else ""
        lines.append(f"  {hook['name']}({', '.join(hook['reads'])}): {operations}; widest {hook['widest_bits']} bits{skips}")
    return lines
