"""From a chipsim rule to the reference's description of it; times and words are computed here again."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import bridge
import trainbridge
from refdeferred import DeferredChip
from refonline import OnlineChip
from refrules import FUNCTIONS

from chipsim.compiler import ChipImage
from chipsim.learning import rule_object, rule_of

STREAM = 16


def exchangeable(rule: str) -> bool:
    """Return whether a rule gives hidden neurons a signal that another one can take the place of."""
    made = rule_object(rule)
    read = {name for hook in made.hooks if hook.event != "on_readout" for name in hook.arguments}
    return any(type(made.fields[name]).__name__ == "Learn" and made.fields[name].source != "deferred" for name in read)


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


def general(image: ChipImage, shifts: list[int], seed: int, functions: dict | None = None) -> tuple[dict, dict, dict]:
    """Return net, routed and rule for OnlineTrainer; functions: what the hooks call (default: the reference's)."""
    net, routed, rule = trainbridge.describe(image, shifts, seed)
    fractions = accumulators(image)
    net |= {
        "rule": rule_table(image, fractions, functions or FUNCTIONS),
        "kappa": kappa(image),
        "v_bits": image.chip.width("membrane"),
    }
    return net, routed, rule | {"accumulator": fractions}


def formats(image: ChipImage, k: int) -> tuple[int, int]:
    """Return the fraction bits of signal and weights of projection k."""
    rule, last = image.network.learning, image.network.ends[k][1] == len(image.network.population) - 1
    return rule.readout_delta_fraction if last else rule.delta_fraction, trainbridge.fraction(image, k)


def accumulators(image: ChipImage) -> list[int]:
    """Return the fraction bits of the accumulators of every projection: those of the increments, 11 bits below the width at most."""
    rule, bits = rule_of(image.network.learning), image.chip.width("gradient_accumulator")
    return [min(bits - 11, max(rule.increment_fractions(formats(image, k)))) for k in range(len(image.network.projection))]


def neuron_words(image: ChipImage) -> dict[str, list]:
    """Return decay words of potential, current and adaptation of every population, the jump in thresholds, and whether it adapts."""
    dt, found = image.network.dt_ms, {"own": [], "current": [], "adaptation": [], "jump": [], "adapts": []}

    def word(tau: float | None) -> int:
        return round(4096 * math.exp(-dt / tau)) if tau else 0

    for p in image.network.population:
        tau, loihi = getattr(p, "tau_ms", None), p.neuron == "loihi-lif"
        voltage = 4096 - p.dv if loihi and p.dv is not None else 4096
        du = p.du if loihi and p.du is not None else 4095
        found["own"].append(word(tau) if tau else 0 if p.neuron == "input" else voltage)
        found["current"].append(word(p.tau_syn_ms) if loihi and p.tau_syn_ms else 4095 - du)
        found["adapts"].append(p.neuron == "adaptive-lif")
        found["adaptation"].append(word(getattr(p, "tau_adapt_ms", None)))
        theta = 1 << image.formats.v_fraction
        found["jump"].append(Fraction(round(getattr(p, "jump", 0) * theta), theta))
    return found


def rule_table(image: ChipImage, fractions: list[int], functions: dict) -> dict:
    """Return the rule in the words of refrules."""
    network, rule = image.network, rule_of(image.network.learning)
    words, posts, learn = neuron_words(image), [q for _, q in network.ends], rule.learn
    places = {
        place: [n for n, f in rule.fields.items() if f.place == place and hasattr(f, "tau")]
        for place in ("pre", "post", "synapse")
    }
    stream, tables = STREAM, {}
    for place, names in places.items():
        tables[place] = {}
        for name in names:
            field = rule.fields[name]
            of = range(len(network.population)) if place == "post" else posts
            tables[place][name] = {
                "word": [keep(field.tau, words, q) for q in of], "bits": field.bits,
                "kept": [kept(rule, name, q == len(network.population) - 1) for q in of],
                "impulse": round(getattr(field, "impulse", 0) * 2**field.frac), "rounding": field.rounding, "stream": stream,
            }  # fmt: skip
            if place == "pre":
                syn = field.tau_syn if field.tau_syn is not None else "post" if field.tau == "post" else 0
                tables[place][name]["current"] = [words["current"][q] if syn == "post" else keep(syn, words, q) for q in posts]
            stream += 1
    return tables | {
        "constants": {n: f.stored for n, f in rule.fields.items() if f.place == "constant"},
        "neuron": {n: [constant(f, words, q) for q in posts] for n, f in rule.fields.items() if f.place == "neuron"},
        "kinds": {n: {"Active": "psi", "Learn": "L", "Reward": "R", "Weight": "w"}.get(type(f).__name__) for n, f in rule.fields.items()},
        "hooks": [hook_table(image, rule, hook, fractions, functions) for hook in rule.hooks],
        "skip": {event: [skips(rule, event, words["adapts"][q]) for q in posts] for event in {hook.event for hook in rule.hooks}},
        "potential": {n: {"shift": [image.formats.v_fraction - f.frac] * len(network.population), "bits": f.bits}
                      for n, f in rule.fields.items() if type(f).__name__ == "Potential"},
        "random": {n: {"bits": rule.fields[n].bits, "stream": 48 + r}
                   for r, n in enumerate(n for n, f in rule.fields.items() if type(f).__name__ == "Random")},
        "membrane": words["own"],
        "source": learn.source if learn else "none", "ahead": 0 if learn is None or learn.align == "same" else 1,
        "everywhere": any(hook.event == "on_error" for hook in rule.hooks), 
        "sharpness": network.learning.sharpness or rule.sharpness, "epoch": rule.epoch,
        "threshold": [round(network.learning.error_threshold * 2**fd) for fd in image.formats.delta_fraction],
    }  # fmt: skip


def kept(rule, name: str, readout: bool) -> bool:
    """Return whether a hook at the synapses of the readout, or of hidden populations, reads a field."""
    return any(name in hook.arguments for hook in rule.hooks if (hook.event == "on_readout") == readout)


def keep(tau, words: dict[str, list], q: int) -> int:
    """Return the decay word of a field of population q."""
    named = {"post": words["own"][q], "own": words["own"][q], "readout": words["own"][-1], "adaptation": words["adaptation"][q],
             None: 4096, 0: 0}  # fmt: skip
    return named[tau] if tau in named else round(4096 * math.exp(-1 / tau))


def constant(field, words: dict[str, list], q: int) -> int:
    """Return a constant of the neurons of population q: halves to even."""
    if not words["adapts"][q]:
        return 0
    rho = Fraction(words["adaptation"][q], 4096) if field.key == "jump/rho" else 1
    return round(words["jump"][q] / rho * 2**field.frac)


def absent(rule) -> set[str]:
    """Return the fields that are there only where thresholds adapt."""
    return {n for n, f in rule.fields.items() if f.place == "neuron" or getattr(f, "tau", None) == "adaptation"}


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
        "where": [
            hook.target not in absent(rule) or image.network.population[q].neuron == "adaptive-lif" for _, q in image.network.ends
        ],
    }


