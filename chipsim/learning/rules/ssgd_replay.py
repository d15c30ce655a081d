"""ssgd-replay: exact sparse backpropagation through time; its kernels are in chipsim.simulator.replay and chipsim.learning.ssgd."""

from chipsim.learning.replayed import Replayed

DOC = """Sparse spiking gradient descent: exact replay of logged events, active neurons only.

    delta_j[t-1] = alpha delta_j[t] + psi_j[t] eps_j[t]          at active events
    dW_ij       -= delta_j[t]                                    for every logged spike (i, t)
    eps_i[t]     = sum_j w_ij delta_j[t]                         for every logged active event (i, t)

Kept: everything. Left out: the surrogate derivative outside the active band, |V - theta| >= half_width.
Source: Perez-Nieves & Goodman 2021, arXiv 2105.08810; form B, gather, apply after unless
learning.form, transport and apply say otherwise (docs/semantics.md sections 5 and 6). learning.loss: of the class scores, or of every step.
"""

RULE = Replayed("ssgd-replay", DOC, ("active-flag", "logs", "graded-errors", "replay"), "chipsim.simulator.replay")
