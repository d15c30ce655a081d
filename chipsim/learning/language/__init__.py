"""What a learning rule is: declared fields and small scalar hooks (docs/rules.md). Importing this package compiles nothing."""

from chipsim.learning.language.define import Hook, Rule, rule
from chipsim.learning.language.fields import PostTrace, PreTrace, SynState
from chipsim.learning.language.functions import clip, rshift, sgn, times, where
from chipsim.learning.language.given import Active, Const, Delta, Error, Learn, Log, Neuron, Potential, Random, Reward, Weight

__all__ = [
    "Active", "Const", "Delta", "Error", "Hook", "Learn", "Log", "Neuron", "PostTrace", "Potential", "PreTrace", "Random", "Reward",
    "Rule", "SynState", "Weight", "clip", "rshift", "rule", "sgn", "times", "where",
]  # fmt: skip
