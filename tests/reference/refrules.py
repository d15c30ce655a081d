"""Traces, synapse states and hooks of an online rule on one core, in plain Python integers: docs/online.md sections 1 and 2.

A rule is a dict:
    pre, post, synapse   {name: {"word": decay word, "impulse": int, "bits": b, "rounding": "truncate"|"nearest"|"stochastic", "stream": n}}
                         the words of pre and synapse fields: one per projection, those of post fields one per population;
                         pre fields also have "current", the words of their first stage (0 where there is none), and "kept", one flag
                         per projection
    constants            {name: int}
    potential            {name: {"shift": one per population, "bits": b}}
    random               {name: {"bits": b, "stream": n}}
    membrane             decay words of the potentials, one per population
    neuron               {name: [int per projection]}: constants of the postsynaptic neurons
    hooks                [{"event", "target": "w" or a synapse field, "arguments", "call", "shifts": one per projection,
                         "where": one per projection, whether it is there}]
    skip                 {event: one per projection, (live: only nonzero traces are visited, quiet: only neurons with a signal)}
    source, align, everywhere, threshold (one per population), sharpness, epoch
"""

from __future__ import annotations

from refnumbers import rescale, saturate
from refrandom import philox


def times(a, b, fraction):
    """Product in the format of b."""
    return rescale(a * b, fraction)


def where(condition, a, b):
    """One of two numbers, both computed."""
    return a if condition else b


EVENTS = ("readout", "active", "pre", "post", "error", "epoch", "sample_end")
FUNCTIONS = {
    "times": times, "rshift": rescale, "where": where, "clip": lambda v, low, high: min(max(v, low), high),
    "sgn": lambda v: (v > 0) - (v < 0), "abs": abs, "min": min, "max": max,
}  # fmt: skip


def faded(x: int, word: int, rounding: str, noise: int) -> int:
    """Multiply by word / 4096 and round."""
    if rounding == "stochastic":
        return (x * word + noise) >> 12
    size = abs(x) * word + (2048 if rounding == "nearest" else 0)
    return (size >> 12) * (1 if x >= 0 else -1)


