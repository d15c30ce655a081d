"""Online rules in fixed point: the generated kernels against tests/reference/refonline.py, bit for bit, counts included."""

from __future__ import annotations

from collections import Counter

import bridge
import pytest
import rulebridge
from chipdraws import JIT, few
from hypothesis import given
from hypothesis import strategies as st
from test_kernels_equal import Extremes, cases, repeat

from chipsim.learning import RULES, is_dense, is_online

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("error::RuntimeWarning")]

ONLINE = [name for name in RULES if is_online(name) and not is_dense(name)]
SIGNALS = ("sym", "sym-trace", "fa", "dfa", "sdfa", "label", "local", "none")


@st.composite
def online_cases(draw, rule, signal=None):
    """Return a case of test_kernels_equal under an online rule, with a signal, or any it can have."""
    case = draw(cases())
    sharpness = st.none() if rule == "ssgd-deferred" else st.sampled_from([None, 1, 3, 10])
    learning = {"rule": rule, "regularisers": None, "sharpness": draw(sharpness)}
    learning["error_threshold"] = draw(st.sampled_from([0.0, 0.0, 0.01]))
    if signal:
        learning |= {"signal": signal, "align": draw(st.sampled_from(["next", "same"]))}
    elif rulebridge.exchangeable(rule) and draw(st.booleans()):
        learning |= {"signal": draw(st.sampled_from(SIGNALS)), "align": draw(st.sampled_from(["next", "same"]))}
    case.network = case.network.but(learning={**case.network.learning.model_dump(), **learning})
    form = case.image().formats
    case.shifts = [draw(st.sampled_from([0, 0, 1, 2, 3, 5, 8, 12, 20])) - form.write_shift(k, 0) for k in range(len(case.shifts))]
    return case


def differences(seen, result) -> dict:
    """Return in what the kernels and the reference differ."""
    names = ("spikes", "v", "scores", "prediction", "gradients", "weights")
    off = {name: (getattr(seen, name), getattr(result, name)) for name in names if getattr(seen, name) != getattr(result, name)}
    counts = bridge.unequal(seen.counters, result.counters)
    return off | {"counters": counts} if counts else off


@pytest.mark.parametrize(("rule", "signal"), [*((rule, None) for rule in ONLINE), *(("ssgd-online", s) for s in SIGNALS)])
def test_equal_to_the_reference_bit_for_bit(rule, signal):
    extremes, events = Extremes(), Counter()

    @repeat(few(40))
    @given(online_cases(rule, signal))
    def compare(case):
        image = case.image()
        reference = rulebridge.reference(image, case.shifts, case.seed)
        kernels = bridge.Kernels(image, case.shifts, case.seed)
        extremes.watch(reference)
        for sample in case.samples:
            seen = kernels.run(*sample)
            assert differences(seen, reference.run(*sample)) == {}
            for (_, _, event, _, _), n in seen.counters.items():
                events[event] += n

    compare()
    print(rule, extremes.seen, dict(events))
    assert not JIT or (events["writes"] > 0 and events["trace_updates"] > 0)
