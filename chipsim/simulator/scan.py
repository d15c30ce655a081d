"""The active test |V - theta| < band, made in one of three ways (docs/semantics.md section 3; learning.scan).

    clocked     every neuron in every step
    touched     neurons at which something arrives, or that spiked in the step before; passive activity is missed
    analytic    as touched, and each test also finds how many further steps V stays in the band while it decays alone
"""

from __future__ import annotations

from chipsim.kernels._jit import kernel
from chipsim.kernels.fixed import decay_as, wide
from chipsim.neurons.arithmetic import THETA
from chipsim.neurons.contract import V

CLOCKED, ANALYTIC = 0, 2


@kernel
def gate(t, steps, p, n, due, circuit, m, activity):
    """Set `m.active[n]` for step t."""
    m.active[n] = False
    band = circuit.band[p]
    if due or circuit.scan == CLOCKED:
        activity.checks[t, circuit.slice_of[n]] += 1
        m.active[n] = abs(m.potential[n]) < band
        if circuit.scan == ANALYTIC:
            m.until[n] = t
            if m.active[n] and m.cells.payload[n] == 0:
                activity.lookups[t, circuit.slice_of[n]] += 1
                m.until[n] = t + stay(p, n, steps - 1 - t, circuit, m)
    elif circuit.scan == ANALYTIC and t <= m.until[n]:
        m.active[n] = True
        m.potential[n] = wide(m.cells.state[V, n]) - circuit.rules.constants[p, THETA]
        if circuit.lazy[p]:
            m.potential[n] = alone(wide(m.cells.state[V, n]), t - m.last[n], p, circuit.rules) - circuit.rules.constants[p, THETA]


@kernel
def stay(p, n, most, circuit, m):
    """Return how many further steps, at most `most`, V stays above theta - band when nothing arrives: the table of the chip."""
    v, theta, band = wide(m.cells.state[V, n]), circuit.rules.constants[p, THETA], circuit.band[p]
    for k in range(1, most + 1):
        left = alone(wide(m.cells.state[V, n]), k, p, circuit.rules) if circuit.lazy[p] else alone(v, 1, p, circuit.rules)
        if theta - left >= band:
            return k - 1
        v = left
    return most


@kernel
def alone(v, since, p, rules):
    """Return V after a decay over `since` steps: one multiplication with the word of so many steps."""
    word = rules.constants[p, V]
    if since > 1:
        word = rules.powers[p, V, since] if since < rules.arithmetic.entries else word * 0
    return decay_as(v, word, rules.arithmetic.rounding, 0)
