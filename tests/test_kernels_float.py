"""Float numerics: the kernels in float64 against the reference chip in floats. Numbers to 1e-12, events and counts exactly."""

from __future__ import annotations

from collections import Counter

import bridge
import numpy as np
import pytest
from refchip import Chip as Reference

from chipsim.compiler import compile_network
from chipsim.counters import EVENTS, OF_OTHER_FORMS, OF_OTHER_RULES
from chipsim.network import ssgd_network
from chipsim.training.optimise import count_update

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]

EXACT = 1e-12
REGULARISERS = (None, "paper", {"upper": 1.0, "lower": 2.0, "f_upper": 0.5, "f_lower": 1.5})


def random_case(seed: int, numerics: str = "float64"):
    """Return (kernels, reference, samples) of a random network cut over random cores."""
    dice = np.random.default_rng(seed)
    sizes = [int(n) for n in (dice.integers(2, 9), *dice.integers(1, 8, dice.integers(1, 4)), dice.integers(2, 5))]
    steps, surrogate = int(dice.integers(2, 16)), str(dice.choice(["paper", "box", "triangle"]))
    widths = [0.2, 0.5, 1.0, *([] if surrogate == "triangle" else [np.inf])]
    network = ssgd_network(
        sizes[0], sizes[1:-1], sizes[-1], steps, tau_mem=float(dice.uniform(1, 20)), tau_readout=float(dice.uniform(1, 20)),
        readout=str(dice.choice(["sum", "max"])), surrogate=surrogate, half_width=float(dice.choice(widths)),
        regularisers=REGULARISERS[dice.integers(3)],
    )  # fmt: skip
    weights = {p.post: dice.normal(0.3, 0.6, (sizes[k], sizes[k + 1])) for k, p in enumerate(network.projections)}
    room = int(dice.integers(1, 8))
    mesh = {"tiles_x": 5, "tiles_y": 3, "cores_per_tile": 2, "host_tile": int(dice.integers(15))}
    chip = bridge.toy(str(dice.choice(bridge.PREDICATES)), **mesh, compartments_per_core=room)
    scan = ["clocked", "touched", "analytic" if network.learning.half_width < 1 else "clocked"][seed % 3]
    network = network.but(learning={**network.learning.model_dump(), "scan": scan})
    image = compile_network(network.with_weights(weights), chip, numerics=numerics)
    samples = []
    for density in (0.0, 0.15, 0.4, 1.0):
        raster = dice.random((steps, sizes[0])) < density
        samples.append(([np.flatnonzero(row).tolist() for row in raster], int(dice.integers(sizes[-1]))))
    return bridge.Kernels(image), Reference(bridge.describe(image)), samples


def assert_close(found: list, expected: list, what: str) -> None:
    """Compare nested lists of one shape, relative to the largest number."""
    ours, theirs = np.array(flat(found), dtype=np.float64), np.array(flat(expected), dtype=np.float64)
    assert ours.shape == theirs.shape, what
    assert np.abs(ours - theirs).max(initial=0) <= EXACT * max(1.0, np.abs(theirs).max(initial=0)), what


def flat(nested) -> list:
    return [x for part in nested for x in flat(part)] if isinstance(nested, list) else [nested]


def test_equal_to_the_reference():
    events, largest = Counter(), 0.0
    for seed in range(100):
        kernels, reference, samples = random_case(seed)
        for sample, label in samples:
            result, seen = reference.run(sample, label), kernels.run(sample, label)
            assert seen.spikes == result.spikes
            assert [record[:3] for record in seen.active_log] == [record[:3] for record in result.active_log]
            assert (seen.t_star, seen.prediction) == (result.t_star, result.prediction)
            for name in ("v", "scores", "injections", "penalties", "gradients"):
                assert_close(getattr(seen, name), getattr(result, name), f"seed {seed}: {name}")
            assert bridge.unequal(seen.counters, result.counters) == {}, f"seed {seed}"
            assert kernels.learner.loss(label) - kernels.learner.way.penalty() == pytest.approx(result.loss, rel=EXACT, abs=EXACT)
            assert seen.weights == result.weights
            largest = max(largest, np.abs(flat(seen.gradients)).max())
            for (phase, stage, event, _, _), n in seen.counters.items():
                events[phase, stage, event] += n
    assert largest > 0.01
    assert {key for key in EVENTS if events[key] == 0} == OF_OTHER_RULES | OF_OTHER_FORMS | {
        key for key in EVENTS if key[0] == "update"
    }


def test_rows_a_float_update_would_visit():
    """`count_update` finds the rows the reference marked dirty, and leaves the gradient as it is."""
    visited = 0
    for seed in range(20):
        kernels, reference, samples = random_case(seed)
        sample, label = samples[2]
        reference.run(sample, label)
        rows = [row for core in reference.cores.values() for row in core.rows.values() if row.dirty]
        kernels.forward(sample)
        kernels.learner.backward(kernels.weights, kernels.gradient, label)
        before = kernels.gradient.copy()
        moved = np.zeros(len(before), dtype=bool)
        count_update(kernels.image, kernels.learner.engine, kernels.gradient, moved, dense=False)
        assert kernels.work.activity.visits.sum() == sum(row.words for row in rows)
        touched = sum(g != 0 for row in rows for g in row.gradients)
        assert kernels.work.activity.evaluations.sum() == touched == np.count_nonzero(before)
        assert np.array_equal(kernels.gradient, before) and not kernels.work.errors.dirty.any()
        visited += len(rows)
    assert visited > 100


def test_float32_follows_float64():
    """The same kernels in float32: numbers stay close as long as the same neurons spike and are active."""
    followed = 0
    for seed in range(30):
        (single, _, samples), (double, _, _) = random_case(seed, "float32"), random_case(seed)
        assert single.weights.dtype == single.work.membranes.cells.state.dtype == np.float32
        for sample, label in samples:
            a, b = single.run(sample, label), double.run(sample, label)
            if (a.spikes, a.active_log) != (b.spikes, b.active_log):
                continue
            found, expected = np.array(flat(a.gradients)), np.array(flat(b.gradients))
            assert np.abs(found - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())
            followed += bool(expected.any())
    assert followed >= 60


def test_infinite_band_without_learning_warns_of_nothing():
    network = ssgd_network(3, (4,), 2, 6, surrogate="box", half_width=np.inf)
    kernels = bridge.Kernels(compile_network(network, bridge.toy(), learn=False, numerics="float64"))
    seen = kernels.run([[0, 1, 2]] * 6, 0, learn=False)
    assert seen.spikes and seen.active_log == []
