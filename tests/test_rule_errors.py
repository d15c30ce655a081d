"""What is refused when a rule is defined or named: file, line and reason, all problems at once, exit code 2."""

from __future__ import annotations

import pytest

import chipsim as cs
from chipsim.cli.app import main
from chipsim.errors import ConfigError
from chipsim.learning.language.load import load_rule
from chipsim.training.learner import Learner

HEAD = 'import chipsim as cs\n\n@cs.rule\nclass R:\n    """What it does."""\n    x = cs.PreTrace()\n    psi, L = cs.Active(), cs.Learn("dfa")\n'
GOOD = "    def dw_on_active(x, psi, L):\n        return -x * cs.times(psi, L)\n"
CASES = {  # what is written instead of GOOD -> words of the message
    "unknown argument": ("    def dw_on_active(x, psi, L, z):\n        return x * psi * L * z\n", ("line 8", "'z'", "no such field", "x, psi, L")),
    "self": ("    def dw_on_active(self, x, psi, L):\n        return x * psi * L\n", ("'self'", "takes no self")),
    "undeclared target": ("    def tag_on_pre(x):\n        return x\n" + GOOD, ("tag_on_pre", "tag is no synapse state", "none")),
    "no event": ("    def dw_on_spike(x):\n        return x\n" + GOOD, ("dw_on_spike", "dw_<event>", "on_active")),
    "signal where there is none": (GOOD + "    def dw_on_pre(L):\n        return L\n", ("dw_on_pre", "'L'", "at on_pre there is none")),
    "reward before the end": ("    R = cs.Reward()\n" + GOOD + "    def dw_on_post(x, R):\n        return x * R\n", ("Reward", "on_sample_end")),
    "weight of another": (GOOD.replace("-x", "-x * w[0]"), ("Subscript", "line 9", "not arrays")),
    "global": (GOOD.replace("-x", "-x * RATE"), ("'RATE'", "sees its arguments only", "cs.Const")),
    "loop": ("    def dw_on_active(x, psi, L):\n        for i in range(3):\n            x = x * 2\n        return x * psi * L\n", ("For", "no loops", "line 9")),
    "division": (GOOD.replace("-x", "-x / 2"), ("Div", "cs.rshift")),
    "decimals": (GOOD.replace("-x", "-x * 0.5"), ("0.5", "cs.Const")),
    "attribute": (GOOD.replace("-x", "-x.real"), ("x.real", "not objects")),
    "call": (GOOD.replace("-x", "-print(x)"), ("'print'", "a hook can call")),
    "arguments of a call": (GOOD.replace("cs.times(psi, L)", "cs.times(psi)"), ("times takes 2 arguments",)),
    "keyword": (GOOD.replace("cs.times(psi, L)", "cs.times(a=psi, b=L)"), ("by position",)),
    "shift that is no number": (GOOD.replace("-x", "-cs.rshift(x, x)"), ("whole number from 0 to 31",)),
    "times of an expression": (GOOD.replace("times(psi, L)", "times(psi + psi, L)"), ("by its name",)),
    "times of a signal": (GOOD.replace("times(psi, L)", "times(L, psi)"), ("differ by projection",)),
    "default": (GOOD.replace("psi, L):", "psi, L=1):"), ("names of fields, nothing else",)),
    "star": (GOOD.replace("psi, L):", "psi, L, *more):"), ("names of fields, nothing else",)),
    "formats": ("    def dw_on_active(x, psi, L):\n        return x + L + psi * 0\n", ("8 and 10 fraction bits", "cs.times")),
    "number in a sum": ("    def dw_on_active(x, psi, L):\n        return (x + 3) * psi * L\n", ("the number 3", "cs.Const")),
    "too wide": ("    def dw_on_active(x, psi, L):\n        return x * x * x * x * psi * L\n", ("at most 62 bits", "narrower fields")),
    "state of another format": ("    e = cs.SynState(frac=3)\n    def e_on_active(e, x, psi):\n        return x * psi\n    def dw_on_error(e, L):\n        return e * L\n", ("16 fraction bits, but e has 3",)),
    "state that nobody sets": ("    e = cs.SynState()\n" + GOOD + "    def dw_on_error(e, L):\n        return e * L\n", ("no hook sets it",)),
    "field that nobody reads": ("    y = cs.PostTrace()\n" + GOOD, ("field y", "no hook reads it")),
    "nothing learned": ("    e = cs.SynState()\n    def e_on_active(e, x, psi, L):\n        return e\n", ("at least one dw_<event>",)),
    "two signals": ("    M = cs.Learn('label')\n" + GOOD + "    def dw_on_error(x, M):\n        return x * M\n", ("L, M", "one of these at most")),
    "plain number": ("    k = 3\n" + GOOD, ("k = 3", "cs.Const")),
    "bits": ("    y = cs.PostTrace(bits=99, tau=-1, frac=-1, impulse=0, rounding='up')\n" + GOOD, ("bits = 99", "tau = -1", "frac = -1", "impulse = 0", "'up'")),
    "impulse": ("    y = cs.PostTrace(bits=4, frac=4)\n" + GOOD, ("impulse = 1.0", "from 0.0625 to")),
    "source": ("    M = cs.Learn('magic', align='later')\n" + GOOD, ("'magic'", "'later'", "sym, sym-trace")),
    "align": ("    M = cs.Learn('sym')\n" + GOOD, ("says which step", "next")),
    "constant": ("    c = cs.Const(0.001, frac=2)\n" + GOOD, ("it would be 0",)),
    "epoch": ("    epoch = 0\n" + GOOD, ("epoch = 0", "from 1 to 4096")),
    "rate": ("    rate = -1\n" + GOOD, ("rate = -1", "above 0")),
    "branch on a comparison's worth": (GOOD.replace("-x", "-x * (x > 0)"), ("outcome of a comparison is no number", "cs.where")),
    "where without comparison": (GOOD.replace("-x", "cs.where(x, x, -x)"), ("first argument of where is a comparison",)),
    "nothing returned": (GOOD.replace("return", "if x > x:\n            return"), ("returns nothing",)),
    "local before it is set": (GOOD.replace("return -x", "if x > x:\n            a = x\n        return a"), ("on some way through it", "'a'")),
    "assignment to a field": (GOOD.replace("return", "psi = x\n        return"), ("line 9", "'psi'", "a name of its own")),
    "in-place": (GOOD.replace("return", "a = x\n        a += x\n        return"), ("AugAssign", "a = a + b")),
    "function within": (GOOD.replace("return", "def inner(a):\n            return a\n        return"), ("FunctionDef", "one function")),
    "number on one way only": ("    half = cs.Const(0.5, frac=8)\n    def dw_on_active(x, psi, L, half):\n        return 1 if x > half else x * cs.times(psi, L)\n", ("returns the number 1", "on another one with 18", "cs.Const")),
    "number as a state": ("    e = cs.SynState(frac=3)\n    def e_on_active(e):\n        return 1\n    def dw_on_error(e, L):\n        return e * L\n", ("no fraction bits, but e has 3", "cs.Const in place")),
    "weight of another core": (GOOD.replace("-x", "-w_of_core_3 * x"), ("'w_of_core_3'", "what another core or synapse holds is not there")),
    "nothing but a text": (GOOD + '    def dw_on_pre(x):\n        """Later."""\n', ("dw_on_pre, line 10", "it has no statement")),
    "string": (GOOD.replace("-x", "'x'"), ("'x'", "a number in a hook is whole")),
    "function of another": (GOOD.replace("cs.times", "math.times"), ("math.times", "not the times of the language", "cs.times")),
    "method of a number": (GOOD.replace("-x", "x.max(x, x)"), ("x.max", "not the max of the language", "write max")),
    "shift by True": (GOOD.replace("-x", "cs.rshift(x, True)"), ("whole number from 0 to 31",)),
    "psi of an error": (GOOD + "    def dw_on_error(psi, L):\n        return psi * L\n", ("'psi'", "at on_error there is none", "use on_active")),
    "psi of the readout": (GOOD + "    def dw_on_readout(x, psi, L):\n        return x * cs.times(psi, L)\n", ("at on_readout there is none",)),
    "state of the readout": ("    e = cs.SynState()\n    def e_on_active(e, x):\n        return e + x\n" + GOOD + "    def dw_on_readout(e, L):\n        return e * L\n", ("'e'", "keep no state")),
    "state that only its own hook reads": ("    e = cs.SynState()\n    def e_on_active(e, x):\n        return e + x\n" + GOOD, ("field e", "but for those that set it")),
    "field with a name of the language": ("    clip = cs.PostTrace()\n" + GOOD, ("field clip", "uses this name itself")),
    "state called dw": ("    dw = cs.SynState()\n" + GOOD, ("field dw", "uses this name itself")),
    "name": ("    name = 'My/Rule'\n" + GOOD, ("My/Rule", "small letters, digits")),
    "time of a current": ("    z = cs.PreTrace(tau_syn='own')\n" + GOOD, ("field z", "tau_syn", "'own'", 'or "post"')),
    "constant of no neuron": ("    n = cs.Neuron('leak')\n" + GOOD, ("field n", "'leak'", "jump, jump/rho")),
    "constant of the readout": ("    n = cs.Neuron()\n" + GOOD + "    def dw_on_readout(x, n):\n        return x * n\n", ("'n'", "cannot see a Neuron")),
    "adaptation of a trace": ("    z = cs.PreTrace(tau='adaptation')\n" + GOOD, ("field z", "'adaptation'", "or one of post")),
    "lambda": ("    dw_on_pre = lambda x: x\n" + GOOD, ("dw_on_pre", "written with def")),
    "coroutine": ("    async def dw_on_pre(x):\n        return x\n" + GOOD, ("AsyncFunctionDef", "plain function")),
    "decorator": ("    @staticmethod\n" + GOOD, ("staticmethod", "made of fields")),
    "syntax": ("    def dw_on_active(x psi):\n", ("line 8", "dw_on_active(x psi)")),
    "failing import": ("import nothing_of_that_name\n", ("ModuleNotFoundError", "running it failed")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused_with_reason(case, tmp_path):
    text, words = CASES[case]
    file = tmp_path / "r.py"
    file.write_text(text + HEAD if case == "failing import" else HEAD + text)
    with pytest.raises(ConfigError) as error:
        load_rule(f"{file}:R")
    for word in (*words, "r.py"):
        assert word in str(error.value)


def test_all_problems_at_once(tmp_path):
    file = tmp_path / "r.py"
    file.write_text(
        HEAD
        + "    def dw_on_active(x, psi, L, z):\n        return x / 2 * 0.5 * w\n    def dw_on_pre(psi):\n        return psi\n"
    )
    with pytest.raises(ConfigError) as error:
        load_rule(f"{file}:R")
    assert len(error.value.problems) == 5


def test_all_problems_of_all_kinds_at_once(tmp_path):
    """A target that is not declared, an argument that is none, a weight of another core, too wide a product, a trace at the readout."""
    file = tmp_path / "r.py"
    file.write_text(
        HEAD
        + "    y = cs.PostTrace()\n    def tag_on_pre(x):\n        return x\n    def dw_on_active(x, psi, L, z):\n        return x * w_of_core_3\n"
        + "    def dw_on_pre(x):\n        return x * x * x * x * x * x\n    def dw_on_readout(y, L):\n        return y * L\n"
    )
    with pytest.raises(ConfigError) as error:
        load_rule(f"{file}:R")
    words = ("tag is no synapse state", "'z'", "'w_of_core_3'", "at most 62 bits", "'y'")
    assert len(error.value.problems) == 5 and all(word in str(error.value) for word in words)


@pytest.mark.parametrize("rule", ["delta", "stdp", "sdsp"])
def test_a_signal_that_no_hidden_neuron_reads_is_not_exchanged(rule):
    network = cs.load_model("digits", {"learning.rule": rule, "learning.signal": "dfa"})
    with pytest.raises(ConfigError, match="no learning signal for hidden neurons"):
        cs.compile_network(network, None)


def test_source_that_cannot_be_read():
    scope = {"__name__": "__main__"}
    with pytest.raises(ConfigError, match="source cannot be read: define the rule in a file"):
        exec(HEAD + GOOD, scope)


def test_a_rule_inherits_fields_and_hooks(tmp_path):
    file = tmp_path / "r.py"
    more = '@cs.rule\nclass Narrow(R):\n    """The same in fewer bits."""\n    x = cs.PreTrace(bits=7, frac=4)\n    def dw_on_readout(x, L):\n        return -x * L\n'
    file.write_text(HEAD + GOOD + "\n\n" + more)
    narrow, wide = load_rule(f"{file}:Narrow"), load_rule(f"{file}:R")
    assert [hook.name for hook in narrow.hooks] == ["dw_on_active", "dw_on_readout"] and len(wide.hooks) == 1
    assert (narrow.name, narrow.fields["x"].bits, wide.fields["x"].bits) == ("narrow", 7, 12)
    assert narrow.count(narrow.hooks[0]).widest < wide.count(wide.hooks[0]).widest


def test_a_number_steers_a_hook_as_a_comparison_with_zero(tmp_path):
    file = tmp_path / "r.py"
    file.write_text(HEAD + "    def dw_on_active(x, psi, L):\n        return x * cs.times(psi, L) if L else x * L\n")
    rule = load_rule(f"{file}:R")
    counted = rule.count(rule.hooks[0])
    assert counted.operations == {"multiply": (1, 2), "shift": (0, 1), "compare": (1, 1)}


def test_what_is_right_is_taken(tmp_path):
    file = tmp_path / "r.py"
    file.write_text(HEAD + GOOD)
    assert load_rule(f"{file}:R").name == "r"


@pytest.mark.parametrize(("name", "words"), [
    ("nothing", ("--rule", "'nothing'", "ssgd-replay")), ("none.py:R", ("none.py", "no such file")), ("{file}:Q", ("'Q'", "There is: R")),
    ("{file}", ("known", "FILE.py:CLASS")),
])  # fmt: skip
def test_command_line_names_the_rule(name, words, tmp_path, capsys):
    file = tmp_path / "r.py"
    file.write_text(HEAD + GOOD)
    for command in (
        ["train", "--rule", name.format(file=file), "--out", str(tmp_path / "run")],
        ["rules", name.format(file=file)],
    ):
        assert main(command) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert all(word.replace("--rule", "rule") in said for word in words) and "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_options_that_a_rule_cannot_follow():
    net = cs.load_model("digits")

    def with_learning(**options):
        return net.but(learning={**net.learning.model_dump(), **options})

    with pytest.raises(ConfigError, match="regularisers.*known after it"):
        cs.compile_network(with_learning(rule="eprop", regularisers={}), None)
    with pytest.raises(ConfigError) as error:
        cs.compile_network(with_learning(signal="dfa", sharpness=3, error_threshold=0.1), None)
    assert [p.key for p in error.value.problems] == ["learning.signal", "learning.error_threshold", "learning.sharpness"]
    with pytest.raises(ConfigError, match=r"learning\.rule = 'x'.*known: ssgd-replay"):
        cs.compile_network(with_learning(rule="x"), None)


def test_networks_that_online_rules_do_not_train():
    """Delays, convolutions and neurons without an adjoint: refused by name, all at once; everything else is trained."""
    table = dict(
        steps=5, learning={"rule": "eprop"},
        population=[{"name": "in", "neuron": "input", "shape": [3, 3, 1]}, {"name": "a", "neuron": "refractory-lif", "shape": [1, 1, 4], "dv": 100, "period": 2},
                    {"name": "out", "neuron": "leaky-readout", "size": 2, "tau_ms": 5.0}],
        projection=[{"pre": "in", "post": "a", "kind": "conv", "kernel": [3, 3]}, {"pre": "a", "post": "a", "delay": 2}, {"pre": "a", "post": "out"}],
    )  # fmt: skip
    with pytest.raises(ConfigError) as error:
        cs.compile_network(cs.Network(**table), None)
    assert [p.key for p in error.value.problems] == ["population.a.neuron", "projection.0.kind", "projection.1.delay"]
    assert "a kernel is shared" in str(error.value) and "acts in the next step" in str(error.value)
    table["population"][1] = {"name": "a", "neuron": "adaptive-lif", "size": 4, "tau_ms": 5.0, "tau_adapt_ms": 9.0}
    ring = {"pre": "a", "post": "a"}
    table["projection"] = [{"pre": "in", "post": "a", "kind": "sparse", "density": 0.9}, ring, {"pre": "a", "post": "out"}]
    cs.compile_network(cs.Network(**table), None)


@pytest.mark.parametrize(("tau", "jump", "text"), [(0.1, 0.1, "inf"), (1.0, 900.0, "at most 63.999 fits 16 bits")])
def test_a_jump_that_does_not_fit_its_field_is_refused(tau, jump, text):
    """e-prop reads the jump divided by what the adaptation keeps per step."""
    own = {"name": "a", "neuron": "adaptive-lif", "size": 4, "tau_ms": 5.0, "tau_adapt_ms": tau, "jump": jump}
    ends = [
        {"name": "in", "neuron": "input", "size": 3},
        own,
        {"name": "out", "neuron": "leaky-readout", "size": 2, "tau_ms": 5.0},
    ]
    ways = [{"pre": "in", "post": "a"}, {"pre": "a", "post": "out"}]
    image = cs.compile_network(cs.Network(steps=5, population=ends, projection=ways, learning={"rule": "eprop"}), None)
    with pytest.raises(ConfigError, match="field jump .jump/rho of population 1") as error:
        Learner(image)
    assert text in str(error.value)


def test_online_rules_do_not_write_in_place():
    net = cs.load_model("digits", {"learning.rule": "eprop", "learning.apply": "inplace"})
    with pytest.raises(ConfigError, match=r"learning\.apply = 'inplace'.*accumulates over the sample"):
        cs.compile_network(net, None)


@pytest.mark.parametrize(("rule", "signal"), [("ssgd-online", "deferred"), ("ssgd-deferred", "dfa")])
def test_deferred_errors_are_not_exchanged(rule, signal):
    network = cs.ssgd_network(6, (5,), 3, steps=8, readout="sum", surrogate="box", half_width=0.5)
    network = network.but(learning={**network.learning.model_dump(), "rule": rule, "signal": signal})
    with pytest.raises(ConfigError, match="learning.signal = .*ssgd-deferred"):
        cs.compile_network(network, None)
