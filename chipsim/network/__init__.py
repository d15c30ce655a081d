"""Networks: what a user describes, from TOML or in Python. Frozen; compiling returns something new."""

from chipsim.network.build import ssgd_network
from chipsim.network.description import Data, Learning, Network, Population, Projection, Schedule
from chipsim.network.load import as_network, load_model

__all__ = ["Data", "Learning", "Network", "Population", "Projection", "Schedule", "as_network", "load_model", "ssgd_network"]
