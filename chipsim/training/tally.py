"""Tally: counts and time of everything a run trained on, added up block by block."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.cost import Energy, Subset, Time, TimeUncertainty, price_energy, price_time, spread_time
from chipsim.cost.cycles import Layout
from chipsim.counters import Counters, empty
from chipsim.simulator.account import book
from chipsim.simulator.engine import Block
from chipsim.simulator.fans import Ways
from chipsim.simulator.links import LinkTable
from chipsim.simulator.packets import PacketTable
from chipsim.state import Activity, SpikeLog
from chipsim.training.recording import Recording

BLOCK_BYTES = 1 << 22


class Tally:
    """Counts samples in blocks, so that accounting costs a few products per block and little memory. Needs a chip.

    recording: keeps the activity of every sample, if given. chips: how many are powered.
    """

    def __init__(self, image: ChipImage, learned: bool, recording: Recording | None = None, chips: int = 1):
        self.image, self.learned, self.recording, self.chips = image, learned, recording, chips
        one = empty(image.steps, image.routes.cores)
        self.counters = Counters(one.total().counts, image.routes.cores, 0)
        self.time: Time | None = None
        self.links, self.subset = LinkTable(image), Subset(image.steps, len(image.routes.cores))
        self.packets = PacketTable(image) if image.chip.network_time == "queue" else None
        self.logs: list[SpikeLog | None] = []
        self.layout = layout_of(image)
        self.peak_log = 0
        self.known: tuple[Energy, TimeUncertainty | None] | None = None  # of `costs`, until more is counted
        self.events = np.zeros((3, image.circuit.groups), dtype=np.int64)  # of each group: spikes, active events, spikes sent
        self.spiked = np.zeros(int(image.circuit.hi[-1]), dtype=np.bool_)  # neurons that ever spiked
        self.block, self.ways = Block(BLOCK_BYTES), Ways(image)

    def copy_of(self, spikes: SpikeLog) -> SpikeLog | None:
        """Return a copy of the spikes of one sample if the time needs them one by one, else None."""
        used = spikes.start[-1]
        return self.packets and SpikeLog(spikes.unit[:used].copy(), spikes.value[:used].copy(), spikes.start.copy())

    def add(self, row: np.ndarray, like: Activity, spikes: SpikeLog | None) -> None:
        """Copy the activity of one sample, [entries]; its spikes are taken as they are. like: an activity with the shapes of its fields."""
        self.block.keep_row(row, like)
        self.logs.append(spikes)
        if self.block.full:
            self.close()

    def meet(self, spikes: SpikeLog) -> None:
        """Note which neurons spiked in a sample; threads may do so at once."""
        self.spiked[spikes.unit[: spikes.start[-1]]] = True

    def close(self) -> None:
        """Account for the samples kept since the last time."""
        block = self.block
        if block.samples:
            if self.recording is not None:
                self.recording.add(block.rows[: block.samples], [field.shape for field in block.like])
            self.count(block.take())

    def count(self, activity: Activity) -> None:
        """Account for a block of samples; fields of `activity` carry a leading axis M."""
        self.known = None
        counted = book(self.image, activity, self.learned, ways=self.ways)
        self.events += np.stack([a.sum(axis=(0, 1)) for a in (activity.spikes, activity.active, activity.spikes[:, :-1])])
        self.counters = self.counters + counted.sums
        loads = self.links.loads(activity, self.learned)
        self.subset.add(counted, loads)
        at_hand = self.packets and self.logs  # activity that was recorded comes without its spikes
        departures = (lambda m, t, logs=self.logs: self.packets.departures(logs[m], t)) if at_hand else None
        spent = price_time(counted, self.image.chip, self.image.tiles_used, loads, departures, self.layout)
        self.logs = []
        self.time = spent if self.time is None else self.time + spent

    def absorb(self, other: Tally) -> None:
        """Add everything another tally of the same image has counted: a pass of a run."""
        other.close()
        self.known = None
        if self.recording is not None:
            self.recording.end_pass()
        self.counters, self.events = self.counters + other.counters, self.events + other.events
        self.subset.absorb(other.subset)
        self.peak_log = max(self.peak_log, other.peak_log)
        self.spiked |= other.spiked
        if other.time is not None:
            self.time = other.time if self.time is None else self.time + other.time

    def activity(self) -> dict[str, dict[str, float]]:
        """Return {hidden population: {spike_fraction, active_fraction}} over B T N."""
        self.close()
        image, found = self.image, {}
        population = np.array([s.population for s in image.slices])[image.routes.slice_of]
        for p, hidden in enumerate(image.network.populations[1:-1], start=1):
            spikes, active, _ = self.events[:, population == p].sum(axis=1).tolist()
            most = max(1, self.counters.samples * image.steps * hidden.size)
            found[hidden.name] = {"spike_fraction": spikes / most, "active_fraction": active / most}
        return found

    def silent(self) -> dict[str, float]:
        """Return {hidden population: share of its neurons that never spiked}."""
        lo, hi, hidden = self.image.circuit.lo, self.image.circuit.hi, self.image.network.populations[1:-1]
        return {x.name: 1 - float(self.spiked[lo[p] : hi[p]].mean()) for p, x in enumerate(hidden, start=1)}

    def energy(self) -> Energy:
        """Return the energy of everything counted so far, its time taken as exact: `costs` has what the time leaves open too."""
        self.close()
        return price_energy(self.counters, self.image.chip, self.time.total_s, self.image.cores_used, self.chips)

    def costs(self) -> tuple[Energy, TimeUncertainty | None]:
        """Return energy and uncertainty of the time of everything counted so far; no uncertainty if nothing has a time.

        Worked out once, when first asked for.
        """
        self.close()
        if self.known is None:
            spread = spread_time(self.subset, self.image.routes.cores, self.image.chip, self.image.tiles_used, self.time)
            self.known = self.energy().over(spread and spread.lasting), spread
        return self.known


def layout_of(image: ChipImage) -> Layout:
    """Return how many neurons are inputs, hidden, and outputs, and by which rule they learn."""
    populations = image.network.populations
    hidden = sum(p.size for p in image.network.hidden)
    rule = image.network.learning.rule if image.learning else ""
    return Layout(populations[0].size, hidden, populations[-1].size if image.network.has_readout else 0, rule)
