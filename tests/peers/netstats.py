"""What a run of a drawn network has exercised, so that a test can tell that the draws reach the extremes."""

from __future__ import annotations

from refneurons import CURRENT, decay, wrap

NAMED = (-1, 0, 4095, 4096, 131071)  # ends of the ranges of du, dv and vth


def events(spec: dict, result: dict, number: int) -> set[str]:
    """Return what happened in one Loihi population under Lava's arithmetic."""
    found, old = set(), [0] * spec["size"]
    threshold = spec["vth_hi" if spec["kind"] == "ternary-lif" else "vth"] << 6
    for t, (u, a, potential) in enumerate(zip(*(result[name] for name in ("u", "a", "potential")), strict=True)):
        if spec["kind"] == "reset-lif" and (t + 1) % spec["interval"] == spec["offset"] % spec["interval"]:
            old = [0] * spec["size"]
        for i in range(spec["size"]):
            x = decay(old[i], 4095 - spec["du"], "toward-zero") + wrap(a[number][i] * 64, 32)
            found |= {"u wraps"} if x != u[number][i] else set()
            found |= {"u outside 24 bits"} if abs(u[number][i]) > 2**23 else set()
            found |= {"v clipped"} if abs(potential[number][i] + threshold) == 2**23 - 1 else set()
            found |= {"negative truncation"} if old[i] < 0 and old[i] * (4095 - spec["du"]) % 4096 else set()
        old = u[number]
    return found


def statistics(net: dict, result: dict) -> set[str]:
    """Return the names of everything remarkable in a network and its run."""
    populations, projections = net["populations"], net["projections"]
    found = {spec["kind"] for spec in populations} | {spec["kind"] for spec in projections}
    for number, spec in enumerate(populations[1:], start=1):
        share = sum(any(step[number][i] for step in result["spikes"]) for i in range(spec["size"])) / spec["size"]
        found |= {"most neurons spike"} if share > 0.5 else set()
        found |= {"bias exponent"} if spec.get("bias_mant") and spec["bias_exp"] else set()
        found |= {"negative bias"} if spec.get("bias_mant", 0) < 0 else set()
        found |= {f"{name} {spec[name]}" for name in ("du", "dv", "vth") if spec.get(name) in NAMED}
        found |= events(spec, result, number) if spec["kind"] in CURRENT else set()
    for spec in projections:
        raw = [w for row in spec.get("weights", ()) for w in row] + [s[2] for s in spec.get("synapses", ())]
        lines = [d for row in spec.get("delays") or () for d in row] + [s[3] for s in spec.get("synapses", ())]
        graded = spec["message_bits"] > 0 and any(abs(q) > 1 for step in result["spikes"] for q in step[spec["pre"]])
        truths = {
            "recurrent": spec["pre"] >= spec["post"],
            "delays": max(lines, default=0) > 0,
            "long delays": max(lines, default=0) > 20,
            "weights of 1 bit": spec["weight_bits"] == 1,
            "weights outside": any(abs(w) > 256 for w in raw),
            "weights all zero": bool(raw) and not any(raw),
            "negative exponent": spec["exponent"] < 0,
            "graded payloads": graded,
            "huge payloads": graded and any(abs(q) > 2**24 for step in result["spikes"] for q in step[spec["pre"]]),
            f"sign {spec['sign']}": True,
        }
        found |= {name for name, true in truths.items() if true}
    return found
