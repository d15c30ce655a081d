"""Networks: what a user describes, from TOML or in Python. Frozen; compiling returns something new."""

from chipsim.network.build import ssgd_network
from chipsim.network.description import Network
from chipsim.network.learning import Data, Learning, Schedule
from chipsim.network.load import as_network, load_model
from chipsim.network.population import Population
from chipsim.network.projection import Projection
from chipsim.network.trainable import rule_problems

__all__ = [
    "Data", "Learning", "Network", "Population", "Projection", "Schedule", "as_network", "load_model", "rule_problems",
    "ssgd_network",
]  # fmt: skip
