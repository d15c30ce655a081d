"""ssgd-replay: exact sparse backpropagation through time; its kernels are in chipsim.simulator.replay and chipsim.learning.ssgd."""

from chipsim.learning.language import Active, Delta, Error, Log, times
from chipsim.learning.replayed import replayed


@replayed
class SsgdReplay:
    """Sparse spiking gradient descent: exact replay of logged events, active neurons only.

        delta_j[t-1] = alpha delta_j[t] + psi_j[t] eps_j[t]          at active events
        dW_ij       -= delta_j[t]                                    for every logged spike (i, t)
        eps_i[t]     = sum_j w_ij delta_j[t]                         for every logged active event (i, t)

    Kept: every way of the error through time and synapses. Left out: the surrogate derivative outside the active band,
    |V - theta| >= half_width, and the way through the reset of a spike (detached, as in the source).
    Form B, gather, apply after; learning.form, transport and apply say otherwise (docs/semantics.md sections 5 and 6), learning.loss takes
    the class scores or every step. Delays, recurrence, adaptive and current-based neurons: the adjoint is in each neuron's file.
    Source: Perez-Nieves & Goodman 2021, Sparse spiking gradient descent, arXiv 2105.08810.
    """

    spikes, events = Log("spike"), Log("active")
    psi = Active()
    eps = Error()
    delta = Delta()

    def dw_replay_pre(delta):
        return -delta

    def delta_replay_active(delta, psi, eps):
        return delta + times(psi, eps)


RULE = SsgdReplay
