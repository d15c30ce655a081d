"""How an accumulator becomes a new weight: docs/semantics.md section 6 in plain Python. State lasts from sample to sample.

rule: "write" (policy), "bits" {"acc", "weight"}, "seed"; optional "number" (of the policy), "optimiser" and "momentum".
"""

from __future__ import annotations

from refnumbers import decay, rescale, saturate
from refrandom import write_word


class Writer:
    """Optimiser and write policy, with what they keep per synapse (numbered over the whole network)."""

    def __init__(self, rule: dict):
        self.rule, self.policy, self.optimiser = rule, rule["write"], rule.get("optimiser", "sgd")
        self.top = (1 << (rule["bits"]["weight"] - 1)) - 1
        self.residue: dict[int, int] = {}
        self.master: dict[int, int] = {}
        self.velocity: dict[int, int] = {}
        self.word = round(4096 * rule.get("momentum", 0.0))
        self.extra = rule["number"] - rule["bits"]["weight"] if self.policy == "master" else 0

    @property
    def draws(self) -> bool:
        """Whether every synapse written takes a random word."""
        return self.policy in ("stochastic", "one-lsb")

    @property
    def state_bits(self) -> int:
        """Bits kept per synapse."""
        wide = self.rule["bits"]["acc"]
        own = {"residue": self.rule.get("number") or wide, "master": self.extra}.get(self.policy, 0)
        return own + (wide if self.optimiser == "momentum" else 0)

    def move(self, synapse: int, w: int, acc: int, shift: int, address: tuple[int, int, int]) -> int:
        """Return the new weight; acc: accumulator (or delta, in place); address: (sample, pass, step)."""
        if self.optimiser == "sign":
            acc = (acc > 0) - (acc < 0)
        elif self.optimiser == "momentum":
            acc = saturate(decay(self.velocity.get(synapse, 0), self.word) + acc, self.rule["bits"]["acc"])
            self.velocity[synapse] = acc
        if self.policy == "master":
            return self.refine(synapse, w, acc, shift)
        return max(-self.top, min(self.top, w - self.stride(synapse, acc, shift, address)))

    def stride(self, synapse: int, acc: int, shift: int, address: tuple[int, int, int]) -> int:
        """Return dw."""
        nearest, sign = rescale(acc, shift), (acc > 0) - (acc < 0)
        if self.policy == "nearest":
            return nearest
        if self.policy == "sign":
            return (nearest > 0) - (nearest < 0)
        if self.policy == "residue":
            kept = self.residue.get(synapse, 0) + acc
            whole = kept // 2**shift
            self.residue[synapse] = kept - whole * 2**shift
            return whole
        sample, run, step = address
        r = write_word(self.rule["seed"], synapse, sample, run, step) % (1 << shift)
        if self.policy == "one-lsb":
            return sign if abs(acc) > r else 0
        return (acc + r) >> shift

    def refine(self, synapse: int, w: int, acc: int, shift: int) -> int:
        """Move the master weight, which starts as w 2^extra, and return what it rounds to."""
        most = self.top << self.extra
        fine = self.master.get(synapse, w << self.extra) - rescale(acc, shift - self.extra)
        self.master[synapse] = max(-most, min(most, fine))
        return rescale(self.master[synapse], self.extra)


def epoch(trainer, t: int, visited: list) -> None:
    """Count an update at step t: an epoch of every core with synapses, words of the rows visited, words of all other rows, and all
    synapses as not evaluated; whoever writes one takes it off."""
    everything, seen = [row for rows in trainer.rows.values() for row in rows], {id(row) for row in visited}
    for core in {row.core for row in everything}:
        trainer.count(("update", "replay"), "epochs", t, core)
    for row in everything:
        event = "visits" if id(row) in seen else "visits_skipped"
        trainer.count(("update", "replay"), event, t, row.core, trainer.visited(row))
        trainer.count(("update", "replay"), "evaluations_skipped", t, row.core, len(row.synapses))
