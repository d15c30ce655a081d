"""From a compiled image of any trainable network to the training reference (tests/reference/reftrain.py), and the comparison.

What the compiler chose (slices, the scale of each projection) is taken from the image; everything that docs/semantics.md and
docs/neurons.md define by a formula is computed here again.
"""

from __future__ import annotations

import math
from collections import Counter

import bridge
import numpy as np
import refforms
from refadjoint import TWO

from chipsim.compiler import ChipImage
from chipsim.learning.policies import policy_of

WIDTHS = ("synapse_word", "synapse_list_header", "synapse_delay", "synapse_tag", "axon_entry", "compartment_state", "membrane")


def population(image: ChipImage, p: int) -> dict:
    """Return population p for the reference."""
    own, theta = image.network.population[p], 1 << image.formats.v_fraction
    found = {"kind": own.neuron, "size": own.size, "biased": bool(getattr(own, "bias_mant", 0))}
    if own.neuron == "loihi-lif":
        return found | {"du": own.du, "dv": own.dv, "vth": theta >> 6, "bias_mant": own.bias_mant, "bias_exp": own.bias_exp}
    if hasattr(own, "tau_ms"):
        found["decay"] = round(4096 * math.exp(-image.network.dt_ms / own.tau_ms))
    if hasattr(own, "tau_adapt_ms"):
        found |= {"decay_a": round(4096 * math.exp(-image.network.dt_ms / own.tau_adapt_ms)), "jump": round(own.jump * theta)}
    return found | ({} if own.neuron in ("input", "leaky-readout") else {"theta": theta})


def fraction(image: ChipImage, k: int) -> int:
    """Return f of weight = stored 2^-f thresholds; onto Loihi's neurons a stored weight adds 64 w 2^exponent to the current."""
    exponent = image.formats.exponent[k]
    loihi = image.network.population[image.network.ends[k][1]].neuron == "loihi-lif"
    return image.formats.v_fraction - exponent - (6 if loihi else 0)


def projection(image: ChipImage, k: int) -> dict:
    """Return projection k for the reference, with the network's own weights rounded here."""
    network, (pre, post) = image.network, image.network.ends[k]
    spec, mask, top = network.projection[k], network.mask(k), 2 ** (network.learning.weight_bits - 1) - 1
    weights, late = network.weights[network.names[k]].tolist(), network.delays(k)
    rounded = [[max(-top, min(top, round(w * 2.0 ** fraction(image, k)))) for w in row] for row in weights]
    found = {"pre": pre, "post": post, "kind": spec.kind, "exponent": image.formats.exponent[k], "message_bits": 0,
             "loihi": network.population[post].neuron == "loihi-lif", "units": "threshold", "sign": None, "weight_bits": 8}  # fmt: skip
    if spec.kind == "dense":
        return found | {"weights": rounded, "delays": None if late is None else late.tolist()}
    listed = [[int(i), int(j), rounded[i][j], 0 if late is None else int(late[i, j])] for i, j in np.argwhere(mask)]
    return found | {"synapses": listed, "delayed": late is not None}


