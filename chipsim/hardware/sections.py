"""The sections of a chip file besides its prices: mesh, limits, widths, powers, clock, memories, operations, areas, learning engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipsim.hardware.chip import Engine, Mesh
from chipsim.hardware.quantity import Price, Quantity
from chipsim.hardware.tables import EnginePolicy, Number, Point, Report, read_number
from chipsim.hardware.work import MEMORIES, OPERATIONS

MESH = ("tiles_x", "tiles_y", "cores_per_tile", "host_tile")
LIMITS = ("compartments_per_core", "axons_in_per_core", "axons_out_per_core", "synapse_words_per_core", "sram_bits_per_core")
LEARNING_LIMITS = ("learning_bits_per_core",)
LOG_LIMITS = ("log_words_per_core",)
WIDTHS = ("weight", "membrane", "decay", "synapse_delay", "synapse_tag", "synapse_word", "synapse_list_header", "axon_entry",
          "compartment_state")  # fmt: skip
LEARNING_WIDTHS = ("delta", "gradient_accumulator", "partial_error", "softmax_table")
LOG_WIDTHS = ("log_word",)
USED_WIDTHS = ("current",)  # membrane's unless given
SHOWN_WIDTHS = ("threshold", "delay", "tag", "trace", "learning_accumulator", "spike_message")  # for information
OPTIONAL_WIDTHS = LOG_WIDTHS + LEARNING_WIDTHS + USED_WIDTHS + SHOWN_WIDTHS
WIDTH_RANGE = {  # what the kernels can hold; decay words and the softmax table have one width in this version
    "weight": (2, 16), "membrane": (8, 40), "current": (8, 40), "decay": (12, 12), "synapse_word": (1, 4096), "delta": (4, 24),
    "gradient_accumulator": (8, 48), "partial_error": (8, 62), "softmax_table": (16, 16), "log_word": (1, 4096),
}  # fmt: skip
POWERS = {"static_core": "power", "static_chip": "power", "clock": "power per frequency"}
CLOCK = ("frequency",)
QUEUE = ("occupancy", "buffer")  # of [link]: what network_time = "queue" needs
CONGESTED = ("congested_x", "congested_y")  # what "hottest_link" takes instead of the time of a hop, if it is given
TIMES = ("epoch", "occupancy", *CONGESTED)
AREAS = {"core": "area", "chip": "area", **dict.fromkeys(MEMORIES, "area per bit")}
WAYS = ("read", "write")
ENGINE = ("lanes", "epoch")  # numbers of [learning]; its policies are those of `EnginePolicy`
MOST = 1 << 40

Numbers = dict[str, tuple[Number, Quantity]]


def dimension_of(section: str, name: str) -> str:
    """Return the dimension of a number in a table of numbers."""
    fixed = {"operation": "energy", "memory": "energy per bit", "clock": "frequency", "width": "bits"}
    if section in fixed:
        return fixed[section]
    if section in ("power", "area"):
        return {**POWERS, **AREAS}[name]
    return "bits" if name.endswith("_bits_per_core") else "time" if name in TIMES else "count"


def read_sizes(report: Report, tables: Mapping[str, Any], learns: bool, logs: bool) -> dict[str, Numbers]:
    """Return the numbers of the plain tables by section; learns, logs: limits and widths of learning, of logs, are required too."""
    limits, widths = LIMITS + learns * LEARNING_LIMITS + logs * LOG_LIMITS, WIDTHS + learns * LEARNING_WIDTHS + logs * LOG_WIDTHS
    return {
        "mesh": read_numbers(report, "mesh", tables["mesh"], MESH),
        "limits": read_numbers(report, "limits", tables["limits"], limits, LEARNING_LIMITS + LOG_LIMITS),
        "width": read_numbers(report, "width", tables["width"], widths, OPTIONAL_WIDTHS),
        "power": read_numbers(report, "power", tables["power"], (), tuple(POWERS)),
        "area": read_numbers(report, "area", tables["area"], (), tuple(AREAS)),
        "clock": read_clock(report, tables["clock"], tables["power"]),
        "link": read_numbers(report, "link", tables["link"], (), QUEUE + CONGESTED),
    }


def read_numbers(report: Report, section: str, table: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Numbers:
    """Return {name: (as written, quantity)} of one table of numbers; note unknown names and missing ones."""
    if not isinstance(table, dict):
        report.add(section, table, "it is a table of numbers")
        return {}
    allowed = tuple(dict.fromkeys(required + optional))
    report.known(section, table, allowed, "the numbers here are")
    for name in required:
        if name not in table:
            report.add(f"{section}.{name}", "(nothing)", "this number is required", "with value, unit, basis and source")
    numbers: Numbers = {}
    for name in (n for n in allowed if n in table):
        key = f"{section}.{name}"
        charged = section in ("power", "operation") or section.startswith("memory.") or name in TIMES
        read = read_number(report, key, table[name], dimension_of(section.partition(".")[0], name), charged)
        if read is not None:
            numbers[name] = read
            check_size(report, section, name, *read)
    return numbers


def check_size(report: Report, section: str, name: str, number: Number, quantity: Quantity) -> None:
    """Note a count, a width or a frequency out of range."""
    if section in ("mesh", "limits", "width"):
        low, high = WIDTH_RANGE.get(name, (0, MOST)) if section == "width" else (0, MOST)
        if not low <= quantity.value <= high:
            limit = f"this version computes with {low} bits" if low == high else f"it must be from {low} to {high}"
            report.add(f"{section}.{name}.value", quantity.value, limit)
    if name in ("frequency", "lanes", *QUEUE, *CONGESTED) and quantity.value <= 0:
        report.add(f"{section}.{name}.value", number.value, "it must be above 0")


def read_mesh(report: Report, numbers: Numbers) -> Mesh | None:
    """Return the mesh, or None with its problems noted."""
    sizes = {name: int(quantity.value) for name, (_, quantity) in numbers.items()}
    if len(sizes) < len(MESH):
        return None
    for name in MESH[:3]:
        if sizes[name] < 1:
            report.add(f"mesh.{name}.value", sizes[name], "it must be at least 1")
    mesh = Mesh(**sizes)
    if mesh.tiles > 0 and mesh.host_tile >= mesh.tiles:
        report.add("mesh.host_tile.value", mesh.host_tile, f"the tiles are numbered 0 to {mesh.tiles - 1}")
    return mesh


def read_barrier(report: Report, table: Any, mesh: Mesh | None) -> dict[str, tuple[Point, Quantity]]:
    """Return the points of the barrier's time by key; several must cover 1 tile to the whole mesh, one holds for any number."""
    points = table.get("points", []) if isinstance(table, dict) else None
    if not isinstance(points, list):
        report.add("barrier", table, "it is a list of points, each with tiles and a time", "write [[barrier.points]]")
        return {}
    report.known("barrier", table, ("points",), "the keys here are")
    read = {f"points[{n}]": read_number(report, f"barrier.points[{n}]", p, "time", True, Point) for n, p in enumerate(points)}
    known = {key: point for key, point in read.items() if point is not None}
    tiles = [point.tiles for point, _ in known.values()]
    if len(known) == len(points) and tiles:
        if any(b <= a for a, b in zip([0, *tiles], tiles, strict=False)):
            report.add("barrier.points", tiles, "the tiles must ascend, from 1")
        elif len(tiles) > 1 and mesh is not None and (tiles[0] != 1 or tiles[-1] < mesh.tiles):
            report.add("barrier.points", tiles, f"several points must cover 1 to {mesh.tiles} tiles")
    return known


