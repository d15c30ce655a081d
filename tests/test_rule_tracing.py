"""Tracing against runs: hooks drawn at random are interpreted, watched and traced, and agree; compiled ones too."""

from __future__ import annotations

from collections import Counter

import bridge  # noqa: F401 - puts tests/reference on the path
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refnumbers import rescale
from refrules import FUNCTIONS
from test_kernels_equal import repeat

from chipsim.errors import ConfigError
from chipsim.learning.language.load import load_rule, module_of

HEAD = '''import chipsim as cs

@cs.rule
class R:
    """Drawn at random."""
    x = cs.PreTrace(bits=9, frac=3)
    y = cs.PostTrace(bits=8, frac=0)
    e = cs.SynState(bits=10, frac=0)
    k = cs.Const(-37, frac=0)

    def e_on_pre(e, y):
        return e + y

    def dw_on_pre(x, y, e, k):
'''
LEAVES = st.sampled_from(["y", "e", "k", "y", "e", "0", "1", "-3", "7"])


def extended(part):
    """Return larger expressions made of `part`."""
    pair = st.tuples(part, part)
    compared = st.builds(lambda p, o: f"({p[0]} {o} {p[1]})", pair, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
    both = st.builds(lambda a, b, o: f"({a} {o} {b})", compared, compared, st.sampled_from(["and", "or"]))
    condition = st.one_of(compared, compared, both,
                          compared.map(lambda c: f"(not {c})"), st.sampled_from(["y", "e"]))  # fmt: skip
    return st.one_of(
        st.builds(lambda p, o: f"({p[0]} {o} {p[1]})", pair, st.sampled_from("++--*")),
        part.map(lambda a: f"(-{a})"), part.map(lambda a: f"abs({a})"), part.map(lambda a: f"cs.sgn({a})"),
        pair.map(lambda p: f"min({p[0]}, {p[1]})"), pair.map(lambda p: f"max({p[0]}, {p[1]})"),
        st.builds(lambda a, s: f"cs.rshift({a}, {s})", part, st.integers(0, 6)), part.map(lambda a: f"cs.times(x, {a})"),
        part.map(lambda a: f"cs.clip({a}, -20, 50)"),
        st.builds(lambda c, p: f"cs.where({c}, {p[0]}, {p[1]})", compared, pair),
        st.builds(lambda c, p: f"({p[0]} if {c} else {p[1]})", condition, pair),
    )  # fmt: skip


PARTS = st.recursive(LEAVES, extended, max_leaves=7)
BRANCHES = st.builds(lambda a, b, c, d: f"{a} if {b} < {c} else {d}", PARTS, LEAVES, LEAVES, PARTS)
EXPRESSIONS = st.one_of(PARTS, BRANCHES)


class Watched:
    """An integer that counts what is done with it and remembers the widest value: shares no code with the package's tracing."""

    seen, widest = Counter(), 0

    def __init__(self, value):
        self.value = plain(value)
        Watched.widest = max(Watched.widest, (self.value if self.value >= 0 else ~self.value).bit_length() + 1)

    def __bool__(self):
        Watched.seen["compare"] += 1
        return self.value != 0


def plain(value) -> int:
    return value.value if isinstance(value, Watched) else int(value)


def watched(kinds, function):
    """Return a function or operator on watched numbers that counts `kinds`."""

    def call(*arguments):
        Watched.seen.update(kinds)
        for a in arguments:
            Watched(a)
        found = function(*map(plain, arguments))
        return found if isinstance(found, bool) else Watched(found)

    return call


for kind, names in {
    "multiply": "mul rmul", "add": "add radd sub rsub neg", "select": "abs", "compare": "lt le gt ge eq ne",
}.items():  # fmt: skip
    for name in names.split():
        setattr(Watched, f"__{name}__", watched([kind], getattr(int, f"__{name}__")))


def times(a, b, fraction):
    """Product and shift, one after the other."""
    return watched(["shift"], rescale)(watched(["multiply"], int.__mul__)(a, b), fraction)


WATCHED = {
    "times": times, "rshift": watched(["shift"], rescale), "abs": watched(["select"], abs), "min": watched(["compare", "select"], min),
    "max": watched(["compare", "select"], max), "where": lambda c, a, b: watched(["select"], lambda p, q: p if c else q)(a, b),
    "clip": watched(["compare", "select"] * 2, FUNCTIONS["clip"]), "sgn": watched(["compare", "compare", "select"], FUNCTIONS["sgn"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn_rules(tmp_path_factory):
    """Return a function: expression -> rule, or None where an intermediate is too wide."""
    folder, number = tmp_path_factory.mktemp("drawn"), iter(range(10**6))

    def make(text):
        file = folder / f"r{next(number)}.py"
        file.write_text(HEAD + f"        return {text}\n")
        try:
            return load_rule(f"{file}:R")
        except ConfigError as error:
            assert "at most 62 bits" in str(error) or "256 ways" in str(error), error
            return None

    return make


def inputs(rule):
    """Strategy of arguments within their formats, ends and 0 more often."""
    ranges = [rule.range_of(name) for name in rule.hooks[-1].arguments]
    return st.tuples(
        *(st.one_of(st.sampled_from([r.lo, r.hi, min(max(0, r.lo), r.hi)]), st.integers(r.lo, r.hi)) for r in ranges)
    )


def test_traced_interpreted_and_watched_agree(drawn_rules):
    facts = Counter()

    @repeat(300)
    @given(EXPRESSIONS, st.data())
    def compare(text, data):
        rule = drawn_rules(text)
        if rule is None:
            return
        hook = rule.hooks[-1]
        found, reference, observed = rule.count(hook), rule.bound(hook, FUNCTIONS), rule.bound(hook, WATCHED)
        facts["branches"] += any(low < high for low, high in found.operations.values())
        for _ in range(12):
            values = data.draw(inputs(rule))
            outcome = reference(*values)
            assert found.lo <= outcome <= found.hi
            Watched.seen.clear()
            Watched.widest = 0
            assert plain(observed(*map(Watched, values))) == outcome
            assert Watched.widest <= found.widest <= 62
            for kind in {*found.operations, *Watched.seen}:
                low, high = found.operations.get(kind, (0, 0))
                assert low <= Watched.seen[kind] <= high, kind
                facts[kind] += low == high > 0
            facts["at an end"] += outcome in (found.lo, found.hi)
            facts["widest met"] += Watched.widest == found.widest

    compare()
    print(facts)
    assert all(facts[kind] > 100 for kind in ("multiply", "add", "shift", "compare", "select", "at an end", "widest met"))
    assert facts["branches"] > 15


def test_by_hand_a_hook_is_an_ordinary_function(drawn_rules):
    rule = drawn_rules("cs.rshift(y, 1) + cs.times(x, e) if k < 0 else cs.clip(y, 0, 3)")
    hook = rule.hooks[-1]
    assert hook.function(0.5, 3.0, 4.0, -1.0) == 3.5
    assert hook.function(0.5, 9.0, 4.0, 1.0) == 3


WRITTEN = (  # every function and every way to branch
    "cs.rshift(y * e, 3) - cs.times(x, e)", "cs.where(e < k, y, 3) * abs(e)", "cs.clip(e, -20, y) + cs.sgn(e - k)", "min(e, y) - max(3, k)",
    "(y if e else k) * 2", "e if (y > 3 and e != 7) or not (k < e) else -y", "cs.rshift(-e, 0) * y * (k - 1)",
    "cs.sgn(y) * e if 3 <= y < 9 else cs.where(e == 0, 1, e)",
)  # fmt: skip


def test_compiled_equals_interpreted(drawn_rules, tmp_path):
    """Each hook compiled as the engine does it, from its own source in a file."""
    rules = [drawn_rules(text) for text in WRITTEN]
    lines = [
        "from chipsim.kernels._jit import inner, kernel",
        "from chipsim.learning.online.functions import clip, rshift, sgn, times, where",
    ]
    for n, rule in enumerate(rules):
        lines.append("@inner\n" + rule.source_of(rule.hooks[-1]).replace("def dw_on_pre", f"def hook{n}"))
        lines.append(f"@kernel\ndef run{n}(x, y, e, k):\n    return hook{n}(x, y, e, k)")
    file = tmp_path / "compiled_hooks.py"
    file.write_text("\n\n\n".join(lines))
    module = module_of(file)

    @repeat(300)
    @given(inputs(rules[0]))
    def compare(values):
        for n, rule in enumerate(rules):
            assert getattr(module, f"run{n}")(*values) == rule.bound(rule.hooks[-1], FUNCTIONS)(*values), WRITTEN[n]

    compare()
