"""ChipImage: everything written to the chip before step 1, and what the host must remember to read it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipsim.compiler.memory import CoreMemory, Layout
from chipsim.compiler.place import Slice
from chipsim.compiler.quantize import Formats
from chipsim.compiler.route import Routes
from chipsim.hardware import Chip
from chipsim.network import Network
from chipsim.state import Circuit


@dataclass(frozen=True)
class ChipImage:
    """A network compiled for a chip (or for none: one core per population, no mesh)."""

    network: Network
    chip: Chip | None
    formats: Formats
    layout: Layout
    slices: tuple[Slice, ...]
    routes: Routes
    circuit: Circuit
    weights: np.ndarray  # [W] int32 (fixed) or float: initial weights of all projections
    memory: tuple[CoreMemory, ...]

    @property
    def numerics(self) -> str:
        """fixed, float32 or float64."""
        return self.formats.numerics

    @property
    def learning(self) -> bool:
        """Whether the rule's state is laid out and the active test is made."""
        return self.layout.learning

    @property
    def steps(self) -> int:
        """Time indices T of a sample."""
        return self.network.steps

    @property
    def cores_used(self) -> int:
        """Number of cores that hold neurons."""
        return len(self.memory)

    @property
    def tiles_used(self) -> int:
        """Number of tiles with a core in use (1 without a chip)."""
        return len({self.chip.mesh.tile(m.core) for m in self.memory}) if self.chip else 1

    @property
    def log_words(self) -> int | None:
        """Words of log memory of a core; None: unlimited (no chip)."""
        return self.chip.limit("log_words_per_core") if self.chip and self.learning else None

    def tensors(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return views of a flat weight array by postsynaptic population, [N_pre, N_post], as stored."""
        found = {}
        for k, projection in enumerate(self.network.projections):
            shape = (self.network.populations[k].size, self.network.populations[k + 1].size)
            at = int(self.circuit.offset[k])
            found[projection.post] = flat[at : at + shape[0] * shape[1]].reshape(shape)
        return found

    def real_weights(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return weights in units of the threshold, float64."""
        scales = [self.formats.scale(k) for k in range(len(self.network.projections))]
        return {name: w.astype(np.float64) * s for (name, w), s in zip(self.tensors(flat).items(), scales, strict=True)}


def circuit_of(network: Network, form: Formats, layout: Layout, slices: list[Slice], learning: bool, predicate: int) -> Circuit:
    """Flatten descriptions into the arrays that the kernels read."""
    from chipsim.learning.surrogate import table
    from chipsim.neurons import KINDS, SPIKING

    number = {"fixed": np.int64, "float64": np.float64, "float32": np.float32}[form.numerics]
    populations, links = network.populations, range(len(network.projections))
    sizes = np.array([p.size for p in populations], dtype=np.int64)
    hi = np.cumsum(sizes)
    lo = hi - sizes
    per_population = np.array([sum(s.population == p for s in slices) for p in range(len(populations))], dtype=np.int64)
    spiking = [p.neuron in SPIKING for p in populations]
    synapses = sizes[:-1] * sizes[1:]
    rows = sizes[:-1] * per_population[1:]

    def ints(values: object) -> np.ndarray:
        return np.asarray(values, dtype=np.int64)

    return Circuit(
        lo=lo, hi=hi,
        kind=ints([KINDS[p.neuron] for p in populations]),
        fires=np.array(spiking, dtype=np.bool_),
        decay=np.array(form.decay, dtype=number),
        theta=np.full(len(populations), form.theta, dtype=number),
        band=np.array([form.band if s else 0 for s in spiking], dtype=number),
        v_bits=ints([form.widths.membrane] * len(populations)),
        delta_bits=ints([form.widths.delta] * len(populations)),
        pre=ints(links), post=ints(links) + 1,
        offset=np.cumsum(synapses) - synapses,
        up=ints([form.up(k) for k in links]),
        back=ints([form.back(k) for k in links]),
        rows=np.cumsum(rows) - rows,
        slice_lo=ints([lo[s.population] + s.lo for s in slices]),
        slice_hi=ints([lo[s.population] + s.hi for s in slices]),
        slice_of=np.repeat(np.arange(len(slices)), [s.size for s in slices]).astype(np.int64),
        first_slice=ints([0, *np.cumsum(per_population)]),
        row_words=ints([0 if s.population == 0 else layout.row_words(s.size) for s in slices]),
        lut=table(network.learning.surrogate, network.learning.half_width).astype(number) if form.fixed else np.ones(32, dtype=number),
        box=network.learning.surrogate == "box",
        learns=learning,
        predicate=predicate,
        acc_bits=form.widths.gradient_accumulator,
    )  # fmt: skip
