"""rstdp: reward-modulated spike-timing-dependent plasticity."""

from chipsim.learning.language import Learn, PostTrace, PreTrace, Reward, SynState, rshift, rule


@rule
class Rstdp:
    """Pairs of spikes leave a tag at the synapse; the reward turns tags into weight changes. The readout learns with its error.

        e_ij[t+1] = d e_ij[t] + x_i[t] s_j[t] - 3/4 y_j[t] s_i[t]
        dw_ij = R e_ij                                      at the end of the sample; R = 1 if it was classified right, else -1
        dw_jc = -x_j[t] G_c[t]                              readout

    Traces are read before the spikes of the step are added. Left out: a prediction of the reward, and rewards within a sample.
    Source: Izhikevich 2007, Cerebral Cortex 17(10), equations 1 and 2; Florian 2007, Neural Computation 19(6), MSTDPET.
    """

    rate = 0.001
    x = PreTrace(tau=20, bits=7, frac=4)
    y = PostTrace(tau=20, bits=7, frac=4)
    e = SynState(tau=25, bits=9, frac=4)
    R = Reward()
    L = Learn("none")

    def e_on_post(e, x):
        return e + x

    def e_on_pre(e, y):
        return e - rshift(3 * y, 2)

    def dw_on_sample_end(e, R):
        return e * R

    def dw_on_readout(x, L):
        return -x * L


RULE = Rstdp
