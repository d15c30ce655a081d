"""What is measured, each in a process of its own: one file and one line here for every peer. Nothing here imports a peer.

The files beside this one run in other Pythons: they import the standard library, numpy and what they measure, nothing of chipsim
(`ours.py` and `ours_chip.py`, which measure chipsim, excepted).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
OTHER_TIMING = 0.0015  # largest recorded difference of the loss of peers whose delay or reset timing is another


class Peer(NamedTuple):
    """A peer.

    file: here. needs: {distribution: pinned version}. title: what runs. apart: how far its loss may be off, since delay or reset timing is
    another; 0: the same network. options: what its class is made with. slow: it compiles for a minute or more when it starts.
    """

    file: str
    needs: dict[str, str]
    title: str
    apart: float = 0.0
    options: dict[str, object] = {}
    slow: bool = False

    @property
    def path(self) -> Path:
        """The file that a host loads."""
        return HERE / f"{self.file}.py"


TRAINING = {
    "lean": Peer("lean", {"torch": "2.13.0"}, "lean dense adjoint, in torch by hand"),
    "torch-compile": Peer(
        "loop", {"torch": "2.13.0"}, "torch.compile of the time loop of a layer, autograd", 0.0, {"compiled": True}, True
    ),
    "loop": Peer("loop", {"torch": "2.13.0"}, "dense autograd loop of the paper's code, input unbound along time"),
    "snntorch": Peer("snntorch_step", {"torch": "2.13.0", "snntorch": "1.0.0"}, "snnTorch, Leaky", OTHER_TIMING),
    "norse": Peer("norse_step", {"torch": "2.13.0", "norse": "1.1.0"}, "Norse, LIFBoxCell", OTHER_TIMING),
    "spikingjelly": Peer(
        "spikingjelly_step", {"torch": "2.13.0", "spikingjelly": "2.0.0"}, "SpikingJelly, LIFNode multi-step", OTHER_TIMING
    ),
    "jax": Peer("jax_step", {"jax": "0.10.2", "jaxlib": "0.10.2"}, "JAX, lax.scan of a layer, jit"),
}
CHIP = {
    "brian2": Peer("brian2_chip", {"brian2": "2.9.0"}, "Brian2 cpp_standalone, float64, its own loop time", slow=True),
    "lava": Peer("lava_chip", {"lava-nc": "0.10.0"}, "lava-nc, Sparse, fixed_pt"),
    "lava-dense": Peer("lava_chip", {"lava-nc": "0.10.0"}, "lava-nc, Dense, fixed_pt", options={"dense": True}),
    "sanafe": Peer("sanafe_chip", {"sanafe": "2.2.9"}, "SANA-FE, its Loihi description, simple timing"),
}
OURS = Peer("ours", {}, "chipsim")
OURS_CHIP = Peer("ours_chip", {}, "chipsim")
OURS_RULES = Peer("ours_rules", {}, "chipsim")