def describe(image: ChipImage, shifts: list[int], seed: int) -> tuple[dict, dict, dict]:
    """Return net, routed and rule of the reference."""
    chip, network, form, learning = image.chip, image.network, image.formats, image.network.learning
    modes, count = chip.arithmetic, range(len(network.population))
    arithmetic = {"rounding": modes.rounding, "overflow_v": modes.overflow_v, "overflow_u": modes.overflow_u, "decay": modes.decay,
                  "entries": modes.decay_table, "v_bits": chip.width("membrane"), "u_bits": form.widths.current}  # fmt: skip
    net = {"steps": network.steps, "seed": seed, "sample": 0, "pass": 0, "arithmetic": arithmetic,
           "populations": [population(image, p) for p in count],
           "projections": [projection(image, k) for k in range(len(network.projection))]}  # fmt: skip
    synapses = [
        [(i, j, p["delays"][i][j] if p["delays"] else 0) for i, row in enumerate(p["weights"]) for j in range(len(row))]
        if p["kind"] == "dense" else [(i, j, d) for i, j, _, d in p["synapses"]] for p in net["projections"]
    ]  # fmt: skip
    routed = {
        "steps": network.steps, "predicate": chip.active_update, "axons": chip.axons, "decay": modes.decay,
        "mesh": {name: getattr(chip.mesh, name) for name in ("tiles_x", "tiles_y", "cores_per_tile", "host_tile")},
        "populations": net["populations"], "widths": {name: chip.width(name) if name in chip.widths else 0 for name in WIDTHS},
        "projections": [{"pre": p["pre"], "post": p["post"], "kind": p["kind"], "synapses": s, "weight_bits": learning.weight_bits,
                         "max_delay": max(d for _, _, d in s) if network.delays(k) is not None else None,
                         "kernel_weights": 0} for k, (p, s) in enumerate(zip(net["projections"], synapses, strict=True))],
        "slices": [{"population": s.population, "core": s.core, "lo": s.lo, "hi": s.hi} for s in image.slices],
    }  # fmt: skip
    last, f, terms = len(network.population) - 1, form.v_fraction, learning.regularisers
    schedule = bridge.schedule_of(image)
    rule = {
        "delta_fraction": [learning.readout_delta_fraction if p == last else learning.delta_fraction for p in count],
        "fraction": [fraction(image, k) for k in range(len(shifts))], "shift": shifts, "v_fraction": f,
        "band": [round(learning.half_width * 2**f)] * (last + 1), "seed": seed, "write": policy_of(learning).name,
        "apply": learning.apply, "scan": learning.scan,
        "form": learning.form, "transport": learning.transport, "loss": learning.loss or "score", "sharpness": learning.sharpness or 10,
        "lut": bridge.surrogate_table(learning.surrogate, learning.half_width), "readout": network.readout,
        "bits": {"delta": chip.width("delta"), "acc": chip.width("gradient_accumulator"), "weight": learning.weight_bits},
        "number": policy_of(learning).number, "optimiser": schedule.optimiser, "momentum": schedule.momentum,
        "regulariser": terms
        and {"lambda_upper": terms.upper, "f_upper": terms.f_upper, "lambda_lower": terms.lower, "f_lower": terms.f_lower},
    }  # fmt: skip
    return net, routed, rule


