"""What every event moves and computes, for chips of component style: bits by memory, operations, and why.

A row charges only what no other event charges. Every bit and operation stands in one row:

- words of synapse lists: `words_read` and `visits` (whole words), `writes` (the bits of the weight that changed);
- entries of axon tables: whoever sends a packet, whoever receives one, whoever starts a list (`rows_read`, or online `rows_gathered`);
- the state of a compartment: its update; an accumulator: the synaptic operation that adds to it;
- log records: who writes and who reads one; what the active test needs is at hand in the update before it;
- gradient accumulators and the state of synapses (memory `eligibility`): who adds to them and who turns them into a change of weight;
- errors (memory `errors`): delta and partial sums, by who changes them; a receiver's sum is charged to the packet, which has one.

Links, barriers and the host are no memory and no operation: without a price in the file they stay unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

MEMORIES = ("synapses", "neurons", "traces", "eligibility", "optimiser", "logs", "errors", "axons")
OPERATIONS = ("add", "multiply", "shift", "compare", "select", "random", "lookup")

Bits = str | int | tuple[int, int]  # a width of the chip by name, so many bits, or from so many to so many


class Work(NamedTuple):
    """What one event does. moves: {"memory.read" or "memory.write": bits}; does: {operation: times or (least, most)}; why: the reason."""

    moves: Mapping[str, Bits]
    does: Mapping[str, int | tuple[int, int]]
    why: str


class Within(NamedTuple):
    """An event of which nothing is left to charge: another one ("phase.event") holds it."""

    event: str
    why: str


Rows = Mapping[str, "Work | Within"]


def both(memory: str, bits: Bits) -> dict[str, Bits]:
    """Return what reading and writing back moves."""
    return {f"{memory}.read": bits, f"{memory}.write": bits}


FETCH = Work({"axons.read": "axon_entry"}, {}, "the entry that says where to send, or where the list of an axon begins")
WORD = Work({"synapses.read": "synapse_word"}, {}, "one word of a synapse list")
RECORD = Work({"logs.write": "log_word"}, {}, "one record")
UPDATE = Work(both("neurons", "compartment_state"), {"multiply": 1, "shift": 1, "add": 2, "compare": 1},
              "decay, input, reset, threshold, as delta-lif has them; what other models compute beyond is not charged")  # fmt: skip
DRAW = Work({}, {"random": 1}, "one random word")
CHANGE = Work(both("eligibility", "gradient_accumulator"), {"shift": 1, "add": 1, "compare": 2},
              "the accumulator is read and cleared, scaled, added to the weight, held at both ends")  # fmt: skip
LOSS = Work({"errors.read": "partial_error", "errors.write": "delta"}, {"lookup": 1, "add": 1, "multiply": 1, "compare": 1},
            "score of a class: exponential by table, sum, normalisation, largest")  # fmt: skip

COMMON: Rows = {  # whatever the rule
    "forward.packets": FETCH,
    "forward.packets_in": FETCH,
    "forward.words_read": WORD,
    "forward.synops": Work(both("neurons", "current"), {"add": 1}, "an accumulator is read, added to, written; the word is words_read"),
    "forward.updates_active": UPDATE,
    "forward.updates_idle": UPDATE,
    "forward.spikes": Within("forward.updates_active", "the update compares with the threshold; the packet is charged apart"),
    "backward.gate_checks": Work({}, {"compare": 2}, "V is at hand in the update: two comparisons"),
    "backward.band_lookups": Work({}, {"lookup": 1}, "one entry of the table of steps"),
    "backward.active_log_entries": RECORD,
    "backward.spike_log_entries": RECORD,
    "backward.log_rewrites": RECORD,
    "backward.log_reads": Work({"logs.read": "log_word"}, {}, "one record"),
    "backward.mark_packets": FETCH,
    "backward.packets_in": FETCH,
    "backward.score_packets": Work({"neurons.read": "membrane", "errors.write": "partial_error"}, {}, "a score leaves and is kept"),
    "backward.broadcasts": Work({"errors.read": "delta", "errors.write": "delta"}, {}, "an error leaves and is kept"),
    "backward.softmax_evaluations": LOSS,
    "backward.error_updates": Work(both("errors", "delta"), {"add": 1}, "the error of a class is added to its delta"),
    "backward.evaluations": Work(both("errors", "delta"), {"lookup": 1, "multiply": 1, "shift": 1}, "delta times g of the code"),
    "backward.rows_read": FETCH,
    "backward.rows_skipped": Within("backward.log_reads", "skipped before it is fetched: only its log record was read"),
    "backward.words_read": WORD,
    "backward.gather_adds": Work({"errors.read": "delta"}, {"multiply": 1, "add": 1}, "weight times ds, summed in a register"),
    "backward.error_packets": Work({"axons.read": "axon_entry", **both("errors", "partial_error")}, {"add": 1},
                                   "its target is looked up; there the partial error is added to the sum"),
    "backward.random_draws": DRAW,
    "update.visits": WORD,
    "update.random_draws": DRAW,
    "update.writes": Work({"synapses.write": "weight"}, {}, "the weight that changed; the word was fetched by the visit"),
    "update.terms": Work({"traces.read": "trace"}, {"multiply": 1, "shift": 1, "add": 1}, "a trace times a constant is added to the sum"),
    "update.trace_updates": Work(both("traces", "trace"), {"multiply": 1, "shift": 1, "add": 1}, "decay of an epoch, impulse"),
    "update.copy_packets": FETCH,
    "update.packets_in": FETCH,
    "update.copy_writes": Work({"synapses.write": "weight"}, {}, "the weight in the transposed copy"),
}  # fmt: skip
REPLAY: Rows = {  # rules that walk their logs in reverse; delta decays, accumulators take spike times delta
    "backward.trace_decays": Work(both("errors", "delta"), {"multiply": 1, "shift": 1}, "decay of delta (form A: of a trace)"),
    "backward.row_adds": Work({"errors.read": "delta", **both("eligibility", "gradient_accumulator")}, {"add": 1},
                              "delta is added to an accumulator"),
    "backward.rows_gathered": Within("backward.rows_read", "the same row of the same record"),
}  # fmt: skip
ONLINE: Rows = {"backward.rows_gathered": FETCH}  # the rest depends on the rule, as do evaluations of the update
PLASTIC: Rows = {  # projections that learn on the way: the sum of terms goes to the weight at once
    "update.evaluations": Work({}, {"add": 1, "compare": 2}, "the sum of terms is added to the weight, held at both ends"),
}  # fmt: skip
KINDS = {"replay": REPLAY, "online": ONLINE, "plastic": PLASTIC}

BY_RULE = frozenset(  # worked out when the rule is known
    {f"backward.rules_{event}" for event in ("readout", "active", "pre", "post", "error", "epoch", "sample_end")}
    | {"backward.trace_decays", "backward.trace_updates", "backward.eligibility_decays", "update.optimiser_updates"}
    | {event for rows in KINDS.values() for event in rows} | {"update.evaluations"}
)  # fmt: skip

# A lumped price may hold what these other events move: where a file names the first, it must say what the others cost.
HOLDS = {
    "forward.synops": ("forward.words_read",),
    "backward.row_adds": ("backward.words_read",),
    "backward.gather_adds": ("backward.words_read",),
    "update.evaluations": ("update.visits", "update.writes", "update.random_draws"),
}  # fmt: skip
# What an engine does beyond what is active: priced like what it is (cost.engine), not worked out here.
OF_THE_ENGINE = frozenset({"update.visits_skipped", "update.evaluations_skipped", "update.writes_skipped", "update.epochs"})
# Neither memory nor operation of a core, so never worked out: links, barriers, the host's side.
OUTSIDE = frozenset(
    {f"{phase}.{hop}" for phase in ("forward", "backward", "update") for hop in ("hops_x", "hops_y", "hops_local")}
    | {f"backward.error_hops_{way}" for way in ("x", "y", "local")}
    | {f"{phase}.barriers" for phase in ("forward", "backward", "update")}
    | {"forward.inputs_injected"}
)  # fmt: skip
