"""Descriptions as text: how full each core is, and what a model consists of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.report.units import counted, percent, si

PER_CORE = "_per_core"


def check_text(facts: Mapping[str, Any]) -> list[object]:
    """Return the parts of the answer of `chipsim check`; `facts` is its JSON object."""
    memory, cores = facts["memory_bits"], [row for row in facts["per_core"] if row["limits"]]
    learning = "with learning" if facts["learning"] else "without learning"
    verdict = f"{facts['model']} fits {facts['chip']} {learning}: {facts['cores_used']} of {counted(facts['cores'], 'core')} used"
    share = f", {percent(memory['learning'] / memory['total'])} of it for learning" if memory["total"] else ""
    kinds = ", ".join(f"{kind.replace('_', ' ')} {si(bits, 'bit')}" for kind, bits in memory["by_kind"].items() if bits)
    memory_line = f"memory {si(memory['total'], 'bit')}{share}: {kinds}"
    return [verdict, "", core_table(cores), "", memory_line, *fullest(cores), *weight_table(facts["quantization"])]


def weight_table(weights: Mapping[str, Mapping[str, Any]]) -> list[object]:
    """Return what storing the weights lost, as a table under a title; nothing for float numerics."""
    from rich.table import Table

    if not weights:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("weights", "bits", "unit", "one step", "rms error", "largest error", "clipped", "lost", "SQNR"):
        table.add_column(name, justify="left" if name in ("weights", "unit") else "right")
    for name, row in weights.items():
        ratio = "exact" if row["sqnr_db"] is None else f"{row['sqnr_db']:.1f} dB"
        numbers = (f"{row[key]:.3g}" for key in ("lsb", "rms", "largest"))
        table.add_row(name, str(row["bits"]), row["unit"], *numbers, percent(row["saturated"]), percent(row["lost"]), ratio)
    return ["", "what storing the weights loses:", table]


def core_table(cores: list[Mapping[str, Any]]) -> object:
    """Return a rich table: the limits in the first row, then what each core holds and needs of every limit."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("core", justify="right")
    table.add_column("holds", no_wrap=True)
    limits = cores[0]["limits"] if cores else {}
    for name in limits:
        table.add_column(name.removesuffix(PER_CORE).replace("_", " "), justify="right")
    table.add_row("", "limit", *(f"{limit:,}" for _, limit in limits.values()))
    for row in cores:
        table.add_row(
            str(row["core"]),
            f"{', '.join(row['populations'])} ({row['neurons']})",
            *(f"{need:,}" for need, _ in row["limits"].values()),
        )
    return table


def fullest(cores: list[Mapping[str, Any]]) -> list[str]:
    """Return which memory or table on which core is nearest to its end; widths are not used up."""
    used = [
        (need / limit, name, row["core"])
        for row in cores
        for name, (need, limit) in row["limits"].items()
        if limit and name.endswith(PER_CORE)
    ]
    if not used:
        return []
    share, name, core = max(used, key=lambda entry: entry[0])
    return [f"tightest: {name.removesuffix(PER_CORE).replace('_', ' ')}, {percent(share)} used on core {core}"]


def model_text(facts: Mapping[str, Any], synapses: int) -> list[object]:
    """Return everything about a model, given as plain tables, defaults included."""
    neurons = sum(p["size"] for p in facts["population"])
    scale = f"{facts['steps']} steps of {facts['dt_ms']:g} ms, {neurons:,} neurons, {synapses:,} synapses"
    lines = [f"{facts['name']}: {facts['title']}".removesuffix(": "), scale]
    for group in ("population", "projection"):
        lines += ["", group, *(f"  {flat(meant(row))}" for row in facts[group])]
    for group in ("data", "learning"):
        lines += ["", group, *(f"  {key} = {flat(value)}" for key, value in (facts[group] or {}).items())]
    for numerics, row in facts["schedule"].items():
        lines += ["", f"schedule {numerics}", f"  {flat(row)}"]
    return ["\n".join(lines)]


def meant(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a population or projection without the keys that mean nothing for its kind."""
    from chipsim.network.projection import ONLY

    return {key: value for key, value in row.items() if key not in ONLY or row.get(ONLY[key][0]) == ONLY[key][1]}


def flat(value: Any) -> str:
    """Return a value in one line; what is not given is left out."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {flat(inner)}" for key, inner in value.items() if inner is not None)
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
