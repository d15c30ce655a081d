"""The tree of a multicast packet: by hand, and as the union of the unicast ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chipsim.compiler.multicast import tree
from chipsim.counters import HOST
from chipsim.hardware import Mesh


@st.composite
def cases(draw):
    mesh = Mesh(draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 3)))
    mesh = Mesh(mesh.tiles_x, mesh.tiles_y, mesh.cores_per_tile, draw(st.integers(0, mesh.tiles - 1)))
    core = st.integers(0, mesh.cores - 1)
    return mesh, draw(core | st.just(HOST)), draw(st.lists(core, max_size=10))


def test_by_hand():
    """3 x 3 tiles, numbers x * 3 + y, two cores each: tile 1 (0, 1) to 7 (2, 1), 8 (2, 2), 3 (1, 0), 1 and 2 (0, 2).

    All that goes to x = 2 shares the links 1-4 and 4-7, and the packet to tile 3 turns off at 4.
    """
    links, local = tree(Mesh(3, 3, 2), 2, [15, 16, 7, 3, 2, 4, 14])
    assert links == [("x", 1, 4), ("x", 4, 7), ("y", 1, 2), ("y", 4, 3), ("y", 7, 8)]
    assert local == 2  # cores 3 and 2 itself; unicast would make 2 + 3 + 2 + 2 + 1 hops


def test_from_the_host():
    mesh = Mesh(1, 3, 2, host_tile=1)
    assert tree(mesh, HOST, [0, 1, 2, 4]) == ([("y", 1, 0), ("y", 1, 2)], 1)
    assert tree(mesh, HOST, []) == ([], 0)
    assert tree(mesh, HOST, iter([2, 2, 2])) == ([], 1)


@given(cases())
def test_union_of_the_unicast_ways(case):
    mesh, source, targets = case
    links, local = tree(mesh, source, targets)
    walked = [link for target in targets for link in mesh.links(source, target)]
    assert set(links) == set(walked)
    assert links == sorted(set(links))  # each once
    assert local == len({target for target in targets if mesh.hops(source, target) == (0, 0, 1)})


@given(cases())
def test_it_is_a_tree(case):
    """Every tile is entered by one link, and the way back from it leads to the source."""
    mesh, source, targets = case
    links, _ = tree(mesh, source, targets)
    came = {b: a for _, a, b in links}
    assert len(came) == len(links)
    for target in targets:
        at, steps = mesh.tile(target), 0
        while at != mesh.tile(source):
            at, steps = came[at], steps + 1
        assert steps == sum(mesh.hops(source, target)[:2])
