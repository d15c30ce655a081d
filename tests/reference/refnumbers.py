"""Numbers of the reference chip: the integers of docs/semantics.md sections 2 and 4, and floats on the same code path.

`Fixed` and `Float` offer the same methods; the chip calls nothing else where a number is rounded, shifted, clipped or scaled.
"""

from __future__ import annotations

import math

from refneurons import decay as decay_as
from refneurons import lazy_word, wrap

TABLE = [round(65535 * math.exp(-k / 16)) for k in range(256)]  # exp of the softmax, one entry per 1/16


def saturate(x: int, bits: int) -> int:
    """Clip to two's complement of `bits`."""
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, x))


def decay(x: int, word: int) -> int:
    """Multiply by word / 4096, toward zero."""
    return (abs(x) * word >> 12) * (1 if x >= 0 else -1)


def rescale(x: int, shift: int) -> int:
    """Divide by 2^shift, halves toward plus infinity; a negative shift multiplies."""
    if shift <= 0:
        return x << -shift
    return (x + (1 << (shift - 1))) >> shift


class Fixed:
    """Integers, bit for bit."""

    writes = True  # section 6 belongs to `fixed`

    def __init__(self, spec: dict):
        self.bits, self.lut = spec["bits"], spec["lut"]
        self.modes = {"rounding": "toward-zero", "overflow_v": "saturate", "decay": "stepped", "entries": 1}
        self.modes |= spec.get("arithmetic", {})

    def theta(self, pop: dict) -> int:
        return 1 << pop["fraction"]

    def decay(self, x: int, pop: dict) -> int:
        return decay(x, pop["decay"])

    def decay_v(self, x: int, pop: dict, since: int, noise: int) -> int:
        """Decay V over `since` steps as the chip says (docs/neurons.md section 2); delta always decays by `decay`."""
        word = pop["decay"] if since == 1 else lazy_word(pop["decay"], since, self.modes["entries"])
        return decay_as(x, word, self.modes["rounding"], noise)

    def clip_v(self, x: int, pop: dict) -> int:
        return (wrap if self.modes["overflow_v"] == "wrap" else saturate)(x, pop["v_bits"])

    def clip_delta(self, x: int) -> int:
        return saturate(x, self.bits["delta"])

    def clip_accumulator(self, x: int) -> int:
        return saturate(x, self.bits["acc"])

    def synapse(self, w: int, projection: dict, post: dict) -> int:
        """Return what weight w adds to V: w << up."""
        return w << (post["fraction"] - projection["fraction"])

    def code(self, distance: int, pop: dict) -> int:
        """Return the log code 0..31 of abs(V - theta) inside the band."""
        return distance * 32 // pop["band"]

    def source(self, code: int, error: int) -> int:
        """Return ds = g * error of an active neuron; g has 8 fraction bits."""
        return rescale(self.lut[code] * error, 8)

    def error(self, total: int, pre: dict, projection: dict, post: dict) -> int:
        """Return eps of a presynaptic neuron from the exact sum of its partial errors."""
        return self.clip_delta(rescale(total, projection["fraction"] + post["delta_fraction"] - pre["delta_fraction"]))

    def penalty(self, value: float, pop: dict) -> int:
        """Return a regulariser gradient in units of 2^-fd; Python's `round` (halves to even)."""
        return round(value * 2 ** pop["delta_fraction"])

    def softmax(self, scores: list[int], label: int, readout: dict) -> tuple[list[int], None]:
        """Return q with 14 fraction bits (section 4); no loss value."""
        k, shift = 4096 - readout["decay"], readout["fraction"] + 8
        places = [(max(scores) - m) * k >> shift for m in scores]
        e = [TABLE[n] if n < len(TABLE) else 0 for n in places]
        p = [((x << 15) + sum(e)) // (2 * sum(e)) for x in e]
        return [x - ((1 << 14) if c == label else 0) for c, x in enumerate(p)], None

    def injection(self, q: int, readout: dict) -> int:
        """Return G = (1 - a_r) q with the fraction bits of the readout delta."""
        return rescale(rescale(q * (4096 - readout["decay"]), 12), 14 - readout["delta_fraction"])


class Float:
    """Double precision: no rounding, no saturation, no shifts; theta = 1, `decay` is alpha, `band` the half width."""

    writes = False  # gradients only

    def __init__(self, spec: dict):
        self.modes = {"rounding": "", "decay": "stepped"}
        self.surrogate, self.half_width = spec["surrogate"], spec["populations"][1]["band"]

    def theta(self, pop: dict) -> float:
        return 1.0

    def decay(self, x: float, pop: dict) -> float:
        return x * pop["decay"]

    def decay_v(self, x: float, pop: dict, since: int, noise: int) -> float:
        return x * pop["decay"]

    def clip_v(self, x: float, pop: dict) -> float:
        return x

    def clip_delta(self, x: float) -> float:
        return x

    def clip_accumulator(self, x: float) -> float:
        return x

    def synapse(self, w: float, projection: dict, post: dict) -> float:
        return w

    def code(self, distance: float, pop: dict) -> float:
        return distance

    def source(self, code: float, error: float) -> float:
        if self.surrogate == "triangle":
            return error * (1.0 - code / self.half_width)
        return {"box": error, "paper": error / (100.0 * code + 1.0) ** 2}[self.surrogate]

    def error(self, total: float, pre: dict, projection: dict, post: dict) -> float:
        return total

    def penalty(self, value: float, pop: dict) -> float:
        return value

    def softmax(self, scores: list[float], label: int, readout: dict) -> tuple[list[float], float]:
        """Return q = softmax((1 - a_r) m) - onehot and the loss -log softmax of the label."""
        out = [(1.0 - readout["decay"]) * m for m in scores]
        e = [math.exp(x - max(out)) for x in out]
        loss = math.log(sum(e)) - (out[label] - max(out))
        return [x / sum(e) - (1.0 if c == label else 0.0) for c, x in enumerate(e)], loss

    def injection(self, q: float, readout: dict) -> float:
        return (1.0 - readout["decay"]) * q
