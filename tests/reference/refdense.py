"""Dense float oracle: backpropagation through time as in Perez-Nieves & Goodman 2021 (reset detached, g masked)."""

from __future__ import annotations


def dense_adjoint(spec: dict, sample: list[list[int]], result) -> list:
    """Return [projection][pre][post]: the sum over t of S[t-1] times lambda[t], lambda the adjoint of V; paper surrogate only.

    result: of the float reference chip; its spikes, V, q, t_star and penalties are taken as given.
    """
    steps, pops = spec["steps"], spec["populations"]
    spikes = {(t, 0, i) for t in range(steps) for i in sample[t]} | set(result.spikes)
    gradients = [[[0.0] * len(row) for row in p["weights"]] for p in spec["projections"]]
    adjoint = [[0.0] * pop["size"] for pop in pops]
    for t in range(steps - 1, 0, -1):
        adjoint = [adjoint[0]] + [
            [pops[p]["decay"] * adjoint[p][j] + source(spec, result, adjoint, (t, p, j)) for j in range(pops[p]["size"])]
            for p in range(1, len(pops))
        ]
        for k, matrix in enumerate(gradients):
            for i, row in enumerate(matrix):
                for j in range(len(row)) if (t - 1, k, i) in spikes else ():
                    row[j] += adjoint[k + 1][j]
    return gradients


def source(spec: dict, result, later: list, place: tuple[int, int, int]) -> float:
    """Return what enters the adjoint of V at place (t, population, neuron), from the adjoints of t+1."""
    t, p, j = place
    pop, u = spec["populations"][p], result.v[t][p][j] - 1
    if pop["kind"] == "leaky-readout":
        return (1 - pop["decay"]) * result.q[j] if spec["readout"] == "sum" or result.t_star[j] == t else 0.0
    if abs(u) >= pop["band"]:
        return 0.0
    row = spec["projections"][p]["weights"][j]
    error = sum(w * x for w, x in zip(row, later[p + 1], strict=True))
    return (error + (result.penalties[p][j] if result.penalties else 0.0)) / (100 * abs(u) + 1) ** 2
