"""Rules as Lava strings: what the strings compute is what the hooks compute, and what does not fit is refused with its reason."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_kernels_equal import repeat

import chipsim as cs
from chipsim.errors import ConfigError
from chipsim.learning.language.lava_text import Formats, translate
from chipsim.learning.rules.rstdp import Rstdp
from chipsim.learning.rules.stdp_triplet import StdpTriplet

EXACT = {  # the functions of the language on fractions, without rounding
    "times": lambda a, b, fraction: a * b, "rshift": lambda v, s: Fraction(v) / 2**s, "abs": abs, "min": min, "max": max,
}  # fmt: skip


@cs.rule
class Pairs:
    """Pair STDP in the widths of Loihi."""

    x = cs.PreTrace(tau=20, bits=7, frac=0, impulse=16)
    y = cs.PostTrace(tau=20, bits=7, frac=0, impulse=16)

    def dw_on_post(x):
        return cs.rshift(x, 2)

    def dw_on_pre(y):
        return -cs.rshift(11 * y, 4)


@cs.rule
class Errors:
    """Three factors at active neurons, decay of the weights, a rule for the readout."""

    x = cs.PreTrace(bits=7, frac=4)
    psi, L = cs.Active(), cs.Learn("dfa", align="same")
    w = cs.Weight()
    most = cs.Const(0.6875, frac=4)  # 11/16: two products

    def dw_on_active(x, psi, L, most):
        kept = x * cs.times(psi, L)
        return -kept - cs.times(most, kept)

    def dw_on_epoch(w):
        return -cs.rshift(w, 3)

    def dw_on_readout(x, L):
        return -x * L


CASES = {
    "pairs": (Pairs, {"weight_frac": 0}, False), "errors": (Errors, {"signal_frac": 5}, False), "readout": (Errors, {}, True),
    "rstdp": (Rstdp, {"rate": -8}, False), "stdp-triplet": (StdpTriplet, {"rate": 5}, False),
}  # fmt: skip
WIDTH = {**dict.fromkeys(("x1", "x2", "y1", "y2", "y3"), 7), "w": 9, "t": 9}


def test_strings_as_they_are():
    assert Pairs.lava(weight_frac=0) == {"dw": "2^-2*y0*x1 - 5*2^-3*x0*y1 - 2^-4*x0*y1"}
    assert Rstdp.lava(rate=-6, weight_frac=0) == {
        "dw": "2^-5*u0*(y3-1)*t", "dt": "y0*x1 - 3*2^-2*x0*y1 - 5*2^-7*u0*t",
    }  # fmt: skip
    page = (Path(__file__).parent.parent / "docs" / "rules.md").read_text()
    assert f"Rstdp.lava(rate=-6, weight_frac=0)\n# {Rstdp.lava(rate=-6, weight_frac=0)}" in page
    assert Errors.lava(readout=True) == {"dw": "-u0*x1*(y3-64)"}


def values_of(draw_from) -> dict[str, int]:
    """Strategy of what Lava's variables hold."""
    return {v: st.integers(-256, 255) if v in "wt" else st.integers(0, draw_from) for v in WIDTH}


def asked(rule, target: str, variables, held: dict[str, int], met: dict[str, bool], formats: Formats, readout: bool) -> Fraction:
    """Return what the hooks change in steps of the target, on exact fractions; met: x0, y0, u0."""
    real = {v.means: Fraction(held[v.name] - v.offset, 1 << v.frac) for v in variables}
    known = {means[0]: value for means, value in real.items() if len(means) == 1}
    known |= {n: Fraction(f.stored, 1 << f.frac) for n, f in rule.fields.items() if isinstance(f, cs.Const)}
    for means, value in real.items():
        if len(means) == 2:
            known |= {means[0]: Fraction(3, 8), means[1]: value / Fraction(3, 8)}
    total = Fraction(0)
    for hook in rule.hooks:
        here = (hook.event == "on_readout") == readout and met[{"on_pre": "x0", "on_post": "y0"}.get(hook.event, "u0")]
        if here and hook.increment == (target == "dw"):
            result = rule.bound(hook, EXACT)(*(known[name] for name in hook.arguments))
            total += (
                result * 2 ** Fraction(formats.rate + formats.weight)
                if hook.increment
                else ((result - known[hook.target]) * 2 ** rule.fields[hook.target].frac)
            )
    return total


