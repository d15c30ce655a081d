"""The result of a run as text, verdict first: accuracy, energy, time and memory per sample, forward and learning apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.report.timeparts import part_lines
from chipsim.report.units import counted, number, percent, si, without_price

PHASES = ("forward", "backward", "update", "static", "total")


def train_text(summary: Mapping[str, Any]) -> list[object]:
    """Return the parts (strings and rich tables) of the result of `chipsim train`; `summary` is its JSON object."""
    samples, accuracy = summary["samples"], summary["accuracy"]
    n_passes = counted(summary["passes"], "pass")
    verdict = f"test accuracy {percent(accuracy['test'])}, train accuracy {percent(accuracy['train'])}"
    how = f"{summary['rule']}, {summary['numerics']}, seed {summary['seed']}"
    trained = f"{n_passes} of {counted(samples['train'], 'training sample')}, tested on {samples['test']:,}"
    about = f"{summary['model']} on {summary['chip']}: {how}, {trained}"
    parts = [verdict, about, "", phase_table(summary), ""]
    return parts + [line for lines in (energy_lines, memory_lines, activity_lines, closing_lines) for line in lines(summary)]


def evaluate_text(facts: Mapping[str, Any]) -> list[object]:
    """Return the parts of the result of `chipsim evaluate`: whatever of `train`'s facts it has."""
    accuracy = facts["accuracy"]
    parts: list[object] = [f"test accuracy {percent(accuracy['test'] if isinstance(accuracy, Mapping) else accuracy)}"]
    samples = facts.get("samples", {})
    tested = samples.get("test") if isinstance(samples, Mapping) else samples
    named = f"{facts['model']} on {facts['chip']}: " if "model" in facts and "chip" in facts else ""
    if tested:
        parts.append(f"{named}{facts.get('numerics', '')} inference on {counted(tested, 'test sample')}".replace("  ", " "))
    if "energy_j_per_sample" in facts or "time_s_per_sample" in facts:
        parts += ["", phase_table(facts), "", *energy_lines(facts)]
    return [*parts, *count_lines(facts), *activity_lines(facts), *closing_lines(facts)]


def phase_table(summary: Mapping[str, Any]) -> object:
    """Return energy and time per sample by phase as a rich table."""
    from rich.table import Table

    energy, time = summary.get("energy_j_per_sample") or {}, summary.get("time_s_per_sample") or {}
    shown = [p for p in PHASES if energy.get(p, 0) != 0 or time.get(p, 0) != 0]  # what did not happen has no column
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("per sample")
    for phase in shown:
        table.add_column(phase, justify="right", no_wrap=True)
    bound = "time, at least" if summary.get("time_complete") is False else "time"
    for name, row, unit in (("energy", energy, "J"), (bound, time, "s")):
        if row:
            table.add_row(name, *(si(row[p], unit) if p in row else "" for p in shown))
    return table


