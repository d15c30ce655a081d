"""What a sample would do if nothing were sparse: every neuron spikes and learns in every step (docs/cost.md section 5).

Input spikes in steps 0 .. T-1, hidden neurons spike and are active in steps 1 .. T-1, every error that can have arrived is not zero, every
weight that can have a gradient is written. Closed form from the compiled layout: no state is simulated. The image is compiled for rule
bptt (form B, gathered errors, scan clocked), whose counts are those of a network that does all this.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.state import PREDICATES, Activity

NEVER = -1  # last step of a delta that is always 0
FIRST = {
    True: 1,
    False: 2,
}  # replay step of the first record of a neuron, by whether it is an input: input spikes begin at step 0


class Bundles(NamedTuple):
    """Synapses, those of a dense projection onto one neuron as one bundle; B of them."""

    projection: int
    pre: np.ndarray  # [B] int64 global id; dense: of presynaptic neuron 0, all of them being alike
    post: np.ndarray  # [B] int64 global id
    delay: np.ndarray  # [B] int64
    number: np.ndarray  # [B] int64 synapses


def dense_activity(image: ChipImage, learned: bool, draws: bool = False, state: bool = False) -> Activity:
    """Return the activity of one sample in which nothing is sparse; fields carry a leading axis of 1.

    learned: it is replayed and weights are written. draws: the write policy takes a random word for each synapse. state: the optimiser
    has state of its own, visits every row and moves every weight. With the loss of the maximum the error enters in the last step.
    """
    circuit, steps, slices = image.circuit, image.steps, len(image.slices)
    found = {name: np.zeros((1, steps, slices), dtype=np.int64) for name in Activity._fields}
    groups = np.bincount(circuit.group_of, minlength=circuit.groups)
    population = np.array([s.population for s in image.slices])
    of_group, hidden = population[image.routes.slice_of], np.arange(len(circuit.lo)) % (len(circuit.lo) - 1) > 0
    late = (np.arange(steps) >= 1)[:, None]
    fires = np.where(of_group == 0, groups, np.where(hidden[of_group], groups, 0) * late)
    found |= {name: np.zeros((1, steps, circuit.groups), dtype=np.int64) for name in ("active", "marks", "resets")}
    found["spikes"] = fires[None]
    bundles = [bundles_of(image, k) for k in range(len(circuit.pre))]
    found["busy"][0] = arrivals(image, bundles) if circuit.predicate != PREDICATES["fired"] else 0
    if circuit.predicate == PREDICATES["fired"]:
        found["busy"][0] = np.where(hidden[population], image.routes.size, 0) * late
    if learned:
        found["active"][0] = np.where(of_group == 0, 0, fires)
        found["checks"][0] = np.where(hidden[population], image.routes.size, 0) * late
        learn(image, bundles, found, draws, state)
    found |= {"updated": np.full((1, 1), int(learned)), "pushed": np.zeros((1, 0, 0, 0), dtype=np.int64)}
    found |= {"copied": np.zeros((1, 0, 0), dtype=np.int64), "forms": np.zeros((1, 0, steps, slices), dtype=np.int64)}
    return Activity(**found | {"rule": np.zeros((1, 0, steps, slices), dtype=np.int64)})


def bundles_of(image: ChipImage, k: int) -> Bundles:
    """Return the synapses of projection k."""
    circuit, synapses = image.circuit, image.plan.synapses[k]
    source, target = circuit.lo[circuit.pre[k]], circuit.lo[circuit.post[k]]
    if synapses.listed:
        return Bundles(k, source + synapses.pre, target + synapses.post, synapses.delay, np.ones(synapses.count, dtype=np.int64))
    width, none = synapses.sizes[1], np.zeros(synapses.sizes[1], dtype=np.int64)
    return Bundles(k, none + source, target + np.arange(width), none, none + synapses.sizes[0])


def arrivals(image: ChipImage, bundles: list[Bundles]) -> np.ndarray:
    """Return [T, S] compartments at which something arrives."""
    circuit, steps = image.circuit, image.steps
    first = np.full(int(circuit.hi[-1]), steps, dtype=np.int64)
    for b in bundles:
        np.minimum.at(first, b.post, FIRST[circuit.pre[b.projection] == 0] + b.delay)
    return from_step(first, circuit.slice_of, steps, len(image.slices))


def from_step(first: np.ndarray, column: np.ndarray, steps: int, columns: int) -> np.ndarray:
    """Return [T, columns] how many of some things have begun, each in its column at its step `first`."""
    begun = np.zeros((steps + 1, columns), dtype=np.int64)
    np.add.at(begun, (np.minimum(first, steps), column), 1)
    return np.cumsum(begun[:steps], axis=0)


def last_deltas(image: ChipImage, bundles: list[Bundles]) -> np.ndarray:
    """Return [N] the last step in which the delta of a neuron is not 0, `NEVER` for one that no error reaches.

    The error enters at the readout in step T-1 and takes one step, and the delay, for every synapse on its way back. Regularisers that
    hold fast neurons back act in every step.
    """
    circuit, terms = image.circuit, image.network.learning.regularisers
    last = np.full(int(circuit.hi[-1]), NEVER, dtype=np.int64)
    last[circuit.lo[-1] :] = image.steps - 1
    if terms is not None and (terms.upper and image.steps - 1 > terms.f_upper):
        last[circuit.hi[0] :] = image.steps - 1
    while True:
        before = last.copy()
        for b in bundles:
            reached = last[b.post] - b.delay - 1
            if image.plan.synapses[b.projection].listed:
                np.maximum.at(last, b.pre, np.maximum(reached, NEVER))
            else:
                p = circuit.pre[b.projection]
                span = slice(circuit.lo[p], circuit.hi[p])
                last[span] = np.maximum(last[span], reached.max(initial=NEVER))
        last[last < 1] = NEVER
        if np.array_equal(last, before):
            return last


def learn(image: ChipImage, bundles: list[Bundles], found: dict[str, np.ndarray], draws: bool, state: bool) -> None:
    """Enter what replay and update do."""
    circuit, steps = image.circuit, image.steps
    last, slice_of = last_deltas(image, bundles), circuit.slice_of
    on_chip = np.arange(len(last)) >= circuit.hi[0]
    variables = np.array([max(1, len(p.model.adjoint)) for p in image.network.population])[
        np.searchsorted(circuit.hi, np.arange(len(last)), side="right")
    ]
    for t in range(1, steps):
        found["decays"][0, t] = np.bincount(slice_of, variables * (on_chip & (t < last)), len(image.slices))
        live = np.bincount(slice_of, on_chip & (t <= last), len(image.slices))
        for d in range(1, int(circuit.ring.max(initial=0)) + 1):
            live += np.bincount(slice_of, on_chip & (t + d <= last), len(image.slices)) * (d <= circuit.ring)
        found["live"][0, t] = live
    when = slice(1, None) if image.network.readout == "sum" or circuit.step_loss else slice(steps - 1, None)
    if steps > 1:
        found["injected"][0, when] = image.routes.readout
    for b in bundles:
        met = meetings(b, circuit, last, steps)
        found["row_adds"][0] += met
        if circuit.pre[b.projection] > 0:
            found["gather_adds"][0] += met
        update(image, b, last, found, state)
    for name, wanted in (("draws", draws), ("writes", True), ("optimised", state)):
        found[name][:] = found["evaluations"] * wanted


def meetings(b: Bundles, circuit, last: np.ndarray, steps: int) -> np.ndarray:
    """Return [T, S] synapses at which a record of step t - 1 meets a delta that is not 0, in replay step t."""
    end = last[b.post] - b.delay  # last step
    change = np.zeros((steps + 2, len(circuit.slice_lo)), dtype=np.int64)
    start = FIRST[circuit.pre[b.projection] == 0]
    met, column = end >= start, circuit.slice_of[b.post]
    np.add.at(change, (np.full(int(met.sum()), start), column[met]), b.number[met])
    np.add.at(change, (end[met] + 1, column[met]), -b.number[met])
    return np.cumsum(change, axis=0)[:steps]


def update(image: ChipImage, b: Bundles, last: np.ndarray, found: dict[str, np.ndarray], state: bool) -> None:
    """Enter the rows visited and the synapses evaluated after the replay; state: all of them."""
    circuit, k = image.circuit, b.projection
    met = (last[b.post] - b.delay >= FIRST[circuit.pre[k] == 0]) | state
    column = circuit.slice_of[b.post[met]]
    np.add.at(found["evaluations"][0, 0], column, b.number[met])
    low, high = circuit.first_slice[circuit.post[k]], circuit.first_slice[circuit.post[k] + 1]
    rows = np.zeros((image.plan.synapses[k].sizes[0], high - low), dtype=np.bool_)
    if image.plan.synapses[k].listed:
        rows[b.pre[met] - circuit.lo[circuit.pre[k]], column - low] = True
    else:
        rows[:, column - low] = True
    words = circuit.row_words[circuit.rows[k] : circuit.rows[k] + rows.size].reshape(rows.shape)
    found["visits"][0, 0, low:high] += (words * (rows | state)).sum(axis=0)
