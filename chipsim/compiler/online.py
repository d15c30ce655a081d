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


def online_bits(plan: Plan, p: int, span: tuple[int, int], chains: Sequence[Lists], loss: bool) -> dict[str, int]:
    """Return the bits that neurons lo .. hi - 1 (span) of population p need: accumulators, traces, eligibility, signals, what waits.

    chains: the synapse lists of every projection onto them. A core keeps a pre trace for every axon of a projection whose hooks read
    it, with a word for each of its stages. With errors taken one step ahead (align = next) the traces, and gains of active neurons,
    wait for as many steps as there are projections to the readout; not so if logs are kept.
    """
    rule, population = rule_of(plan.network.learning), plan.network.population[p]
    reads = Reads(rule, adapts=any(v.name == "adaptation" for v in population.model.variables))
    last, lag, n = p == len(plan.network.population) - 1, lag_of(plan, rule, p), span[1] - span[0]
    axons, synapses = sum(c.axons for c in chains), sum(c.count for c in chains)
    pre = sum(rule.fields[name].bits * stages(rule.fields[name], plan, p) for name in reads.pre if reads.kept(name, last))
    post = sum(rule.fields[name].bits for name in reads.post)
    states = sum(rule.fields[name].bits for name in reads.synapse if name not in reads.absent)
    delta, accumulator = plan.width("delta", 16), plan.width("gradient_accumulator", 24)
    waiting = lag * (axons + n * (GAIN_BITS + 1))  # spikes that drive the delayed trace, and the gains
    return {
        "gradient_accumulators": synapses * accumulator,
        "traces": axons * pre + n * post,
        "eligibility": synapses * states,
        "error_state": n * delta * (2 if rule.learn and rule.learn.source == "sym-trace" else 1)
        + waiting
        + adapting(plan, rule, p, chains),
        "loss": (losses_bits(population.size) if last and loss else 0) + own_bits(plan, rule, p, span[0]),
        **(log_bits(plan) if rule.deferred else {}),
    }


def log_bits(plan: Plan) -> dict[str, int]:
    """Return the bits of the log memory of a core."""
    return {"logs": plan.chip.limit("log_words_per_core") * plan.width("log_word", 32) if plan.chip else 0}


def adapting(plan: Plan, rule, p: int, chains: Sequence[Lists]) -> int:
    """Return the bits of the feedback weights that adapt: one for every synapse from a hidden neuron toward the readout."""
    if rule.learn is None or rule.learn.source != "adaptive":
        return 0
    away, sources = away_of(plan), [plan.network.ends[k][0] for k in plan.into(p)]
    synapses = sum(c.count for a, c in zip(sources, chains, strict=True) if a > 0 and away[a] > away[p])
    return synapses * plan.network.learning.weight_bits


def own_bits(plan: Plan, rule, p: int, lo: int) -> int:
    """Return the bits of what forms errors beside the loss: a local readout on the first core of a population, or the table kappa."""
    source, last = rule.learn.source if rule.learn else "none", p == len(plan.network.population) - 1
    classes = plan.network.population[-1].size
    if source == "local" and not last and lo == 0:
        return losses_bits(classes) + classes * plan.width("membrane", 24)
    return plan.network.steps * DECAY_BITS if source == "deferred" and away_of(plan)[p] != 1 else 0


def away_of(plan: Plan) -> list[int]:
    """Return how many projections lie between each population and the readout."""
    ends = plan.network.ends
    return distances([a for a, _ in ends], [b for _, b in ends], len(plan.network.population))


def stages(field: PreTrace, plan: Plan, p: int) -> int:
    """Return how many words a pre trace of population p takes: two if there is a current between spike and trace."""
    tau = field.current
    factor = plan.network.population[p].kept_current(plan.network.dt_ms) if tau == "post" else math.exp(-1 / tau) if tau else 0.0
    return 2 if round(factor * (1 << DECAY_BITS)) else 1


def lag_of(plan: Plan, rule, p: int) -> int:
    """Return for how many steps an active event of population p waits for its error; where no error comes, for none but a broadcast."""
    if rule.deferred or not any(getattr(field, "align", None) == "next" for field in rule.fields.values()):
        return 0
    away = away_of(plan)[p]
    return away if away < len(plan.network.population) else 1
