"""Source text of the loops that call the hooks of a rule: one loop per event, and the walk over the steps."""

from __future__ import annotations

from chipsim.learning.online.reads import Reads, body

HEADER = '''"""Kernels of rule {name}, written by chipsim.learning.online from the hooks of the rule. Do not edit."""
from chipsim.kernels._jit import entry, inner
from chipsim.kernels.fixed import rescale, saturate, wide
from chipsim.learning.online.events import find_active, find_all, find_errors, find_posts, find_readout
from chipsim.learning.online.functions import clip, rshift, sgn, times, where
from chipsim.learning.online.traces import advance_post, advance_pre, decay_synapses, start
'''

POST_LOOP = """
@inner
def run_{event}(t, k, m, circuit, setup, weights, gradient, work, walk):
    source, target = circuit.pre[k], circuit.post[k]
    lo, width, first = circuit.lo[target], circuit.hi[target] - circuit.lo[target], setup.first[k]
    low, slices = circuit.first_slice[target], circuit.first_slice[target + 1] - circuit.first_slice[target]
    visits = {visits}
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

PRE_LOOP = """
@inner
def run_pre(t, k, circuit, setup, weights, gradient, work, walk):
    source, target = circuit.pre[k], circuit.post[k]
    lo, width, first = circuit.lo[target], circuit.hi[target] - circuit.lo[target], setup.first[k]
    low, slices = circuit.first_slice[target], circuit.first_slice[target + 1] - circuit.first_slice[target]
    at = t * len(circuit.lo) + source
    for r in range(work.spikes.start[at], work.spikes.start[at + 1]):
        i = work.spikes.unit[r] - circuit.lo[source]
        row, mark = circuit.offset[k] + i * width, circuit.rows[k] + i * slices - low
{outer}
        for j in range(width):
            n = row + j
{inner}
        for s in range(low, low + slices):
            walk.counts[{counter}, t, s] += circuit.slice_hi[s] - circuit.slice_lo[s]
"""

FIND = {
    "readout": "find_readout(t, {p}, {quiet}, circuit, work, walk)",
    "active": "find_active(t, {p}, {quiet}, circuit, work, walk)", "error": "find_errors(t, {p}, circuit, work, walk)",
    "post": "find_posts(t, {p}, circuit, work, walk)", "epoch": "find_all(t, {p}, circuit, work, walk)",
    "sample_end": "find_all(t, {p}, circuit, work, walk)",
}  # fmt: skip
BEFORE, AFTER = ("error", "epoch"), ("active", "pre", "post")


def program(rule) -> str:
    """Return the source of the module of a rule."""
    reads = Reads(rule)
    parts = [HEADER.format(name=rule.name)]
    parts += [f"\n@inner\n{rule.source_of(hook)}\n" for hook in rule.hooks]
    for event in reads.events:
        parts.append(PRE_LOOP.format(**body(event, reads)) if event == "pre" else POST_LOOP.format(**body(event, reads)))
    return "".join(parts) + walk(reads)


def call(event: str, reads: Reads) -> list[str]:
    """Return the lines that run the synapse hooks of an event for projection k."""
    guard = ["if t % setup.epoch == 0:"] if event == "epoch" else []
    pad = "    " * len(guard)
    if event == "pre":
        return [*guard, f"{pad}run_pre(t, k, circuit, setup, weights, gradient, work, walk)"]
    found = FIND[event].format(p="circuit.post[k]", quiet=reads.quiet(event))
    return [*guard, f"{pad}m = {found}", f"{pad}run_{event}(t, k, m, circuit, setup, weights, gradient, work, walk)"]


def walk(reads: Reads) -> str:
    """Return the kernel `learn`: the walk over the steps of a sample."""

    def steps(events: tuple[str, ...]) -> list[str]:
        return [line for event in events if event in reads.events for line in call(event, reads)]

    hidden = steps(BEFORE) + (["decay_synapses(t, k, circuit, setup, walk, address)"] if reads.synapse else []) + steps(AFTER)
    end, readout = steps(("sample_end",)), steps(("readout",))
    lines = [
        "", "@entry", "def learn(steps, circuit, setup, weights, gradient, work, walk):",
        '    """Run the rule over the sample that is in the logs; `gradient` [W] grows by its gradient."""',
        "    start(walk)", "    own = work.membranes.cells.address", "    address = (own[0], own[1], own[2])",
        "    for t in range(steps):", "        for k in range(len(circuit.pre)):",
        *when("            if setup.hidden[k] and t > 0:", hidden), *when("            if setup.readout[k] and t > 0:", readout),
        "            advance_pre(t, k, circuit, setup, walk, work.spikes, address)",
        "        for p in range(1, len(circuit.lo)):", "            advance_post(t, p, circuit, setup, walk, work.spikes, address)",
    ]  # fmt: skip
    if end:
        lines += ["    t = steps - 1", "    for k in range(len(circuit.pre)):", *when("        if setup.hidden[k]:", end)]
    return "\n".join(lines) + "\n"


def when(condition: str, lines: list[str]) -> list[str]:
    """Return lines under a condition; nothing without lines."""
    indent = " " * (len(condition) - len(condition.lstrip()) + 4)
    return [condition, *(indent + line for line in lines)] if lines else []
