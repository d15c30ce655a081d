"""Online rules on any network in fixed point: the kernels against tests/reference/refonlinenet.py, bit for bit, counts included.

Networks and chips are those of test_training_equal.py: recurrent, skip, sparse, every neuron model with an adjoint, shared cores.
"""

from __future__ import annotations

from collections import Counter

import bridge
import numpy as np
import pytest
import rulebridge
from chipdraws import JIT, few
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from refonlinenet import OnlineTrainer
from test_training_equal import FREE, cases

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.errors import CapacityError, ConfigError
from chipsim.learning import rule_name
from chipsim.simulator.engine import Block
from chipsim.simulator.links import LinkTable

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]
KINDS = ("gradient_accumulators", "traces", "eligibility", "error_state")
SIGNALS = ("sym", "adaptive", "sym-trace", "fa", "dfa", "sdfa", "label", "local", "none")


@cs.rule
class Noisy:
    """A rule of everything that no shipped rule has: random numbers, potentials and their comparison in several hooks.

    Source: none.
    """

    x = cs.PreTrace(tau="post", bits=10, frac=4)
    r = cs.Random(bits=6)
    v = cs.Potential(bits=9, frac=6)
    e = cs.SynState(tau=5, bits=12, frac=6)
    half = cs.Const(0.5, frac=6)
    psi, L = cs.Active(), cs.Learn("sym", align="next")

    def dw_on_active(x, psi, L, r):
        return -x * cs.times(r, cs.times(psi, L))

    def e_on_post(e, r, v, half):
        return e + r if v < half else e - v

    def e_on_pre(e, v):
        return e + v

    def dw_on_sample_end(e, r):
        return cs.times(r, e)

    def dw_on_readout(x, L):
        return -x * L


@cs.rule
class Double:
    """Traces of two stages onto every target, a constant of the neuron, weights in thresholds, and an epoch of three steps.

    Source: this test.
    """

    epoch = 3
    x = cs.PreTrace(tau=7, tau_syn=3, bits=14, frac=8)
    psi, L = cs.Active(), cs.Learn("dfa", align="next")
    jump = cs.Neuron("jump", bits=10, frac=8)
    w = cs.Weight()

    def dw_on_active(x, psi, L, jump):
        return -(x + jump) * cs.times(psi, L)

    def dw_on_pre(w):
        return -w

    def dw_on_epoch(x, jump):
        return x - jump

    def dw_on_readout(x, L):
        return -x * L


RULES = (rule_name(Noisy), rule_name(Double), "ssgd-online", "ssgd-deferred", "eprop", "sltt", "stdp", "rstdp", "sdsp")


@st.composite
def online_cases(draw, rule: str):
    """Return (network, chip, input [T, B, N], labels, shifts are this much faster, seed)."""
    network, chip, x, y, faster, seed = draw(cases())
    learning = {**network.learning.model_dump(), "rule": rule, "regularisers": None, "apply": "after", "loss": None}
    late = rule == "ssgd-deferred"
    learning |= {"sharpness": None if late else draw(st.sampled_from([1, 3, 10]))}
    learning["error_threshold"] = draw(st.sampled_from([0.0, 0.0, 0.01]))
    if rulebridge.exchangeable(rule) and draw(st.booleans()):
        learning |= {"signal": draw(st.sampled_from(SIGNALS)), "align": draw(st.sampled_from(["next", "same"]))}
    return network.but(learning=learning), chip, x, y, faster, seed


def differences(kernels: bridge.Kernels, trainer: OnlineTrainer, x: np.ndarray, label: int, index: int) -> dict:
    """Run one sample on both; return {what: (kernels, reference)} of everything in which they differ."""
    trainer.net["inputs"] = x.astype(int).tolist()
    kernels.forward([np.flatnonzero(row).tolist() for row in x], (kernels.seed, index, 3))
    seen = kernels.seen()
    kernels.backward(label, index, 3)
    result = trainer.run(label, index, 3)
    found = {
        "active": (seen.active_log, result.active), "scores": (seen.scores, result.scores),
        "gradients": (kernels.accumulators, [g for row in result.gradients for g in row]),
        "weights": (kernels.weights.tolist(), [w for row in trainer.weights for w in row]),
    }  # fmt: skip
    counters = kernels.counters()
    counts = bridge.unequal(bridge.as_counter(counters.counts[0], counters.cores), result.counters)
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]} | ({"counters": counts} if counts else {})


def links_add_up(image, kernels: bridge.Kernels) -> None:
    """The packets of marks and signals on all links are the hops between tiles that were counted."""
    block = Block()
    block.keep(kernels.work.activity)
    loads, counts = LinkTable(image).loads(block.take(), learned=True), kernels.counters()

    def hops(prefix: str) -> int:
        return sum(int(counts.of("backward", f"{prefix}_{way}").sum()) for way in "xy")

    late = image.logs
    assert (loads.marking.sum(), (loads.replay if late else loads.signals).sum()) == (hops("hops"), hops("error_hops"))
    assert (loads.signals if late else loads.replay).sum() == 0


def elsewhere(network, chip, image, shifts: list[int], seed: int, sample: tuple) -> list[int] | None:
    """Return the accumulators after a sample with all neurons on one core; None if a sample before it wrote weights."""
    x, label, index = sample
    if index > 0:
        return None
    moved = network.but(placement={"strategy": "manual", "cores": {p.name: [0] for p in network.population[1:]}})
    kernels = bridge.Kernels(compile_network(moved, chip, fractions=None), shifts, seed)
    kernels.forward([np.flatnonzero(row).tolist() for row in x], (seed, index, 3))
    kernels.backward(label, index, 3)
    return kernels.accumulators


@pytest.mark.parametrize("rule", RULES, ids=lambda name: name.rsplit(":", 1)[-1])
def test_equal_to_the_reference_bit_for_bit(rule):
    met = Counter()

    @settings(max_examples=few(40), **FREE)
    @given(online_cases(rule))
    def compare(case):
        network, chip, x, y, faster, seed = case
        try:
            image = compile_network(network, chip)
            shifts = [max(0, -image.formats.write_shift(k, 0)) + faster for k in range(len(network.projection))]
            kernels = bridge.Kernels(image, shifts, seed)
        except (CapacityError, ConfigError):
            assume(False)
        trainer = OnlineTrainer(*rulebridge.general(image, shifts, seed))
        expected = rulebridge.memory(image, trainer)
        assert {m.core: {kind: m.by_kind[kind] for kind in KINDS} for m in image.memory} == {
            core: {kind: bits[kind] for kind in KINDS} for core, bits in expected.items()
        }
        for b in range(x.shape[1]):
            assert differences(kernels, trainer, x[:, b], int(y[b]), b) == {}
            links_add_up(image, kernels)
            met.update({event for (_, _, event, _, _), n in trainer.counters.items() if n})
        assert elsewhere(network, chip, image, shifts, seed, (x[:, -1], int(y[-1]), x.shape[1] - 1)) in (
            None,
            kernels.accumulators,
        )
        met.update({p.neuron for p in network.population} | {"networks", chip.axons} | {p.kind for p in network.projection})
        met.update({"recurrent" for a, b in network.ends if a == b} | {"skip" for a, b in network.ends if b > a + 1})

    compare()
    if not JIT:
        return
    assert met["networks"] >= 25, met
    names = (
        "adaptive-lif",
        "loihi-lif",
        "sparse",
        "dense",
        "recurrent",
        "skip",
        "multicast",
        "writes",
        "trace_decays",
        "trace_updates",
    )
    assert min(met[name] for name in names) >= 4, met
