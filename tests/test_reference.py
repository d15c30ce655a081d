"""The reference chip is the specification: checked by hand, by known answers and by a dense adjoint, never against chipsim."""

from __future__ import annotations

import ast
import copy
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "reference"))

from refchip import Chip, LogOverflow, run_sample
from refdense import dense_adjoint
from refexamples import CHAIN_INPUT, as_float, chain, description, hidden, random_chip, readout
from refnumbers import TABLE, Fixed, decay, rescale, saturate
from refrandom import philox, write_word

from chipsim.counters import EVENTS, HOST, OF_OTHER_FORMS, OF_OTHER_RULES


def totals(result) -> dict[tuple, int]:
    """Sum the counts over steps and cores."""
    found: dict[tuple, int] = {}
    for (phase, stage, event, _, _), n in result.counters.items():
        found[phase, stage, event] = found.get((phase, stage, event), 0) + n
    return found


def test_philox_known_answers():
    """Vectors `philox 4x32 10` of Random123's kat_vectors."""
    ones = 0xFFFFFFFF
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    assert philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((ones,) * 4, (ones,) * 2) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    assert philox(*pi) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def test_small_numbers():
    assert [decay(x, 2048) for x in (7, -7, 1, -1)] == [3, -3, 0, 0]
    assert [rescale(x, 1) for x in (3, -3, 2)] == [2, -1, 1]
    assert (rescale(5, 0), rescale(5, -2)) == (5, 20)
    assert [saturate(x, 8) for x in (200, -200, 5)] == [127, -128, 5]


def test_softmax_table():
    assert (TABLE[0], TABLE[16], TABLE[255]) == (65535, 24109, 0)
    assert abs(sum(TABLE) - 65535 / (1 - math.exp(-1 / 16))) < 128  # 256 roundings
    for scores in ([0, 0, 0], [50, 40, 0], [10**6, 0, -5]):
        q, _ = Fixed(chain()).softmax(scores, 1, readout(3))
        assert abs(sum(q)) <= 3 and q[1] <= 0  # rounding of each p


def test_chain_by_hand():
    """V: 0+20 fires; 10-16; -3+20 fires; 8-16. Classes: 0, 0, 8, 4, 2+8 and the negative."""
    result = run_sample(chain(), CHAIN_INPUT, label=1)
    assert [v[1][0] for v in result.v] == [0, 20, -6, 17, -8]
    assert [v[2] for v in result.v] == [[0, 0], [0, 0], [8, -8], [4, -4], [10, -10]]
    assert result.spikes == [(1, 1, 0), (3, 1, 0)]
    assert result.active_log == [(1, 1, 0, 16), (3, 1, 0, 4)]
    assert result.spike_logs[0] == [(0, 0, 0, True, False), (2, 0, 0, True, False)]
    assert result.spike_logs[2] == [(1, 1, 0, True, True), (3, 1, 0, True, True)]
    assert (result.scores, result.t_star, result.prediction) == ([22, -22], [0, 0], 0)
    # idx = 44 * 2048 >> 12 = 22, e = 16570, E = 82105, p = 13077 and 3307
    assert (result.q, result.injections) == ([13077, -13077], [6539, -6538])
    # readout delta: 6539, 9808, 11443, 12260 and -6538, -9807, -11441, -12258
    # eps: 104616 >> 8 = 409 at t = 3 (g 240: ds 383), 183072 >> 8 = 715 at t = 1 (g 192: ds 536); delta 383, 191, 95 + 536
    assert result.gradients == [[[383 + 631]], [[6539 + 11443, -6538 - 11441]]]
    assert result.weights == [[[20 - 4]], [[8 - 4, -8 + 4]]]  # shifts 10 + 2 - 4 and 14 + 2 - 4


