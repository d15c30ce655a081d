"""The rule language: what a rule says of itself is what happens when it runs, and the page about it is true."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rulebridge
from hypothesis import assume, given
from hypothesis import strategies as st
from refonline import OnlineChip
from refonlinenet import OnlineTrainer
from refrules import FUNCTIONS
from test_kernels_equal import repeat
from test_online_equal import ONLINE, online_cases
from test_online_general import online_cases as general_cases

import chipsim as cs
from chipsim.cli.app import main
from chipsim.errors import CapacityError, ConfigError
from chipsim.learning import RULES, is_online, rule_name, rule_object
from chipsim.learning.axes import TRIGGERS, axes, axes_of
from chipsim.learning.language.check import EVENTS

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"
HOOKS = [(name, hook.name) for name in ONLINE for hook in rule_object(name).hooks]


class Tallied:
    """A Python integer that counts what is done with it: independent of the package's own tracing."""

    seen = Counter()

    def __init__(self, value):
        self.value = value.value if isinstance(value, Tallied) else int(value)

    def did(self, what, value):
        Tallied.seen[what] += 1
        return Tallied(value)

    def __mul__(self, other):
        return self.did("multiply", self.value * Tallied(other).value)

    def __add__(self, other):
        return self.did("add", self.value + Tallied(other).value)

    def __sub__(self, other):
        return self.did("add", self.value - Tallied(other).value)

    def __neg__(self):
        return self.did("add", -self.value)

    def compare(self, outcome):
        Tallied.seen["compare"] += 1
        return outcome

    def __lt__(self, other):
        return self.compare(self.value < Tallied(other).value)

    def __gt__(self, other):
        return self.compare(self.value > Tallied(other).value)

    __rmul__, __radd__ = __mul__, __add__


def tallied(function, operations):
    """Return a reference function that counts `operations` and takes and gives tallied numbers."""

    def call(*arguments):
        Tallied.seen.update(operations)
        return Tallied(function(*(a.value if isinstance(a, Tallied) else a for a in arguments)))

    return call


COSTS = {
    "times": {"multiply": 1, "shift": 1}, "rshift": {"shift": 1}, "where": {"select": 1}, "abs": {"select": 1},
    "min": {"compare": 1, "select": 1}, "max": {"compare": 1, "select": 1}, "clip": {"compare": 2, "select": 2},
    "sgn": {"compare": 2, "select": 1},
}  # fmt: skip


def banded(name: str) -> str:
    """Return a rule that integers can run: one without a band gets one."""
    rule = rule_object(name)
    return rule_name(replace(rule, dense=False, path=f"{rule.path} with a band")) if rule.dense else name


@pytest.mark.parametrize("name", [name for name in RULES if is_online(name)])
def test_traced_operations_are_those_of_a_run(name):
    """Operations of one evaluation, found by tracing, times evaluations = operations counted while the reference runs."""
    rule, met = rule_object(name), Counter()
    functions = {key: tallied(function, COSTS[key]) for key, function in FUNCTIONS.items()}

    @repeat(15)
    @given(online_cases(banded(name)))
    def compare(case):
        table = rulebridge.describe(case.image(), case.shifts, case.seed, functions)
        for hook in table["rule"]["hooks"]:
            call = hook["call"]
            hook["call"] = lambda *a, call=call: call(*map(Tallied, a)).value
        Tallied.seen.clear()
        chip, evaluated = OnlineChip(table), Counter()
        for sample in case.samples:
            for (_, _, event, _, _), n in chip.run(*sample).counters.items():
                evaluated[event] += n
        expected = Counter()
        for hook in rule.hooks:
            for kind, (least, most) in rule.count(hook).operations.items():
                assert least == most, "shipped rules have no branches"
                if hook.target in rule.adaptive:
                    continue  # no threshold adapts in a chain
                expected[kind] += least * evaluated[f"rules_{hook.event.removeprefix('on_')}"]
        assert +expected == +Counter(Tallied.seen)
        met.update(expected)

    compare()
    assert met["multiply"] > 100


