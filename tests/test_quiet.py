"""Rules that active neurons trigger do nothing where no neuron is active, and say so in their counts."""

from __future__ import annotations

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.events import as_events
from chipsim.learning import RULES, is_dense, is_online, rule_object
from chipsim.simulator.account import account
from chipsim.simulator.engine import Block
from chipsim.training.learner import Learner

TRIGGERED = [  # what changes hidden weights waits for an active neuron; rules without a band know none that is not
    name
    for name in RULES
    if not is_dense(name)
    and (
        not is_online(name)
        or (rule_object(name).trains_hidden and all(h.event in ("on_active", "on_readout") for h in rule_object(name).hooks))
    )
]


def learned(rule, quiet):
    """Counters and gradients of a sample; quiet: one hidden neuron gets no input, so that it is never active; None: all of them."""
    network = cs.ssgd_network(8, (6, 5), 3, steps=16, readout="sum", surrogate="box", half_width=0.9, init={"gain": 3.0}, seed=4)
    weights = {name: w.copy() for name, w in network.weights.items()}
    weights["hidden1"][:, slice(None) if quiet is None else quiet] = 0.0
    network = network.with_weights(weights).but(learning={**network.learning.model_dump(), "rule": rule})
    chip = cs.load_chip("toy", {"limits.compartments_per_core.value": 1, "mesh.tiles_x.value": 4, "mesh.tiles_y.value": 4})
    image = compile_network(network, chip, numerics="fixed")
    learner, block = Learner(image), Block()
    events = as_events((np.random.default_rng(0).random((16, 1, 8)) < 0.4).astype(float), 8)
    learner.engine.forward(image.weights, events.of_sample(events.spikes(image.circuit.rules.constants.dtype), 0))
    gradient = np.zeros(len(image.weights), dtype=image.circuit.rules.constants.dtype)
    learner.backward(image.weights, gradient, 2)
    block.keep(learner.engine.work.activity)
    return image, account(image, block.take(), learned=True), image.tensors(gradient)


@pytest.mark.parametrize("rule", TRIGGERED)
def test_a_neuron_without_an_active_event_causes_no_learning(rule):
    """Every neuron has a core of its own: what its core counts is what its synapses did."""
    image, counters, gradient = learned(rule, quiet=3)
    core = next(s.core for s in image.slices if s.population == 1 and s.lo == 3)
    others = [s.core for s in image.slices if s.population == 1 and s.lo != 3]
    column = {int(c): n for n, c in enumerate(counters.cores)}
    work = ("rules_active", "row_adds", "gather_adds", "evaluations", "active_log_entries", "error_updates")
    for event in work:
        assert counters.of("backward", event)[:, column[core]].sum() == 0, event
    assert sum(counters.of("backward", event)[:, [column[c] for c in others]].sum() for event in work) > 0
    assert not gradient["hidden1"][:, 3].any() and gradient["hidden1"].any()


@pytest.mark.parametrize("rule", TRIGGERED)
def test_no_active_neuron_no_learning_below_the_readout(rule):
    image, counters, gradient = learned(rule, quiet=None)
    hidden = [n for n, c in enumerate(counters.cores) if any(s.core == c and s.population in (1, 2) for s in image.slices)]
    for event in (
        "rules_active",
        "row_adds",
        "gather_adds",
        "rows_gathered",
        "error_packets",
        "active_log_entries",
        "mark_packets",
    ):
        assert counters.of("backward", event)[:, hidden].sum() == 0, event
    assert not gradient["hidden1"].any() and not gradient["hidden2"].any()
