"""What must be known of a rule that is replayed, before its kernels are compiled."""

from __future__ import annotations

from typing import NamedTuple


class Replayed(NamedTuple):
    """A rule that walks the logs of a sample in reverse. needs: chip capabilities; kernels: module with `replay`.

    dense: there is no band, every hidden neuron is evaluated in every step; in float numerics only.
    """

    name: str
    doc: str
    needs: tuple[str, ...]
    kernels: str

    rate: float = 1.0  # relative to itself
    unit: str = "gradient"
    trains_hidden: bool = True
    trains_readout: bool = True
    dense: bool = False

    @property
    def title(self) -> str:
        """First line of the documentation."""
        return self.doc.strip().split("\n")[0]
