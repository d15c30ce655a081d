"""The memory of every core in bits by kind, by hand from docs/neurons.md section 6; and what is one too large."""

from __future__ import annotations

import re

import bridge
import numpy as np
import pytest

import chipsim as cs
from chipsim.cli import main
from chipsim.compiler import compile_network, memory_summary
from chipsim.errors import CapacityError

KINDS = ("synapses", "axons_in", "axons_out", "compartments", "delay_lines")
SOURCE = 'unit = "count", basis = "assumed", source = "a test"'


def network(population, projection=None, cores=None):
    placement = {"strategy": "manual", "cores": cores} if cores else {}
    return cs.Network(steps=10, population=population, projection=projection, placement=placement)


def p(name, neuron, size=None, **more):
    return {"name": name, "neuron": neuron, **({} if size is None else {"size": size}), **more}


def row(synapses, axons_in, axons_out, compartments, delay_lines=0):
    return dict(zip(KINDS, (synapses, axons_in, axons_out, compartments, delay_lines), strict=True))


def learns(gradient_accumulators, error_state, loss=0):
    """8192 words x 32 bits of logs on every core."""
    return {"logs": 262144, "gradient_accumulators": gradient_accumulators, "error_state": error_state, "loss": loss}


def chain():
    """(a) 20 -> 29 -> 12 -> 5 on loihi1-ssgd: weights 8 bits, words 64, headers 10, axons 20, compartments 48."""
    sizes = [p("in", "input", 20), p("a", "delta-lif", 29, tau_ms=9.0), p("b", "delta-lif", 12, tau_ms=9.0)]
    made = network([*sizes, p("out", "leaky-readout", 5, tau_ms=9.0)], cores={"a": [3, 7], "b": [7], "out": [1]})
    return made, cs.load_chip("loihi1-ssgd"), True


CHAIN = {
    3: {  # neurons 0 to 14 of a
        "synapses": 3840,  # 20 axons x ceil((15 x 8 + 10) / 64) = 20 x 3 words x 64 bits
        "axons_in": 400,  # 20 x 20 bits
        "axons_out": 300,  # 15 neurons x 1 axon (b is in one piece) x 20
        "compartments": 720,  # 15 x 48
        "delay_lines": 0,
        "logs": 262144,  # 8192 words x 32
        "gradient_accumulators": 7200,  # 20 x 15 synapses x 24
        "error_state": 720,  # 15 x (16 of delta + 32 of the partial error)
        "loss": 0,
    },
    # neurons 15 to 28 of a: 20 x ceil((14 x 8 + 10) / 64) = 20 x 2 words; b: 29 x ceil((12 x 8 + 10) / 64) = 29 x 2;
    # 98 x 64; (20 + 29) x 20; (14 + 12) x 20; 26 x 48; one log memory; (20 x 14 + 29 x 12) x 24; 26 x 48
    7: row(6272, 980, 520, 1248) | learns(15072, 1248),
    # out: 12 x ceil((5 x 8 + 10) / 64) = 12 x 1 x 64; 12 x 20; 5 x 48; 12 x 5 x 24; 5 x (16 + 16: delta, injected);
    # loss: table of 256 x 16, score and error of 5 classes: 5 x (32 + 16)
    1: row(768, 240, 0, 240) | learns(1440, 160, loss=4336),
}

GAPS = {  # targets of neuron i of 40: gaps -> bits of the largest
    0: [0, 1, 2, 3, 4, 5],  # 0 0 0 0 0 0 -> 0
    1: [0, 2, 3, 4, 5, 6],  # 0 1 0 0 0 0 -> 1
    2: [0, 1, 2, 34],  # 0 0 0 31 -> 5
    3: [],  # no list, no axon
    4: [39],  # 39 -> 6, from the beginning of the slice
    5: [0, 1, 2, 35],  # 0 0 0 32 -> 6
    6: [20, 21, 22, 23, 24, 25],  # 20 0 0 0 0 0 -> 5; in the slice 20..39: 0 -> 0
    7: [0, 4, 5, 6, 7],  # 0 3 0 0 0 -> 2
}


def matrix(targets, shape, weight=7):
    """Return weights with `weight` at the targets {pre: [post, ...]}."""
    found = np.zeros(shape)
    for i, to in targets.items():
        found[i, to] = weight
    return found


def sparse(cores):
    """(b) 8 -> 40 -> 3, lists with gaps of every width, on loihi1 (8, 64, 10 + 5, 20, 48)."""
    made = network(
        [p("in", "input", 8), p("a", "loihi-lif", 40, dv=0), p("b", "loihi-lif", 3, dv=0)],
        [{"pre": x, "post": y, "kind": "sparse", "units": "mantissa"} for x, y in (("in", "a"), ("a", "b"))],
        {"a": cores, "b": [9]},
    )
    weights = {"a": matrix(GAPS, (8, 40)), "b": matrix({3: [0], 10: [2], 20: [0, 1, 2]}, (40, 3))}
    return made.with_weights(weights), cs.load_chip("loihi1"), False


