"""One step backward of every neuron model that is trained: docs/semantics.md section 5, step a.

Backward variables of a neuron are (x, y): x is the derivative of the loss with respect to what arrives at it (delta; mu of loihi-lif),
y the second one (lambda of adaptive-lif, delta of loihi-lif).
"""

from __future__ import annotations

from refnumbers import decay, rescale, saturate

RESETS = ("loihi-lif",)  # V to zero: the home core logs every own spike
TWO = ("adaptive-lif", "loihi-lif")


def step(spec: dict, x: int, y: int, event: tuple[int, int] | None, fired: bool, bits: int) -> tuple[int, int]:
    """Return (x, y) of step t from those of t + 1; event: (eps + reg, g) of an active event, (injected error, 1) at the readout."""
    return globals()[spec["kind"].replace("-", "_")](spec, x, y, event, fired, bits)


def source(event: tuple[int, int] | None, more: int, bits: int) -> int:
    """Return ds = g * error."""
    return rescale(event[1] * saturate(event[0] + more, bits), 8) if event else 0


def blame(spec: dict, y: int, event: tuple[int, int] | None, bits: int) -> int:
    """Return ds of an event: its error times g; at the readout the injected error."""
    if event is None or spec["kind"] == "leaky-readout":
        return event[0] if event else 0
    return source(event, y if spec["kind"] == "adaptive-lif" else 0, bits)


def delta_lif(spec: dict, x: int, y: int, event: tuple[int, int] | None, fired: bool, bits: int) -> tuple[int, int]:
    return saturate(decay(x, spec["decay"]) + source(event, 0, bits), bits), 0


def adaptive_lif(spec: dict, x: int, y: int, event: tuple[int, int] | None, fired: bool, bits: int) -> tuple[int, int]:
    ds = source(event, y, bits)
    shift = spec["theta"].bit_length() - 1
    return saturate(decay(x, spec["decay"]) + ds, bits), saturate(
        decay(y, spec["decay_a"]) - rescale(spec["jump"] * ds, shift), bits
    )


def loihi_lif(spec: dict, x: int, y: int, event: tuple[int, int] | None, fired: bool, bits: int) -> tuple[int, int]:
    kept = 0 if fired else decay(y, 4096 - spec["dv"])
    y = saturate(kept + source(event, 0, bits), bits)
    return saturate(decay(x, 4095 - spec["du"]) + y, bits), y


def leaky_readout(spec: dict, x: int, y: int, event: tuple[int, int] | None, fired: bool, bits: int) -> tuple[int, int]:
    return saturate(decay(x, spec["decay"]) + (event[0] if event else 0), bits), 0


globals()["if"] = lambda spec, x, y, event, fired, bits: (saturate(x + source(event, 0, bits), bits), 0)
