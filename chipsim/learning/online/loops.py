"""Source text of the loops that call the hooks of a rule: one loop per event and kind of projection, and the walk over the steps."""

from __future__ import annotations

from typing import NamedTuple

from chipsim.learning.online.reads import Reads, body
from chipsim.learning.online.state import EVENTS

HEADER = '''"""Kernels of rule {name}, written by chipsim.learning.online from the hooks of the rule. Do not edit."""
from chipsim.kernels._jit import entry, inner
from chipsim.kernels.fixed import rescale, saturate, wide
from chipsim.learning.online.events import find_active, find_all, find_errors, find_posts, find_readout
from chipsim.learning.online.functions import clip, rshift, sgn, times, where
from chipsim.learning.online.given import drawn, potential
from chipsim.learning.online.traces import advance_post, advance_pre, decay_synapses, start
'''

START = """
@inner
def {function}({arguments}, circuit, wires, setup, weights, gradient, work, walk):
    source, target = circuit.pre[k], circuit.post[k]
    lo, width, first = circuit.lo[target], circuit.hi[target] - circuit.lo[target], setup.first[k]
    low, slices = circuit.first_slice[target], circuit.first_slice[target + 1] - circuit.first_slice[target]
"""

POST_LOOP = """    visits = {visits}
    for v in range(visits):
        i = {visited}
        row, mark = circuit.offset[k] + i * width, circuit.rows[k] + i * slices - low
{outer}
        for e in range(m):
            j = walk.unit[e]
            n = row + j
{inner}
    for e in range(m):
        walk.counts[{counter}, t, circuit.slice_of[lo + walk.unit[e]]] += visits
"""

POST_LISTS = """    for e in range(m):
        walk.place[lo + walk.unit[e]] = e + 1
    for v in range({visits}):
        i = {visited}
        row, mark = wires.first_row[k] + i, circuit.rows[k] + i * slices - low
{outer}
        for x in range(wires.list_start[row], wires.list_start[row + 1]):
            j, n = wires.list_post[x], wires.list_weight[x]
            e = walk.place[lo + j] - 1
            if e >= 0:
{deep}
                walk.counts[{counter}, t, circuit.slice_of[lo + j]] += 1
    for e in range(m):
        walk.place[lo + walk.unit[e]] = 0
"""

PRE_START = """    at = t * len(circuit.lo) + source
    for r in range(work.spikes.start[at], work.spikes.start[at + 1]):
        i = work.spikes.unit[r] - circuit.lo[source]
        mark = circuit.rows[k] + i * slices - low
"""

PRE_LOOP = """        row = circuit.offset[k] + i * width
{outer}
        for j in range(width):
            n = row + j
{inner}
        for s in range(low, low + slices):
            walk.counts[{counter}, t, s] += circuit.slice_hi[s] - circuit.slice_lo[s]
"""

PRE_LISTS = """        row = wires.first_row[k] + i
{outer}
        for x in range(wires.list_start[row], wires.list_start[row + 1]):
            j, n = wires.list_post[x], wires.list_weight[x]
{inner}
            walk.counts[{counter}, t, circuit.slice_of[lo + j]] += 1
"""

FIND = {
    "readout": "find_readout(t, {p}, {quiet}, circuit, work, walk)",
    "active": "find_active(t, {p}, {quiet}, circuit, work, walk)", "error": "find_errors(t, {p}, circuit, work, walk)",
    "post": "find_posts(t, {p}, circuit, work, walk)", "epoch": "find_all(t, {p}, circuit, work, walk)",
    "sample_end": "find_all(t, {p}, circuit, work, walk)",
}  # fmt: skip
BEFORE, AFTER = ("error", "epoch"), ("active", "pre", "post")


class Shape(NamedTuple):
    """What kind of projection a loop is for. listed: synapses are listed, not dense; adapts: the threshold of the target does."""

    listed: bool
    adapts: bool

    @property
    def suffix(self) -> str:
        """End of the names of its loops."""
        return "_lists" * self.listed + "_adaptive" * self.adapts


def shapes_for(rule, listed: bool, adapts: bool) -> tuple[Shape, ...]:
    """Return the kinds of projections of a network with such ones, as far as the rule tells them apart: few, so that few are compiled."""
    adaptive = (False, True) if adapts and rule.adaptive else (False,)
    return tuple(Shape(a, b) for a in ((False, True) if listed else (False,)) for b in adaptive)