def skips(rule, event: str, adapts: bool) -> tuple[bool, bool]:
    """Return whether zero traces, and zero signals, are left out at an event; adapts: where the threshold does."""
    gone = set() if adapts else absent(rule)
    hooks = [hook for hook in rule.hooks if hook.event == event and hook.target not in gone]

    def all_vanish(names: list[str]) -> bool:
        return any(all(rule.vanishes(hook, name, gone) for hook in hooks) for name in names)

    live = event != "on_pre" and all_vanish([n for n, f in rule.fields.items() if f.place == "pre"])
    quiet = event in ("on_active", "on_readout") and all_vanish(
        [n for n, f in rule.fields.items() if type(f).__name__ == "Learn"]
    )
    return live, quiet


def memory(image: ChipImage, trainer) -> dict[int, dict[str, int]]:
    """Return {core: bits by kind} of what an online rule keeps, axon by axon, synapse by synapse, neuron by neuron."""
    chip, rule, table = image.chip, rule_of(image.network.learning), trainer.net["rule"]
    found = {core: Counter() for core in set(trainer.home.values()) - {-1}}
    adapts, gone = neuron_words(image)["adapts"], absent(rule)
    ahead = any(getattr(f, "align", None) == "next" for f in rule.fields.values())
    lag = [(away if away <= trainer.last else 1) if ahead else 0 for away in trainer.away]
    for (pre, _, k), rows in trainer.rows.items():
        for row in rows:
            bits = found[row.core]
            bits["gradient_accumulators"] += len(row.synapses) * chip.width("gradient_accumulator")
            bits["traces"] += sum(f["bits"] * (2 if f["current"][k] else 1) for f in table["pre"].values() if f["kept"][k])
            states = [f["bits"] for name, f in table["synapse"].items() if name not in gone or adapts[row.post]]
            bits["eligibility"] += len(row.synapses) * sum(states)
            bits["error_state"] += lag[row.post]
            if table["source"] == "adaptive" and pre > 0 and k in trainer.toward:
                bits["error_state"] += len(row.synapses) * image.network.learning.weight_bits
    for (p, _), core in trainer.home.items():
        if core != -1:
            found[core]["traces"] += sum(f["bits"] for f in table["post"].values())
            found[core]["error_state"] += chip.width("delta") * (2 if table["source"] == "sym-trace" else 1) + 9 * lag[p]
    return found
