"""Energy of counted events: E = sum over events of count x price, with its corners and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np

from chipsim.cost.engine import engine_prices, idle_events
from chipsim.cost.gaps import Gaps
from chipsim.cost.standing import Use, standing_terms, unknown_standing
from chipsim.cost.terms import PJ, Lasting, Term
from chipsim.cost.uncertainty import Uncertainty, uncertainty_of
from chipsim.counters import EVENTS, PHASES, Counters
from chipsim.hardware import Chip

# Which unit of the chip an event is booked to; ("update", event) where a phase has its own.
UNIT_EVENTS = {
    "synapses": ("words_read", "synops", "rows_read", "rows_skipped", "rows_gathered", "row_adds", "gather_adds"),
    "neurons": ("updates_active", "updates_idle", "spikes", "trace_decays", "error_updates", "evaluations"),
    "network": ("inputs_injected", "packets", "hops_x", "hops_y", "hops_local", "packets_in", "barriers", "mark_packets", "copy_packets",
                "error_packets", "score_packets", "broadcasts", "error_hops_x", "error_hops_y", "error_hops_local"),
    "logs": ("active_log_entries", "spike_log_entries", "log_rewrites", "log_reads"),
    "learning": ("gate_checks", "band_lookups", "softmax_evaluations", "visits", "random_draws", "writes", "optimiser_updates", "terms",
                 "visits_skipped", "evaluations_skipped", "writes_skipped", "epochs", "copy_writes", ("update", "evaluations"),
                 "trace_updates",
                 "eligibility_decays", "rules_readout", "rules_active", "rules_pre", "rules_post", "rules_error", "rules_epoch",
                 "rules_sample_end"),
}  # fmt: skip
UNIT_OF = {event: unit for unit, events in UNIT_EVENTS.items() for event in events}


def unit_of(phase: str, event: str) -> str:
    """Return the unit of the chip that an event is booked to."""
    return UNIT_OF.get((phase, event)) or UNIT_OF[event]


@dataclass(frozen=True)
class Energy:
    """Energy of everything that has a price, over all samples of the counters.

    rows_pj: {(phase, event): pJ} of every event of the chip with a price (documented zeros too).
    *_j: J. A phase is None if it counted events and none of them has a price; with no priced event at all every total is None.
    low_j, high_j: corners, all prices at the lower and at the upper end. assumed_share: part of the total that rests on assumptions.
    complete: nothing that was counted lacks a price. unpriced: {"phase.event": count} of what lacks one, never taken as zero;
    "static.core_seconds" (in s) stands there if the chip has no static power or the time is not known.
    per_core_j: {core: J}, `HOST` included, without static. by_unit: {unit: {phase: J}}, static as {"static": {"static": J}}.
    terms: what each price adds, standing costs included; empty if the total is None. point: operating point of the price list.
    """

    rows_pj: dict[tuple[str, str], float]
    forward_j: float | None
    backward_j: float | None
    update_j: float | None
    static_j: float | None
    total_j: float | None
    low_j: float | None
    high_j: float | None
    assumed_share: float | None
    complete: bool
    unpriced: dict[str, float]
    per_core_j: dict[int, float]
    by_unit: dict[str, dict[str, float]]
    terms: tuple[Term, ...] = field(default=(), repr=False)
    point: str = ""

    @cached_property
    def uncertainty(self) -> Uncertainty | None:
        """What the prices leave open; None if nothing has a price. Worked out when it is asked for."""
        return None if self.total_j is None else uncertainty_of(self.terms, self.point, self.gaps)

    @property
    def gaps(self) -> Gaps:
        """What the phases lack: figures that divide by one of them, or add them up, must know."""
        return Gaps.of({phase: getattr(self, f"{phase}_j") for phase in PHASES}, self.unpriced, "a price")

    def over(self, lasting: Lasting | None) -> Energy:
        """Return it with standing costs as uncertain as the time they last; itself if nothing is known of that."""
        if lasting is None:
            return self
        terms = tuple(term._replace(lasting=lasting) if term.phase == "static" else term for term in self.terms)
        low, high = corners(terms, self.total_j)
        return replace(self, terms=terms, low_j=low, high_j=high)

    def per_sample(self, samples: int) -> dict[str, float | None]:
        """Return the `energy_j_per_sample` of `chipsim train --json`, in J."""
        names = [f.name for f in fields(self) if f.name.endswith("_j") and f.name != "per_core_j"]
        per = {n.removesuffix("_j"): None if getattr(self, n) is None else getattr(self, n) / samples for n in names}
        return {**per, "assumed_share": self.assumed_share}


def price_energy(counters: Counters, chip: Chip, time_s: float | None, cores_used: int, chips_used: int = 1) -> Energy:
    """Return the energy of counted events on a chip.

    counters: counts [E, T, K] or [M, E, T, K].
    time_s: time of all samples in s, for the standing costs of `cores_used` powered cores on `chips_used` chips; None if it is not
    known. The time itself is taken as exact; `Energy.over` takes in what its prices leave open.
    An aggregate price holds all other costs of its phase and the static power: there the total is this price times its event.
    """
    counts = counters.total().counts.sum(axis=1)  # [E, K] int64
    table, idle = engine_prices(chip, "energy"), idle_events(chip, "energy")
    counts[[n for n, (phase, _, event) in enumerate(EVENTS) if f"{phase}.{event}" in idle]] = 0
    prices = [table.get(f"{phase}.{event}") for phase, _, event in EVENTS]
    joules = counts * np.array([p.value * PJ if p else 0.0 for p in prices])[:, None]  # [E, K]
    per_event = counts.sum(axis=1)
    held = held_phases(chip, prices)
    standing = [] if time_s is None else standing_terms(chip, Use(time_s, cores_used, chips_used))
    unpriced = unpriced_events(prices, per_event, held) | ({} if held else unknown_standing(chip, time_s, cores_used))

    phases = {phase: phase_energy(phase, prices, per_event, joules) for phase in PHASES}
    static = add(term.joules for term in standing)
    priced = bool((per_event[[p is not None for p in prices]] > 0).any()) or not per_event.any() or held == set(PHASES)
    terms = (*event_terms(prices, per_event), *standing) if priced else ()
    total = add([*phases.values(), static]) if priced else None
    low, high = corners(terms, total)
    assumed = sum(term.joules for term in terms if term.price.rests_on == "assumed")
    return Energy(
        rows_pj=event_rows(prices, per_event),
        forward_j=phases["forward"], backward_j=phases["backward"], update_j=phases["update"],
        static_j=static if priced else None, total_j=total,
        low_j=low, high_j=high,
        assumed_share=None if total is None else min(1.0, assumed / total) if total else 0.0,
        complete=not unpriced, unpriced=unpriced,
        per_core_j=dict(zip(counters.cores.tolist(), joules.sum(axis=0).tolist(), strict=True)),
        by_unit=unit_rows(joules, static), terms=terms, point=chip.point,
    )  # fmt: skip


def corners(terms: Iterable[Term], total: float | None) -> tuple[float, float] | tuple[None, None]:
    """Return the sums of all lower and of all upper ends; None without a total, which lies between them but for rounding."""
    if total is None:
        return None, None
    low, high = (sum(term.ends[end] for term in terms) for end in (0, 1))
    return min(low, total), max(high, total)


def add(parts: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None if nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def held_phases(chip: Chip, prices: list) -> set[str]:
    """Return the phases of which an aggregate price holds everything: that of its event, or all of them under an aggregate power."""
    if any(power.scope == "aggregate" for power in chip.power.values()):
        return set(PHASES)
    return {phase for (phase, _, _), p in zip(EVENTS, prices, strict=True) if p and p.scope == "aggregate"}


def unpriced_events(prices: list, per_event: np.ndarray, held: set[str]) -> dict[str, float]:
    """Return {"phase.event": count} of what was counted and has no price; held: phases whose aggregate price holds everything."""
    found: dict[str, float] = {}
    for (phase, _, event), price, count in zip(EVENTS, prices, per_event.tolist(), strict=True):
        if price is None and count and phase not in held:
            found[f"{phase}.{event}"] = found.get(f"{phase}.{event}", 0) + count
    return found


def phase_energy(phase: str, prices: list, per_event: np.ndarray, joules: np.ndarray) -> float | None:
    """Return the energy of a phase in J; None if it counted something and nothing of that has a price."""
    mine = np.array([p == phase for p, _, _ in EVENTS])
    counted = mine & (per_event > 0)
    priced = counted & np.array([p is not None for p in prices])
    return None if counted.any() and not priced.any() else float(joules[mine].sum())


def event_terms(prices: list, per_event: np.ndarray) -> list[Term]:
    """Return one term per event that was counted and has a price, both stages together."""
    terms: dict[str, Term] = {}
    for (phase, _, event), price, count in zip(EVENTS, prices, per_event.tolist(), strict=True):
        name = f"{phase}.{event}"
        if price is not None and count:
            before = terms[name].amount if name in terms else 0
            terms[name] = Term(name, phase, before + count, PJ, price)
    return list(terms.values())


def event_rows(prices: list, per_event: np.ndarray) -> dict[tuple[str, str], float]:
    """Return {(phase, event): pJ} of every event with a price, both stages together."""
    rows: dict[tuple[str, str], float] = {}
    for (phase, _, event), price, count in zip(EVENTS, prices, per_event.tolist(), strict=True):
        if price is not None:
            rows[phase, event] = rows.get((phase, event), 0.0) + count * price.value
    return rows


def unit_rows(joules: np.ndarray, static: float | None) -> dict[str, dict[str, float]]:
    """Return {unit: {phase: J}} of what has a price."""
    rows = {unit: dict.fromkeys(PHASES, 0.0) for unit in UNIT_EVENTS}
    for (phase, _, event), energy in zip(EVENTS, joules.sum(axis=1).tolist(), strict=True):
        rows[unit_of(phase, event)][phase] += energy
    return {**rows, "static": {} if static is None else {"static": static}}
