"""The active test |V - theta| < band, made in one of three ways (docs/semantics.md section 3; learning.scan).

clocked     every neuron in every step
touched     neurons at which something arrives, or that spiked in the step before; passive activity is missed
analytic    as touched, and each test also finds how many further steps V stays in the band while it decays alone
"""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import decay_as, number
from chipsim.neurons.arithmetic import THETA
from chipsim.neurons.contract import V

CLOCKED, ANALYTIC = 0, 2


@inner
def gate(t, steps, p, s, circuit, m, activity):
    """Set `m.active` of slice s, in population p, for step t: only compartments that are due are tested."""
    band, analytic, lazy, rules = circuit.band[p], circuit.scan == ANALYTIC, circuit.lazy[p], circuit.rules
    theta, potential = rules.constants[p, THETA], m.cells.potential
    for n in range(circuit.slice_lo[s], circuit.slice_hi[s]):
        m.active[n] = False
        if m.due[n]:
            activity.checks[t, s] += 1
            m.active[n] = abs(potential[n]) < band
            if analytic:
                m.until[n] = t
                if m.active[n] and m.cells.payload[n] == 0:
                    activity.lookups[t, s] += 1
                    m.until[n] = t + stay(number(m.cells.state[V, n]), p, steps - 1 - t, theta - band, lazy, rules)
        elif analytic and t <= m.until[n]:
            m.active[n] = True
            if lazy:
                potential[n] = alone(number(m.cells.state[V, n]), t - m.last[n], p, rules) - theta


@inner
def stay(v, p, most, floor, lazy, rules):
    """Return how many further steps, at most `most`, V stays above `floor` when nothing arrives: the entry of the chip's table."""
    left = v
    for k in range(1, most + 1):
        left = alone(v, k, p, rules) if lazy else alone(left, 1, p, rules)
        if left <= floor:
            return k - 1
    return most


@inner
def alone(v, since, p, rules):
    """Return V after a decay over `since` steps: one multiplication with the word of so many steps."""
    word = rules.constants[p, V] if since == 1 else rules.powers[p, V, min(since, rules.modes.entries)]
    return decay_as(v, number(word), rules.modes.rounding, 0)