def test_chain_counters_by_hand():
    counts = run_sample(chain(), CHAIN_INPUT, label=1).counters

    def at(phase, stage, event):
        return {(step, core): n for (p, s, e, step, core), n in counts.items() if (p, s, e) == (phase, stage, event) and n}

    assert at("forward", "forward", "inputs_injected") == {(0, HOST): 1, (2, HOST): 1}
    assert at("forward", "forward", "packets") == {(0, HOST): 1, (2, HOST): 1, (1, 0): 1, (3, 0): 1}
    assert at("forward", "forward", "hops_local") == {(0, HOST): 1, (2, HOST): 1}
    assert at("forward", "forward", "hops_y") == {(1, 0): 1, (3, 0): 1}
    assert at("forward", "forward", "packets_in") == {(1, 0): 1, (3, 0): 1, (2, 2): 1, (4, 2): 1}
    assert at("forward", "forward", "synops") == {(1, 0): 1, (3, 0): 1, (2, 2): 2, (4, 2): 2}
    assert at("forward", "forward", "updates_active") == at("forward", "forward", "spikes") == {(1, 0): 1, (3, 0): 1}
    assert at("backward", "forward", "mark_packets") == {}
    assert at("backward", "replay", "broadcasts") == {(4, 2): 2} and at("backward", "replay", "score_packets") == {}
    assert at("backward", "replay", "error_packets") == at("backward", "replay", "rows_gathered") == {(4, 2): 1, (2, 2): 1}
    assert at("backward", "replay", "error_hops_y") == {(4, 2): 1, (2, 2): 1}
    assert at("backward", "replay", "packets_in") == {(4, 2): 2, (3, 0): 1, (1, 0): 1}
    assert at("backward", "replay", "rows_read") == {(4, 2): 1, (3, 0): 1, (2, 2): 1, (1, 0): 1}
    assert at("backward", "replay", "trace_decays") == {(3, 2): 2, (2, 2): 2, (1, 2): 2, (2, 0): 1, (1, 0): 1}
    assert at("backward", "replay", "error_updates") == {(t, 2): 2 for t in (4, 3, 2, 1)}
    assert at("backward", "replay", "log_reads") == {(4, 2): 1, (3, 0): 2, (2, 2): 1, (1, 0): 2}
    assert at("update", "replay", "visits") == {(0, 0): 1, (0, 2): 1}
    assert at("update", "replay", "writes") == at("update", "replay", "evaluations") == {(0, 0): 1, (0, 2): 2}


def test_one_spike_crosses_the_mesh():
    """From the host at tile 0 (0, 0) to cores 1 (same tile), 3 (tile 1), 4 (tile 2) and 7 (tile 3 at (1, 1))."""
    slices = [(1, 1, 0, 1), (1, 3, 1, 2), (1, 4, 2, 3), (1, 7, 3, 4), (2, 0, 0, 2)]
    spec = description([{"kind": "input", "size": 1}, hidden(4), readout(2)], [[[0] * 4], [[0, 0]] * 4], slices)
    counts = run_sample(spec, [[0], [], [], [], []], 0, learn=False).counters
    for event, n in {"packets": 4, "hops_local": 1, "hops_y": 2, "hops_x": 2}.items():
        assert counts["forward", "forward", event, 0, HOST] == n
    assert all(counts["forward", "forward", "packets_in", 1, core] == 1 for core in (1, 3, 4, 7))


def test_saturation_by_hand():
    """V stops at 31; delta of the readout at 2047 and -2048; acc likewise; eps = 32760 >> 8 = 128; weights stop at 127."""
    spec = chain(bits={"delta": 12, "acc": 12, "weight": 8})
    spec["projections"][1]["lr_shift"] = -10  # no shift in the write
    result = run_sample(spec, CHAIN_INPUT, 1)
    assert result.gradients == [[[120 + (120 >> 2) + 96]], [[2047, -2048]]]
    assert result.weights[1] == [[-127, 127]]
    spec["populations"][1]["v_bits"] = 6
    spec["projections"][0]["weights"] = [[60]]
    assert [v[1][0] for v in run_sample(spec, CHAIN_INPUT, 1).v] == [0, 31, -1, 31, -1]


def test_max_mode_injects_once():
    result = run_sample(chain(readout="max"), CHAIN_INPUT, label=1)
    assert (result.scores, result.t_star) == ([10, 0], [4, 0])
    assert totals(result)["backward", "replay", "error_updates"] == 1  # the class that never rose above 0 gets nothing
    assert result.gradients[1][0][1] == 0 != result.gradients[1][0][0]


