"""Training of any network in fixed point: the kernels against tests/reference, bit for bit: weights, accumulators, deltas, logs, counts.

Drawn networks are recurrent, sparse, of every neuron model with an adjoint, on chips with every kind of arithmetic, cut over random
cores, some of which populations share.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parent / "reference"), str(Path(__file__).parent / "peers")]

import bridge
import generaldraws
import netbridge
import trainbridge
from chipdraws import ARITHMETIC, JIT, few

from chipsim.compiler import compile_network
from chipsim.errors import CapacityError

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
REGULARISERS = (
    None,
    None,
    {"upper": 0.06, "lower": 100.0, "f_upper": 1.0},
    {"upper": 1.0, "lower": 100.0, "f_upper": 0.5, "f_lower": 1.5},
)


def draw_chip(draw, widths: dict):
    """Return a roomy toy chip."""
    mesh = {"tiles_x": draw(st.integers(1, 3)), "tiles_y": draw(st.integers(1, 3)), "cores_per_tile": draw(st.integers(1, 3))}
    cores = mesh["tiles_x"] * mesh["tiles_y"]
    numbers = {**netbridge.ROOM, "compartments_per_core": 500, **mesh, "host_tile": draw(st.integers(0, cores - 1)),
               "synapse_word": draw(st.sampled_from([8, 32, 64])), "synapse_delay": draw(st.sampled_from([0, 6])),
               "learning_bits_per_core": 10**9, **widths}  # fmt: skip
    return bridge.toy(
        draw(st.sampled_from(bridge.PREDICATES)), draw(st.sampled_from(ARITHMETIC)), draw(st.sampled_from(["unicast", "multicast"])),
        **numbers,
    )  # fmt: skip


@st.composite
def cases(draw, **forms):
    """Return (network, chip, input [T, B, N], labels, shifts, seed). forms: strategies of learning.form and learning.transport."""
    membrane, delta = draw(st.sampled_from([16, 20, 24])), draw(st.integers(13, 16))
    chip = draw_chip(draw, {"membrane": membrane, "delta": delta, "gradient_accumulator": draw(st.sampled_from([16, 20, 24]))})
    lazy = chip.arithmetic.decay == "lazy"
    kinds = ("delta-lif", "adaptive-lif", "if") if lazy or forms else generaldraws.KINDS
    learning = {
        "write": draw(st.sampled_from(["stochastic", "nearest", "one-lsb", "sign"])),
        "apply": "after" if forms else draw(st.sampled_from(["after", "after", "inplace"])),
        "loss": draw(st.sampled_from([None, "score", "step"])),
        "weight_bits": draw(st.sampled_from([4, 8])),
        "delta_fraction": draw(st.integers(6, delta - 2)), "readout_delta_fraction": draw(st.integers(8, min(14, delta - 2))),
        "scan": "touched" if lazy else draw(st.sampled_from(["clocked", "clocked", "touched"])),
    }  # fmt: skip
    learning |= {key: draw(strategy) for key, strategy in forms.items()}
    if learning["loss"] == "step":
        learning["sharpness"] = draw(st.sampled_from([None, 1, 10, 64]))
    regularisers = draw(st.sampled_from(REGULARISERS))
    seed = draw(st.integers(0, 2**32 - 1))
    delays = not forms and draw(st.booleans())
    _, network, x, y = generaldraws.draw(seed, kinds, learning=learning, regularisers=regularisers, delays=delays)
    if regularisers is not None and learning["delta_fraction"] < 10:
        network = network.but(learning={**network.learning.model_dump(), "delta_fraction": 10})
    where, cores = {}, chip.mesh.cores
    for p in network.population[1:]:
        where[p.name] = draw(st.lists(st.integers(0, cores - 1), min_size=1, max_size=min(3, p.size, cores), unique=True))
    return network.but(placement={"strategy": "manual", "cores": where}), chip, x, y, draw(st.integers(0, 4)), seed & 0xFFFF


MET = (  # what the drawn networks must have been, several times each
    "delta-lif", "if", "adaptive-lif", "loihi-lif", "clocked", "touched", "unicast", "multicast", "lazy", "shared",
    "after", "inplace", "score", "step", "delays after", "delays inplace",
)  # fmt: skip


def test_random_networks_train_as_the_reference_does():
    found = Counter()

    @settings(max_examples=few(150), **FREE)
    @given(cases())
    def compare(case):
        network, chip, x, y, faster, seed = case
        try:
            image = compile_network(network, chip)
        except CapacityError:  # a partial error wider than the chip's
            assume(False)
        shifts = [max(0, -image.formats.write_shift(k, 0)) + faster for k in range(len(network.projection))]
        both = trainbridge.Both(image, shifts, seed)
        assert trainbridge.told_memory(image) == trainbridge.learning_memory(image, both.trainer)
        for b in range(x.shape[1]):
            assert both.differences(x[:, b], int(y[b]), b, 3) == {}
            events = trainbridge.tallied(both.result)
            found.update(name for name, n in events.items() if n)
        found.update(
            set(p.neuron for p in network.population)
            | {network.learning.scan, network.learning.apply, network.learning.loss, chip.axons, chip.arithmetic.decay}
        )
        if any(network.delays(k) is not None for k in range(len(network.projection))):
            found.update({f"delays {network.learning.apply}", "delays"})
        homes = [s.core for s in image.slices]
        found.update({"networks"} | ({"shared"} if len(set(homes)) < len(homes) else set()))

    compare()
    if not JIT:
        return
    assert found["networks"] >= 100, found
    assert min(found[name] for name in MET) >= 10, found
    assert min(found[f"replay {e}"] for e in ("row_adds", "gather_adds", "error_packets", "rows_skipped", "writes")) >= 30, found