SPARSE_END = row(192, 60, 0, 144)  # 3 lists of a word: 8 + 15, 8 + 2 + 15 and 3 x 8 + 15 bits; 3 x 20; 3 x 48
SPARSE = {
    # bits: 6x8+15 = 63, 6x9+15 = 69, 4x13+15 = 67, none, 14+15 = 29, 4x14+15 = 71, 6x13+15 = 93, 5x10+15 = 65
    4: row(768, 140, 60, 1920),  # 1 + 2 + 2 + 0 + 1 + 2 + 2 + 2 = 12 x 64; 7 axons x 20; 3 axons x 20; 40 x 48
    9: SPARSE_END,
}
SPARSE_CUT = {
    # 0 to 19: neurons 0, 1, 2, 5, 7: 63, 69, 39, 39, 65 bits: 1 + 2 + 1 + 1 + 2 = 7 x 64; 5 x 20; 2 x 20; 20 x 48
    0: row(448, 100, 40, 960),
    # 20 to 39: neurons 2 (gap 14), 4 (19), 5 (15), 6 (0): 8+4+15, 8+5+15, 8+4+15, 63 bits: 4 x 64; 4 x 20; 1 x 20
    1: row(256, 80, 20, 960),
    9: SPARSE_END,
}


def convolution():
    """(c) [4, 4, 2] -> [2, 2, 2], kernel 3 x 3 in two groups, tags of 9 bits, the output cut at x = 1."""
    made = network(
        [p("in", "input", shape=[4, 4, 2]), p("a", "loihi-lif", shape=[2, 2, 2], dv=0), p("b", "loihi-lif", 3, dv=0)],
        [{"pre": "in", "post": "a", "kind": "conv", "units": "mantissa", "kernel": [3, 3], "groups": 2},
         {"pre": "a", "post": "b", "units": "mantissa"}],
        {"a": [2, 1], "b": [0]},
    )  # fmt: skip
    chip = cs.load_chip("loihi1", {"width.synapse_tag.value": 9})
    return made.with_weights({"a": np.ones((2, 3, 3, 1)), "b": np.ones((8, 3))}), chip, False


CONVOLUTION = {
    # x = 0: reached from the columns x = 0, 1, 2 of 4 x 2 inputs, each through its own group: 24 axons x 1 word and the
    # kernel ceil((2 x 3 x 3 x 1 x (8 + 9) + 10) / 64) = 5; 29 words x 64; 24 x 20; 4 neurons x 1 axon x 20; 4 x 48
    2: row(1856, 480, 80, 192),
    1: row(1856, 480, 80, 192),  # x = 1: columns 1, 2, 3, and the kernel again
    0: row(512, 160, 0, 144),  # 8 x ceil((3 x (8 + 9) + 10) / 64) = 8 x 1 x 64; 8 x 20; 3 x 48
}


def recurrent():
    """(d) adaptive-lif with delayed recurrence, refractory-lif and back, on loihi1 with 2 bits of delay a synapse."""
    adaptive = p("a", "adaptive-lif", 10, tau_ms=9.0, tau_adapt_ms=50.0)
    made = network(
        [p("in", "input", 6), adaptive, p("b", "refractory-lif", 8, dv=0, period=3)],
        [{"pre": "in", "post": "a", "name": "in"}, {"pre": "a", "post": "a", "name": "again", "delay": 7},
         {"pre": "a", "post": "b", "name": "on", "kind": "sparse", "units": "mantissa", "weight_bits": 5, "delay": 1},
         {"pre": "b", "post": "a", "name": "back"}],
    )  # fmt: skip
    weights = {"in": np.ones((6, 10)), "again": np.ones((10, 10)), "back": np.ones((8, 10))}
    weights["on"] = matrix({0: range(8), 1: [1, 2, 3], **{i: [i] for i in range(2, 8)}}, (10, 8))
    late = np.arange(100).reshape(10, 10) % 8  # 0 to 7
    chip = cs.load_chip("loihi1", {"width.synapse_delay.value": 2})
    return made.with_weights(weights).with_delays({"again": late}), chip, False