class Both:
    """The kernels and the reference on one image, sample after sample."""

    def __init__(self, image: ChipImage, shifts: list[int], seed: int):
        from reftrain import Trainer

        self.kernels = bridge.Kernels(image, shifts, seed)
        self.trainer = Trainer(*describe(image, shifts, seed))
        self.result = None

    def differences(self, x: np.ndarray, label: int, index: int, run: int) -> dict[str, object]:
        """Run one sample on both; return {what: (kernels, reference)} of everything in which they differ."""
        trainer, kernels, image = self.trainer, self.kernels, self.kernels.image
        trainer.net["inputs"] = x.astype(int).tolist()
        kernels.forward([np.flatnonzero(row).tolist() for row in x], (kernels.seed, index, run))
        seen = kernels.seen()
        need = {int(c): int(n) for c, n in zip(image.routes.cores, kernels.learner.engine.log_need(), strict=True) if n}
        kernels.backward(label, index, run)
        errors, everyone = kernels.work.errors, range(1, len(image.network.population))
        found = {
            "spikes": seen.spikes, "active": seen.active_log, "scores": seen.scores, "best": seen.t_star, "log need": need,
            "injections": errors.inject.tolist(), "penalties": kernels.by_population(errors.reg, range(1, everyone[-1])),
            "deltas": kernels.by_population(errors.delta, everyone), "seconds": kernels.by_population(errors.second, everyone),
            "gradients": self.gradients, "weights": kernels.weights.tolist(), "v": seen.v,
        }  # fmt: skip
        result = self.result = trainer.run(label, index, run)
        expected = self.expected(result)
        off = {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
        counters = kernels.counters()
        counts = bridge.unequal(bridge.as_counter(counters.counts[0], counters.cores), result.counters)
        return off | ({"counters": counts} if counts else {})

    @property
    def gradients(self) -> list:
        """Accumulators before the write."""
        return self.kernels.accumulators

    def expected(self, result) -> dict:
        """Return what the reference found, in the words of the kernels."""
        spikes, hidden = result.forward["spikes"], range(1, self.trainer.last)
        some = [[] if not 0 < p < self.trainer.last else row for p, row in enumerate(result.penalties)]
        two = [row if p and self.trainer.kinds[p] in TWO else [0] * len(row) for p, row in enumerate(result.y)]
        return {
            "spikes": [(t, p, n) for t, rows in enumerate(spikes) for p in hidden for n, sent in enumerate(rows[p]) if sent],
            "active": result.active, "scores": result.scores, "best": result.best,
            "log need": {core: n for core, n in result.log_need.items() if n}, "injections": result.injections,
            "penalties": some, "deltas": [[], *result.x[1:]], "seconds": [[], *two[1:]],
            "gradients": [g for row in result.gradients for g in row], "weights": [w for row in self.trainer.weights for w in row],
            "v": [[[], *row[1:]] for row in result.forward["v"]],
        }  # fmt: skip


def tallied(result) -> Counter:
    """Return how often each event happened on all cores and steps, for tests that something did."""
    found: Counter = Counter()
    for (_, stage, event, _, _), n in result.counters.items():
        found[f"{stage} {event}"] += n
    return found


def told_memory(image: ChipImage) -> dict[int, tuple[int, ...]]:
    """Return what the compiler says of the same."""
    kinds = ("gradient_accumulators", "error_state", "traces", "transposed_weights")
    return {m.core: tuple(m.by_kind.get(kind, 0) for kind in kinds) for m in image.memory}


def learning_memory(image: ChipImage, trainer) -> dict[int, tuple[int, ...]]:
    """Return {core: bits of (gradient accumulators, error state, traces, transposed weights)}, synapse by synapse, neuron by neuron."""
    chip, found, out = image.chip, {}, Counter(p["pre"] for p in trainer.net["projections"])
    forgets = trainer.form_a and trainer.push
    for core in set(trainer.home.values()) - {-1}:
        rows = [row for rows in trainer.rows.values() for row in rows if row.core == core]
        kinds = [p for (p, _), home in trainer.home.items() if home == core]
        hidden = [p for p in kinds if p != trainer.last]
        words = sum((2 if p == trainer.last or trainer.kinds[p] in TWO else 1) - forgets for p in kinds)
        words += sum(trainer.rings[p] for p in kinds)
        words += sum(out[p] for p in hidden) if trainer.push else 0
        partial = sum(out[p] if trainer.push else 1 for p in hidden) * chip.width("partial_error")
        kept = sum(len(row.synapses) for row in rows) if trainer.rule["apply"] == "after" else 0
        error_state = words * chip.width("delta") + partial
        traces = 12 * len(rows) if trainer.form_a else 0
        copies = transposed_memory(chip, trainer, core) if trainer.push else 0
        found[core] = kept * chip.width("gradient_accumulator"), error_state, traces, copies
    return found


def transposed_memory(chip, trainer, core: int) -> int:
    """Return the bits of the transposed copies on a core: words of its rows, and entries of the axons that end there and that leave."""
    words = entries = 0
    for k, spec in enumerate(trainer.net["projections"]):
        for j in trainer.incoming(k) if spec["pre"] else ():
            for home, _, size in refforms.back_rows(trainer, k, j):
                words += size * (home == core)
                entries += (home == core) + (trainer.home[spec["post"], j] == core)
    return words * chip.width("synapse_word") + entries * chip.width("axon_entry")
