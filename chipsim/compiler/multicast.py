"""Multicast: the tree that one packet to many cores takes, the union of its unicast ways."""

from __future__ import annotations

from collections.abc import Iterable

from chipsim.hardware import Mesh


def tree(mesh: Mesh, source: int, targets: Iterable[int]) -> tuple[list[tuple[str, int, int]], int]:
    """Return what a packet that forks where ways part uses: every link once, and its local hops.

    Args:
        mesh: The mesh, routed X first, then Y.
        source: Core that sends; `HOST` sends from the host's tile.
        targets: Cores that receive; one named twice is one.

    Returns:
        The distinct links, as `Mesh.links` names them, sorted; and the number of target cores inside the source's tile.
    """
    cores = set(targets)
    links = {link for core in cores for link in mesh.links(source, core)}
    return sorted(links), sum(mesh.tile(core) == mesh.tile(source) for core in cores)
