"""Fixed random weights that carry errors: made from random words wherever they are needed, stored nowhere on the chip."""

from __future__ import annotations

import numpy as np

from chipsim.kernels.random import random_word

FEEDBACK, FEEDBACK_FRACTION = 9, 7  # stream of the words; fraction bits of the weights


def feedback_weights(neurons: int, classes: int, floating: bool, first: int = 0) -> np.ndarray:
    """Return b [N, C]: integers -127 .. 127, uniform, the same on every chip; in float divided by 128. first: number of the first word."""
    words = [random_word(0, FEEDBACK, first + n, 0, 0, 0) % 255 - 127 for n in range(neurons * classes)]
    found = np.array(words, dtype=np.int64).reshape(neurons, classes)
    return found / 2.0**FEEDBACK_FRACTION if floating else found


def label_weights(neurons: int, classes: int, floating: bool) -> np.ndarray:
    """Return the code of the label [N, C]: b less its mean over the classes (rounded down), so that no neuron is driven by every class."""
    found = feedback_weights(neurons, classes, False)
    found -= found.sum(axis=1, keepdims=True) // classes
    return found / 2.0**FEEDBACK_FRACTION if floating else found
