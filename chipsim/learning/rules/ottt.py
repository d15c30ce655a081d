"""ottt: online training through time."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class Ottt:
    """ssgd-online without a band: every hidden neuron is evaluated in every step. Float numerics only.

        dw_ij = -x_i[t] g(V_j[t]) L_j[t]                    every neuron, every step, every trace that is not zero
        L_j[t] = sum_m w_jm g(V_m[t+1]) L_m[t+1]            the error of the layer above one step later, when the spike acts

    g: paper 1 / (100 |V - theta| + 1)^2 everywhere; box and triangle end at half_width by themselves.
    Kept and left out as in ssgd-online, which is this rule with a band and runs on the chip. Updates add up over the sample and are
    written once (the authors' OTTT_A); their layers act within a step, here a spike takes one.
    Source: Xiao et al. 2022, Online training through time for spiking neural networks, arXiv 2210.04195, equations 8 to 10.
    """

    dense = True
    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    L = Learn("sym", align="next")

    def dw_on_active(x, psi, L):
        return -x * times(psi, L)

    def dw_on_readout(x, L):
        return -x * L


RULE = Ottt
