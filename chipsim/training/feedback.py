"""Feedback weights that adapt: every change of a weight is one of theirs (signal `adaptive`; docs/online.md section 3).

With one hidden layer and e-prop: adaptive e-prop (Bellec et al. 2020), there with a decay of both, which is left out here.
Source: Kolen & Pollack 1994, Backpropagation without weight transport; Akrout et al. 2019, Deep learning without weight transport.
"""

from __future__ import annotations

import numpy as np

from chipsim.compiler import ChipImage
from chipsim.learning.online.state import Setup
from chipsim.state import Activity
from chipsim.training.optimise import row_of_weight


class Feedback:
    """The weights b of `setup.layerwise` through which errors travel: those of synapses that lead from hidden neurons to the readout."""

    def __init__(self, image: ChipImage, setup: Setup):
        rows, row_slice, _, hidden = row_of_weight(image)
        toward = np.repeat(setup.toward, [s.stored for s in image.plan.synapses])
        self.at = np.flatnonzero(hidden & toward)
        self.slices, self.count = row_slice[rows[self.at]], len(image.slices)
        self.values, self.seen = setup.layerwise, image.weights[self.at].copy()
        self.top = image.formats.top if image.formats.fixed else np.inf

    def follow(self, weights: np.ndarray, activity: Activity) -> None:
        """Add the change of the weights since the last call; words read and written are counted as those of weights (stage update)."""
        now, before = weights[self.at], self.values[self.at]
        after = np.clip(before + (now - self.seen), -self.top, self.top)
        self.values[self.at], self.seen = after, now
        activity.followed[0] = np.bincount(self.slices[after != before], minlength=self.count)
