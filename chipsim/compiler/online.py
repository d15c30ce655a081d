"""Memory that an online rule needs beside the weights, in bits by kind (docs/online.md section 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chipsim.compiler.lists import Lists
from chipsim.compiler.plan import Plan
from chipsim.kernels.fixed import DECAY_BITS, GAIN_BITS
from chipsim.learning import losses_bits, rule_of
from chipsim.learning.language import PreTrace
from chipsim.learning.online.reads import Reads
from chipsim.learning.online.setup import distances


def online_bits(plan: Plan, p: int, n: int, chains: Sequence[Lists], loss: bool) -> dict[str, int]:
    """Return the bits that n neurons of population p need: accumulators, traces, eligibility, signals and what waits for them.

    chains: the synapse lists of every projection onto them. A core keeps a pre trace for every axon, with a word for each of its
    stages. With errors taken one step ahead (align = next) the traces, and gains of active neurons, wait for as many steps as there
    are projections to the readout.
    """
    rule, population = rule_of(plan.network.learning), plan.network.population[p]
    reads = Reads(rule, adapts=any(v.name == "adaptation" for v in population.model.variables))
    last, lag = p == len(plan.network.population) - 1, lag_of(plan, rule, p)
    axons, synapses = sum(c.axons for c in chains), sum(c.count for c in chains)
    pre = sum(rule.fields[name].bits * stages(rule.fields[name], plan, p) for name in reads.pre)
    post = sum(rule.fields[name].bits for name in reads.post)
    states = sum(rule.fields[name].bits for name in reads.synapse if name not in reads.absent)
    delta, accumulator = plan.width("delta", 16), plan.width("gradient_accumulator", 24)
    waiting = lag * (axons + n * (GAIN_BITS + 1))  # spikes that drive the delayed trace, and the gains
    return {
        "gradient_accumulators": synapses * accumulator,
        "traces": axons * pre + n * post,
        "eligibility": synapses * states,
        "error_state": n * delta + waiting,
        "loss": losses_bits(population.size) if last and loss else 0,
    }


def stages(field: PreTrace, plan: Plan, p: int) -> int:
    """Return how many words a pre trace of population p takes: two if there is a current between spike and trace."""
    tau = field.current
    factor = plan.network.population[p].kept_current(plan.network.dt_ms) if tau == "post" else math.exp(-1 / tau) if tau else 0.0
    return 2 if round(factor * (1 << DECAY_BITS)) else 1


def lag_of(plan: Plan, rule, p: int) -> int:
    """Return for how many steps an active event of population p waits for its error; where no error comes, for none but a broadcast."""
    if not any(getattr(field, "align", None) == "next" for field in rule.fields.values()):
        return 0
    ends, populations = plan.network.ends, len(plan.network.population)
    away = distances([a for a, _ in ends], [b for _, b in ends], populations)[p]
    return away if away < populations else 1
