"""Projections of the reference: docs/neurons.md section 4 in plain Python integers."""

from __future__ import annotations

from collections import defaultdict

from refneurons import wrap

Synapse = tuple[int, int, int]  # post, weight, delay


def mode_of(weights: list[int], given: str | None) -> str:
    """Return the sign mode of a projection."""
    if given:
        return given
    if min(weights, default=0) >= 0:
        return "excitatory"
    return "inhibitory" if max(weights) <= 0 else "mixed"


def prepare(weight: int, mode: str, bits: int) -> int:
    """Return the weight that the chip keeps of a mantissa weight."""
    low, k = (-256, 9 - bits) if mode == "mixed" else (0, 8 - bits)
    sign = -1 if mode == "inhibitory" else 1
    kept = max(low, min(255, wrap(sign * weight, 32)))  # Lava negates in 32 bits: an inhibitory -2^31 becomes 0
    return sign * (kept >> k << k)


def prepared(projection: dict) -> list:
    """Return the weights as the chip keeps them: dense [pre][post], sparse one per synapse, conv the kernel."""
    kind = projection["kind"]
    if kind == "conv":
        return projection["kernel"]
    raw = [[s[2] for s in projection["synapses"]]] if kind == "sparse" else projection["weights"]
    if projection["loihi"] and projection.get("units", "mantissa") == "mantissa":
        mode = mode_of([w for row in raw for w in row], projection["sign"])
        raw = [[prepare(w, mode, projection["weight_bits"]) for w in row] for row in raw]
    return raw[0] if kind == "sparse" else raw


def out_shape(projection: dict) -> tuple[int, int, int]:
    """Return [X', Y', K] of a convolution."""
    kernel = projection["kernel"]
    sizes = (len(kernel[0]), len(kernel[0][0]))
    x, y = (
        (projection["in_shape"][n] + 2 * projection["padding"][n] - projection["dilation"][n] * (sizes[n] - 1) - 1)
        // projection["stride"][n]
        + 1
        for n in (0, 1)
    )
    return x, y, len(kernel)


def conv_synapses(projection: dict) -> list[tuple[int, int, int]]:
    """Return (pre, post, weight) of every place of the kernel that lies on the input."""
    kernel, (stride_x, stride_y) = projection["kernel"], projection["stride"]
    (pad_x, pad_y), (dil_x, dil_y) = projection["padding"], projection["dilation"]
    size_x, size_y, size_c = projection["in_shape"]
    out_x, out_y, out_k = out_shape(projection)
    kx, ky, channels, per_group = len(kernel[0]), len(kernel[0][0]), len(kernel[0][0][0]), out_k // projection["groups"]
    found = []
    for x, y, k in ((x, y, k) for x in range(out_x) for y in range(out_y) for k in range(out_k)):
        for i, j in ((i, j) for i in range(kx) for j in range(ky)):
            at_x, at_y = x * stride_x + i * dil_x - pad_x, y * stride_y + j * dil_y - pad_y
            if not (0 <= at_x < size_x and 0 <= at_y < size_y):
                continue
            for c in range(channels):
                pre = (at_x * size_y + at_y) * size_c + c + channels * (k // per_group)
                found.append((pre, (x * out_y + y) * out_k + k, kernel[k][kx - 1 - i][ky - 1 - j][c]))
    return found


def fan_out(projection: dict) -> dict[int, list[Synapse]]:
    """Return the synapses of every neuron that has any."""
    weights, found = prepared(projection), defaultdict(list)
    if projection["kind"] == "conv":
        for pre, post, weight in conv_synapses(projection):
            found[pre].append((post, weight, 0))
    elif projection["kind"] == "sparse":
        for (pre, post, _, delay), weight in zip(projection["synapses"], weights, strict=True):
            found[pre].append((post, weight, delay))
    else:
        delays = projection["delays"] or [[0] * len(row) for row in weights]
        for pre, row in enumerate(weights):
            found[pre] = [(post, weight, delays[pre][post]) for post, weight in enumerate(row)]
    return found


class Projection:
    """One projection: `carry` takes the spikes of a step, `deliver` gives what is due in a step."""

    def __init__(self, spec: dict):
        self.spec, self.synapses = spec, fan_out(spec)
        self.delayed = spec["kind"] == "dense" and spec["delays"] is not None
        self.due = defaultdict(lambda: defaultdict(int))

    def deliver(self, t: int) -> dict[int, int]:
        """Return {post: what it receives in step t}; a neuron at which nothing arrives is not in it."""
        wraps = self.spec["loihi"] and self.spec["kind"] != "conv"
        return {post: wrap(value, 32) if wraps else value for post, value in self.due.pop(t, {}).items()}

    def carry(self, t: int, payloads: list[int]) -> None:
        """Add up what the spikes of step t will deliver, by target and delay."""
        sums = defaultdict(int)
        for pre, payload in enumerate(payloads):
            if payload:
                for post, weight, delay in self.synapses.get(pre, ()):
                    sums[post, delay] += self.product(weight, payload)
        for (post, delay), total in sums.items():
            self.due[t + 1 + delay][post] += self.finish(total)

    def product(self, weight: int, payload: int) -> int:
        if not self.spec["message_bits"]:
            return weight
        return wrap(weight * payload, 32) if self.delayed and self.spec["loihi"] else weight * payload

    def finish(self, total: int) -> int:
        """Scale one sum by the exponent and wrap it as lava-nc does."""
        e, kind = self.spec["exponent"], self.spec["kind"]
        if not self.spec["loihi"]:
            return total << e
        if kind == "conv":  # Lava: double to int32, which gives -2^31 outside its range (x86), then 24 bits of that
            return wrap(total, 24) if wrap(total, 32) == total else 0
        if self.spec["message_bits"] and not self.delayed:
            total = wrap(total, 32)
        return wrap(total << e if e > 0 else total >> -e, 32)