RECURRENT = {
    0: {
        # in: 6 axons x ceil((10 x (8 + 2) + 10) / 64) = 6 x 2 words; back: 8 x 2
        # again: delay 7 has 3 digits, 10 x ceil((10 x (8 + 3) + 10) / 64) = 10 x 2; 48 words x 64
        "synapses": 3072,
        "axons_in": 480,  # 6 + 8 + 10 = 24 x 20
        "axons_out": 360,  # 10 of again + 8 of on (neurons 8 and 9 have no synapse) = 18 x 20
        "compartments": 720,  # 10 x (48 + 24 of the adaptation)
        "delay_lines": 1920,  # 10 x (7 + 1) x 24
    },
    # on: 8 lists with max(2, 1) bits of delay, the longest 8 x (5 + 2) + 15 = 71 bits: 2 words, all others 1; 9 x 64;
    # 8 x 20; 8 x 20; 8 x (48 + 8 of the pause); delay lines 8 x (1 + 1) x 24
    1: row(576, 160, 160, 448, 384),
}


def shared(axons="multicast"):
    """(e) a and b share a core, both lead to c on two cores; toy chip (8, 64, 8, 32, 16)."""
    made = network(
        [p("in", "input", 5), p("a", "delta-lif", 8, tau_ms=9.0), p("b", "delta-lif", 4, tau_ms=9.0), p("c", "if", 3)],
        [{"pre": "in", "post": "a"}, {"pre": "a", "post": "b"}, {"pre": "a", "post": "c", "name": "ac"},
         {"pre": "b", "post": "c", "name": "bc", "kind": "sparse"}],
        {"a": [2], "b": [2], "c": [0, 5]},
    )  # fmt: skip
    few = matrix({0: [0, 1, 2], 1: [2], 2: [0]}, (4, 3))
    weights = {"a": np.ones((5, 8)), "b": np.ones((8, 4)), "ac": np.ones((8, 3)), "bc": few}
    return made.with_weights(weights), bridge.toy(axons=axons), False


SHARED = {
    # a: 5 x ceil((8 x 8 + 8) / 64) = 5 x 2; b: 8 x ceil((4 x 8 + 8) / 64) = 8 x 1; 18 x 64; 5 + 8 = 13 axons x 32;
    # outgoing: one entry per neuron with an axon: 8 of a, 3 of b (neuron 3 has none): 11 x 32; 12 x 16
    2: row(1152, 416, 352, 192),
    # c 0, 1: 8 of a, b 0 and 2: 10 lists of a word, the longest 2 x 8 + 8 + 5 = 29 bits; 10 x 64; 10 x 32; 2 x 16
    0: row(640, 320, 0, 32),
    5: row(640, 320, 0, 16),  # c 2: 8 of a, b 0 and 1, gaps from neuron 2 on: 10 lists of a word
}
UNICAST = {**SHARED, 2: SHARED[2] | {"axons_out": 896}}  # 8 x (b, c, c) + b 0 twice, b 1, b 2 = 28 axons x 32

LAYOUTS = {
    "chain that learns": (chain, (), CHAIN),
    "sparse": (sparse, ([4],), SPARSE),
    "sparse, cut": (sparse, ([0, 1],), SPARSE_CUT),
    "convolution, cut": (convolution, (), CONVOLUTION),
    "recurrent with delays": (recurrent, (), RECURRENT),
    "shared core, multicast": (shared, (), SHARED),
    "shared core, unicast": (shared, ("unicast",), UNICAST),
}


@pytest.mark.parametrize("case", LAYOUTS.values(), ids=LAYOUTS)
def test_bits_by_hand(case):
    build, arguments, table = case
    image = compile_network(*build(*arguments))
    assert {memory.core: memory.by_kind for memory in image.memory} == table
    found, totals = memory_summary(image), [sum(bits.values()) for bits in table.values()]
    assert (found["total"], found["per_core_max"]) == (sum(totals), max(totals))
    for memory in image.memory:
        assert memory.limits["sram_bits_per_core"][0] == sum(table[memory.core][kind] for kind in KINDS)


CHIP = """
extends = "toy"
[mesh]
tiles_x = {{ value = 1, {0} }}
tiles_y = {{ value = 1, {0} }}
cores_per_tile = {{ value = {1}, {0} }}
host_tile = {{ value = 0, {0} }}
[limits]
{2} = {{ value = {3}, {0} }}
"""


def pair(n):
    """Return the text of a model: one neuron to n readouts, nothing to learn."""
    return f"""steps = 10
population = [{{ name = "in", neuron = "input", size = 1 }},
              {{ name = "out", neuron = "leaky-readout", size = {n}, tau_ms = 9.0 }}]"""


def three(fan_in, a, out, cores=None):
    """Return the text of a model that can learn; cores: of a and out."""
    by_hand = "placement = {{ strategy = 'manual', cores = {{ a = [{}], out = [{}] }} }}\n"
    return f"""{by_hand.format(*cores) if cores else ""}
steps = 10
population = [{{ name = "in", neuron = "input", size = {fan_in} }},
              {{ name = "a", neuron = "delta-lif", size = {a}, tau_ms = 9.0 }},
              {{ name = "out", neuron = "leaky-readout", size = {out}, tau_ms = 9.0 }}]"""


