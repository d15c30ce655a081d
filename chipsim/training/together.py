"""Together: several samples in one call of a kernel, and what they gave as arrays over samples."""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.errors import ConfigError, Problem
from chipsim.learning import forms, is_online, step_loss
from chipsim.learning.writes import How
from chipsim.simulator.engine import Engine, cross_entropies, fields_of, flat_of, log_need
from chipsim.simulator.samples import Chosen, Hardware, Limit, Objective, Outcome, forward, learn, write
from chipsim.state import Activity
from chipsim.training.replay import Replay

AT_ONCE = 16  # samples of one call: few enough that what they give stays in the cache


def replays_plainly(image: ChipImage) -> bool:
    """Return whether samples can be learned from without a look at each: replay in form B, no loss per step, no regulariser."""
    learning = image.network.learning
    return not (
        is_online(learning.rule) or forms(learning) or step_loss(learning) or learning.regularisers or learning.apply == "inplace"
    )


def limit_of(image: ChipImage) -> Limit:
    """Return what the logs of the cores hold, as `engine.log_need` counts it under a rule that is replayed."""
    routes = image.routes
    tables = [table @ routes.column for table in (routes.axons, image.marking)]
    words = -1 if image.log_words is None else image.log_words
    return Limit(words, *tables, routes.column[routes.slice_of], np.zeros(len(routes.cores), dtype=np.int64))


class Together:
    """Runs samples on an engine, up to AT_ONCE in one call.

    way: the replay that learns from them; None: forward runs only. What a call gives is overwritten by the next one.
    """

    def __init__(self, image: ChipImage, engine: Engine, way: Replay | None = None):
        if way is not None and not replays_plainly(image):
            limit = "samples are learned from one by one under online rules, form A, push, losses of steps and regularisers"
            raise ConfigError(Problem(f'network "{image.network.name}"', "learning", image.network.learning.rule, limit))
        form, work = image.formats, engine.work
        number = image.circuit.rules.constants.dtype
        self.image, self.engine = image, engine
        self.hardware = Hardware(image.steps, image.circuit, image.wires, work, flat_of(work.activity))
        self.objective = way and Objective(
            engine.mode, way.gain, form.v_fraction, form.delta_fraction[-1] if form.delta_fraction else 0, way.regulariser
        )
        self.limit = way and limit_of(image)
        self.outcome = Outcome(
            np.zeros((AT_ONCE, image.circuit.classes), dtype=number),
            np.zeros((AT_ONCE, len(self.hardware.flat)), dtype=np.int64),
            np.zeros(int(image.circuit.hi[-1]), dtype=np.bool_),
        )

    def forward(self, weights: np.ndarray, chosen: Chosen) -> Outcome:
        """Run up to AT_ONCE samples forward."""
        self.engine.require_own(weights)
        out = self.part(chosen)
        forward(chosen, self.engine.mode, self.hardware, weights, out)
        return out

    def learn(self, weights: np.ndarray, gradient: np.ndarray, chosen: Chosen) -> Outcome:
        """As `forward`, and replay each sample: `gradient` [W] grows by their gradients."""
        out = self.part(chosen)
        learn(chosen, self.objective, self.hardware, weights, gradient, out)
        return out

    def write(self, weights: np.ndarray, gradient: np.ndarray, chosen: Chosen, how: How) -> Outcome:
        """As `learn`, one sample after the other with the weights that the one before has left; how: the update.

        Raises:
            CapacityError: the log of a core overflowed; the weights of that sample and of those after it are not written.
        """
        out = self.part(chosen)
        written = write(chosen, self.objective, self.hardware, weights, gradient, how, self.limit, out)
        if written < len(chosen.which):
            self.peak_log(Outcome(out.scores[: written + 1], out.activity[: written + 1], out.spiked), chosen.which)
        return out

    def part(self, chosen: Chosen) -> Outcome:
        """Return room for what these samples give, none of whose neurons has spiked yet."""
        out, samples = self.outcome, len(chosen.which)
        out.spiked[:] = False
        return Outcome(out.scores[:samples], out.activity[:samples], out.spiked)

    def scores(self, outcome: Outcome) -> np.ndarray:
        """Return the class scores [M, C] float64, in units of the threshold."""
        return outcome.scores.astype(np.float64) * self.engine.gain

    def cross_entropies(self, outcome: Outcome, labels: np.ndarray) -> np.ndarray:
        """Return the cross entropy of each sample, [M] float64."""
        return cross_entropies(self.scores(outcome), labels)

    def peak_log(self, outcome: Outcome, which: np.ndarray) -> int:
        """Return the fullest log of a core in any of the samples, in words.

        Raises:
            CapacityError: more records than the core's log memory holds.
        """
        shapes = [field.shape for field in self.engine.work.activity]
        need = log_need(self.image, Activity(*fields_of(outcome.activity, shapes)))
        fullest = int(np.argmax(need.max(axis=1)))
        return self.engine.require_room(need[fullest], int(which[fullest]))