def read_clock(report: Report, table: Any, power: Any) -> Numbers:
    """Return [clock] and tell the report how long a cycle is; note a clock power without a frequency."""
    numbers = read_numbers(report, "clock", table, (), CLOCK)
    if "frequency" in numbers and numbers["frequency"][1].value > 0:
        report.cycle_ns = 1e3 / numbers["frequency"][1].value
    elif isinstance(power, dict) and "clock" in power:
        report.add("power.clock", power["clock"], "the power of a clock needs its frequency", "give clock.frequency in MHz")
    return numbers


def check_formula(report: Report, cycles: str | None, clock: Numbers) -> None:
    """Note a formula in cycles without the clock that makes them a time."""
    if cycles is not None and "frequency" not in clock:
        report.add("cycles", cycles, "an exact formula for cycles needs the clock", "give clock.frequency in MHz")


def check_queue(report: Report, network_time: str, axons: str, core_time: str, link: Numbers) -> None:
    """Note what the event queue of a mesh lacks, or cannot do."""
    if network_time != "queue":
        return
    for name in (n for n in QUEUE if n not in link):
        report.add(f"link.{name}", "(nothing)", 'network_time = "queue" needs this number', "with value, unit, basis and source")
    if axons != "unicast":
        report.add("axons", axons, 'network_time = "queue" knows packets to one core each', 'axons = "unicast"')
    if core_time != "pipelined":
        report.add(
            "core_time", core_time, 'network_time = "queue" lets a core send and receive at once', 'core_time = "pipelined"'
        )


