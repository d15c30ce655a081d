"""Energy of counted events: E = sum over events of count x price, with its corners and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from chipsim.counters import EVENTS, PHASES, Counters
from chipsim.hardware import Chip

PJ = 1e-12  # J
MW = 1e-3  # W
STATIC = "static.core_seconds"  # name of the standing cost among the unpriced

# Which unit of the chip an event is booked to; ("update", event) where a phase has its own.
UNIT_EVENTS = {
    "synapses": ("words_read", "synops", "rows_read", "rows_skipped", "rows_gathered", "row_adds", "gather_adds"),
    "neurons": ("updates_active", "updates_idle", "spikes", "trace_decays", "error_updates", "evaluations"),
    "network": ("inputs_injected", "packets", "hops_x", "hops_y", "hops_local", "packets_in", "barriers", "mark_packets", "copy_packets",
                "error_packets", "score_packets", "broadcasts", "error_hops_x", "error_hops_y", "error_hops_local"),
    "logs": ("active_log_entries", "spike_log_entries", "log_rewrites", "log_reads"),
    "learning": ("gate_checks", "band_lookups", "softmax_evaluations", "visits", "random_draws", "writes", "optimiser_updates", "terms",
                 "copy_writes", ("update", "evaluations"), "trace_updates", "eligibility_decays", "rules_readout", "rules_active",
                 "rules_pre", "rules_post", "rules_error", "rules_epoch", "rules_sample_end"),
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
    low_j, high_j: corners, all prices at the lower and at the upper end. assumed_share: part of the total with basis "assumed".
    complete: nothing that was counted lacks a price. unpriced: {"phase.event": count} of what lacks one, never taken as zero;
    "static.core_seconds" (in s) stands there if the chip has no static power or the time is not known.
    per_core_j: {core: J}, `HOST` included, without static. by_unit: {unit: {phase: J}}, static as {"static": {"static": J}}.
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

    def per_sample(self, samples: int) -> dict[str, float | None]:
        """Return the `energy_j_per_sample` of `chipsim train --json`, in J."""
        names = [f.name for f in fields(self) if f.name.endswith("_j") and f.name != "per_core_j"]
        per = {n.removesuffix("_j"): None if getattr(self, n) is None else getattr(self, n) / samples for n in names}
        return {**per, "assumed_share": self.assumed_share}


def price_energy(counters: Counters, chip: Chip, time_s: float | None, cores_used: int) -> Energy:
    """Return the energy of counted events on a chip.

    counters: counts [E, T, K] or [M, E, T, K].
    time_s: time of all samples in s, for the static energy of `cores_used` powered cores; None if it is not known.
    """
    counts = counters.total().counts.sum(axis=1)  # [E, K] int64
    prices = [chip.energy.get(f"{phase}.{event}") for phase, _, event in EVENTS]
    joules = counts * np.array([p.value * PJ if p else 0.0 for p in prices])[:, None]  # [E, K]
    per_event = counts.sum(axis=1)
    ends = [per_event @ np.array([getattr(p, end) * PJ if p else 0.0 for p in prices]) for end in ("low", "high")]
    assumed = float(joules[[n for n, p in enumerate(prices) if p and p.basis == "assumed"]].sum())

    unpriced = {}
    for (phase, _, event), price, count in zip(EVENTS, prices, per_event.tolist(), strict=True):
        if price is None and count:
            unpriced[f"{phase}.{event}"] = unpriced.get(f"{phase}.{event}", 0) + count
    phases = {phase: phase_energy(phase, prices, per_event, joules) for phase in PHASES}
    static = static_energy(chip, time_s, cores_used)
    unpriced.update(static.unpriced)
    priced = bool((per_event[[p is not None for p in prices]] > 0).any()) or not per_event.any()
    total = add([*phases.values(), static.value]) if priced else None
    low = None if total is None else min(float(ends[0]) + static.low, total)  # min, max: exact prices differ by rounding only
    high = None if total is None else max(float(ends[1]) + static.high, total)
    return Energy(
        rows_pj=event_rows(prices, per_event),
        forward_j=phases["forward"], backward_j=phases["backward"], update_j=phases["update"],
        static_j=static.value if priced else None, total_j=total, low_j=low, high_j=high,
        assumed_share=None if total is None else share(assumed + static.assumed, total),
        complete=not unpriced, unpriced=unpriced,
        per_core_j=dict(zip(counters.cores.tolist(), joules.sum(axis=0).tolist(), strict=True)),
        by_unit=unit_rows(joules, static.value),
    )  # fmt: skip


def share(part: float, total: float) -> float:
    """Return a part of the total, 0 to 1; sums of floats in two orders can differ in their last place."""
    return min(part / total, 1.0) if total else 0.0


class Static(NamedTuple):
    """Standing cost in J: nominal (None if unknown), its ends, the part with basis "assumed", and what is not priced."""

    value: float | None
    low: float
    high: float
    assumed: float
    unpriced: dict[str, float]


def add(parts: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None if nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def phase_energy(phase: str, prices: list, per_event: np.ndarray, joules: np.ndarray) -> float | None:
    """Return the energy of a phase in J; None if it counted something and nothing of that has a price."""
    mine = np.array([p == phase for p, _, _ in EVENTS])
    counted = mine & (per_event > 0)
    priced = counted & np.array([p is not None for p in prices])
    return None if counted.any() and not priced.any() else float(joules[mine].sum())


def static_energy(chip: Chip, time_s: float | None, cores_used: int) -> Static:
    """Return the energy of the powered cores; the time itself is taken as exact."""
    power = chip.power.get("static_core")
    if power is None or time_s is None:
        return Static(None, 0.0, 0.0, 0.0, {STATIC: cores_used * (time_s or 0.0)} if cores_used and time_s != 0 else {})
    joules = MW * cores_used * time_s
    value = power.value * joules
    return Static(value, power.low * joules, power.high * joules, value if power.basis == "assumed" else 0.0, {})


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