def test_silent_active_neuron_sends_a_mark():
    """V = 12 is 4 below threshold: active, silent."""
    spec = chain()
    spec["projections"][0]["weights"] = [[12]]
    result = run_sample(spec, [[0], [], [], [], []], label=0)
    found = totals(result)
    assert result.spike_logs[2] == [(1, 1, 0, False, True)]
    assert found["backward", "forward", "mark_packets"] == found["backward", "replay", "rows_gathered"] == 1
    assert result.gradients[1] == [[0, 0]] and result.gradients[0] != [[0]]  # its own row learns, the row behind it does not
    assert found["forward", "forward", "packets"] == 1  # the input's


def test_rows_without_error_are_skipped():
    """An input spike that meets no delta is logged and skipped, and its row is not written."""
    spec = chain()
    spec["projections"][0]["weights"] = [[1]]
    found = totals(run_sample(spec, CHAIN_INPUT, label=1))
    assert found["backward", "replay", "rows_skipped"] == 2
    assert not {("backward", "replay", "rows_read"), ("update", "replay", "visits")} & set(found)


def test_log_overflow_stops_before_the_update():
    assert run_sample(chain(log_words=4), CHAIN_INPUT, 1).gradients  # core 0 needs 2 + 2 words
    chip = Chip(chain(log_words=3))
    with pytest.raises(LogOverflow, match="core 0: sample 9 needs 4 log words, but the core has 3") as raised:
        chip.run(CHAIN_INPUT, 1, index=9)
    assert (raised.value.core, raised.value.sample, raised.value.need, raised.value.capacity) == (0, 9, 4, 3)
    assert chip.gather_matrices("weights") == [[[20]], [[8, -8]]]


def test_regularisers_by_hand():
    rule = {"lambda_upper": 0.06, "f_upper": 1, "lambda_lower": 100, "f_lower": 2.5}
    result = run_sample(chain(regulariser=rule), CHAIN_INPUT, label=1)
    assert result.penalties == [[], [round(0.06 * 1024) - round(200 * 0.5 * 1024)], []]
    assert run_sample(chain(regulariser=rule), [[]] * 5, label=1).penalties[1] == [-512000]  # silent: 200 * 2.5 * 1024


def test_stochastic_write_adds_the_random_word():
    result = run_sample(chain(write="stochastic"), CHAIN_INPUT, 1, index=3, pass_index=2)
    words = [write_word(7, synapse, 3, 2) for synapse in range(3)]
    assert words[1] == philox((1, 0, 3, 2), (7, 1))[0]
    assert result.weights[0][0][0] == 20 - ((1014 + words[0] % 256) >> 8)
    assert result.weights[1][0] == [8 - ((17982 + words[1] % 4096) >> 12), -8 - ((-17979 + words[2] % 4096) >> 12)]
    assert totals(result)["update", "replay", "random_draws"] == 3


def test_learning_off_leaves_the_forward_phase():
    on, off = (run_sample(chain(), CHAIN_INPUT, 1, learn=learn) for learn in (True, False))
    assert {key: n for key, n in on.counters.items() if key[0] == "forward"} == off.counters
    assert (off.v, off.scores, off.prediction) == (on.v, on.scores, on.prediction)
    assert off.weights == [[[20]], [[8, -8]]] and not off.active_log


@pytest.mark.parametrize(("predicate", "busy"), [("fired", 2), ("received_input", 6), ("state_changed", 10)])
def test_predicates(predicate, busy):
    """Hidden: 2 spikes, 2 steps with input, V changes 4 times. Readout: never fires, 2 arrivals and 3 changes for 2 neurons."""
    found = totals(run_sample(chain(predicate=predicate), CHAIN_INPUT, 1))
    assert found["forward", "forward", "updates_active"] == busy
    assert found["forward", "forward", "updates_idle"] == 12 - busy


@pytest.mark.parametrize("steps", [1, 2])
def test_short_samples(steps):
    result = run_sample(chain(steps=steps), CHAIN_INPUT[:steps], 1)
    assert result.gradients == [[[0]], [[0, 0]]] and result.q == [8192, -8192]
    assert totals(result)["update", "replay", "barriers"] == 1


