"""ssgd-replay as a rule: its kernels are written by hand, and do what its hooks say, with the operations that tracing counts."""

from __future__ import annotations

from collections import Counter

import bridge
import pytest
from hypothesis import given
from refchip import Chip
from refreplay import LearningCore
from refrules import FUNCTIONS
from test_kernels_equal import cases, repeat
from test_rule_language import COSTS, Tallied, tallied

import chipsim as cs
from chipsim.cli.app import main
from chipsim.errors import ConfigError
from chipsim.learning import rule_object

RULE = rule_object("ssgd-replay")
COUNTED = {"dw_replay_pre": "row_adds", "delta_replay_active": "evaluations"}  # hook -> event that is one evaluation of it


class HookedCore(LearningCore):
    """A core of the reference whose sums are those of the rule's hooks."""

    calls: dict = {}

    def add_row(self, row, t):
        for n, target in enumerate(row.targets):
            if target.delta != 0:
                change = self.calls["dw_replay_pre"](target.delta)
                row.gradients[n] = self.numerics.clip_accumulator(row.gradients[n] - change)
                row.dirty = True
                self.book("row_adds", t)

    def evaluate(self, t):
        codes = {(r.population, r.neuron): r.code for r in self.active_log if r.t == t}
        given = {
            (c.population, c.neuron): (c.delta, self.error(c)) for c in self.compartments if (c.population, c.neuron) in codes
        }
        super().evaluate(t)
        for cell in self.compartments:
            if (at := (cell.population, cell.neuron)) in codes:
                delta, error = given[at]
                decayed = self.numerics.decay(delta, self.populations[cell.population])
                psi = self.spec["lut"][codes[at]]
                cell.delta = self.numerics.clip_delta(self.calls["delta_replay_active"](decayed, psi, error))


class HookedChip(Chip):
    """The reference chip of such cores."""

    core_kind = HookedCore


@pytest.mark.parametrize("name", ["ssgd-replay", "bptt"])
def test_kernels_do_what_the_hooks_say(name):
    """Of bptt too, which counts the same per event and only has more of them: integers run it with a band."""
    rule = rule_object(name)
    functions = {key: tallied(function, COSTS[key]) for key, function in FUNCTIONS.items()}
    met = Counter()

    def called(hook):
        call = rule.text.bound(hook, functions)
        return lambda *values: call(*map(Tallied, values)).value

    HookedCore.calls = {hook.name: called(hook) for hook in rule.text.hooks}

    @repeat(60)
    @given(cases())
    def compare(case):
        kernels, reference = case.kernels(), HookedChip(bridge.describe(case.image(), case.shifts, case.seed))
        Tallied.seen.clear()
        evaluated = Counter()
        for sample in case.samples:
            seen, result = kernels.run(*sample), reference.run(*sample)
            for name in ("gradients", "weights"):
                assert getattr(seen, name) == getattr(result, name)
            assert bridge.unequal(seen.counters, result.counters) == {}
            for (phase, _, event, _, _), n in result.counters.items():
                evaluated[event] += n if phase == "backward" else 0
        expected = Counter()
        for hook in rule.text.hooks:
            for kind, (least, most) in rule.text.count(hook).operations.items():
                assert least == most
                expected[kind] += least * evaluated[COUNTED[hook.name]]
        assert +expected == +Counter(Tallied.seen)
        met.update(expected)

    compare()
    assert met["multiply"] > 100 and met["shift"] > 100 and met["add"] > 100


def test_it_tells_its_operations(capsys):
    assert main(["rules", "ssgd-replay"]) == 0
    shown = capsys.readouterr().out
    assert "dw_replay_pre(delta): add 1" in shown and "delta_replay_active(delta, psi, eps): multiply 1, add 1, shift 1" in shown


def test_lava_refuses_it_by_hook():
    with pytest.raises(ConfigError) as error:
        RULE.lava()
    assert [p.key for p in error.value.problems] == list(COUNTED)


def test_replay_hooks_are_those_of_the_shipped_rules():
    from chipsim.learning.language import Delta, Log

    with pytest.raises(ConfigError, match="written by hand"):

        @cs.rule
        class Mine:
            """A replay of my own."""

            log = Log("spike")
            delta = Delta()

            def dw_replay_pre(delta):
                return -delta