def check_congested(report: Report, link: Numbers, times: Mapping[str, Price]) -> None:
    """Note a time on a busy link without the time of a hop, of which it takes the place."""
    for way in "xy":
        key, hop = f"congested_{way}", f"forward.hops_{way}"
        wrong = any(problem.key.startswith(f"time.{hop}") for problem in report.problems)
        if key in link and not wrong and not (hop in times and times[hop].value > 0):
            limit = f"it takes the place of time.{hop}, which must be given and be above 0"
            report.add(f"link.{key}", link[key][0].value, limit, f"give time.{hop}")


def read_components(report: Report, style: str, memory: Any, operation: Any) -> tuple[Numbers, Numbers]:
    """Return [memory.*] as {"kind.read" or "kind.write": ...} and [operation]; what a lumped style would not use is refused."""
    found: Numbers = {}
    if not isinstance(memory, dict):
        report.add("memory", memory, f"it is a table of tables: {', '.join(f'[memory.{kind}]' for kind in MEMORIES)}")
        memory = {}
    report.known("memory", memory, MEMORIES, "the memories are")
    for kind in (k for k in MEMORIES if k in memory):
        rows = read_numbers(report, f"memory.{kind}", memory[kind], (), WAYS)
        found |= {f"{kind}.{way}": row for way, row in rows.items()}
    operations = read_numbers(report, "operation", operation, (), OPERATIONS)
    if style == "lumped" and (memory or operation):
        key = "memory" if memory else "operation"
        report.add(key, "(given)", 'only style = "component" works prices out of it', 'write style = "component"')
    if style == "component" and not (memory or operation):
        limit = "it works prices out of [memory.*] and [operation], and neither is given"
        report.add("style", style, limit, 'give them, or write style = "lumped"')
    return found, operations


def read_engine(report: Report, table: Any) -> tuple[Engine, Numbers]:
    """Return the learning engine and its numbers as written; chipsim's own ways where the file has no [learning]."""
    if not isinstance(table, dict):
        report.add("learning", table, "it is a table: visit, read, write, overlap, lanes, epoch, source")
        table = {}
    report.known("learning", table, (*EnginePolicy.model_fields, *ENGINE), "the keys here are")
    policy = report.read(EnginePolicy, "learning", {key: table[key] for key in EnginePolicy.model_fields if key in table})
    if table and not str(table.get("source", "")).strip():
        report.add("learning.source", "(nothing)", "who says that the engine works so", "an assumption says here what is assumed")
    numbers = read_numbers(report, "learning", {k: table[k] for k in ENGINE if k in table}, (), ENGINE)
    own = {name: quantity for name, (_, quantity) in numbers.items()}
    return Engine(**(policy or EnginePolicy()).model_dump(), **own), numbers
