"""ChipImage: everything written to the chip before step 1, and what the host must remember to read it back."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from chipsim.compiler.copies import form_arrays
from chipsim.compiler.lists import up
from chipsim.compiler.memory import CoreMemory
from chipsim.compiler.plan import Plan, Slice
from chipsim.compiler.quantize import NUMERICS, Formats
from chipsim.compiler.route import Routes
from chipsim.compiler.wires import ints, offsets
from chipsim.hardware import Chip
from chipsim.kernels.fixed import OVERFLOWS, ROUNDINGS
from chipsim.learning import is_online, rule_of, step_loss
from chipsim.learning.online.state import COUNTS
from chipsim.network import Network
from chipsim.state import CONSTANTS, PREDICATES, SCANS, Arithmetic, Circuit, Rules, Wires

SCATTERED = 4  # neurons per group, from which on counting per group pays


@dataclass(frozen=True)
class ChipImage:
    """A network compiled for a chip (or for none: one core per population, no mesh)."""

    plan: Plan
    formats: Formats
    slices: tuple[Slice, ...]
    routes: Routes
    circuit: Circuit
    wires: Wires
    weights: np.ndarray  # [W] int32 (fixed) or float: initial weights of all projections
    memory: tuple[CoreMemory, ...]

    @property
    def network(self) -> Network:
        """The description it was made from."""
        return self.plan.network

    @property
    def chip(self) -> Chip | None:
        """The chip, or None."""
        return self.plan.chip

    @property
    def numerics(self) -> str:
        """fixed, float32 or float64."""
        return self.formats.numerics

    @property
    def learning(self) -> bool:
        """Whether the rule's state is laid out and the active test is made."""
        return self.plan.learning

    @property
    def scattered(self) -> bool:
        """Whether most neurons are groups of their own and nothing learns: spikes are then taken one by one, not counted per group."""
        return not self.learning and self.circuit.groups * SCATTERED > int(self.circuit.hi[-1])

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
    def logs(self) -> bool:
        """Whether the learning rule keeps logs."""
        rule = rule_of(self.network.learning)
        return self.learning and (not is_online(self.network.learning.rule) or rule.deferred)

    @property
    def marking(self) -> np.ndarray:
        """[G, S] int64 axons over which a neuron says that it is active and silent, for the logs: in replay all of them.

        Deferred errors are carried down by weights only to the populations that project to the readout, from the readout.
        """
        if not is_online(self.network.learning.rule):
            return self.routes.axons
        last = np.array([s.population == len(self.network.populations) - 1 for s in self.slices])
        return self.routes.axons * last

    @property
    def log_words(self) -> int | None:
        """Words of log memory of a core; None: unlimited (no chip), or no logs."""
        return self.chip.limit("log_words_per_core") if self.chip and self.logs else None

    def tensors(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return a flat weight array by name, as stored: [N_pre, N_post], or [K, kx, ky, C / groups]; dense ones are views."""
        parts = zip(self.network.names, self.plan.synapses, self.circuit.offset, strict=True)
        return {name: synapses.unpack(flat[at : at + synapses.stored]) for name, synapses, at in parts}

    def real_weights(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return weights in the unit of the description (thresholds or mantissas), float64."""
        return {
            name: w.astype(np.float64) * u for (name, w), u in zip(self.tensors(flat).items(), self.formats.unit, strict=True)
        }


def circuit_of(plan: Plan, form: Formats, slices: list[Slice], routes: Routes) -> Circuit:
    """Flatten descriptions into the arrays that the kernels read."""
    number = NUMERICS[form.numerics]
    populations, learning = plan.network.population, plan.network.learning
    sizes = np.array([p.size for p in populations], dtype=np.int64)
    hi = np.cumsum(sizes)
    per_population = np.array([sum(s.population == p for s in slices) for p in range(len(populations))], dtype=np.int64)
    trained = [bool(p.model.adjoint) and p.model.spikes for p in populations]
    return Circuit(
        lo=hi - sizes, hi=hi,
        **neuron_arrays(plan, form, number),
        theta=np.array(form.theta, dtype=number),
        band=np.array([b if t else 0 for b, t in zip(form.band, trained, strict=True)], dtype=number),
        delta_bits=ints([form.widths.delta] * len(populations)),
        **synapse_arrays(plan, form, slices, number),
        slice_lo=ints([(hi - sizes)[s.population] + s.lo for s in slices]),
        slice_hi=ints([(hi - sizes)[s.population] + s.hi for s in slices]),
        slice_of=np.repeat(np.arange(len(slices)), [s.size for s in slices]).astype(np.int64),
        group_of=routes.group_of, groups=len(routes.slice_of), sole=sole_groups(routes.group_of, hi - sizes, hi),
        first_slice=ints([0, *np.cumsum(per_population)]),
        lut=surrogate_table(learning, number, form.fixed),
        edge=edges(plan, form, number),
        shape=surrogate_code(learning),
        learns=plan.learning,
        scan=SCANS[learning.scan],
        predicate=PREDICATES[plan.chip.active_update if plan.chip else "received_input"],
        acc_bits=form.widths.gradient_accumulator,
        classes=populations[-1].size if plan.network.has_readout else 0,
        ring=ints([plan.ring(s.population) for s in slices]),
        **form_arrays(plan, form, slices, number),
        inplace=plan.learning and learning.apply == "inplace",
        step_loss=plan.learning and step_loss(learning),
        rule_counts=COUNTS if is_online(learning.rule) else 0,
    )  # fmt: skip


def sole_groups(group_of: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """Return [P] int64: the group that all neurons of a population share, -1 where there are several."""
    groups = [np.unique(group_of[a:b]) for a, b in zip(lo, hi, strict=True)]
    return ints([g[0] if len(g) == 1 else -1 for g in groups])


def arithmetic_of(plan: Plan, form: Formats) -> Arithmetic:
    """Return how the chip computes; without a chip as Loihi."""
    modes = plan.chip.arithmetic if plan.chip else None
    codes = (0, OVERFLOWS["saturate"], OVERFLOWS["wrap"]) if modes is None else (
        ROUNDINGS[modes.rounding], OVERFLOWS[modes.overflow_v], OVERFLOWS[modes.overflow_u]
    )  # fmt: skip
    return Arithmetic(*codes, form.widths.membrane, form.widths.current, modes.decay_table if modes else 1)


def neuron_arrays(plan: Plan, form: Formats, number: type) -> dict[str, np.ndarray]:
    """Return what the neuron kernels read, per population."""
    from chipsim.neurons import CODES

    populations = plan.network.population
    lazy = plan.chip is not None and plan.chip.arithmetic.decay == "lazy"
    entries = plan.chip.arithmetic.decay_table if lazy else 1
    constants = np.zeros((len(populations), CONSTANTS))
    for p, values in enumerate(form.constants):
        constants[p, : len(values)] = values
    powers = np.zeros((len(populations), 2, entries + 1))  # the last entry, for longer times, stays 0
    for p, row in enumerate(constants[:, :2]):
        powers[p, :, :-1] = [power_table(word, entries, form.fixed) for word in row]
    return {
        "kind": ints([CODES[p.neuron] for p in populations]),
        "rules": Rules(constants.astype(number), powers.astype(number), arithmetic_of(plan, form)),
        "lazy": np.array([lazy and p.model.lazy for p in populations], dtype=np.bool_),
        "resets": np.array([p.model.resets for p in populations], dtype=np.bool_),
        "biased": np.array([bool(getattr(p, "bias_mant", 0)) for p in populations], dtype=np.bool_),
        "decay": constants[:, 0].astype(number),
    }


def power_table(word: float, entries: int, fixed: bool) -> list[float]:
    """Return the decay word over 0, 1, ... steps: exactly rounded in fixed point, halves to even."""
    if not fixed:
        return [word**n for n in range(entries)]
    found, power = [], Fraction(1)
    for _ in range(entries):
        found.append(float(round(4096 * power)))
        power = power * Fraction(int(word), 4096) if found[-1] else Fraction(0)
    return found


def synapse_arrays(plan: Plan, form: Formats, slices: list[Slice], number: type) -> dict[str, np.ndarray]:
    """Return what the learning rule reads, per projection."""
    ends = ints(plan.network.ends).reshape(-1, 2)
    words = [row_words(plan, k, slices, form.fixed) for k in range(len(ends))]
    rows = ints([w.size for w in words])
    return {
        "pre": ends[:, 0].copy(), "post": ends[:, 1].copy(), "offset": offsets(plan), "unit": np.array(form.unit, dtype=number),
        "back": ints([form.back(k) for k in range(len(ends))]), "rows": np.cumsum(rows) - rows,
        "row_words": np.concatenate([ints([]), *words]) if plan.learning else ints([]),
    }  # fmt: skip


def row_words(plan: Plan, k: int, slices: list[Slice], state: bool) -> np.ndarray:
    """Return the words of the rows that learning writes, [N_pre x slices of the target] int64; nothing without learning.

    state: with what the write policy and the optimiser keep per synapse, which starts in a word of its own.
    """
    if not plan.learning:
        return ints([])
    lists = [plan.lists(k, s.lo, s.hi) for s in slices if s.population == plan.network.ends[k][1]]
    bits, word = plan.write_state if state else 0, plan.width("synapse_word", 64)
    return np.stack([one.stored + up(one.synapses * bits, word) for one in lists], axis=1).ravel()


def edges(plan: Plan, form: Formats, number: type) -> np.ndarray:
    """Return where the surrogate of each population ends, [P]: the band of fixed point; in float half_width, in thresholds."""
    if form.fixed:
        return np.array(form.band, dtype=number)
    return np.full(len(form.band), plan.network.learning.half_width, dtype=number)


def surrogate_table(learning, number: type, fixed: bool) -> np.ndarray:
    """Return the table of the surrogate (fixed point only)."""
    from chipsim.learning.surrogate import table

    return table(learning.surrogate, learning.half_width).astype(number) if fixed else np.ones(32, dtype=number)


def surrogate_code(learning) -> int:
    """Return the number by which kernels know the surrogate."""
    from chipsim.learning.surrogate import CODES

    return CODES[learning.surrogate]
