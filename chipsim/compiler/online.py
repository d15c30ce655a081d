"""Memory that an online rule needs beside the weights, in bits by kind (docs/online.md section 5)."""

from __future__ import annotations

from chipsim.compiler.plan import Plan
from chipsim.kernels.fixed import DECAY_BITS, GAIN_BITS
from chipsim.learning import losses_bits, rule_of
from chipsim.learning.online.reads import Reads
from chipsim.learning.online.setup import distances


def online_bits(plan: Plan, p: int, lo: int, hi: int, loss: bool) -> dict[str, int]:
    """Return the bits that neurons lo .. hi - 1 of population p need: accumulators, traces, eligibility, signals and what waits for them.

    A core keeps a pre trace for every presynaptic neuron of a projection onto it. With errors taken one step ahead (align = next) the
    traces, and gains of active neurons, wait for as many steps as there are projections to the readout; not so if logs are kept.
    """
    rule, network, n = rule_of(plan.network.learning), plan.network, hi - lo
    reads = Reads(rule)
    fan_in = sum(network.population[network.ends[k][0]].size for k in plan.into(p))
    last, lag = p == len(network.population) - 1, lag_of(plan, rule, p)
    pre = sum(rule.fields[name].bits for name in reads.pre if reads.kept(name, last))
    post, synapse = (sum(rule.fields[name].bits for name in names) for names in (reads.post, reads.synapse))
    delta, accumulator = plan.width("delta", 16), plan.width("gradient_accumulator", 24)
    waiting = lag * (fan_in + n * (GAIN_BITS + 1))  # spikes that drive the delayed trace, and the gains
    return {
        "gradient_accumulators": fan_in * n * accumulator,
        "traces": fan_in * pre + n * post,
        "eligibility": fan_in * n * synapse,
        "error_state": n * delta * (2 if rule.learn and rule.learn.source == "sym-trace" else 1) + waiting,
        "loss": (losses_bits(network.population[p].size) if last and loss else 0) + own_bits(plan, rule, p, lo),
        **(
            {"logs": plan.chip.limit("log_words_per_core") * plan.width("log_word", 32) if plan.chip else 0}
            if rule.deferred
            else {}
        ),
    }


def own_bits(plan: Plan, rule, p: int, lo: int) -> int:
    """Return the bits of what forms errors beside the loss: a local readout on the first core of a population, or the table kappa."""
    source, last = rule.learn.source if rule.learn else "none", p == len(plan.network.population) - 1
    classes = plan.network.population[-1].size
    if source == "local" and not last and lo == 0:
        return losses_bits(classes) + classes * plan.width("membrane", 24)
    ends = plan.network.ends
    away = distances([a for a, _ in ends], [b for _, b in ends], len(plan.network.population))
    return plan.network.steps * DECAY_BITS if source == "deferred" and away[p] != 1 else 0


def lag_of(plan: Plan, rule, p: int) -> int:
    """Return for how many steps an active event of population p waits for its error."""
    ahead = any(getattr(field, "align", None) == "next" for field in rule.fields.values())
    ends = plan.network.ends
    lag = distances([a for a, _ in ends], [b for _, b in ends], len(plan.network.population))[p]
    return lag if ahead and not rule.deferred else 0
