"""The engine of networks with projections that learn on the way, and what is recorded of them."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.lava.grammar import SYNAPSE, TRACES
from chipsim.simulator.engine import Engine
from chipsim.simulator.plastic import run_plastic
from chipsim.simulator.plasticity import Plasticity
from chipsim.state import SpikeLog


class PlasticEngine(Engine):
    """Runs samples, each from the weights that it is given; what was learned is then in `weights` and `learning`."""

    def __init__(self, image: ChipImage, record: bool, plastic: Plasticity, kept: tuple[str, ...]):
        super().__init__(image, record)
        self.plastic, self.learning = plastic, plastic.learning(image, kept)
        self.weights, self.sample = image.weights.copy(), 0

    def forward(self, weights: np.ndarray, inputs: SpikeLog, address: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Run the sample whose number is in `address`, on a copy of `weights`."""
        self.weights[:] = weights
        self.plastic.give(self.learning, address[1])
        self.work.membranes.cells.address[:] = address
        run_plastic(self.image.steps, self.image.circuit, self.image.wires, self.weights, inputs, self.work, self.learning)

    def synapses(self, q: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return weights, tags and delays of learning projection q, [N_pre, N_post] each, views."""
        program, memory = self.learning.program, self.learning.memory
        shape = tuple(program.size[q])
        w, z, n = program.weight[q], program.synapse[q], program.size[q].prod()
        return (
            self.weights[w : w + n].reshape(shape),
            memory.tag[z : z + n].reshape(shape),
            memory.delay[z : z + n].reshape(shape),
        )


class Learned:
    """Copies what was learned out of engines: weights, tags, delays [B, N_pre, N_post] at the end, and what is recorded."""

    def __init__(self, image: ChipImage, plastic: Plasticity, samples: int, kept: tuple[str, ...]):
        sizes = {name: place.sizes for name, place in zip(plastic.rules, plastic.places(image), strict=True)}
        number = np.int64 if image.formats.fixed else np.float64

        def arrays(*before: int) -> dict[str, np.ndarray]:
            return {name: np.zeros((*before, samples, *shape), dtype=number) for name, shape in sizes.items()}

        self.weights, self.tags, self.delays = arrays(), arrays(), arrays()
        self.traces: dict[str, dict[str, np.ndarray]] = {v: arrays(image.steps) for v in SYNAPSE if v in kept}
        for v in (v for v in TRACES if v in kept):
            side = 0 if v.startswith("x") else 1
            self.traces[v] = {name: np.zeros((image.steps, samples, shape[side]), dtype=number) for name, shape in sizes.items()}

    def keep(self, b: int, engine: PlasticEngine) -> None:
        """Record sample b."""
        program, history = engine.learning.program, engine.learning.history
        for q, name in enumerate(engine.plastic.rules):
            for into, found in zip((self.weights, self.tags, self.delays), engine.synapses(q), strict=True):
                into[name][b] = found
            (x, y), (n_x, n_y) = program.side[q], program.size[q]
            z, count = program.synapse[q], program.size[q].prod()
            for v, into in self.traces.items():
                if v in SYNAPSE:
                    rows = history.synapse[:, SYNAPSE.index(v), z : z + count]
                    into[name][:, b] = rows.reshape(-1, n_x, n_y)
                elif v.startswith("x"):
                    into[name][:, b] = history.x[:, TRACES.index(v), x : x + n_x]
                else:
                    into[name][:, b] = history.y[:, TRACES.index(v) - 2, y : y + n_y]
