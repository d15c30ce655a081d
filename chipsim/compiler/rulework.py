"""What events move and compute that depend on the network: of its learning rule and its neurons (`chipsim.hardware.work`)."""

from __future__ import annotations

from collections.abc import Iterable

from chipsim.compiler.memory import compartment_bits
from chipsim.compiler.plan import Plan
from chipsim.hardware import Chip
from chipsim.hardware.work import CHANGE, KINDS, UPDATE, Bits, Rows, Work, both
from chipsim.learning import is_online, rule_of
from chipsim.learning.language import Rule
from chipsim.learning.language.fields import Decaying, PostTrace, PreTrace, SynState, Trace
from chipsim.learning.language.given import Potential, Weight
from chipsim.learning.online.reads import Reads
from chipsim.learning.policies import policy_bits, state_bits
from chipsim.network import Network

# The neuron whose event visits the synapses: what is kept there is read once for all of them and not charged to each.
HELD = {"pre": "pre", "active": "post", "post": "post", "error": "post", "readout": "post"}
STORED = {  # signals and gains belong to the event
    PreTrace: "traces.read", PostTrace: "traces.read", SynState: "eligibility.read", Potential: "neurons.read", Weight: "synapses.read",
}  # fmt: skip
ADDED = {"shift": 1, "add": 1, "compare": 2}  # an increment brought to the format of the accumulator, added, held at both ends


def for_network(chip: Chip, network: Network, learn: bool) -> Chip:
    """Return the chip with the prices that depend on the network: of its rule and of its neurons; unchanged if its style is lumped."""
    if chip.style != "component":
        return chip
    accumulator = chip.width("gradient_accumulator") if learn else 0
    return chip.for_rule({**rule_rows(network, learn, accumulator), **neuron_rows(network, chip)})


def neuron_rows(network: Network, chip: Chip) -> Rows:
    """Return the work of an update where some models keep more than the chip's state of a compartment; else nothing."""
    plan, state = Plan(network, chip, False), chip.width("compartment_state")
    bits = spread(compartment_bits(plan, p) for p in range(1, len(network.population)))
    if bits == (state, state):
        return {}
    row = UPDATE._replace(moves=both("neurons", bits))
    return {"forward.updates_active": row, "forward.updates_idle": row}


def rule_rows(network: Network, learn: bool, accumulator: int) -> Rows:
    """Return the work of the events that depend on the rule; none if nothing learns. accumulator: bits of the chip's."""
    if not learn:
        return KINDS["plastic"]
    learning, schedule = network.learning, network.schedule.get("fixed")
    kept = policy_bits(learning, accumulator)
    state = state_bits(learning, schedule.optimiser if schedule else "sgd", accumulator) - kept
    changed = CHANGE._replace(moves={**CHANGE.moves, "optimiser.write": kept}) if kept else CHANGE
    why = "decay and add; the words of the state were fetched by the visit"
    rows = {
        "update.evaluations": changed,
        "update.optimiser_updates": Work({"optimiser.write": state}, {"multiply": 1, "shift": 1, "add": 1}, why),
    }
    if is_online(learning.rule):
        adapts = any(v.name == "adaptation" for p in network.population for v in p.model.variables)
        return {**KINDS["online"], **rows, **online_rows(rule_of(learning), adapts, accumulator)}
    return {**KINDS["replay"], **rows}


def online_rows(rule: Rule, adapts: bool, accumulator: int) -> Rows:
    """Return the work of the traces, the states of synapses and the hooks of a rule that learns forward in time.

    adapts: thresholds do; where none does, the states that follow them are not there.
    """
    reads = Reads(rule, adapts)
    kept = [f for name, f in rule.fields.items() if isinstance(f, Decaying) and name not in reads.absent]
    traces = spread(f.bits for f in kept if f.place in ("pre", "post"))
    impulses = spread(f.bits for f in kept if isinstance(f, Trace))
    states = spread(f.bits for f in kept if f.place == "synapse")
    decay = {"multiply": 1, "shift": 1}
    rows = {
        "backward.trace_decays": traces and Work(both("traces", traces), decay, "decay of one trace"),
        "backward.trace_updates": impulses and Work(both("traces", impulses), {"add": 1}, "impulse of one trace"),
        "backward.eligibility_decays": states and Work(both("eligibility", states), decay, "decay of the state of one synapse"),
        **{f"backward.rules_{event}": hook_row(reads, event, accumulator) for event in reads.events},
    }
    return {event: row for event, row in rows.items() if row}


def spread(bits: Iterable[int]) -> Bits | None:
    """Return least and most of some widths; None without any."""
    found = sorted(bits)
    return (found[0], found[-1]) if found else None


def hook_row(reads: Reads, event: str, accumulator: int) -> Work:
    """Return the work of visiting one synapse at an event: all its hooks are evaluated once, counted by tracing them.

    Traces and states of the synapse are read, a changed state is written back, an increment of the weight goes to the accumulator.
    """
    rule, hooks = reads.rule, reads.of(event)
    names = dict.fromkeys(name for hook in hooks for name in hook.arguments if name not in reads.absent)
    read = [rule.fields[name] for name in names]
    moves = [(STORED[type(f)], f.bits) for f in read if type(f) in STORED and f.place != HELD.get(event)]
    moves += [("eligibility.write", rule.fields[hook.target].bits) for hook in hooks if hook.target != "w"]
    does = [(what, ends) for hook in hooks for what, ends in rule.count(hook).operations.items()]
    if any(hook.target == "w" for hook in hooks):
        moves += both("eligibility", accumulator).items()
        does += [(what, (times, times)) for what, times in ADDED.items()]
    why = f"hooks {', '.join(hook.name for hook in hooks)} of rule {rule.name}"
    total = {what: tuple(sum(ends) for ends in zip(*(e for w, e in does if w == what), strict=True)) for what, _ in does}
    return Work({where: sum(bits for w, bits in moves if w == where) for where, _ in moves}, total, why)
