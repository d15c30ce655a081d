"""etlp: the label itself, through fixed random weights, in place of an error."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class Etlp:
    """Hidden neurons are driven toward a random code of the label; no error is computed for them.

        dw_ij = -x_i[t] psi_j[t] L_j                        at every active event (j, t) and every trace that is not zero
        L_j = mean_c b_jc - b_j,label                       fixed random b; the readout learns with its own error

    The mean over the classes is taken off: otherwise every class would drive a neuron the same way, until its weights saturate.
    Left out: everything that depends on the output, and the way through an adaptive threshold.
    No weights are carried backward, one word per sample is broadcast. Different here: the label is there in every step, so that every
    active event learns, where the authors learn at the spikes of teaching neurons.
    Source: Quintana et al. 2023, ETLP, arXiv 2301.08281; the projection of targets is DRTP's (Frenkel et al. 2019).
    """

    rate = 0.3
    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    L = Learn("label")

    def dw_on_active(x, psi, L):
        return -x * times(psi, L)

    def dw_on_readout(x, L):
        return -x * L


RULE = Etlp
