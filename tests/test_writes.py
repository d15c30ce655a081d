"""Write policies: their mean and their range, over every random word that can be drawn."""

from __future__ import annotations

import numpy as np
import pytest

from chipsim.kernels.fixed import one_lsb, rescale, round_stochastic

SHIFT = 5
WORDS = range(1 << SHIFT)


@pytest.mark.parametrize("acc", [*range(-70, 71), 2**20, -(2**20)])
def test_one_lsb_has_the_mean_of_stochastic_rounding_below_one_lsb(acc):
    found = [int(one_lsb(np.int64(acc), SHIFT, np.int64(word))) for word in WORDS]
    assert set(found) <= {0, int(np.sign(acc))}
    assert np.mean(found) == np.sign(acc) * min(1, abs(acc) / 2**SHIFT)
    rounded = [int(round_stochastic(np.int64(acc), SHIFT, np.int64(word))) for word in WORDS]
    assert np.mean(rounded) == acc / 2**SHIFT


def test_without_a_shift_every_update_writes():
    assert [int(one_lsb(np.int64(acc), 0, np.int64(77))) for acc in (-3, -1, 0, 1, 3)] == [-1, -1, 0, 1, 1]
    assert int(one_lsb(np.int64(-5), 32, np.int64(4))) == -1 and int(one_lsb(np.int64(-5), 32, np.int64(5))) == 0
    assert int(rescale(np.int64(-16), SHIFT)) == 0  # where `sign` writes nothing