def computed(text: str, held: dict[str, int], met: dict[str, bool]) -> Fraction:
    """Return what a string says, with the shift of wide products."""
    total = Fraction(0)
    for product in re.findall(r"(?:^|[+-] ?)[^ ]+", text):
        number = "".join(product.split()).lstrip("+")
        factors = re.findall(r"[xy][1-3]|[wt]", number)
        shift = max(0, sum(WIDTH[f] for f in factors) + 4 - 15)
        number = re.sub(r"2\^(-?\d+)", r"two**\1", number)
        total += eval(number, {"two": Fraction(2), **held, **met}) / 2**shift  # noqa: S307
    return total


@pytest.mark.parametrize("case", CASES)
def test_strings_compute_what_the_hooks_do(case):
    rule, options, readout = CASES[case]
    formats = Formats(
        **{"rate": 0, "weight": options.get("weight_frac", 7), "signal": options.get("signal_frac", 6)}
        | ({"rate": options["rate"]} if "rate" in options else {})
    )
    strings, variables = translate(rule, formats, readout)
    assert strings == rule.lava(**options, readout=readout)
    seen = set()

    @repeat(300)
    @given(st.fixed_dictionaries(values_of(127)), st.booleans(), st.booleans())
    def compare(held, pre, post):
        met = {"x0": pre, "y0": post, "u0": True}
        for target, text in strings.items():
            wanted = asked(rule, target, variables, held, met, formats, readout)
            if target == "dt":
                wanted -= Fraction(5, 128) * held["t"]  # tau = 25: 1 - exp(-1/25) = 0.0392
            assert computed(text, held, met) == wanted
            seen.add(wanted)

    compare()
    assert len(seen) > 50


@pytest.mark.lava
@pytest.mark.parametrize("case", CASES)
def test_lava_computes_what_the_strings_say(case):
    """Lava's parser takes the strings, and its fixed-point model gives their sums, but for the bits that its shift cuts off."""
    import numpy as np
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
    from lava.magma.core.learning.learning_rule_applier import LearningRuleApplierBitApprox

    rule, options, readout = CASES[case]
    strings = rule.lava(**options, readout=readout)
    kind = Loihi2FLearningRule if "y3" not in str(strings) else Loihi3FLearningRule
    made, used = kind(**strings, x1_tau=20, x1_impulse=16, t_epoch=1), 0

    @repeat(300)
    @given(st.fixed_dictionaries(values_of(127)), st.booleans(), st.booleans())
    def compare(held, pre, post):
        nonlocal used
        met = {"x0": pre, "y0": post, "u0": True}
        for target, text in strings.items():
            series = getattr(made, target)
            sizes = [abs(p.s_mantissa) * Fraction(2) ** (p.s_exp - 7) for p in series.products]
            parts = [abs(computed(part, held, met)) for part in re.split(r" [+-] ", text)]
            if sum(parts) >= 255:
                continue  # the accumulator saturates
            used += 1
            arrays = {f"{v}_{d}": np.array([[held[v]]]) for v in WIDTH for d in ("x0", "y0", "u")}
            given_ = {"shape": (1, 1), "x0": np.array([[int(pre)]]), "y0": np.array([[int(post)]]), "u": 1}
            words = {"weights": np.array([[held["w"]]]), "tag_1": np.array([[held["t"]]]), "tag_2": np.array([[0]])}
            result = LearningRuleApplierBitApprox(series).apply(np.array([[0]]), **given_, **words, **arrays)
            cut = sum(size for size in sizes)  # less than one unit of a product that is shifted
            assert abs(Fraction(int(result[0, 0]), 128) - computed(text, held, met)) < cut

    compare()
    assert used > 50


