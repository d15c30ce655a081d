"""Learning rules of Loihi given as Lava strings, bit for bit those of lava-nc 0.10.0's fixed-point LearningDense.

Importing this package compiles nothing and needs no numba. docs/lava-learning.md says what a rule means.
"""

from chipsim.learning.lava.grammar import Factor, Term, parse, show
from chipsim.learning.lava.rule import LavaRule

NEEDS = ("synaptic-learning", "traces")  # capabilities a chip cannot do without

__all__ = ["NEEDS", "Factor", "LavaRule", "Term", "parse", "show"]
