"""stdp: pair-based spike-timing-dependent plasticity."""

from chipsim.learning.language import Const, Learn, PostTrace, PreTrace, rule


@rule
class Stdp:
    """Pairs of spikes: pre before post strengthens, post before pre weakens. The readout learns with its error (delta rule).

        dw_ij = A_plus x_i[t]                               at a spike of j
        dw_ij = -A_minus y_j[t]                             at a spike of i
        dw_jc = -x_j[t] G_c[t]                              readout

    Traces are read before the spikes of the step itself are added, so a pair d steps apart changes the weight by A exp(-(d-1)/tau).
    Source: Song, Miller & Abbott 2000, Nature Neuroscience 3(9), equation 1, all pairs.
    """

    rate = 0.003
    x = PreTrace(tau="post", bits=12, frac=8)
    y = PostTrace(tau="own", bits=12, frac=8)
    plus = Const(0.01, frac=10)
    minus = Const(0.0105, frac=10)
    L = Learn("none")

    def dw_on_post(x, plus):
        return plus * x

    def dw_on_pre(y, minus):
        return -minus * y

    def dw_on_readout(x, L):
        return -x * L


RULE = Stdp
