"""Learning connections of Loihi as lava-nc 0.10.0 computes them (docs/lava-learning.md), in plain Python numbers.

A rule is a dictionary; random draws and decay factors are handed in:
    targets     {"w" | "t" | "d": [(dependency "x0" | "y0" | "u", mantissa, exponent, [(variable, constant, is a sign)])]}
    decimate    k of u_k, or None
    impulse     {"x1", "x2", "y1", "y2", "y3": what a spike adds};     keep: {the same: exp(-1 / tau), 0 for tau 0}
    epoch       steps T between two updates;     factors: 2, or 3: y1, y2, y3 are given in every step
    graded      0 regular, 1 overwrite, 2 add and saturate, 3 add and keep the overflow
    sign        "mixed", "excitatory" or "inhibitory";     payloads: they count (message_bits > 0)
    draws       {"x_decay", "x_impulse", "y_decay", "y_impulse": [2 steps + 1], "write": [epochs + 1]}
Steps count from 1. Weights, tags and delays are [pre][post].
"""

from __future__ import annotations

import math

import refnet
from refneurons import wrap
from refsynapses import Projection, prepared

X, Y = ("x1", "x2"), ("y1", "y2", "y3")
WIDTH = {**dict.fromkeys(X + Y, 7), "w": 9, "d": 9, "t": 9, "x0": 1, "y0": 1}
RANGES = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0), "d": (0, 255), "t": (-257, 255)}
LOW, HIGH = -32769, 32767


def clip(x: int, low: int, high: int) -> int:
    return max(low, min(high, x))


