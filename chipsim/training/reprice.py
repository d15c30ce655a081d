"""cs.reprice: a finished run priced for another chip, without running again. Placement, widths and results of the run stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.compiler.place import memories
from chipsim.compiler.route import route
from chipsim.compiler.rulework import for_network
from chipsim.cost import Energy, Time, price_energy
from chipsim.cost.bounds import Bounds, bound_time
from chipsim.cost.breakdown import STATIC, column_cells, rows_of
from chipsim.counters import EVENTS, HOST, PHASES, ROW, Counters
from chipsim.errors import ConfigError, DataError, Problem, raise_all
from chipsim.hardware import Chip, as_chip, build_chip
from chipsim.training.finished import Finished, finished
from chipsim.training.limits import broken_limits, differences
from chipsim.training.recording import Recording
from chipsim.training.run import Run, float_warnings, uncertainty_summary
from chipsim.training.tally import Tally
from chipsim.training.timefacts import bound_warnings, time_facts, time_warnings

BREAKDOWNS = ("core", "phase", "unit", "population")
OF_MESH = ("hops_x", "hops_y", "hops_local", "error_hops_x", "error_hops_y", "error_hops_local")
OF_AXONS = ("packets", "mark_packets")  # one per target, or one that forks


@dataclass(frozen=True)
class Repriced:
    """A run priced for a chip.

    summary: the object of `chipsim cost --json`. energy: of all training samples. counters: of the run, with the hops of the chip's mesh.
    chip: with the widths, arithmetic and, where its mesh is too small, the mesh of the run.
    """

    summary: dict[str, Any]
    energy: Energy
    time: Time | None  # None: only bounds are known
    counters: Counters
    chip: Chip
    image: ChipImage = field(repr=False)
    run: Finished = field(repr=False)

    def breakdown(self, by: str) -> list[dict[str, Any]]:
        """Return rows of the energy by core, phase, unit or population, in J per sample, the static energy in the last row if it is known.

        Every row has `energy_j` and its parts by phase; all of them add up to `energy_j_per_sample.total` exactly. No rows if
        nothing has a price.

        Raises:
            ConfigError: `by` is none of these. DataError: populations share a core and the run has no recorded activity.
        """
        require_breakdown(by)
        total, samples = self.summary["energy_j_per_sample"]["total"], self.counters.samples
        if total is None:
            return []
        cells = {(row, phase): j for (row, phase), j in self.cells(by).items()}
        if self.energy.static_j is not None:
            cells[STATIC, STATIC] = self.energy.static_j
        rows = rows_of(cells, total, samples)
        return [
            {by: row, "energy_j": sum(parts.values()), **{f"{p}_j": j for p, j in parts.items()}} for row, parts in rows.items()
        ]

    def cells(self, by: str) -> dict[tuple[Any, str], float]:
        """Return {(row, phase): J} without static energy."""
        if by == "phase":
            return {(phase, phase): getattr(self.energy, f"{phase}_j") or 0.0 for phase in PHASES}
        if by == "unit":
            units = {unit: row for unit, row in self.energy.by_unit.items() if unit != STATIC}
            return {(unit, phase): row[phase] for unit, row in units.items() for phase in PHASES}
        counters, names = self.counters, ["host" if core == HOST else core for core in self.counters.cores.tolist()]
        if by == "population":
            counters, names = self.by_population(), population_names(self.image)
        return {(names[k], phase): j for (k, phase), j in column_cells(counters, self.chip).items()}

    def by_population(self) -> Counters:
        """Return the counts with one column per population, the input (and what the host does) last.

        An epoch is that of a core: it stands with the first population that has neurons there.
        """
        image = self.image
        if self.run.recording is not None:
            owner = np.array([s.population - 1 for s in image.slices])  # the input: -1, the last column
            cores = np.array([*range(len(image.network.population) - 1), HOST])
            column = np.eye(len(cores), dtype=np.int64)[owner]
            apart = replace(image, routes=replace(image.routes, column=column, cores=cores))
            return self.with_epochs(recount(apart, self.run.recording).counters)
        shared = [m for m in image.memory if len(m.populations) > 1]
        if shared:
            limit = (
                f"populations {', '.join(shared[0].populations)} share core {shared[0].core}: only the activity tells them apart"
            )
            raise DataError(Problem(self.run.name, "activity.npz", "(nothing)", limit, "--breakdown core, phase or unit"))
        owners = [population_names(image).index(m.populations[0]) for m in image.memory]
        column = np.eye(len(image.network.population), dtype=np.int64)[[*owners, -1]]
        return Counters(self.counters.total().counts @ column, np.arange(len(column[0])), self.counters.samples)

    def with_epochs(self, apart: Counters) -> Counters:
        """Return counts by population with the learning epochs of the cores."""
        image, row, counts = self.image, ROW["update", "replay", "epochs"], apart.total().counts.copy()
        owners = [min(s.population for s in image.slices if s.core == core) - 1 for core in self.counters.cores[:-1].tolist()]
        counts[row] = self.counters.total().counts[row] @ np.eye(len(apart.cores), dtype=np.int64)[[*owners, -1]]
        return Counters(counts, apart.cores, apart.samples)


def population_names(image: ChipImage) -> list[str]:
    """Return the names of the populations, the input last."""
    first, *others = [p.name for p in image.network.population]
    return [*others, first]


def require_breakdown(by: object) -> None:
    """Refuse a breakdown that does not exist."""
    if by not in BREAKDOWNS:
        raise ConfigError(Problem("cost", "breakdown", by, f"it is one of {', '.join(BREAKDOWNS)}"))


def reprice(run: Run | Finished | str | Path, chip: Chip | str | Path | None = None, strict: bool = False) -> Repriced:
    """Price a finished run, or the one in a folder, for `chip` (none: the run's own) without running again.

    It equals running again, bit for bit, when the chips differ in unit costs only. The placement by core id, the widths and the counts
    of the run are kept; hops and packets are counted again on the mesh of `chip`. Which of its limits the run breaks is
    said in `summary["limits_broken"]`. strict: an event without a price is an error.

    Raises:
        ConfigError, DataError: it is no finished run, a file of it is damaged, the chip is wrong, hops cannot be counted again, or
            (strict) events have no price.
    """
    stored = finished(run)
    own = stored.image.chip
    other = own if chip is None else as_chip(chip)
    image = on_chip(stored.image, other)
    chips = -(-image.cores_used // other.mesh.cores)
    time, bounds, spread, said, told = None, None, None, [], {}
    if stored.recording is None:
        require_same_routes(stored, other)
        counters = stored.counters
        bounds = bound_time(counters, image.chip, image.tiles_used)
        energy = bounded_energy(counters, image, bounds, chips)
    else:
        tally = recount(image, stored.recording, chips)
        require_same_counts(stored, tally.counters, own, other)
        counters, time = tally.counters, tally.time
        energy, spread = tally.costs()
        said, told = time_warnings(tally, image.chip), time_facts(tally)
    if strict:
        raise_all(price_problems(energy, other))
    broken = broken_limits(image, other, stored.facts["log_words"]["peak"])
    n, facts = counters.samples, {key: value for key, value in stored.facts.items() if key != "log_words"}
    summary = {
        **facts, "run_dir": None if stored.folder is None else str(stored.folder), "run_chip": own.name, "chip": other.name,
        "counts_per_sample": counters.per_sample(), "energy_j_per_sample": energy.per_sample(n),
        "energy_complete": energy.complete, "unpriced": energy.unpriced, "energy_uncertainty": uncertainty_summary(energy, n),
        **(bounded_facts(bounds, image.chip, n) if bounds else told),
        "time_exact": bounds is None and not queue_warnings(image.chip, time),
        "time_uncertainty": None if spread is None else spread.summary(n),
        "cores_used": image.cores_used, "chips_used": chips, "limits_broken": [problem._asdict() for problem in broken],
        "warnings": [*(f"the run breaks a limit: {problem}" for problem in broken), *differences(own, other), *other.assumptions,
                     *float_warnings(image), *chip_warnings(other, image.cores_used, chips),
                     *queue_warnings(image.chip, time), *said, *bounded_warnings(bounds)],
    }  # fmt: skip
    return Repriced(summary, energy, time, counters, image.chip, image, stored)


def on_chip(image: ChipImage, other: Chip) -> ChipImage:
    """Return an image with the prices, limits and routes of another chip, on the cores and with the widths it was compiled for.

    Where the mesh of `other` lacks a core of the run, the mesh stays that of the run.
    """
    own, plan = image.chip, image.plan
    if other.style == "component":  # its prices are bits times price: bits of the run
        table = {**other.table, "width": {**other.table["width"], **own.table["width"]}}
        other = for_network(build_chip(table, other.name), plan.network, plan.learning)
    kept = {"widths": own.widths, "arithmetic": own.arithmetic, "active_update": own.active_update}
    kept["limits"] = {**own.limits, **other.limits}
    if max(m.core for m in image.memory) >= other.mesh.cores:
        kept |= {"mesh": own.mesh, "axons": own.axons}
    plan, slices = replace(plan, chip=replace(other, **kept)), list(image.slices)
    return replace(image, plan=plan, routes=route(plan, slices), memory=memories(plan, slices))


def recount(image: ChipImage, recording: Recording, chips: int = 1) -> Tally:
    """Return the tally of everything recorded, added up in the order of the run, so that sums of times are the same to the last bit."""
    whole, local = Tally(image, learned=True, chips=chips), Tally(image, learned=True)
    for activity, last in recording.blocks():
        local.count(activity)
        if last:
            whole.absorb(local)
            local = Tally(image, learned=True)
    return whole


def require_same_counts(stored: Finished, found: Counters, own: Chip, other: Chip) -> None:
    """Refuse recorded activity that does not give the stored counts; what another mesh counts otherwise is left out.

    Raises:
        DataError: they differ; names the first event.
    """
    moved = {*(OF_MESH if other.mesh != own.mesh else ()), *(OF_AXONS + OF_MESH if other.axons != own.axons else ())}
    for n, key in enumerate(EVENTS):
        if key[2] not in moved and not np.array_equal(stored.counters.counts[n], found.counts[n]):
            limit = f"activity.npz gives {int(found.counts[n].sum())}: the files are not of one run, or of another version"
            value = int(stored.counters.counts[n].sum())
            raise DataError(Problem(stored.name, f"counters.npz: {'.'.join(key)}", value, limit))


def require_same_routes(stored: Finished, other: Chip) -> None:
    """Refuse a chip on which hops would have to be counted again, or of which no bounds of the time are known, if only sums are left.

    Raises:
        DataError: it has another mesh or other axons, an exact cycle formula, or a queueing network.
    """
    own = stored.image.chip
    changed = [key for key in ("mesh", "axons") if getattr(own, key) != getattr(other, key)]
    problems = {}
    if changed and max(m.core for m in stored.image.memory) < other.mesh.cores:
        problems["hops"] = f"has another {' and other '.join(changed)} than {own.name}: hops must be counted again from it"
    if other.cycles is not None:
        problems["cycles"] = f"has cycles = {other.cycles}: its time needs the counts of every sample"
    if other.network_time == "queue":
        problems["queue"] = "has network_time = queue: its time has no bound that sums would give"
    hint = "train with fewer samples or passes, or train again"
    raise_all([Problem(stored.name, "activity.npz", "(nothing)", f'chip "{other.name}" {why}', hint) for why in problems.values()],
              DataError)  # fmt: skip


def bounded_energy(counters: Counters, image: ChipImage, bounds: Bounds, chips: int) -> Energy:
    """Return the energy at the lower bound of the time; its upper corner lasts up to the upper bound."""
    low, high = (price_energy(counters, image.chip, end["total"], image.cores_used, chips) for end in (bounds.low, bounds.high))
    return low if low.high_j is None else replace(low, high_j=high.high_j)


def price_problems(energy: Energy, chip: Chip) -> list[Problem]:
    """Return every event that was counted and has no price."""
    name = f'chip "{chip.name}"'
    keys = {event: event if event.startswith(STATIC) else f"energy.{event}" for event in energy.unpriced}
    why = {event: f"the run counted {n:,}" if n else "the time of the run is not known" for event, n in energy.unpriced.items()}
    return [Problem(name, keys[event], "(no price)", text) for event, text in why.items()]


def bounded_facts(bounds: Bounds, chip: Chip, samples: int) -> dict[str, Any]:
    """Return the time as a lower bound, and both bounds."""
    low, high = ({key: None if s is None else s / samples for key, s in end.items()} for end in (bounds.low, bounds.high))
    return {
        "time_s_per_sample": low, "time_complete": not bounds.unpriced, "time_bounds_s_per_sample": {"low": low, "high": high},
        "time_model": {"network": chip.network_time, "cycles": None}, "time_breakdown": None,
    }  # fmt: skip


def chip_warnings(chip: Chip, cores: int, chips: int) -> list[str]:
    """Return that the run takes several chips of this kind."""
    if chips == 1:
        return []
    has = f"{chip.name} has {chip.mesh.cores} core{'s' * (chip.mesh.cores > 1)}, the run is on {cores}"
    return [
        f"{has}: static power and clock are those of {chips} chips, and what they tell each other costs and takes nothing more"
    ]


def queue_warnings(chip: Chip, time: Time | None) -> list[str]:
    """Return that packets were not sent one by one though the chip wants it."""
    if time is None or chip.network_time != "queue" or time.network == "queue":
        return []
    text = "recorded activity tells how many packets left, not which: forward steps take their hottest link"
    return [f"{chip.name} has network_time = {chip.network_time}, but {text}"]


def bounded_warnings(bounds: Bounds | None) -> list[str]:
    """Return what a reader of a time must know of which only bounds are left."""
    if bounds is None:
        return []
    text = "the run folder has no activity.npz, only summed counts: the time, and with it the static energy, is a lower bound"
    found = f"{text}; time_bounds_s_per_sample has the upper one too, and energy_j_per_sample.high holds it"
    return [found, *bound_warnings(bounds.unpriced)]
