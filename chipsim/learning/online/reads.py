"""What the hooks of a rule read and write, as source text of the loops around them."""

from __future__ import annotations

from chipsim.learning.online.state import DRAWS, EVENTS, FIRST_EVENT

READ = {  # kind of field -> how a loop reads it; {at}: its number among the fields of that place
    "PreTrace": "wide(walk.pre[{at}, first + i])", "PostTrace": "wide(walk.post[{at}, lo + j])", "SynState": "wide(walk.synapse[{at}, n])",
    "Weight": "wide(weights[n])", "Active": "wide(walk.gain[e])", "Learn": "wide(walk.error[e])", "Const": "wide(setup.constants[{at}])",
    "Reward": "wide(walk.reward[0])", "Neuron": "wide(setup.neuron[{at}, k])",
    "Potential": "potential(t, lo + j, {at}, target, circuit, setup, work)",
    "Random": "drawn({at}, n, (t << 3) + {event}, setup, work, walk)",
}  # fmt: skip
PLACES = ("pre", "post", "synapse", "constant", "neuron")
LISTS = {"post": "PostTrace", "synapse": "SynState"}  # kinds that are state, among what else is of a place
NOTHING = "wide(walk.reward[0]) * 0"


class Reads:
    """A rule seen by the generator: its fields numbered place by place, its hooks by event.

    adapts: at synapses onto neurons whose threshold adapts; elsewhere the fields for these are 0 and nothing sets them.
    """

    def __init__(self, rule, adapts: bool = True):
        self.rule, self.absent = rule, frozenset() if adapts else rule.adaptive
        lists = {place: [n for n, field in rule.fields.items() if field.place == place] for place in PLACES}
        for place, kind in LISTS.items():
            lists[place] = [name for name in lists[place] if self.kind(name) == kind]
        for kind in ("Potential", "Random"):
            lists[kind] = [name for name in rule.fields if self.kind(name) == kind]
        self.potentials, self.randoms = lists["Potential"], lists["Random"]
        self.at = {name: n for names in lists.values() for n, name in enumerate(names)}
        self.pre, self.post, self.synapse, self.constants, self.neuron = (lists[place] for place in PLACES)
        self.events = [event for event in EVENTS if self.of(event)]
        self.increments = rule.increments

    def kind(self, name: str) -> str:
        """Return the class name of a field."""
        return type(self.rule.fields[name]).__name__

    def read(self, name: str, event: str) -> str:
        """Return the expression that reads a field inside the loop of an event."""
        if name in self.absent:
            return NOTHING
        return READ[self.kind(name)].format(at=self.at.get(name), event=EVENTS.index(event))

    def of(self, event: str) -> list:
        """Return the hooks of an event."""
        return [hook for hook in self.rule.hooks if short(hook.event) == event and hook.target not in self.absent]

    def kept(self, name: str, readout: bool) -> bool:
        """Return whether a field is read at the synapses of the readout, or of hidden populations."""
        return any(name in hook.arguments for hook in self.rule.hooks if (hook.event == "on_readout") == readout)

    def live_only(self, event: str) -> bool:
        """Return whether the hooks of an event do nothing where the pre traces are 0."""
        return self.vanish(event, self.pre)

    def quiet(self, event: str) -> bool:
        """Return whether the hooks of an event do nothing for a neuron whose signal is 0."""
        names = [name for name in self.rule.fields if self.kind(name) == "Learn"]
        return self.vanish(event, names)

    def vanish(self, event: str, names: list[str]) -> bool:
        """Return whether there is a field at whose 0 no hook of an event does anything."""
        return any(all(self.rule.vanishes(hook, name, self.absent) for hook in self.of(event)) for name in names)


def short(event: str) -> str:
    """Return the event without its preposition: on_active -> active."""
    return event.removeprefix("on_")


def body(event: str, reads: Reads) -> dict[str, str]:
    """Return what fills the loop of an event; fields get a prefix, so that no name of a rule meets one of the loop."""
    hooks = reads.of(event)
    names = list(dict.fromkeys(name for hook in hooks for name in hook.arguments))
    outer = [f"f_{name} = {reads.read(name, event)}" for name in names if reads.kind(name) == "PreTrace"]
    lines = [f"f_{name} = {reads.read(name, event)}" for name in names if reads.kind(name) != "PreTrace"]
    lines += [f"walk.counts[{DRAWS}, t, circuit.slice_of[lo + j]] += 1" for name in names if reads.kind(name) == "Random"]
    for number, hook in enumerate(hooks):
        lines.append(f"r{number} = {hook.name}({', '.join('f_' + name for name in hook.arguments)})")
    for number, hook in enumerate(hooks):
        lines += write(hook, f"r{number}", reads)
    live = reads.live_only(event)
    return {
        "event": event, "counter": str(FIRST_EVENT + EVENTS.index(event)),
        "visits": "walk.count[k]" if live else "circuit.hi[source] - circuit.lo[source]",
        "visited": "walk.live[first + v]" if live else "v",
        "outer": indented(8, outer or ["pass"]), "inner": indented(12, lines), "deep": indented(16, lines),
    }  # fmt: skip


def indented(by: int, lines: list[str]) -> str:
    """Return lines as text, indented."""
    return "\n".join(" " * by + line for line in lines)


def write(hook, value: str, reads: Reads) -> list[str]:
    """Return the lines that store what a hook gave."""
    if hook.increment:
        h = reads.increments.index(hook)
        return [f"gradient[n] = saturate(wide(gradient[n]) - rescale({value}, setup.shift[{h}, k]), circuit.acc_bits)",
                "work.errors.dirty[mark + circuit.slice_of[lo + j]] = True"]  # fmt: skip
    at, bits = reads.at[hook.target], reads.rule.fields[hook.target].bits
    return [f"walk.synapse[{at}, n] = saturate({value}, {bits})"]
