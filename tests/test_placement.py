"""Where populations go changes where packets travel, and nothing else: strategies, placement by hand, multicast."""

from __future__ import annotations

import re

import numpy as np
import pytest

import chipsim as cs
from chipsim.compiler import compile_network
from chipsim.errors import CapacityError, ConfigError

STEPS, INPUTS, POPULATIONS, PROJECTIONS, SAMPLES = 40, 20, 20, 40, 2
CORES = 128  # of loihi1
HOPS = ("hops_x", "hops_y", "hops_local")


def layer(dice, n):
    """Return the n-th population; some have a bias."""
    ranges = {"du": (500, 3000), "dv": (50, 1000), "vth": (150, 400)}
    own = {key: int(dice.integers(*span)) for key, span in ranges.items()}
    bias = {"bias_mant": int(dice.integers(20, 60)), "bias_exp": 4} if n % 7 == 6 else {}
    return {"name": f"p{n}", "neuron": "loihi-lif", "size": int(dice.integers(5, 61)), **own, **bias}


def random_network(seed):
    """Return 20 populations behind an input, each fed from an earlier one; other projections lead anywhere."""
    dice = np.random.default_rng(seed)
    population = [{"name": "in", "neuron": "input", "size": INPUTS}, *(layer(dice, n) for n in range(POPULATIONS))]
    ends = {(0, 1), (0, 2), (0, 3), (5, 5), (9, 4)} | {(int(dice.integers(1, p)), p) for p in range(4, POPULATIONS + 1)}
    while len(ends) < PROJECTIONS:
        ends.add((int(dice.integers(1, POPULATIONS + 1)), int(dice.integers(1, POPULATIONS + 1))))
    projection = []
    for k, (a, b) in enumerate(sorted(ends)):
        low, high = (-40, 120) if a < b else (-160, 60)
        thin = {"kind": "sparse", "density": float(dice.uniform(0.05, 0.5))} if dice.random() < 0.6 else {}
        drawn = {"name": f"k{k}", "units": "mantissa", "init": "integers", "low": low, "high": high}
        projection.append({"pre": population[a]["name"], "post": population[b]["name"], **drawn, **thin})
    return cs.Network(steps=STEPS, population=population, projection=projection, seed=seed)


def by_hand(network, dice, most=4, cores=CORES):
    """Return the network on random cores; populations share some."""
    sizes = {p.name: p.size for p in network.population[1:]}
    where = {name: dice.permutation(cores)[: dice.integers(1, min(most, n) + 1)].tolist() for name, n in sizes.items()}
    return network.but(placement={"strategy": "manual", "cores": where})


def ran(network, seed, chip=None):
    x = (np.random.default_rng([seed, 1]).random((STEPS, SAMPLES, INPUTS)) < 0.1).astype(float)
    return cs.simulate(network, x, chip or cs.load_chip("loihi1"), "fixed", record=("spikes", "v", "u"))


def total(simulation, *events):
    return sum(int(simulation.counters.of("forward", event).sum()) for event in events)


def assert_same_results(a, b):
    for one, other in ((a.spikes, b.spikes), (a.v, b.v), (a.u, b.u)):
        assert set(one) == set(other) and all(np.array_equal(one[name], other[name]) for name in one)
    assert not [e for e in ("spikes", "synops", "neuron_updates", "inputs_injected") if total(a, e) != total(b, e)]


def assert_lively(simulation):
    """Most populations spike, none all the time, and v and u move."""
    shares = np.array([s.mean() for s in simulation.spikes.values()])
    assert (shares > 0).sum() > POPULATIONS * 0.7 and 0.01 < shares.mean() < 0.6
    assert sum(v.any() for v in simulation.v.values()) > 15 and sum(u.any() for u in simulation.u.values()) > 15


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_min_traffic_makes_fewer_hops_and_the_same_results(seed):
    network = random_network(seed)
    plain, near = (ran(network.but(placement={"strategy": name}), seed) for name in ("in-order", "min-traffic"))
    assert_lively(plain)
    assert_same_results(plain, near)
    assert total(near, *HOPS) < total(plain, *HOPS)
    for event in ("packets", "packets_in", "synops", "words_read"):  # the same slices
        assert total(near, event) == total(plain, event) > 0
    assert [s[:1] + s[2:] for s in near.image.slices] == [s[:1] + s[2:] for s in plain.image.slices]
    assert len({s.core for s in near.image.slices}) == len(near.image.slices)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_any_placement_by_hand_gives_the_same_results(seed):
    dice, network = np.random.default_rng(seed), random_network(seed)
    plain, shared, packets = ran(network, seed), 0, set()
    for most, cores in ((1, CORES), (4, CORES), (5, 30), (3, 12), (2, 2)):
        other = ran(by_hand(network, dice, most, cores), seed)
        assert_same_results(plain, other)
        assert total(other, "packets") == total(other, "packets_in") >= total(plain, "packets")
        shared += len(other.image.memory) < len(other.image.slices) - 1
        packets.add(total(other, "packets"))
    assert shared >= 3 and len(packets) > 2


