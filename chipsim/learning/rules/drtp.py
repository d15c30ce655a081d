"""drtp: direct random target projection."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class Drtp:
    """Hidden neurons are driven toward a random code of the label by the spikes of the step before; no trace, no error.

        dw_ij = -s_i[t-1] psi_j[t] L_j                      at every active event (j, t) and every spike of the step before
        L_j = mean_c b_jc - b_j,label                       fixed random b; the readout learns with its own error

    Left out: everything that depends on the output, and all memory of the potential. With a trace in place of the spike it is etlp.
    Source: Frenkel, Lefebvre & Bol 2021, Learning without feedback, Front. Neurosci. 15; on spiking chips SPOON (Frenkel et al. 2020).
    """

    rate = 0.6
    s = PreTrace(tau=0, bits=1, frac=0, rounding="truncate")
    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    L = Learn("label")

    def dw_on_active(s, psi, L):
        return -s * times(psi, L)

    def dw_on_readout(x, L):
        return -x * L


RULE = Drtp
