"""What must be known of a rule that is replayed, before its kernels are compiled."""

from __future__ import annotations

from typing import NamedTuple

from chipsim.errors import ConfigError, Problem
from chipsim.learning.language.define import Rule, made

NEEDS = ("active-flag", "logs", "graded-errors", "replay")


class Replayed(NamedTuple):
    """A rule that walks the logs of a sample in reverse. needs: chip capabilities; kernels: module with `replay`.

    text: its fields and hooks. The kernels are written by hand and equal to the hooks bit for bit (tests/test_replay_hooks.py).
    dense: there is no band, every hidden neuron is evaluated in every step; in float numerics only.
    """

    text: Rule
    needs: tuple[str, ...] = NEEDS
    kernels: str = "chipsim.simulator.replay"

    rate: float = 1.0  # relative to itself
    unit: str = "gradient"
    trains_hidden: bool = True
    trains_readout: bool = True
    dense: bool = False

    @property
    def name(self) -> str:
        """Name of the rule."""
        return self.text.name

    @property
    def doc(self) -> str:
        """Equation, approximations and source."""
        return self.text.doc

    @property
    def title(self) -> str:
        """First line of the documentation."""
        return self.text.title

    def lava(self, **_: object) -> dict[str, str]:
        """Refuse: Loihi learns in forward time.

        Raises:
            ConfigError: always; names the hooks.
        """
        limit = (
            "Lava evaluates a rule at the end of an epoch, in forward time: nothing there corresponds to delta and to a replay"
        )
        raise ConfigError(
            [Problem(f'rule "{self.name}"', h.name, h.text.strip().split("\n")[-1].strip(), limit) for h in self.text.hooks]
        )


def replayed(described: type) -> Replayed:
    """Make a Replayed of a class of fields and replay hooks; to be used as a decorator. A class of its own may say `dense = True`."""
    text = made(described, replayed=True)
    return Replayed(text, dense=text.dense)
