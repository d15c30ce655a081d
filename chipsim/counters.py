"""Counters: what happened on every core in every step, as integers. They know no joule and no second.

docs/semantics.md section 7 says when each event is counted; `EVENTS` below is the same table in code, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chipsim.errors import ConfigError

HOST = -1  # core id of the pseudo-core for what the host or the whole chip does; always the last column

FORWARD = (
    "inputs_injected", "packets", "hops_x", "hops_y", "hops_local", "packets_in", "words_read", "synops",
    "updates_active", "updates_idle", "spikes", "barriers",
)  # fmt: skip
MARKING = (
    "gate_checks", "band_lookups", "active_log_entries", "spike_log_entries", "mark_packets", "hops_x", "hops_y", "hops_local",
    "packets_in",
)  # fmt: skip
ONLINE = (
    "score_packets", "broadcasts", "softmax_evaluations", "trace_decays", "trace_updates", "eligibility_decays", "rows_gathered",
    "words_read", "gather_adds", "error_packets", "error_hops_x", "error_hops_y", "error_hops_local", "rules_readout",
    "rules_active", "rules_pre", "rules_post", "rules_error", "rules_epoch", "rules_sample_end", "random_draws",
)  # fmt: skip
REPLAY = (
    "score_packets", "broadcasts", "softmax_evaluations", "log_reads", "trace_decays", "error_updates", "evaluations",
    "rows_read", "rows_skipped", "rows_gathered", "words_read", "row_adds", "gather_adds", "error_packets",
    "error_hops_x", "error_hops_y", "error_hops_local", "packets_in", "barriers",
)  # fmt: skip
REWRITES = ("log_rewrites",)  # of replay in form A: ds takes the place of a code
WALK = ("log_reads", "trace_decays", "trace_updates", "rows_read", "words_read", "row_adds", "barriers")  # form A, forward again
DEFERRED = (  # a rule that walks its logs forward a second time
    "trace_updates", "eligibility_decays", "rules_readout", "rules_active", "rules_pre", "rules_post", "rules_error", "rules_epoch",
    "rules_sample_end", "random_draws",
)  # fmt: skip
UPDATE = ("visits", "evaluations", "random_draws", "writes", "optimiser_updates", "barriers")
ENGINE = ("visits_skipped", "evaluations_skipped", "writes_skipped", "epochs")  # of an engine that does more than is active
COPY = ("copy_packets", "hops_x", "hops_y", "hops_local", "packets_in", "copy_writes")  # of changed weights, with pushed errors
PLASTIC = ("visits", "evaluations", "terms", "random_draws", "writes", "trace_updates")  # of projections that learn on the way

# (phase, stage, event), one row of the counts array each; stage: the chip does it in a forward step, a replay step or a
# step of the walk of form A
EVENTS = (
    *(("forward", "forward", e) for e in FORWARD),
    *(("backward", "forward", e) for e in (*MARKING, *ONLINE)),
    *(("backward", "replay", e) for e in (*REPLAY, *REWRITES, *DEFERRED)),
    *(("backward", "walk", e) for e in WALK),
    *(("update", "replay", e) for e in (*UPDATE, *ENGINE, *COPY)),
    *(("update", "forward", e) for e in (*PLASTIC, *ENGINE)),
)
OF_OTHER_RULES = frozenset(
    {("backward", "forward", e) for e in ONLINE}
    | {("backward", "replay", e) for e in DEFERRED}
    | {("update", "forward", e) for e in (*PLASTIC, *ENGINE)}
)  # than replay
OF_OTHER_FORMS = frozenset(
    {("backward", "replay", e) for e in REWRITES}
    | {("backward", "walk", e) for e in WALK}
    | {("update", "replay", e) for e in COPY}
)  # than form B with gathered errors
ROW = {key: n for n, key in enumerate(EVENTS)}
PHASES = ("forward", "backward", "update")
SUMS = {"neuron_updates": ("updates_active", "updates_idle"), "hops": ("hops_x", "hops_y", "hops_local"),
        "error_hops": ("error_hops_x", "error_hops_y", "error_hops_local"),
        "log_words": ("active_log_entries", "spike_log_entries")}  # fmt: skip


@dataclass(frozen=True)
class Counters:
    """Event counts of one or more samples.

    counts: [E, T, K] int64 summed over samples, or [M, E, T, K] one block per sample; E rows as in `EVENTS`, T steps, K columns.
    cores: [K] int64 core id of each column, ascending, `HOST` last.
    samples: how many samples the counts cover.
    """

    counts: np.ndarray
    cores: np.ndarray
    samples: int = 1

    def total(self) -> Counters:
        """Return the counts summed over samples: [E, T, K]."""
        if self.counts.ndim == 3:
            return self
        return Counters(self.counts.sum(axis=0), self.cores, self.samples)

    def __add__(self, other: Counters) -> Counters:
        if not np.array_equal(self.cores, other.cores) or self.counts.shape[-2] != other.counts.shape[-2]:
            raise ConfigError("counters of different cores or steps cannot be added: they belong to different networks or chips")
        return Counters(self.total().counts + other.total().counts, self.cores, self.samples + other.samples)

    def of(self, phase: str, event: str) -> np.ndarray:
        """Return [T, K] counts of one event in one phase, over both stages; a name in `SUMS` gives the sum of its parts."""
        parts = SUMS.get(event, (event,))
        rows = [n for n, (p, _, e) in enumerate(EVENTS) if p == phase and e in parts]
        if not rows:
            raise KeyError(f"no event {event!r} in phase {phase!r}; events: {sorted(events_of(phase))}")
        return self.total().counts[rows].sum(axis=0)

    def table(self) -> dict[str, dict[str, int]]:
        """Return {phase: {event: total}}, sums included, as plain integers."""
        return {phase: {event: int(self.of(phase, event).sum()) for event in events_of(phase)} for phase in PHASES}

    def per_sample(self) -> dict[str, dict[str, float]]:
        """Return {phase: {event: mean per sample}}, the `counts_per_sample` of `chipsim train --json`."""
        return {p: {e: n / self.samples for e, n in row.items()} for p, row in self.table().items()}


def events_of(phase: str) -> list[str]:
    """Return the event names of a phase in table order, each sum behind its last part."""
    names = list(dict.fromkeys(e for p, _, e in EVENTS if p == phase))
    for total, parts in SUMS.items():
        present = [n for n, e in enumerate(names) if e in parts]
        if present:
            names.insert(present[-1] + 1, total)
    return names


def empty(steps: int, cores: np.ndarray, samples: int = 1) -> Counters:
    """Return zero counts, one block per sample."""
    return Counters(np.zeros((samples, len(EVENTS), steps, len(cores)), dtype=np.int64), cores, samples)


class LinkLoads(NamedTuple):
    """Packets on each link of the mesh, for the network time "hottest_link"; L links, M samples, T steps."""

    kinds: tuple[str, ...]  # [L] "x" or "y"
    forward: np.ndarray  # [M, T, L] int64, packets of spikes
    marking: np.ndarray  # [M, T, L] int64, mark packets
    replay: np.ndarray  # [M, T, L] int64, error, score and broadcast packets of replay
    signals: np.ndarray  # [M, T, L] int64, those of online rules and of the loss of every step, in forward steps
    copies: np.ndarray = np.zeros((1, 1, 1), dtype=np.int64)  # [M, T, L] int64, changed weights on their way to transposed copies


class Departures(NamedTuple):
    """Spikes of one step and the packets they send, in the order in which each core sends them, for the network time "queue".

    N spikes by ascending core (the host first) and neuron, P packets spike after spike.
    """

    core: np.ndarray  # [N] int64, `HOST` for input spikes
    place: np.ndarray  # [N] int64 how many neurons of its core come before it
    neurons: np.ndarray  # [N] int64 of its core
    start: np.ndarray  # [N + 1] int64: packets of spike n are start[n] .. start[n + 1]
    target: np.ndarray  # [P] int64 core
    synops: np.ndarray  # [P] int64 synapses that the packet meets
    words: np.ndarray  # [P] int64 words read for it