class RuleCore:
    """What one core keeps for a rule: a copy of the trace of every axon, traces of its neurons, states of its synapses.

    first: number of the first pre trace of every projection, then how many there are. v: potentials [t][population][neuron].
    """

    def __init__(self, core, rule: dict, first: list[int], stage: str, v: list):
        self.core, self.rule, self.first, self.stage, self.v = core, rule, first, stage, v
        self.pre = {(name, k, i): 0 for name in rule["pre"] for k, i in core.rows}
        self.current = dict(self.pre)
        self.post = {(name, c.population, c.neuron): 0 for name in rule["post"] for c in core.compartments}
        self.states = {
            (name, k, i, n): 0 for name in rule["synapse"] for (k, i), row in core.rows.items() for n in range(len(row.targets))
        }

    def book(self, event: str, t: int, amount: int = 1) -> None:
        self.core.count("backward", self.stage, event, t, amount)

    def word(self, field: dict, entry: int, step: int) -> int:
        """Return the noise of a decay: 12 bits, only if it rounds stochastically."""
        if field["rounding"] != "stochastic":
            return 0
        return philox((entry, step, *self.core.address), (self.core.spec["seed"], field["stream"]))[0] & 4095

    def decay(self, table: dict, key: tuple, field: dict, word: int, entry: int, t: int) -> bool:
        """Decay one value unless it is zero; return whether it was touched."""
        if table[key] == 0:
            return False
        table[key] = faded(table[key], word, field["rounding"], self.word(field, entry, t + 1))
        return True

    def advance(self, t: int, spiking: set[tuple[int, int]]) -> None:
        """Section 2, 4: traces decay, then the spikes of t, (population, neuron), add their impulses."""
        for name, field in self.rule["pre"].items():
            for k, i in self.core.rows:
                if field["kept"][k]:
                    self.advance_axon((name, k, i), field, t, (self.core.projections[k]["pre"], i) in spiking)
        for name, field in self.rule["post"].items():
            for cell in self.core.compartments:
                key = name, cell.population, cell.neuron
                if self.decay(self.post, key, field, field["word"][cell.population], cell.id, t):
                    self.book("trace_decays", t)
                if (cell.population, cell.neuron) in spiking:
                    self.post[key] = min(self.post[key] + field["impulse"], (1 << field["bits"]) - 1)
                    self.book("trace_updates", t)

    def advance_axon(self, key: tuple, field: dict, t: int, spiking: bool) -> None:
        """Advance one pre trace; where its projection has a first stage, spikes go there and it is added to the second."""
        _, k, i = key
        if self.decay(self.pre, key, field, field["word"][k], self.first[k] + i, t):
            self.book("trace_decays", t)
        if self.decay(self.current, key, field, field["current"][k], self.first[-1] + self.first[k] + i, t):
            self.book("trace_decays", t)
        staged, top = field["current"][k] != 0, (1 << field["bits"]) - 1
        table = self.current if staged else self.pre
        if spiking:
            table[key] = min(table[key] + field["impulse"], top)
            self.book("trace_updates", t)
        if staged and self.current[key] != 0:
            self.pre[key] = min(self.pre[key] + self.current[key], top)
            self.book("trace_updates", t)

    def decay_states(self, t: int, k: int) -> None:
        """Section 2, 2."""
        for name, field in self.rule["synapse"].items():
            for (own, i), row in self.core.rows.items():
                for n, synapse in enumerate(row.synapses if own == k else ()):
                    if self.decay(self.states, (name, k, i, n), field, field["word"][k], synapse, t):
                        self.book("eligibility_decays", t)

    def run(self, event: str, t: int, k: int, posts: dict[int, dict], pres: set[int] | None = None, reward: int = 0) -> None:
        """Run the hooks of an event at the synapses of projection k.

        posts: {neuron: {"psi", "L"}} of the postsynaptic neurons that are meant; pres: presynaptic ones, None for all.
        """
        hooks = [hook for hook in self.rule["hooks"] if hook["event"] == event and hook["where"][k]]
        live, quiet = self.rule["skip"][event][k] if hooks else (False, False)
        for (own, i), row in self.core.rows.items() if hooks else ():
            if own != k or (pres is not None and i not in pres):
                continue
            if live and all(self.pre[name, k, i] == 0 for name in self.rule["pre"]):
                continue
            for n, cell in enumerate(row.targets):
                if cell.neuron in posts and not (quiet and posts[cell.neuron]["L"] == 0):
                    self.book(f"rules_{event.removeprefix('on_')}", t)
                    self.evaluate(hooks, k, i, n, row, {**posts[cell.neuron], "R": reward, "t": t, "event": event})

    def draw(self, field: dict, synapse: int, given: dict) -> int:
        """Return a random number of so many bits; its address is the synapse, the step and the event."""
        step = given["t"] * 8 + EVENTS.index(given["event"].removeprefix("on_"))
        return philox((synapse, step, *self.core.address), (self.core.spec["seed"], field["stream"]))[0] % (1 << field["bits"])

    def value(self, name: str, k: int, i: int, n: int, row, given: dict) -> int:
        """Return what a hook reads at one synapse."""
        kind, cell = self.rule["kinds"][name], row.targets[n]
        if kind in ("psi", "L", "R") or name in self.rule["random"]:
            return given[kind or name]
        if kind == "w":
            return row.weights[n]
        if name in self.rule["potential"]:
            field = self.rule["potential"][name]
            return saturate(
                rescale(self.v[given["t"]][cell.population][cell.neuron], field["shift"][cell.population]), field["bits"]
            )
        places = (
            (self.rule["constants"], name), (self.pre, (name, k, i)), (self.post, (name, cell.population, cell.neuron)),
            (self.states, (name, k, i, n)),
        )  # fmt: skip
        return (
            self.rule["neuron"][name][k]
            if name in self.rule["neuron"]
            else next(table[key] for table, key in places if key in table)
        )

    def evaluate(self, hooks: list[dict], k: int, i: int, n: int, row, given: dict) -> None:
        """Call the hooks of one event at one synapse: all read first, then all write."""
        names = [name for name in self.rule["random"] if any(name in hook["arguments"] for hook in hooks)]
        self.book("random_draws", given["t"], len(names))
        given |= {name: self.draw(self.rule["random"][name], row.synapses[n], given) for name in names}
        results = [hook["call"](*(self.value(name, k, i, n, row, given) for name in hook["arguments"])) for hook in hooks]
        for hook, result in zip(hooks, results, strict=True):
            if hook["target"] == "w":
                down = rescale(result, hook["shifts"][k])
                row.gradients[n] = self.core.numerics.clip_accumulator(row.gradients[n] - down)
                row.dirty = True
            else:
                self.states[hook["target"], k, i, n] = saturate(result, self.rule["synapse"][hook["target"]]["bits"])
