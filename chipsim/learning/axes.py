"""The five axes on which learning rules differ, each a registry, and where a rule stands on them (docs/rules.md)."""

from __future__ import annotations

from chipsim.learning.language import Rule
from chipsim.learning.language.fields import SynState, Trace
from chipsim.learning.language.given import SOURCES, Reward
from chipsim.learning.policies import OPTIMISERS, POLICIES
from chipsim.learning.replayed import Replayed

ELIGIBILITY = {
    "replay": "logged spikes and active events, walked in reverse",
    "pre-trace": "a trace of presynaptic spikes (PreTrace; tau 0: the spike of the step before)",
    "traces": "traces of both sides (PreTrace, PostTrace)",
    "synapse": "a state of every synapse: eligibility trace or tag (SynState)",
    "none": "the event alone",
}
TRIGGERS = {
    "replay_pre": "logged spike, in reverse", "replay_active": "logged active event, in reverse", "on_readout": "every class and step",
    "on_pre": "presynaptic spike", "on_post": "postsynaptic spike", "on_active": "active neuron, |V - theta| < half_width",
    "on_error": "signal above learning.error_threshold",
    "on_epoch": "every `epoch` steps", "on_sample_end": "end of the sample, reward known",
}  # fmt: skip


def axes() -> dict[str, dict[str, str]]:
    """Return {axis: {member: what it is}}."""
    return {
        "eligibility": ELIGIBILITY,
        "signal": SOURCES
        | {"reward": "right or wrong, known at the end of the sample (field Reward; not exchanged by learning.signal)"},
        "trigger": TRIGGERS,
        "write": {name: policy.title for name, policy in POLICIES.items()},
        "optimiser": {name: optimiser.title for name, optimiser in OPTIMISERS.items()},
    }


def axes_of(rule: Rule | Replayed) -> dict[str, list[str]]:
    """Return {axis: members} of a rule; write and optimiser only where it has its own, else the model chooses."""
    if isinstance(rule, Replayed):
        return {"eligibility": ["replay"], "signal": ["exact"], "trigger": [hook.event for hook in rule.text.hooks]}
    kinds = [f for f in rule.fields.values() if isinstance(f, (Trace, SynState))]
    rewarded = any(isinstance(f, Reward) for f in rule.fields.values())
    both = {f.place for f in kinds} >= {"pre", "post"}
    eligibility = (
        "synapse" if any(isinstance(f, SynState) for f in kinds) else "traces" if both else "pre-trace" if kinds else "none"
    )
    found = {
        "eligibility": [eligibility],
        "signal": ["reward"] if rewarded else [rule.learn.source if rule.learn else "none"],
        "trigger": list(dict.fromkeys(hook.event for hook in rule.hooks)),
    }
    return found | ({"write": [rule.write]} if rule.write else {})
