"""Memory that an online rule needs beside the weights, in bits by kind (docs/online.md section 5)."""

from __future__ import annotations

from chipsim.compiler.plan import Plan
from chipsim.kernels.fixed import GAIN_BITS
from chipsim.learning import losses_bits, rule_of
from chipsim.learning.online.reads import Reads
from chipsim.learning.online.setup import distances


def online_bits(plan: Plan, p: int, n: int, loss: bool) -> dict[str, int]:
    """Return the bits that n neurons of population p need: accumulators, traces, eligibility, signals and what waits for them.

    A core keeps a pre trace for every presynaptic neuron of a projection onto it. With errors taken one step ahead (align = next) the
    traces, and gains of active neurons, wait for as many steps as there are projections to the readout.
    """
    rule, network = rule_of(plan.network.learning), plan.network
    reads = Reads(rule)
    fan_in = sum(network.population[network.ends[k][0]].size for k in plan.into(p))
    last, lag = p == len(network.population) - 1, lag_of(plan, rule, p)
    pre, post, synapse = (sum(rule.fields[name].bits for name in names) for names in (reads.pre, reads.post, reads.synapse))
    delta, accumulator = plan.width("delta", 16), plan.width("gradient_accumulator", 24)
    waiting = lag * (fan_in + n * (GAIN_BITS + 1))  # spikes that drive the delayed trace, and the gains
    return {
        "gradient_accumulators": fan_in * n * accumulator,
        "traces": fan_in * pre + n * post,
        "eligibility": fan_in * n * synapse,
        "error_state": n * delta + waiting,
        "loss": losses_bits(network.population[p].size) if last and loss else 0,
    }


def lag_of(plan: Plan, rule, p: int) -> int:
    """Return for how many steps an active event of population p waits for its error."""
    ahead = any(getattr(field, "align", None) == "next" for field in rule.fields.values())
    ends = plan.network.ends
    return distances([a for a, _ in ends], [b for _, b in ends], len(plan.network.population))[p] if ahead else 0