WORDS, CELLS, IN, OUT = (f"{name}_per_core" for name in ("synapse_words", "compartments", "axons_in", "axons_out"))
# model as a function of n, n that fits, limit, its value, need of n + 1, cores of the chip, who is named
FULL = {
    "words of one neuron": (lambda n: three(n, 1, 2), 40, WORDS, 40, 41, 2, 'population "a" (1 neurons)'),
    # one list: 7 x 8 + 8 = 64 bits fill a word, 8 x 8 + 8 = 72 take two
    "words of the only core": (pair, 7, WORDS, 1, 2, 1, 'population "out" (8 neurons)'),
    "words of a core by hand": (lambda n: three(1, 1, n, (1, 0)), 7, WORDS, 1, 2, 2, "core 0 (out)"),
    "compartments": (pair, 6, CELLS, 6, 7, 1, 'population "out" (7 neurons)'),
    "compartments, shared": (lambda n: three(3, n, 3, (0, 0)), 9, CELLS, 12, 13, 1, "core 0 (a, out)"),
    "incoming axons": (lambda n: three(n, 1, 2), 12, IN, 12, 13, 2, 'population "a" (1 neurons)'),
    "incoming axons, shared": (lambda n: three(n, 5, 2, (0, 0)), 12, IN, 17, 18, 1, "core 0 (a, out)"),
    "outgoing axons": (lambda n: three(3, n, 2, (0, 0)), 9, OUT, 9, 10, 1, "core 0 (a, out)"),
}


@pytest.mark.parametrize("case", FULL.values(), ids=FULL)
def test_one_too_many_is_refused(case, tmp_path, capsys):
    model, n, limit, most, need, cores, who = case
    for name, text in ("full", model(n)), ("over", model(n + 1)), ("chip", CHIP.format(SOURCE, cores, limit, most)):
        (tmp_path / f"{name}.toml").write_text(text)
    full, over, chip = (str(tmp_path / f"{name}.toml") for name in ("full", "over", "chip"))
    said = f'{who}: {limit} = {need}, but core limit {most} of chip "chip" is broken'
    for learn in (False,) if model is pair else (False, True):
        image = compile_network(cs.load_model(full), cs.load_chip(chip), learn)
        assert max(memory.limits[limit] for memory in image.memory) == (most, most)
        with pytest.raises(CapacityError) as error:
            compile_network(cs.load_model(over), cs.load_chip(chip), learn)
        assert [(x.object, x.key, x.value) for x in error.value.problems] == [(who, limit, need)]
        assert said in str(error.value) and error.value.exit_code == 3
        options = ["--chip", chip, *([] if learn else ["--inference"])]
        assert main(["check", full, *options]) == 0
        capsys.readouterr()
        assert main(["check", over, *options]) == 3
        caught = capsys.readouterr()
        assert said in caught.err and "Traceback" not in caught.err and caught.out == ""


def only_core(targets, size, words):
    """Compile an explicit sparse projection for a chip of one core with so many words; return what it needs."""
    made = network([p("in", "input", len(targets)), p("a", "if", size)], [{"pre": "in", "post": "a", "kind": "sparse"}])
    chip = bridge.toy(tiles_x=1, tiles_y=1, cores_per_tile=1, synapse_words_per_core=words)
    image = compile_network(made.with_weights({"a": matrix(targets, (len(targets), size))}), chip, learn=False)
    return image.memory[0].limits[WORDS]


def test_one_synapse_too_many():
    """A list of 6 in a row: 6 x 8 + 8 + 5 = 61 bits, one word; a seventh: 69, two; a gap of 1: 6 x 9 + 13 = 67, two."""
    lists = dict.fromkeys(range(3), [0, 1, 2, 3, 4, 5])
    assert only_core(lists, 20, 3) == (3, 3)
    for longer in ([0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 6]):
        wanted = 'population "a" (20 neurons): synapse_words_per_core = 4, but core limit 3 of chip "toy"'
        with pytest.raises(CapacityError, match=re.escape(wanted)):
            only_core({**lists, 2: longer}, 20, 3)


def test_cores_are_named_where_a_cut_would_help():
    """Two halves would fit, but the only other core is taken."""
    small = bridge.toy(tiles_x=1, tiles_y=1, cores_per_tile=2, compartments_per_core=6)
    layers = [p("in", "input", 2), p("a", "delta-lif", 6, tau_ms=9.0), p("out", "leaky-readout", 6, tau_ms=9.0)]
    assert compile_network(network(layers), small).cores_used == 2
    with pytest.raises(CapacityError, match=r"cores = 3, .*has 2 cores \(needed: a 2 because of compartments_per_core, out 1\)"):
        compile_network(network([layers[0], layers[1] | {"size": 7}, layers[2]]), small)
