"""sltt: spatial learning through time."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class Sltt:
    """Only the spikes of the step before are blamed: no trace, no history.

        dw_ij = -s_i[t-1] psi_j[t] L_j[t]                   at every active event (j, t) and every spike of the step before
        L_j[t] = sum_m w_jm psi_m[t+1] L_m[t+1]

    Kept: the spatial path of the error. Left out: all memory of potential and current (the trace is one step long) and what ssgd-online
    leaves out.
    Source: Meng et al. 2023, Towards memory- and time-efficient backpropagation for training SNNs, arXiv 2302.14311.
    """

    s = PreTrace(tau=0, bits=1, frac=0, rounding="truncate")
    psi = Active()
    L = Learn("sym", align="next")

    def dw_on_active(s, psi, L):
        return -s * times(psi, L)

    def dw_on_readout(s, L):
        return -s * L


RULE = Sltt
