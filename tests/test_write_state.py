"""Write policies and optimisers with state per synapse: kernels against tests/reference, over several samples in a row, bit for bit."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from chipdraws import JIT, few
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parent / "reference"), str(Path(__file__).parent / "peers")]

import generaldraws
import trainbridge
from refwrites import Writer
from test_training_equal import draw_chip

from chipsim.compiler import compile_network
from chipsim.errors import CapacityError
from chipsim.learning.policies import POLICIES

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]
FREE = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
WRITES = ("residue", "residue:9", "master:9", "master", "master:24", "stochastic", "one-lsb", "nearest", "sign")


@st.composite
def cases(draw):
    """Return (network, chip, input [T, B, N], labels, shift S, seed)."""
    chip = draw_chip(draw, {"gradient_accumulator": draw(st.sampled_from([9, 16, 24]))})
    optimiser = draw(st.sampled_from(["sgd", "sign", "momentum"]))
    write = draw(st.sampled_from(WRITES[:5] if optimiser == "sgd" else WRITES))
    learning = {"write": write, "weight_bits": draw(st.sampled_from([4, 8])),
                "apply": draw(st.sampled_from(["after", "inplace"])) if optimiser == "sgd" else "after",
                "scan": "touched" if chip.arithmetic.decay == "lazy" else "clocked"}  # fmt: skip
    kinds = ("delta-lif", "if") if chip.arithmetic.decay == "lazy" else generaldraws.KINDS
    seed = draw(st.integers(0, 2**32 - 1))
    _, network, x, y = generaldraws.draw(seed, kinds, learning=learning)
    where, cores = {}, chip.mesh.cores
    for p in network.population[1:]:
        where[p.name] = draw(st.lists(st.integers(0, cores - 1), min_size=1, max_size=min(3, p.size, cores), unique=True))
    schedule = {"fixed": {"optimiser": optimiser, "momentum": draw(st.sampled_from([0.0, 0.5, 0.9, 0.999]))}}
    network = network.but(placement={"strategy": "manual", "cores": where}, schedule=schedule)
    return network, chip, x, y, draw(st.integers(0, 8)), seed & 0xFFFF


def test_state_lasts_from_sample_to_sample_as_in_the_reference():
    found = Counter()

    @settings(max_examples=few(180), **FREE)
    @given(cases())
    def compare(case):
        network, chip, x, y, shift, seed = case
        try:
            image = compile_network(network, chip)
        except CapacityError:
            assume(False)
        optimiser = network.schedule["fixed"].optimiser
        fraction = [0 if optimiser == "sign" else f for f in image.formats.gradient_fraction]
        shifts = [shift - f + image.formats.real_fraction(k) for k, f in enumerate(fraction)]
        both = trainbridge.Both(image, shifts, seed)
        assert {m.core: m.by_kind.get("write_state", 0) for m in image.memory} == state_memory(both.trainer)
        for b in range(2 * x.shape[1]):
            n = b % x.shape[1]
            assert both.differences(x[:, n], int(y[n]), b, 3) == {}
            events = trainbridge.tallied(both.result)
            found[f"{network.learning.write} writes"] += events["replay writes"]
            found[f"{optimiser} writes"] += events["replay writes"]
            found[f"{network.learning.apply} writes"] += events["replay writes"]
            found["optimiser_updates"] += events["replay optimiser_updates"]
        assert kept(both.kernels.how) == expected(both.trainer.writer, both.kernels.weights)
        found["sparse"] += any(p.kind == "sparse" for p in network.projection)

    compare()
    names = [f"{name} writes" for name in (*WRITES[:6], "sgd", "sign", "momentum", "after", "inplace")]
    assert not JIT or (min(found[name] for name in (*names, "optimiser_updates")) > 30 and found["sparse"] > 10), found


def state_memory(trainer) -> dict[int, int]:
    """Return {core: bits}, synapse by synapse."""
    found = Counter({core: 0 for core in set(trainer.home.values()) - {-1}})
    for rows in trainer.rows.values():
        for row in rows:
            found[row.core] += len(row.synapses) * trainer.writer.state_bits
    return dict(found)


def kept(how) -> tuple[dict, dict]:
    """Return ({synapse: state}, {synapse: velocity}) of the kernels."""
    return dict(enumerate(how.state.tolist())), {n: v for n, v in enumerate(how.velocity.tolist()) if v}


def expected(writer: Writer, weights: np.ndarray) -> tuple[dict, dict]:
    """Return the same of the reference; what was never written is as it was at the start."""
    start = {"residue": [0] * len(weights), "master": [w << writer.extra for w in weights.tolist()]}.get(writer.policy, [])
    velocity = {n: v for n, v in writer.velocity.items() if v}
    return dict(enumerate(start)) | (writer.residue if writer.policy == "residue" else writer.master), velocity


def writer(policy: str, number: int = 0) -> Writer:
    return Writer({"write": policy, "number": number, "bits": {"acc": 24, "weight": 8}, "seed": 5})


@settings(max_examples=200, **FREE)
@given(st.lists(st.integers(-(2**12), 2**12), max_size=30), st.integers(0, 8), st.integers(-40, 40))
def test_residue_is_a_master_weight_read_by_truncation(accs, shift, w):
    """rules.md 8.3: a residue of S bits and a master of 8 + S bits, of which the forward pass reads w = ceil(M / 2^S), are one thing."""
    residue, fine, at = writer("residue"), w << shift, w
    for n, acc in enumerate(accs):
        at, fine = residue.move(0, at, acc, shift, (n, 0, 0)), fine - acc
        if abs(fine) >> shift >= 127:
            return
        assert at == -(-fine >> shift) and residue.residue[0] == (-fine) % 2**shift


@settings(max_examples=200, **FREE)
@given(st.lists(st.integers(-300, 300), min_size=1, max_size=30), st.integers(0, 8))
def test_nothing_is_lost_by_residue_and_master(accs, shift):
    residue, master, w, m = writer("residue"), writer("master", 16), 0, 0
    for n, acc in enumerate(accs):
        w, m = residue.move(0, w, acc, shift, (n, 0, 0)), master.move(0, m, acc, shift, (n, 0, 0))
    if all(abs(sum(accs[:n])) < 126 << shift for n in range(len(accs) + 1)):
        assert w * 2**shift - residue.residue.get(0, 0) == -sum(accs)
        assert master.master[0] == -sum(accs) << (8 - shift) and abs(m * 2**shift + sum(accs)) <= 2**shift / 2


def test_every_policy_is_in_the_reference():
    for name in POLICIES:
        assert writer(name, 16).move(0, 3, 1 << 6, 3, (0, 0, 0)) < 3
