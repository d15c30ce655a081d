"""From a chipsim rule to the reference's description of it; times and words are computed here again."""

from __future__ import annotations

import math

import bridge
from refdeferred import DeferredChip
from refonline import OnlineChip
from refrules import FUNCTIONS

from chipsim.compiler import ChipImage
from chipsim.learning import rule_of

STREAM = 16


def describe(image: ChipImage, shifts: list[int], seed: int, functions: dict | None = None) -> dict:
    """Return the description of an image for OnlineChip; functions: what the hooks call (default: the reference's)."""
    found = bridge.describe(image, shifts, seed)
    fractions = accumulators(image)
    for projection, fraction in zip(found["projections"], fractions, strict=True):
        projection["gradient_fraction"] = fraction
    found["kappa"] = kappa(image)
    return found | {"rule": rule_table(image, fractions, functions or FUNCTIONS)}


def kappa(image: ChipImage) -> list[int]:
    """Return what an error weighs that the readout takes in n steps before its last, in 1/4096."""
    network = image.network
    alpha, steps = math.exp(-network.dt_ms / network.populations[-1].tau_ms), range(network.steps)
    if network.readout == "sum":
        return [round(4096 * (1 - alpha ** (n + 1))) for n in steps]
    return [round(4096 * ((1 - alpha) * alpha**n)) for n in steps]


def reference(image: ChipImage, shifts: list[int], seed: int):
    """Return the reference chip of an image."""
    learn = rule_of(image.network.learning).learn
    kind = DeferredChip if learn and learn.source == "deferred" else OnlineChip
    return kind(describe(image, shifts, seed))


def formats(image: ChipImage, k: int) -> tuple[int, int]:
    """Return the fraction bits of signal and weights of projection k."""
    rule, last = image.network.learning, k == len(image.network.projections) - 1
    return rule.readout_delta_fraction if last else rule.delta_fraction, image.formats.weight_fraction[k]


def accumulators(image: ChipImage) -> list[int]:
    """Return the fraction bits of the accumulators of every projection: those of the increments, 11 bits below the width at most."""
    rule, bits = rule_of(image.network.learning), image.chip.width("gradient_accumulator")
    return [min(bits - 11, max(rule.increment_fractions(formats(image, k)))) for k in range(len(image.network.projections))]


def rule_table(image: ChipImage, fractions: list[int], functions: dict) -> dict:
    """Return the rule in the words of refrules."""
    network, rule = image.network, rule_of(image.network.learning)
    alphas = [0.0, *(math.exp(-network.dt_ms / p.tau_ms) for p in network.populations[1:])]
    posts, learn = [p for _, p in network.ends], rule.learn
    places = {
        place: [n for n, f in rule.fields.items() if f.place == place and hasattr(f, "tau")]
        for place in ("pre", "post", "synapse")
    }
    stream, tables = STREAM, {}
    for place, names in places.items():
        tables[place] = {}
        for name in names:
            field = rule.fields[name]
            of = range(len(alphas)) if place == "post" else posts
            tables[place][name] = {
                "word": [round(4096 * keep(field.tau, alphas[q], alphas[-1])) for q in of], "bits": field.bits,
                "kept": [any(name in h.arguments for h in rule.hooks if (h.event == "on_readout") == (q == len(alphas) - 1)) for q in of],
                "impulse": round(getattr(field, "impulse", 0) * 2**field.frac), "rounding": field.rounding, "stream": stream,
            }  # fmt: skip
            stream += 1
    return tables | {
        "constants": {n: f.stored for n, f in rule.fields.items() if f.place == "constant"},
        "kinds": {n: {"Active": "psi", "Learn": "L", "Reward": "R", "Weight": "w"}.get(type(f).__name__) for n, f in rule.fields.items()},
        "hooks": [hook_table(image, rule, hook, fractions, functions) for hook in rule.hooks],
        "skip": {event: skips(rule, event) for event in {hook.event for hook in rule.hooks}},
        "source": learn.source if learn else "none", "ahead": 0 if learn is None or learn.align == "same" else 1,
        "everywhere": any(hook.event == "on_error" for hook in rule.hooks), 
        "sharpness": network.learning.sharpness or rule.sharpness, "epoch": 1,
        "threshold": [round(network.learning.error_threshold * 2**fd) for fd in image.formats.delta_fraction],
    }  # fmt: skip


def keep(tau, own: float, last: float) -> float:
    """Return the factor a field keeps per step."""
    named = {"post": own, "own": own, "readout": last, None: 1.0, 0: 0.0}
    return named[tau] if tau in named else math.exp(-1 / tau)


def hook_table(image: ChipImage, rule, hook, fractions: list[int], functions: dict) -> dict:
    """Return a hook for refrules."""
    down = [
        (rule.count(hook, formats(image, k)).frac or 0) - fraction if hook.increment else 0
        for k, fraction in enumerate(fractions)
    ]
    return {
        "event": hook.event,
        "target": hook.target,
        "arguments": hook.arguments,
        "call": rule.bound(hook, functions),
        "shifts": down,
    }


def skips(rule, event: str) -> tuple[bool, bool]:
    """Return whether zero traces, and zero signals, are left out at an event."""
    hooks = [hook for hook in rule.hooks if hook.event == event]

    def all_vanish(names: list[str]) -> bool:
        return any(all(rule.vanishes(hook, name) for hook in hooks) for name in names)

    live = event != "on_pre" and all_vanish([n for n, f in rule.fields.items() if f.place == "pre"])
    quiet = event in ("on_active", "on_readout") and all_vanish(
        [n for n, f in rule.fields.items() if type(f).__name__ == "Learn"]
    )
    return live, quiet
