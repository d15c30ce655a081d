"""ssgd-deferred: SSGD without reverse time, by a second forward walk through the logs."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class SsgdDeferred:
    """When the class scores are known, the logs are read again from the start; the error of the readout has a closed form in time.

        dw_ij = -x_i[t] psi_j[t] L_j[t]                     at every active event (j, t) and every trace that is not zero
        L_j[t] = sum_c w_jc z_c[t+1]                        the last hidden layer; deeper ones: fixed random b_jc in place of w_jc
        dw_jc = -s_j[t-1] z_c[t]                            at every spike of the step before
        z_c[t] = q_c (1 - a_r^(T-t)), or q_c (1 - a_r) a_r^(t*-t) up to t* (readout `max`)

    Exact for the readout and, in delta-lif and if, for the hidden layer below it where nothing else follows from its spikes. Left out: in
    deeper layers everything but a random projection of the error; the way through an adaptive threshold; in loihi-lif the reset.
    Source: closed form of the readout of Perez-Nieves & Goodman 2021; below it direct feedback alignment (Nokland 2016).
    """

    x = PreTrace(tau="post", bits=12, frac=8)
    s = PreTrace(tau=0, bits=1, frac=0, rounding="truncate")
    psi = Active()
    L = Learn("deferred")

    def dw_on_active(x, psi, L):
        return -x * times(psi, L)

    def dw_on_readout(s, L):
        return -s * L


RULE = SsgdDeferred