def energy_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return what the energy total is worth: interval, share on assumptions, learning over forward, what has no price."""
    energy = summary.get("energy_j_per_sample") or {}
    unpriced = summary.get("unpriced") or {}
    lines = []
    if energy and energy.get("total") is None:
        lines.append("energy: unknown, the chip has no price for anything that happened")
    elif energy:
        if energy.get("low") is not None and energy.get("high") is not None:
            of_what = " of what has a price" if unpriced else ""
            ends = f"{si(energy['low'], 'J')} and {si(energy['high'], 'J')}"
            lines.append(f"energy{of_what} between {ends} per sample{assumed(energy)}")
        lines += spread_lines(summary.get("energy_uncertainty") or {})
    lines += time_lines(summary.get("time_uncertainty") or {}) + part_lines(summary.get("time_breakdown") or {})
    if unpriced:
        samples = counted_samples(summary)
        lines.append(f"not in the energy, no price on this chip (events per sample): {without_price(unpriced, samples)}")
    return lines


def spread_lines(spread: Mapping[str, Any]) -> list[str]:
    """Return the 90 % interval of the energy, its two largest terms, and learning over inference."""
    if not spread:
        return []
    inside = f"90 % of {spread['trials']:,} draws of the prices: {si(spread['p05'], 'J')} to {si(spread['p95'], 'J')}"
    largest = [f"{row['term']} {percent(row['share'])} ({row['basis']})" for row in spread["largest_terms"][:2]]
    lines = [f"{inside}; largest terms {', '.join(largest)}{sides_text(spread['one_sided'])}" if largest else inside]
    ratio = ratio_text(spread["learning_to_inference"], ("costs", "the energy of the forward phase (90 %:"))
    why = spread["unknown"].get("learning_to_inference")
    return lines + ([ratio] if ratio else []) + ([f"energy of learning over inference: unknown, {why}"] if why else [])


def sides_text(sides: Mapping[str, str]) -> str:
    """Return which prices are published limits, and which nominal ones stand at an end of their range."""
    limits = [name for name, side in sides.items() if side in ("minimum", "maximum")]
    at_ends = [f"{name} ({side})" for name, side in sides.items() if name not in limits]
    parts = (("published limits, not ranges", limits), ("nominal price at an end of its range", at_ends))
    return "".join(f"; {what}: {', '.join(names)}" for what, names in parts if names)


def ratio_text(ratio: Mapping[str, Any] | None, words: tuple[str, str]) -> str:
    """Return learning over inference as a sentence: "at least" only where nothing but learning lacks something; empty if not known."""
    if not ratio:
        return ""
    verb, of_what = words
    bound = "at least " if ratio["at_least"] else ""
    known = "" if ratio["complete"] or bound else "of what is known, "
    return f"{known}learning {verb} {bound}{ratio['nominal']:.2f} times {of_what} {ratio['p05']:.2f} to {ratio['p95']:.2f})"


def time_lines(spread: Mapping[str, Any]) -> list[str]:
    """Return the 90 % interval of the time, and learning over inference."""
    if not spread:
        return []
    learning = ratio_text(spread["learning_to_inference"], ("takes", "the forward phase (90 %:"))
    ends = f"{si(spread['p05'], 's')} to {si(spread['p95'], 's')}"
    return [f"time of 90 % of the draws: {ends}{'; ' if learning else ''}{learning}"]


def counted_samples(summary: Mapping[str, Any]) -> int:
    """Return how many samples the counts of a summary cover: every pass over the training samples, or the test samples."""
    samples = summary.get("samples") or {}
    return samples["train"] * summary["passes"] if "train" in samples and "passes" in summary else samples.get("test", 1)


def assumed(energy: Mapping[str, Any]) -> str:
    """Return the half-sentence about the share that rests on assumed prices."""
    share = energy.get("assumed_share")
    return "" if share is None else f"; {percent(share)} of the total rests on assumed prices"


def memory_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the memory of the fullest core against its capacity, and what learning takes of the whole."""
    memory = summary.get("memory_bits")
    if not memory:
        return []
    cores = counted(summary["cores_used"], "core")
    full = f"fullest core {si(memory['per_core_max'], 'bit')}"
    if memory.get("capacity_per_core"):
        full += f" of {si(memory['capacity_per_core'], 'bit')} ({percent(memory['per_core_max'] / memory['capacity_per_core'])})"
    share = f", {percent(memory['learning'] / memory['total'])} of it for learning" if memory["total"] else ""
    logs = summary.get("log_words") or {}
    of_logs = (
        [f"logs: at most {logs['peak']:,} of {logs['declared']:,} words on a core in one sample"] if logs.get("declared") else []
    )
    return [f"memory: {full}; {si(memory['total'], 'bit')} on {cores}{share}", *of_logs]


def activity_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return spike and active fraction of each population in one line."""
    parts = []
    for name, row in (summary.get("activity") or {}).items():
        shown = [
            f"{word} {percent(row[key])}"
            for key, word in (("spike_fraction", "spikes"), ("active_fraction", "active"))
            if row.get(key) is not None
        ]
        parts += [f"{name} {' '.join(shown)}"] if shown else []
    return [f"activity (share of neurons x steps): {'; '.join(parts)}"] if parts else []


def count_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the counts per sample, one line per phase, events that did not happen left out."""
    phases = summary.get("counts_per_sample") or {}
    rows = {phase: {event: n for event, n in row.items() if n} for phase, row in phases.items()}
    return [
        f"{phase} per sample: {', '.join(f'{event} {number(n)}' for event, n in row.items())}"
        for phase, row in rows.items()
        if row
    ]


def closing_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return warnings and the run folder."""
    folder, warnings = summary.get("run_dir"), summary.get("warnings") or ()
    listed = ["", "warnings:", *(f"  - {w}" for w in warnings)] if warnings else []
    return [*listed, *(["", f"run folder: {folder}"] if folder else [])]