def program(rule, shapes: tuple[Shape, ...]) -> str:
    """Return the source of the module of a rule for networks with such projections."""
    reads = {shape: Reads(rule, shape.adapts) for shape in shapes}
    parts = [HEADER.format(name=rule.name)]
    parts += [f"\n@inner\n{rule.source_of(hook)}\n" for hook in rule.hooks]
    for event in EVENTS:
        parts += [loop(event, shape, reads[shape]) for shape in at(event, shapes) if event in reads[shape].events]
    return "".join(parts) + walk(reads)


def loop(event: str, shape: Shape, reads: Reads) -> str:
    """Return the loop of an event over the synapses of a projection."""
    arguments = "t, k" if event == "pre" else "t, k, m"
    pieces = (PRE_START + PRE_LOOP, PRE_START + PRE_LISTS) if event == "pre" else (POST_LOOP, POST_LISTS)
    text = START + pieces[shape.listed]
    return text.format(function=f"run_{event}{shape.suffix}", arguments=arguments, **body(event, reads))


def call(event: str, shape: Shape, reads: Reads) -> list[str]:
    """Return the lines that run the synapse hooks of an event for projection k."""
    given = "circuit, wires, setup, weights, gradient, work, walk"
    if event == "pre":
        lines = [f"run_pre{shape.suffix}(t, k, {given})"]
    else:
        found = FIND[event].format(p="circuit.post[k]", quiet=reads.quiet(event))
        lines = [f"m = {found}", f"run_{event}{shape.suffix}(t, k, m, {given})"]
    return when("if t % setup.epoch == 0:", lines) if event == "epoch" else lines


def at(event: str, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return the kinds of projections at which an event can happen: no threshold of the readout adapts."""
    return tuple(shape for shape in shapes if event != "readout" or not shape.adapts)


def calls(event: str, reads: dict[Shape, Reads]) -> list[str]:
    """Return the lines that run an event for whatever kind of projection k is."""
    found, kinds = [], at(event, tuple(reads))
    several = [len({getattr(shape, name) for shape in kinds}) > 1 for name in Shape._fields]
    for shape in kinds:
        tests = (f"{'' if shape.listed else 'not '}wires.listed[k]", f"{'' if shape.adapts else 'not '}setup.adapts[k]")
        test = " and ".join(text for text, needed in zip(tests, several, strict=True) if needed)
        if event in reads[shape].events:
            lines = call(event, shape, reads[shape])
            found += when(f"if {test}:", lines) if test else lines
    return found


def walk(reads: dict[Shape, Reads]) -> str:
    """Return the kernel `learn`: the walk over the steps of a sample."""

    def steps(events: tuple[str, ...]) -> list[str]:
        return [line for event in events for line in calls(event, reads)]

    states = any(reads[shape].synapse for shape in reads)
    decays = ["decay_synapses(t, k, circuit, wires, setup, walk, address)"] if states else []
    hidden, end, readout = steps(BEFORE) + decays + steps(AFTER), steps(("sample_end",)), steps(("readout",))
    lines = [
        "", "@entry", "def learn(steps, circuit, wires, setup, weights, gradient, work, walk):",
        '    """Run the rule over the sample that is in the logs; `gradient` [W] grows by its gradient."""',
        "    start(walk)", "    own = work.membranes.cells.address", "    address = (own[0], own[1], own[2])",
        "    for t in range(steps):", "        for k in range(len(circuit.pre)):",
        *when("            if setup.hidden[k] and t > 0:", hidden), *when("            if setup.readout[k] and t > 0:", readout),
        "            advance_pre(t, k, circuit, wires, setup, walk, work.spikes, address)",
        "        for p in range(1, len(circuit.lo)):", "            advance_post(t, p, circuit, setup, walk, work.spikes, address)",
    ]  # fmt: skip
    if end:
        lines += ["    t = steps - 1", "    for k in range(len(circuit.pre)):", *when("        if setup.hidden[k]:", end)]
    return "\n".join(lines) + "\n"


def when(condition: str, lines: list[str]) -> list[str]:
    """Return lines under a condition; nothing without lines."""
    indent = " " * (len(condition) - len(condition.lstrip()) + 4)
    return [condition, *(indent + line for line in lines)] if lines else []