def test_traced_operations_are_those_of_a_run_where_thresholds_adapt():
    """Hook by hook, in e-prop: its second state exists in such networks only."""
    rule, calls, done = rule_object("eprop"), Counter(), {hook.name: Counter() for hook in rule_object("eprop").hooks}
    functions = {key: tallied(function, COSTS[key]) for key, function in FUNCTIONS.items()}

    def watched(name, call):
        def run(*values):
            Tallied.seen.clear()
            found = call(*map(Tallied, values)).value
            calls[name] += 1
            done[name].update(Tallied.seen)
            return found

        return run

    @repeat(12)
    @given(general_cases("eprop"))
    def compare(case):
        network, chip, x, y, _, seed = case
        try:
            image = cs.compile_network(network, chip)
        except (CapacityError, ConfigError):  # a jump that does not fit its field
            assume(False)
        net, routed, table = rulebridge.general(image, [12] * len(network.projection), seed, functions)
        for hook, named in zip(net["rule"]["hooks"], rule.hooks, strict=True):
            hook["call"] = watched(named.name, hook["call"])
        trainer = OnlineTrainer(net, routed, table)
        trainer.net["inputs"] = x[:, 0].astype(int).tolist()
        trainer.run(int(y[0]))

    compare()
    for hook in rule.hooks:
        per = {kind: least for kind, (least, most) in rule.count(hook).operations.items() if least == most}
        assert done[hook.name] == Counter({kind: n * calls[hook.name] for kind, n in per.items()}), hook.name
    assert min(calls.values()) > 20, calls


@pytest.mark.parametrize(("name", "hook"), HOOKS)
def test_outcomes_stay_in_the_traced_range(name, hook):
    """Never outside the range that tracing gave; that compiled code gives the same is in test_online_equal.py and test_rule_tracing.py."""
    rule = rule_object(name)
    hook = next(h for h in rule.hooks if h.name == hook)
    count, reference = rule.count(hook), rule.bound(hook, FUNCTIONS)
    ranges = [rule.range_of(argument) for argument in hook.arguments]

    @repeat(300)
    @given(st.tuples(*(st.one_of(st.sampled_from([r.lo, r.hi, 0]), st.integers(r.lo, r.hi)) for r in ranges)))
    def compare(values):
        assert count.lo <= reference(*values) <= count.hi

    compare()


def example() -> str:
    return re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S).group(1)


def test_the_rule_of_the_page_trains_and_prints_its_cost(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(example())
    assert len(example().strip().split("\n")) <= 25
    assert main(["rules", f"{file}:Mine"]) == 0
    assert "multiply 2" in capsys.readouterr().out
    command = [
        "train",
        "--rule",
        f"{file}:Mine",
        "--passes",
        "2",
        "--samples",
        "400",
        "--out",
        str(tmp_path / "run"),
        "--json",
        "--quiet",
    ]
    assert main(command) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["accuracy"]["test"] > 0.6
    assert facts["counts_per_sample"]["backward"]["rules_active"] > 0 and facts["energy_j_per_sample"]["backward"] > 0
    assert facts["memory_bits"]["by_kind"]["traces"] == 12 * (64 + 200 + 200)


def test_a_rule_can_be_given_as_an_object():
    net = cs.ssgd_network(6, (5,), 3, steps=8, surrogate="box", half_width=0.5, readout="sum")
    x, y = (np.random.default_rng(1).random((8, 4, 6)) < 0.5).astype(int), np.array([0, 1, 2, 0])
    by_name = cs.gradients(net, x, y, rule="ssgd-online")
    by_object = cs.gradients(net, x, y, rule=rule_object("ssgd-online"))
    assert all(np.array_equal(by_name.weights[k], by_object.weights[k]) for k in by_name.weights)


def test_every_rule_has_a_place_on_the_axes():
    assert set(TRIGGERS) == set(EVENTS)
    known = {axis: set(members) for axis, members in axes().items()}
    known["signal"] |= {"exact"}
    for name in RULES:
        own = axes_of(rule_object(name))
        assert set(own) >= {"eligibility", "signal", "trigger"}
        assert all(set(members) <= known[axis] for axis, members in own.items()), (name, own)
