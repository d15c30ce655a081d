"""The update of weights, tags and delays at the end of an epoch (docs/lava-learning.md section 3).

Event-driven: a synapse is visited only if some term's dependency is met there, or if its tag is -257, which would not stay.
All others keep their bits whatever the random number, so leaving them out changes nothing.
"""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import number
from chipsim.kernels.learned import gather, learned, opened, product, times
from chipsim.learning.lava.traces import past_value

LOWEST_TAG = -257
TAG = 1


@inner
def factor_value(code, place, times_now, old, met, memory):
    """Return what a factor reads of a synapse; place: (pre, post) entries; times_now: when traces are read; old: w, t, d, 0, 1."""
    if code < 2:
        return past_value(memory.x, code, place[0], times_now, old[3])
    if code < 5:
        return past_value(memory.y, code - 2, place[1], times_now, old[3])
    if code < 8:
        return old[code - 5]
    return old[4] if met[code - 8] else old[3]


@inner
def term_value(m, place, times_now, old, met, program, memory):
    """Return what term m asks of a synapse where its dependency is met."""
    p = old[4]
    for f in range(program.factor[m], program.factor[m + 1]):
        value = factor_value(program.variable[f], place, times_now, old, met, memory) + program.constant[f]
        if program.sign[f]:
            value = old[4] if value > 0 else -old[4] if value < 0 else old[3]
        p = times(p, value, program.bits[f])
    return product(p, program.mantissa[m], program.exponent[m], program.shift[m])


@inner
def change(q, j, i, u, chance, weights, learning):
    """Evaluate the rules of one synapse, all from its old values; return (terms evaluated, whether a stored word changed)."""
    program, memory = learning.program, learning.memory
    z, w = program.synapse[q] + j * program.size[q, 1] + i, program.weight[q] + j * program.size[q, 1] + i
    zero = number(program.whole[q, 0]) * 0
    old = (number(weights[w]), number(memory.tag[z]), number(memory.delay[z]), zero, zero + 1)
    place = (program.side[q, 0] + j, program.side[q, 1] + i)
    moments = (memory.x.times[place[0]], memory.y.times[place[1]], program.length[q])
    met = (moments[0] > 0, moments[1] > 0, u)
    evaluated, changed = 0, False
    for target in range(3):
        first, end = program.term[3 * q + target], program.term[3 * q + target + 1]
        if end > first:
            total = opened(old[target])
            for m in range(first, end):
                d, part = program.dependency[m], zero
                if met[d]:
                    part = term_value(m, place, moments[d], old, met, program, memory)
                    evaluated += 1
                total = gather(total, part)
            new = learned(total, program.range[q, target, 0], program.range[q, target, 1], chance)
            changed = store(q, target, z, w, new, weights, learning) or changed
    return evaluated, changed


@inner
def store(q, target, z, w, new, weights, learning):
    """Write one variable of a synapse; return whether it changed. A lowest tag is remembered."""
    program, memory = learning.program, learning.memory
    if target == 0:
        changed = weights[w] != new
        weights[w] = new
        return changed
    kept = memory.tag if target == TAG else memory.delay
    changed = kept[z] != new
    kept[z] = new
    if target == TAG and new == LOWEST_TAG:
        memory.lowest[program.synapse[q] + memory.lowest_count[q]] = z - program.synapse[q]
        memory.lowest_count[q] += 1
    return changed