@pytest.mark.parametrize("mode", ["sum", "max"])
@pytest.mark.parametrize("seed", range(4))
def test_placement_changes_nothing_but_traffic(seed, mode):
    rule = {"lambda_upper": 0.6, "f_upper": 1, "lambda_lower": 1, "f_lower": 1}
    bits = {"delta": 12, "acc": 14, "weight": 6} if seed % 2 else {"delta": 16, "acc": 24, "weight": 8}  # odd: some saturate
    results = []
    for split in (False, True):
        spec, sample = random_chip(seed, split, readout=mode, write="stochastic", regulariser=rule, bits=bits)
        chip = Chip(spec)
        chip.run(sample, 2)
        results.append(chip.run(sample[::-1], 1, index=1))  # on weights already trained
    one, many = results
    for name in ("spikes", "v", "active_log", "scores", "t_star", "q", "injections", "penalties", "gradients", "weights"):
        assert getattr(one, name) == getattr(many, name), name
    assert one.spikes and one.active_log and any(map(any, one.gradients[0]))
    ones, manies = totals(one), totals(many)
    for key in [("forward", "forward", "synops"), ("backward", "replay", "row_adds"), ("backward", "replay", "gather_adds")]:
        assert ones[key] == manies[key] > 0


def test_every_event_is_counted_and_no_other():
    """The split chip with several readout cores reaches the whole table; Adam's event and those of online rules belong to others."""
    found = set()
    for seed in range(4):
        spec, sample = random_chip(seed, split=True, write="stochastic", scan=["clocked", "touched", "analytic"][seed % 3])
        found |= set(totals(run_sample(spec, sample, 0)))
    assert found == set(EVENTS) - OF_OTHER_RULES - OF_OTHER_FORMS - {("update", "replay", "optimiser_updates")}


@pytest.mark.parametrize("mode", ["sum", "max"])
@pytest.mark.parametrize("seed", range(3))
def test_float_gradients_are_those_of_the_dense_adjoint(seed, mode):
    rule = {"lambda_upper": 0.6, "f_upper": 1, "lambda_lower": 1, "f_lower": 1}
    spec, sample = random_chip(seed, split=True, readout=mode, regulariser=rule)
    spec = as_float(spec)
    result = run_sample(spec, sample, 1)
    wanted = dense_adjoint(spec, sample, result)
    for ours, theirs in zip(result.gradients, wanted, strict=True):
        scale = max(abs(x) for row in theirs for x in row)
        assert scale > 0 and all(
            abs(a - b) <= 1e-12 * scale for r, s in zip(ours, theirs, strict=True) for a, b in zip(r, s, strict=True)
        )
    assert result.weights == [p["weights"] for p in spec["projections"]] and not any(
        key[0] == "update" for key in result.counters
    )


def test_float_loss_agrees_with_finite_differences():
    """The loss is smooth in the readout weights."""
    spec, sample = random_chip(1, split=True)
    spec = as_float(spec)
    gradients = run_sample(spec, sample, 2).gradients[2]
    for i, c in [(0, 0), (1, 2), (3, 1)]:
        losses = []
        for shift in (1e-5, -1e-5):
            moved = copy.deepcopy(spec)
            moved["projections"][2]["weights"][i][c] += shift
            losses.append(run_sample(moved, sample, 2).loss)
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(gradients[i][c], abs=1e-8)


def test_float_without_rounding_equals_fixed():
    """Decays of 0 need no rounding: both chips agree on spikes, active events and V."""
    spec, sample = random_chip(2, split=False)
    for pop in spec["populations"][1:]:
        pop["decay"] = 0
    fixed, real = run_sample(spec, sample, 0), run_sample(as_float(spec), sample, 0)
    assert fixed.spikes == real.spikes and [r[:3] for r in fixed.active_log] == [r[:3] for r in real.active_log]
    assert fixed.v == [[[x * 16 for x in pop] for pop in v] for v in real.v]


def test_reference_imports_only_the_standard_library():
    files = sorted((Path(__file__).parent / "reference").glob("*.py"))
    own = {path.stem for path in files}
    assert len(files) >= 6
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert all(name.split(".")[0] in own | sys.stdlib_module_names for name in names), (path.name, names)