HEAD = '''import chipsim as cs

@cs.rule
class R:
    """Refused."""
    x, y = cs.PreTrace(bits=7, frac=0, impulse=9), cs.PostTrace(bits=7, frac=0, impulse=9)
'''
PAIR = "    def dw_on_post(x, y):\n        return x - y\n"
REFUSED = {  # what follows HEAD -> words of the message
    "condition": ("    def dw_on_pre(x, y):\n        return x if y > 3 else y\n", ("dw_on_pre, line 7", "x if y > 3 else y'", "no branches")),
    "number as condition": ("    def dw_on_pre(x, y):\n        return x if y else y\n", ("no branches",)),
    "function": ("    def dw_on_pre(x, y):\n        return min(x, 3) - y\n", ("min(x, 3)", "it holds min", "sum of products")),
    "width": ("    z = cs.PreTrace()\n" + PAIR + "    def dw_on_pre(z):\n        return -z\n", ("field z = '12 bits'", "bits=7")),
    "tag width": ("    e = cs.SynState()\n    def e_on_pre(e, y):\n        return e * 0\n    def dw_on_post(e, x):\n        return e * x\n", ("field e = '16 bits'", "bits=9")),
    "too many traces": (
        "    p, q = cs.PreTrace(bits=7, frac=0), cs.PreTrace(bits=7, frac=0)\n" + PAIR + "    def dw_on_pre(p, q):\n        return p * q\n",
        ("field q = 'one too many'", "x1 and x2"),
    ),
    "coefficient": (PAIR.replace("x -", "1111 * x -"), ("'1111 * x'", "142208", "at most 3 numbers m 2^e")),
    "no factor that is 0 elsewhere": (PAIR + "    psi, L = cs.Active(), cs.Learn('label')\n    def dw_on_active(x, psi, L):\n        return x * L + x * cs.times(psi, L)\n", ("on_active must hold a factor that is 0 where the neuron is not active", "'1 * L * x'")),
    "alignment": (PAIR + "    psi, L = cs.Active(), cs.Learn('dfa')\n    def dw_on_active(x, psi, L):\n        return -x * psi * L\n", ("field L", "align = next", 'align="same"')),
    "time constant without number": ("    e = cs.SynState(bits=9, frac=0, tau='post')\n    def e_on_pre(e, y):\n        return e - y\n    def dw_on_post(e, x):\n        return e * x\n", ("field e", "post", "give tau in steps")),
    "constant of the neuron": ("    n = cs.Neuron('jump')\n    def dw_on_pre(x, n):\n        return x * n\n    def dw_on_post(y):\n        return y\n", ("field n = 'Neuron'", "use a cs.Const")),
    "two stages": ("    z = cs.PreTrace(tau=5, tau_syn=3, bits=7, frac=0)\n" + PAIR + "    def dw_on_pre(z):\n        return -z\n", ("field z = 'tau_syn = 3'", "leave tau_syn out")),
    "slow tag": ("    e = cs.SynState(bits=9, frac=0, tau=2000)\n    def e_on_pre(e, y):\n        return e - y\n    def dw_on_post(e, x):\n        return e * x\n", ("tau = 2000", "at most 127")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_reason(case, tmp_path):
    from chipsim.learning.language.load import load_rule

    text, words = REFUSED[case]
    file = tmp_path / "r.py"
    file.write_text(HEAD + text)
    rule = load_rule(f"{file}:R")
    with pytest.raises(ConfigError) as error:
        rule.lava()
    for word in (*words, 'rule "r", as Lava strings'):
        assert word in str(error.value)


def test_everything_that_does_not_fit_at_once():
    from chipsim.learning.rules.stdp import RULE

    with pytest.raises(ConfigError) as error:
        RULE.lava()
    assert [p.key for p in error.value.problems] == ["field x", "field y", "dw_on_post, line 25", "dw_on_pre, line 28"]
    with pytest.raises(ConfigError, match="there is no dw_<event> for the readout"):
        Pairs.lava(readout=True)
