"""Neurons of the reference: docs/neurons.md sections 2 and 3 in plain Python integers."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from refrandom import philox

CURRENT = ("loihi-lif", "ternary-lif", "reset-lif", "refractory-lif")
LAZY = ("delta-lif", "adaptive-lif")
STREAM_V, STREAM_U, STREAM_A = 2, 3, 4


def wrap(x: int, bits: int) -> int:
    """Two's complement of so many bits."""
    return ((x + (1 << (bits - 1))) & ((1 << bits) - 1)) - (1 << (bits - 1))


def sat(x: int, bits: int) -> int:
    """Clip to the range of two's complement."""
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, x))


def clip(x: int, bits: int) -> int:
    """Clip to the symmetric range."""
    return max(-(1 << (bits - 1)) + 1, min((1 << (bits - 1)) - 1, x))


def fold(x: int, bits: int) -> int:
    """Bring back by one turn, once: far numbers stay outside."""
    half = 1 << (bits - 1)
    if x > half:
        return x - 2 * half
    return x + 2 * half if x <= -half else x


def decay(x: int, word: int, rounding: str, noise: int = 0) -> int:
    """Return x * word / 4096; `noise` is a random word, which only stochastic rounding looks at."""
    sign = -1 if x < 0 else 1
    if rounding == "toward-zero":
        return sign * (abs(x) * word >> 12)
    if rounding == "nearest":
        return sign * (abs(x) * word + 2048 >> 12)
    return x * word + (noise & 4095 if rounding == "stochastic" else 0) >> 12


@cache
def lazy_word(word: int, steps: int, entries: int) -> int:
    """Return the decay word of so many steps at once: an entry of the chip's table, halves to even, 0 beyond it."""
    return round(4096 * Fraction(word, 4096) ** steps) if steps < entries else 0


class Population:
    """The neurons of one population: `step` takes what arrives and leaves spikes, v, u and potential."""

    def __init__(self, spec: dict, chip: dict, first: int, draw: tuple[int, int, int]):
        """Start at 0; `first` is the id of neuron 0, `draw` the seed, sample and pass of the random words."""
        self.spec, self.chip, self.first, self.draw = spec, chip, first, draw
        size, kind = spec["size"], spec["kind"]
        self.fire = getattr(self, "delta_lif" if kind == "if" else kind.replace("-", "_"))
        self.bias = wrap(spec.get("bias_mant", 0) << spec.get("bias_exp", 0), 32)
        self.lazy = chip["decay"] == "lazy" and kind in LAZY
        self.v, self.spikes = [0] * size, [0] * size
        self.u = [0] * size if kind in CURRENT else []
        self.extra = [0] * size  # A of adaptive-lif, the end of the pause of refractory-lif
        self.last = [0] * size  # index of the last update, of lazy neurons
        self.potential = [] if kind in ("graded", "leaky-readout") else [-self.threshold(i) for i in range(size)]

    def step(self, t: int, arriving: list[int], arrived: list[bool]) -> None:
        """Update every neuron that this step updates."""
        if t == 0 and self.bias == 0:
            return
        for i, a in enumerate(arriving):
            if self.lazy and not arrived[i] and self.spikes[i] == 0:
                continue
            self.spikes[i] = self.fire(i, t, a)
            self.last[i] = t

    # helpers

    def threshold(self, i: int) -> int:
        """Return the threshold in force; of ternary-lif the upper one."""
        if self.spec["kind"] in CURRENT:
            return self.spec["vth_hi" if self.spec["kind"] == "ternary-lif" else "vth"] << 6
        return self.spec["theta"] + (self.extra[i] if self.spec["kind"] == "adaptive-lif" else 0)

    def decayed(self, x: int, word: int, i: int, t: int, stream: int) -> int:
        """Return x decayed as the chip says, from the last update on."""
        if self.lazy:
            word = lazy_word(word, t - self.last[i], self.chip["entries"])
        noise = 0
        if self.chip["rounding"] == "stochastic":
            seed, sample, pass_index = self.draw
            noise = philox((self.first + i, t, sample, pass_index), (seed, stream))[0]
        return decay(x, word, self.chip["rounding"], noise)

    def into_u(self, x: int) -> int:
        return (fold if self.chip["overflow_u"] == "wrap" else clip)(x, self.chip["u_bits"])

    def into_v(self, x: int) -> int:
        return (fold if self.chip["overflow_v"] == "wrap" else clip)(x, self.chip["v_bits"])

    def into_big_v(self, x: int) -> int:
        return (wrap if self.chip["overflow_v"] == "wrap" else sat)(x, self.chip["v_bits"])

    # Loihi family

    def current(self, i: int, t: int, a: int) -> None:
        x = self.decayed(self.u[i], 4095 - self.spec["du"], i, t, STREAM_U) + wrap(a * 64, 32)
        self.u[i] = self.into_u(wrap(x, 32))

    def voltage(self, i: int, t: int) -> None:
        v = self.decayed(self.v[i], 4096 - self.spec["dv"], i, t, STREAM_V)
        self.v[i] = self.into_v(v + self.u[i] + self.bias)

    def above(self, i: int, reset: bool) -> int:
        """Compare with the threshold; a spike resets v to 0 if so wanted."""
        self.potential[i] = self.v[i] - self.threshold(i)
        spike = int(self.potential[i] > 0)
        if spike and reset:
            self.v[i] = 0
        return spike

    def loihi_lif(self, i: int, t: int, a: int) -> int:
        self.current(i, t, a)
        self.voltage(i, t)
        return self.above(i, reset=True)

    def ternary_lif(self, i: int, t: int, a: int) -> int:
        self.current(i, t, a)
        self.voltage(i, t)
        below = self.v[i] < self.spec["vth_lo"] << 6
        above = self.above(i, reset=True)
        if below:
            self.v[i] = 0
        return above - below

    def reset_lif(self, i: int, t: int, a: int) -> int:
        interval = self.spec["interval"]
        if (t + 1) % interval == self.spec["offset"] % interval:
            self.u[i] = self.v[i] = 0
        return self.loihi_lif(i, t, a)

    def refractory_lif(self, i: int, t: int, a: int) -> int:
        self.current(i, t, a)
        if self.extra[i] < t + 1:
            self.voltage(i, t)
        spike = self.above(i, reset=True)
        if spike:
            self.extra[i] = t + 1 + self.spec["period"]
        return spike

    def graded(self, i: int, t: int, a: int) -> int:
        """Lava computes in 32 bits: the sum wraps first, and -2^31, which is its own absolute value, stays silent."""
        value = wrap(a, 32)
        size = value if self.spec["relu"] else wrap(abs(value), 32)
        return value if size > self.spec["vth"] else 0

    # delta family

    def integrate(self, i: int, t: int, a: int, back: int) -> None:
        v = self.decayed(self.v[i], self.spec.get("decay", 4096), i, t, STREAM_V)
        self.v[i] = self.into_big_v(v + a - back)

    def delta_lif(self, i: int, t: int, a: int) -> int:
        self.integrate(i, t, a, self.spec["theta"] * self.spikes[i])
        return self.above(i, reset=False)

    def leaky_readout(self, i: int, t: int, a: int) -> int:
        self.integrate(i, t, a, 0)
        return 0

    def adaptive_lif(self, i: int, t: int, a: int) -> int:
        more = self.decayed(self.extra[i], self.spec["decay_a"], i, t, STREAM_A)
        self.extra[i] = self.into_big_v(more + self.spec["jump"] * self.spikes[i])
        return self.delta_lif(i, t, a)
