"""bptt: dense backpropagation through time, the float reference; its kernels are those of ssgd-replay, without a band."""

from chipsim.learning.language import Active, Delta, Error, Log, times
from chipsim.learning.replayed import replayed


@replayed
class Bptt:
    """Backpropagation through time without a band: every hidden neuron is evaluated in every step. Float numerics only.

        delta_j[t-1] = alpha delta_j[t] + g(V_j[t]) eps_j[t]         every neuron, every step
        dW_ij       -= delta_j[t]                                    for every logged spike (i, t)
        eps_i[t]     = sum_j w_ij delta_j[t]                         every neuron, every step

    g: paper 1 / (100 |V - theta| + 1)^2 everywhere; box 1 where |V - theta| < half_width, its own support, else 0.
    Kept: everything but the way through the reset of a spike (detached). What ssgd-replay leaves out with half_width is the difference
    between the two. Every evaluation is a record of the active log, so steps x neurons words of log memory are needed: few chips hold them.
    Source: Neftci, Mostafa & Zenke 2019, Surrogate gradient learning in spiking neural networks, IEEE Signal Processing Magazine 36(6).
    """

    dense = True
    spikes, events = Log("spike"), Log("active")
    psi = Active()
    eps = Error()
    delta = Delta()

    def dw_replay_pre(delta):
        return -delta

    def delta_replay_active(delta, psi, eps):
        return delta + times(psi, eps)


RULE = Bptt
