"""ssgd-online: SSGD without replay."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class SsgdOnline:
    """Three factors at active neurons: presynaptic trace, surrogate derivative, error carried down in forward time.

        dw_ij = -x_i[t] psi_j[t] L_j[t]                     at every active event (j, t) and every trace that is not zero
        L_j[t] = sum_m w_jm psi_m[t+1] L_m[t+1]             the error of the layer above one step later, when the spike acts

    Kept: the whole past of the inputs (x), the surrogate, the spatial path of the error. Left out: the error that reaches a neuron
    through its own later potential (the tail of delta), through its own threshold where that adapts, and through projections that do
    not lead toward the readout (recurrent, feedback). loihi-lif: x goes through the current first; that a spike of j sets its
    potential to zero is left out. The readout's own weights learn exactly.
    Source: OTTT (Xiao et al. 2022, arXiv 2210.04195, equations 8 to 10) with the active band of SSGD (Perez-Nieves & Goodman 2021).
    """

    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    L = Learn("sym", align="next")

    def dw_on_active(x, psi, L):
        return -x * times(psi, L)

    def dw_on_readout(x, L):
        return -x * L


RULE = SsgdOnline