def test_a_placement_by_hand_is_where_it_says():
    """Larger parts first; the order of the cores is that of the neurons."""
    network = random_network(0)
    made = by_hand(network, np.random.default_rng(5))
    image = compile_network(made, cs.load_chip("loihi1"), learn=False)
    for p, population in enumerate(network.population[1:], start=1):
        found, size = [s for s in image.slices if s.population == p], population.size
        assert tuple(s.core for s in found) == made.placement.cores[population.name]
        parts = [s.hi - s.lo for s in found]
        assert parts == sorted(parts, reverse=True) and sum(parts) == size and parts[0] - parts[-1] <= 1
        assert [s.lo for s in found] == [0, *(s.hi for s in found[:-1])]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_multicast_sends_fewer_packets_over_fewer_links(seed):
    network, chip = random_network(seed), cs.load_chip("loihi1", {"axons": "multicast"})
    dice = np.random.default_rng(seed)
    for placed in (network, by_hand(network, dice), by_hand(network, dice, 3, 9)):
        one, many = ran(placed, seed), ran(placed, seed, chip)
        assert_same_results(one, many)
        for event in ("packets_in", "words_read", "synops"):
            assert total(one, event) == total(many, event) > 0
        for event in ("packets", *HOPS):
            fewer = many.counters.of("forward", event) <= one.counters.of("forward", event)
            assert fewer.all(), "on every core and in every step"
        assert total(many, "packets") < total(one, "packets") and total(many, *HOPS) < total(one, *HOPS)


def small(cores=None, strategy="manual"):
    names = ("in", "a", "b")
    population = [{"name": n, "neuron": "loihi-lif", "size": 3, "dv": 0} for n in names]
    population[0] = {"name": "in", "neuron": "input", "size": 2}
    placement = {"strategy": strategy} | ({} if cores is None else {"cores": cores})
    return cs.Network(steps=5, population=population, placement=placement)


BOTH = {"a": [0], "b": [1]}
WRONG = {  # cores, strategy -> key, value and what is said of it
    "unknown population": (BOTH | {"c": [2]}, "manual", "placement.cores.c = [2], but known: a, b"),
    "the input": (BOTH | {"in": [2]}, "manual", "placement.cores.in = [2], but known: a, b"),
    "missing population": ({"a": [0]}, "manual", "placement.cores.b = '(nothing)', but strategy = 'manual' needs the"),
    "no core": (BOTH | {"b": []}, "manual", "placement.cores.b = '(nothing)', but strategy = 'manual' needs the"),
    "nothing at all": (None, "manual", "placement.cores.a = '(nothing)', but strategy = 'manual' needs the"),
    "a core twice": (BOTH | {"b": [4, 1, 4]}, "manual", "placement.cores.b = [4, 1, 4], but at most 3 different cores"),
    "more cores than neurons": (BOTH | {"a": [0, 1, 2, 3]}, "manual", "placement.cores.a = [0, 1, 2, 3], but at"),
    "not manual": (
        BOTH,
        "in-order",
        "placement.cores = 'a, b', but cores are named with strategy = 'manual', this is 'in-order'",
    ),
    "not manual, by traffic": (BOTH, "min-traffic", "placement.cores = 'a, b', but cores are named with"),
    "negative": (BOTH | {"a": [-1]}, "manual", "placement.cores.a.0 = -1"),
    "no whole number": (BOTH | {"a": [1.0]}, "manual", "placement.cores.a.0 = 1.0"),
    "no list": (BOTH | {"a": 1}, "manual", "placement.cores.a = 1"),
    "strategy": (None, "best", "placement.strategy = 'best'"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_wrong_placement_is_refused(case):
    cores, strategy, words = case
    with pytest.raises(ConfigError, match=re.escape(words)) as error:
        small(cores, strategy)
    assert error.value.exit_code == 2


def test_everything_wrong_is_said_at_once():
    with pytest.raises(ConfigError) as error:
        small({"c": [1], "a": [0, 0]})
    assert [x.key for x in error.value.problems] == ["placement.cores.c", "placement.cores.a", "placement.cores.b"]


def test_a_core_beyond_the_mesh_is_a_capacity_error():
    chip = cs.load_chip("loihi1")
    compile_network(small({"a": [0, 127], "b": [127]}), chip, learn=False)
    with pytest.raises(CapacityError) as error:
        compile_network(small({"a": [128, 0], "b": [1, 10**6]}), chip, learn=False)
    found = [(x.key, x.value) for x in error.value.problems]
    assert found == [("placement.cores.a", 128), ("placement.cores.b", 10**6)] and error.value.exit_code == 3
    assert 'placement.cores.a = 128, but chip "loihi1" has cores 0 to 127' in str(error.value)


def test_without_a_chip_nothing_is_placed():
    """No mesh: every population has a core of its own, whatever the description says."""
    x = np.ones((5, 1, 2))
    networks = small(strategy="in-order"), small({"a": [900], "b": [900]})
    plain, placed = (cs.simulate(network, x, None, "fixed") for network in networks)
    assert plain.image.slices == placed.image.slices and np.array_equal(plain.counters.counts, placed.counters.counts)
