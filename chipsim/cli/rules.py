"""`chipsim rules`: the learning rules, one line each, and everything about one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from chipsim.cli.frame import Answer, header

Name = Annotated[str | None, typer.Argument(help="Show everything about this one.", metavar="NAME|FILE.py:CLASS")]


def rules(name: Name = None) -> Answer:
    """List the learning rules; with a NAME equation, state, triggers, operations per event and source."""
    from chipsim.learning import RULES, rule_object
    from chipsim.learning.facts import rule_facts, rule_lines

    if name is not None:
        rule = rule_object(name)
        return Answer({**header("rules"), "rule": rule_facts(rule)}, rule_lines(rule))
    from chipsim.learning.axes import axes

    found = {key: rule_object(key).title for key in RULES}
    width = max(map(len, found))
    listed = [{"name": key, "title": title} for key, title in found.items()]
    lines = [f"{key:{width}}  {title}" for key, title in found.items()]
    lines += ["", "axes on which they differ (learning.signal, learning.write and schedule.*.optimiser exchange one at a time):"]
    lines += [f"  {axis}: {', '.join(members)}" for axis, members in axes().items()]
    return Answer({**header("rules"), "rules": listed, "axes": axes()}, lines)