class Fixed:
    """Integers, bit for bit."""

    def half(self, payload: int) -> int:
        """Return half a payload, halves to even, in 8 bits without a sign."""
        return (payload // 2 + (payload % 4 == 3)) % 256

    def bump(self, value: int, impulse: float, draw: int) -> int:
        """Add an impulse; its fraction in 1/256 rounds up if the draw of 7 bits is below it."""
        whole = math.floor(impulse)
        return clip(value + whole + (draw < round((impulse - whole) * 256)), 0, 127)

    def decayed(self, value: int, keep: float, draw: float) -> int:
        z = keep * value
        return math.floor(z) + (draw < z % 1) if keep else 0

    def overwrite(self, mode: int, x1: int, half: int, spiked: bool) -> tuple[int, bool]:
        """Return x1 after a graded spike (or none), and whether the spike counts."""
        z = (x1 + half) % 256
        if mode == 1:
            return (half if spiked else x1), spiked
        if mode == 2:
            return min(z, 127), spiked
        return (z - 127, spiked) if z > 127 else (z, False)

    def term(self, values: list[int], widths: list[int], mantissa: int, exponent: int) -> int:
        """Return one product in 15 bits; the shift that makes it fit is not undone."""
        p = 1
        for value, width in zip(values, widths, strict=True):
            p = wrap(p * clip(value, -(1 << width), (1 << width) - 1), 32)
        p = wrap(p * mantissa, 32) >> max(0, sum(widths) + 4 - 15)
        return clip(wrap(p << (exponent + 7), 32), LOW, HIGH)

    def total(self, start: int, parts: list[int]) -> int:
        acc = start << 7
        for part in parts:
            acc = clip(acc + part, LOW, HIGH)
        return acc

    def stored(self, acc: int, kind: str, draw: float) -> int:
        """Return a synaptic variable as it is kept; kind: a sign mode, "d" or "t"."""
        if kind in ("excitatory", "d"):
            acc = max(0, acc)
        elif kind == "inhibitory":
            acc = min(0, acc)
        return clip((acc >> 7) + (draw < acc % 128 / 128), *RANGES[kind])


class Float:
    """Floats on the same path: nothing is rounded, shifted or saturated, but signs are kept."""

    def half(self, payload: float) -> float:
        return payload / 2

    def bump(self, value: float, impulse: float, draw: int) -> float:
        return value + impulse

    def decayed(self, value: float, keep: float, draw: float) -> float:
        return keep * value

    def overwrite(self, mode: int, x1: float, half: float, spiked: bool) -> tuple[float, bool]:
        if mode == 1:
            return (half if spiked else x1), spiked
        return x1 + half, spiked

    def term(self, values: list[float], widths: list[int], mantissa: int, exponent: int) -> float:
        return math.prod(values, start=mantissa * 2.0**exponent)

    def total(self, start: float, parts: list[float]) -> float:
        return start + sum(parts)

    def stored(self, acc: float, kind: str, draw: float) -> float:
        if kind in ("excitatory", "d"):
            return max(0.0, acc)
        return min(0.0, acc) if kind == "inhibitory" else acc


class Connection:
    """One learning connection: `spikes` after every step, then `learn`, which acts at the end of an epoch."""

    def __init__(self, rule: dict, weights: list[list], number: Fixed | Float | None = None):
        self.rule, self.n = rule, number or Fixed()
        pre, post = len(weights), len(weights[0])
        self.synapse = {"w": [list(row) for row in weights], **{v: [[0] * post for _ in range(pre)] for v in "td"}}
        self.trace = {**{v: [0] * pre for v in X}, **{v: [0] * post for v in Y}}
        self.tx, self.ty = [0] * pre, [0] * post
        self.facts = {"wrapped": 0, "clipped": 0, "repeated": 0}
        self.again, self.epochs = [], []  # (step, post) of spikes that repeat; what `learn` did at the end of every epoch

    def spikes(self, t: int, pre: list, post: list, third: dict[str, list]) -> None:
        """Take the payloads of step t, and the third factors."""
        rule, q = self.rule, t % self.rule["epoch"] or self.rule["epoch"]
        for j, payload in enumerate(pre):
            self.pre_spike(j, payload if rule["payloads"] else int(payload != 0), q)
        for i, payload in enumerate(post):
            if payload:
                if self.ty[i] and rule["factors"] == 2:
                    self.facts["repeated"] += 1
                    self.again.append((t, i))
                    for v in Y:
                        draw = rule["draws"]["y_impulse"][2 * t - 1]
                        self.trace[v][i] = self.n.bump(self.trace[v][i], rule["impulse"][v], draw)
                self.ty[i] = q
        if rule["factors"] == 3:
            for v in Y:
                self.trace[v] = list(third[v])

    def pre_spike(self, j: int, payload: int, q: int) -> None:
        rule, x1, spiked = self.rule, self.trace["x1"], payload != 0
        again = spiked and self.tx[j] > 0
        if rule["graded"] == 0:
            if again:
                x1[j] = self.n.bump(x1[j], rule["impulse"]["x1"], 0)
        else:
            x1[j], spiked = self.n.overwrite(rule["graded"], x1[j], self.n.half(payload), spiked)
        if spiked:
            if again:
                self.facts["repeated"] += 1
                self.trace["x2"][j] = self.n.bump(self.trace["x2"][j], rule["impulse"]["x2"], 0)
            self.tx[j] = q

    def history(self, v: str, n: int, t: int) -> list:
        """Return the values of a trace of neuron n after 0, 1, ... T steps of the epoch."""
        rule, side = self.rule, v[0]
        spike = (self.tx if side == "x" else self.ty)[n]
        decay, impulse = rule["draws"][f"{side}_decay"][2 * t], rule["draws"][f"{side}_impulse"][2 * t]
        found = [self.trace[v][n]]
        for q in range(1, rule["epoch"] + 1):
            value = self.n.decayed(found[-1], rule["keep"][v], decay)
            found.append(self.n.bump(value, rule["impulse"][v], impulse) if q == spike else value)
        return found

    def learn(self, t: int) -> None:
        """Update synapses and traces if step t ends an epoch."""
        rule, length = self.rule, self.rule["epoch"]
        if t % length:
            return
        u = rule["decimate"] is not None and t // length % 2 ** rule["decimate"] == 0
        histories = {v: [self.history(v, n, t) for n in range(len(values))] for v, values in self.trace.items()}
        draw = rule["draws"]["write"][t // length]
        before = {v: [list(row) for row in rows] for v, rows in self.synapse.items()}
        for variable, terms in rule["targets"].items():
            kind = rule["sign"] if variable == "w" else variable
            for j, i in ((j, i) for j in range(len(self.tx)) for i in range(len(self.ty))):
                parts = [self.part(term, j, i, u, before, histories) for term in terms]
                acc = self.n.total(before[variable][j][i], parts)
                self.synapse[variable][j][i] = self.n.stored(acc, kind, draw)
        for v in X + (Y if rule["factors"] == 2 else ()):
            self.trace[v] = [values[-1] for values in histories[v]]
        self.epochs.append(
            self.done(t, u, before) | {"live": {v: self.live(v, histories) for v in histories if v in self.read()}}
        )
        self.tx, self.ty = [0] * len(self.tx), [0] * len(self.ty)

    def read(self) -> set[str]:
        """Return the variables that some factor reads."""
        return {factor[0] for terms in self.rule["targets"].values() for term in terms for factor in term[3]}

    def live(self, v: str, histories: dict) -> list[int]:
        """Return the neurons whose traces on the side of trace v are not all 0, or that spiked."""
        side, times = (X, self.tx) if v in X else (Y, self.ty)
        return [n for n, q in enumerate(times) if q or any(histories[name][n][0] for name in side)]

    def done(self, t: int, u: bool, before: dict) -> dict:
        """Return what an event-driven engine has to do at the end of an epoch.

        rows: presynaptic neurons all of whose synapses are visited; single: other visited synapses for a postsynaptic spike;
        lowest: others with a tag of -257; terms: terms evaluated at each; changed: synapses with a new value.
        """
        used = [term[0] for terms in self.rule["targets"].values() for term in terms]
        pairs = [(j, i) for j in range(len(self.tx)) for i in range(len(self.ty))]
        rows = [j for j, q in enumerate(self.tx) if ("u" in used and u) or ("x0" in used and q)]
        single = [(j, i) for j, i in pairs if j not in rows and "y0" in used and self.ty[i]]
        lowest = [(j, i) for j, i in pairs if j not in rows and (j, i) not in single and before["t"][j][i] == -257]
        met = {(j, i): {"x0": self.tx[j] > 0, "y0": self.ty[i] > 0, "u": u} for j, i in pairs}
        terms = {pair: sum(met[pair][d] for d in used) for pair in pairs}
        changed = [(j, i) for j, i in pairs if any(before[v][j][i] != self.synapse[v][j][i] for v in before)]
        return {"t": t, "rows": rows, "single": single, "lowest": lowest, "terms": terms, "changed": changed}

    def part(self, term: tuple, j: int, i: int, u: bool, before: dict, histories: dict) -> int:
        """Return what one term asks of synapse (pre j, post i)."""
        dependency, mantissa, exponent, factors = term
        met = {"x0": self.tx[j] > 0, "y0": self.ty[i] > 0, "u": u}
        if not met[dependency]:
            return 0
        q = {"x0": self.tx[j], "y0": self.ty[i], "u": self.rule["epoch"]}[dependency]
        values, widths = [], []
        for variable, constant, is_sign in factors:
            if variable in histories:
                value = histories[variable][j if variable in X else i][q]
            else:
                value = int(met[variable]) if variable in met else before[variable][j][i]
            value += constant
            values.append((value > 0) - (value < 0) if is_sign else value)
            widths.append(WIDTH[variable])
        self.note(values, widths, mantissa)
        return self.n.term(values, widths, mantissa, exponent)

    def note(self, values: list, widths: list[int], mantissa: int) -> None:
        """Remember that a factor was clipped or a product wrapped."""
        kept = [clip(value, -(1 << n), (1 << n) - 1) for value, n in zip(values, widths, strict=True)]
        self.facts["clipped"] += kept != values
        self.facts["wrapped"] += abs(math.prod(kept, start=mantissa)) >= 2**31


def run_net(net: dict) -> dict:
    """Run a network as refnet.run_net describes it; projections with a "rule" learn.

    Returns spikes, v and u as [step][population][neuron], and plastic: {projection: [step]{w, t, d, x1, x2, y1, y2, y3}}.
    third: net["third"][projection][y1 | y2 | y3][step][post].
    """
    populations, projections = refnet.neurons(net), [Projection(spec) for spec in net["projections"]]
    made = {k: Connection(spec["rule"], prepared(spec)) for k, spec in enumerate(net["projections"]) if "rule" in spec}
    result = {"spikes": [], "v": [], "u": [], "plastic": {k: [] for k in made}, "connections": made}
    for t in range(net["steps"]):
        arriving, arrived = refnet.gather(net, projections, t)
        for population, a, some in zip(populations, arriving[1:], arrived[1:], strict=True):
            population.step(t, a, some)
        spikes = [list(net["inputs"][t])] + [list(population.spikes) for population in populations]
        for projection in projections:
            projection.carry(t, spikes[projection.spec["pre"]])
        for k, connection in made.items():
            spec = net["projections"][k]
            third = {v: rows[t] for v, rows in net.get("third", {}).get(k, {}).items()}
            connection.spikes(t + 1, spikes[spec["pre"]], spikes[spec["post"]], third)
            connection.learn(t + 1)
            for j, row in enumerate(connection.synapse["w"]):
                projections[k].synapses[j] = [(i, weight, 0) for i, weight in enumerate(row)]
            kept = {v: [list(row) for row in rows] for v, rows in connection.synapse.items()}
            result["plastic"][k].append({**kept, **{v: list(values) for v, values in connection.trace.items()}})
        result["spikes"].append(spikes)
        for name in ("v", "u"):
            result[name].append([[]] + [list(getattr(population, name)) for population in populations])
    return result
